"""Names and reasons that act on a terminal or a page: new ones are refused, and the existing ones become visible."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.access.keys import add_key
from agent_funnel.agents import add_agent, add_limit
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import ImportRefused, ParameterOutOfRange
from agent_funnel.imports import import_file
from agent_funnel.schedule.store import add_holiday, pause
from support.databases import TestedDatabase, seed_tables, snapshot
from support.nights import deal_today
from support.pages import BROWSER, client_of

# These tests concern the service; other tests run the same queries on each engine.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

ACTING = ("\x1b]0;title\x07", "\x7f", "\x9b31m", "\x85", "\u061c", "\u200e", "\u2028", "\u202e", "\u2066")
IN_OUTPUT = re.compile(r"(?![\n\t])[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Fields that are sent back have the name as it is:
FIELD = re.compile(r'<input type="hidden"[^>]*>|<button[^>]* value="[^"]*"[^>]*>|<input id="find"[^>]*>')


def test_a_new_name_or_reason_with_such_a_character_is_refused(database: TestedDatabase, client: FlaskClient) -> None:
    seed_tables(database)
    before = snapshot(database)
    for acting in ACTING:
        text = f"Ana {acting}x"
        requests: list[tuple[str, Any]] = [
            ("/api/agents", {"agent": text}),
            ("/api/limits", {"agent": text, "starts_on": "2026-11-25"}),
            ("/api/keys", {"name": text, "role": "viewer"}),
            ("/api/do-not-contact", {"number": "+4915112345678", "reason": text}),
            ("/api/schedule/pause", {"reason": text}),
        ]
        for path, body in requests:
            assert (path, client.post(path, json=body).status_code) == (path, 422)
        assert client.post("/agents/add", data={"agent": text}, headers=BROWSER).status_code == 422
    assert snapshot(database) == before
    # Other scripts, emoji and joined characters are names like others.
    for fine in ("Zoë", "अनिल", "محمد", "👩\u200d🚀", "日本"):
        assert client.post("/api/agents", json={"agent": fine}).status_code == 201


def test_the_functions_below_the_service_and_imports_refuse_it_too(database: TestedDatabase, tmp_path: Path) -> None:
    backend, file = database.backend, tmp_path / "agents.csv"
    for acting in ACTING:
        text = f"Ana {acting}x"
        for call in (
            lambda text=text: add_agent(backend, text),
            lambda text=text: add_key(backend, text, "viewer"),
            lambda text=text: add_do_not_contact(backend, "+4915112345678", text),
            lambda text=text: pause(backend, now=datetime.now(UTC), actor="a", reason=text),
            lambda text=text: add_holiday(backend, date(2999, 12, 24), text),
            lambda text=text: add_limit(backend, text, starts_on=date(2026, 11, 25), ends_on=None, max_records=1),
        ):
            with pytest.raises(ParameterOutOfRange, match=rf"U\+{ord(acting[0]):04X}"):
                call()
        for kind, rows in (
            ("agents", f'agent,status\n"{text}",active\n'),
            ("holidays", f'day,name\n2999-12-24,"{text}"\n'),
        ):
            file.write_text(rows, "utf-8", newline="\n")
            with pytest.raises(ImportRefused, match=rf"U\+{ord(acting[0]):04X}"):
                import_file(backend, kind, file)
    assert database.execute("SELECT COUNT(*) FROM dbo.agents") == [(0,)]
    # Numbers that were copied from a chat have such marks, and must be kept from being called all the same.
    add_do_not_contact(backend, "\u202a+49 151 12345678\u202c")


@pytest.mark.parametrize("acting", ACTING)
def test_an_existing_name_is_visible_on_pages_and_can_be_managed(database: TestedDatabase, acting: str) -> None:
    seed_tables(database)
    name = f"Ana {acting}x"
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 1'", name)
    run = f"/runs/{deal_today(database).run_id}"
    client = client_of(database)
    pause(database.backend, now=datetime.now(UTC), actor=None, reason=None)
    database.execute("UPDATE dbo.schedule_pause SET reason = %s, paused_by = %s", name, name)
    shown = 0
    query = {"agent": name, "find": "Ana"}
    lead = "/leads/of?number=%2B49300000001"
    for path in ("/", "/agents", "/agents/of", "/agents/list", run, "/leads?all=1", "/run-now/preview", lead):
        page = client.get(path, query_string=None if "?" in path else query, headers=BROWSER)
        assert page.status_code == 200, path
        assert not IN_OUTPUT.search(FIELD.sub("", page.text)), path
        shown += f"\\u{ord(acting[0]):04x}" in page.text or f"\\x{ord(acting[0]):02x}" in page.text
    assert shown >= 5
    for path in ("/api/agents", "/api/assignments", "/api/schedule"):
        answer = client.get(path)
        assert not IN_OUTPUT.search(answer.text), path
        assert name in repr_of(answer.get_json()), path
    # The form of the page, and the API, still reach the agent.
    [button] = re.findall(r'<button[^>]* name="agent" value="(Ana [^"]*)"', client.get("/agents", headers=BROWSER).text)
    assert button.replace("&#39;", "'") == name
    assert client.post("/agents/deactivate", data={"agent": name}, headers=BROWSER).status_code == 303
    assert client.post("/api/agents/activate", json={"agent": name}).status_code == 200


def repr_of(value: Any) -> str:
    """All texts of a JSON value."""
    if isinstance(value, dict):
        return "\0".join(map(repr_of, value.values()))
    return "\0".join(map(repr_of, value)) if isinstance(value, list) else str(value)
