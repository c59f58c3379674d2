"""Makes docs/reference/api.md from the OpenAPI document; `make docs` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from agent_funnel.settings import Settings
from agent_funnel.web import create_app
from agent_funnel.web.openapi import document
from agent_funnel.web.operation import ALWAYS
from support.databases import connect_to

HEAD = """# The API

This page is made from the service's OpenAPI document. The service has it at `/api/openapi.json`, and a page to try it
at `/api/docs`. [Who may use it](../howto/access.md): each operation names the role it needs. Moments are in UTC,
business dates in the time zone of the sales floor, dates of leads in its local time.

An error is `application/problem+json`: `type`, `title`, `status`, `detail`, `code` (50001 to 50008 if the deal refuses)
and, for a wrong request, `faults` (`field`, `detail`, `limit`). Every operation may return:

"""


def text() -> str:
    """The page."""
    # The app does not open the database for this.
    app = create_app(Settings(_env_file=None), connect_to("sqlite:///none"))  # type: ignore[call-arg]
    with app.app_context():
        return "".join(_lines(document()))


def _lines(written: dict[str, Any]) -> Iterator[str]:
    yield HEAD
    yield "| status | when |\n|---|---|\n"
    for status, why in ALWAYS.items():
        yield f"| {status} | {why} |\n"
    for tag in written["tags"]:
        yield f"\n## {tag['name'].capitalize()}\n\n{tag['description']}\n"
        for path, operations in written["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(written, f"{method.upper()} {path}", operation)


def _operation(written: dict[str, Any], name: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"\n### `{name}`\n\n{operation['summary']} Role: `{operation['x-role']}`.\n"
    fields = [
        *((each["name"], each["in"], each["required"], each["schema"]) for each in operation.get("parameters", [])),
        *_body(written, operation),
    ]
    if fields:
        yield "\n| field | in | |\n|---|---|---|\n"
        for field, place, required, schema in fields:
            yield f"| `{field}` | {place} | {_described(schema)}{'; required' if required else ''} |\n"
    yield "\n"
    for status, response in sorted(operation["responses"].items()):
        if int(status) in ALWAYS:
            continue
        content = response.get("content", {})
        model = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        files = [kind for kind in content if kind not in ("application/json", "application/problem+json")]
        shape = _shape(written, model) if model else response["description"]
        yield f"- **{status}** {shape}{' Also as ' + ', '.join(f'`{kind}`' for kind in files) + '.' if files else ''}\n"


def _body(written: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        reference = content["schema"].get("$ref", "")
        if not reference:
            yield "the body", kind, True, {"type": "file"}
            continue
        schema = written["components"]["schemas"][reference.rpartition("/")[2]]
        for name, field in schema.get("properties", {}).items():
            yield name, "body", name in schema.get("required", []), field


def _shape(written: dict[str, Any], model: str) -> str:
    schema = written["components"]["schemas"][model]
    description = " ".join(str(schema.get("description", "")).split())
    while "$ref" in schema:
        schema = written["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    names = ", ".join(f"`{name}`" for name in schema.get("properties", {}))
    return f"{description} {names}."


def _described(schema: dict[str, Any]) -> str:
    """A short description of a field: its type, its bounds, its meaning."""
    some = next((each for each in schema.get("anyOf", []) if each.get("type") != "null"), schema)
    words = [str(some.get("format") or some.get("type") or "one of a few")]
    if "enum" in some:
        words = [", ".join(f"`{each}`" for each in some["enum"])]
    low, high = some.get("minimum", some.get("minLength")), some.get("maximum", some.get("maxLength"))
    if low is not None and high is not None:
        words.append(f"{int(low)} to {int(high)}{' characters' if 'maxLength' in some else ''}")
    if schema.get("default") is not None:
        words.append(f"default `{schema['default']}`")
    if schema.get("description"):
        words.append(str(schema["description"]).rstrip("."))
    return "; ".join(words)


if __name__ == "__main__":
    sys.stdout.write(text())
