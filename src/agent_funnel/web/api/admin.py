"""Keys, the audit and the settings."""

from __future__ import annotations

from json import dumps
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import access, audit
from agent_funnel.settings import SECRET, Settings, variable
from agent_funnel.web.access import about, identity
from agent_funnel.web.api import shapes
from agent_funnel.web.once import keep_instead
from agent_funnel.web.operation import json, operation
from agent_funnel.web.wiring import wiring

blueprint = APIBlueprint(
    "admin", __name__, url_prefix="/api", abp_tags=[Tag(name="admin", description="Keys, the audit, the settings.")]
)


@operation(blueprint, "get", "/keys", role="admin", answer=shapes.Keys)
def list_keys() -> Response:
    """List the keys, the revoked ones too."""
    return json(shapes.Keys(items=access.keys(wiring().backend)))


@operation(
    blueprint, "post", "/keys", role="admin", answer=shapes.KeyAnswer, status=201,
    problems={409: "A key of this name is in use."},
)  # fmt: skip
def add_key(body: shapes.NewKey) -> Response:
    """Make a key; its secret is shown this once."""
    about(body.name)
    key, secret = access.add_key(wiring().backend, body.name, body.role, actor=identity().name)
    # Who asks again gets the same key, but no secret: that is kept nowhere.
    keep_instead(shapes.KeyAnswer(key=key, secret=None).model_dump_json())
    return json(shapes.KeyAnswer(key=key, secret=secret), 201)


@operation(
    blueprint, "delete", "/keys/<int:key_id>", role="admin", answer=shapes.Done, problems={404: "No such key in use."}
)
def revoke_key(path: shapes.KeyPath) -> Response:
    """Revoke a key, at once and for good, and end the sessions that began with it."""
    about(f"key {path.key_id}")
    access.revoke_key(wiring().backend, path.key_id, actor=identity().name)
    return json(shapes.Done())


@operation(blueprint, "get", "/audit", role="admin", answer=shapes.AuditPage)
def list_audit(query: shapes.Page) -> Response:
    """List what was done through the service, the newest first: who, what, when, from where, with what outcome."""
    before = shapes.keys_of(query.cursor, shapes.AFTER_ROW)
    found = audit.entries(wiring().backend, count=query.count, before=before[0] if before else None)
    following = shapes.cursor(found[-1].entry_id) if len(found) == query.count else None
    return json(shapes.AuditPage(items=found, next=following))


@operation(blueprint, "get", "/settings", role="admin", answer=shapes.SettingsAnswer)
def show_settings() -> Response:
    """Show the settings of this copy of the service; secrets stay secret."""
    values = wiring().settings.model_dump(mode="json", exclude=SECRET)
    return json(
        shapes.SettingsAnswer(items=[_setting(name, values.get(name)) for name in sorted(Settings.model_fields)])
    )


def _setting(name: str, value: Any) -> shapes.Setting:
    text = value if isinstance(value, str) or value is None else dumps(value)
    return shapes.Setting(name=variable(name), value=text, secret=name in SECRET)
