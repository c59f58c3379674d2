"""Call-backs to come: the page, the API, the files and the command; no number for viewers."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from agent_funnel.agents import add_limit
from agent_funnel.call_backs import CallBackState
from agent_funnel.web.pages.call_backs import STATE_NAMES
from support.command import run_command
from support.databases import TestedDatabase
from support.outcomes import ANAS, CARLOS, DEALT_ON, put_floor, tell
from support.pages import bearer, client_of, key_of, reader_in_the_morning, reader_of

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TOMORROW = DEALT_ON + timedelta(days=1)


@on_sqlite
def test_the_page_lists_call_backs_by_day_and_masks_numbers_for_viewers(database: TestedDatabase) -> None:
    viewer = reader_of(database, "viewer")
    assert "There are no call-backs to come" in viewer.get("/call-backs")
    put_floor(database)
    tell(database, CARLOS, "call_back", call_back_on=TOMORROW + timedelta(days=1), note="+5521912345678 at six")
    tell(database, ANAS, "call_back", call_back_on=TOMORROW, same_agent=True)
    tell(database, CARLOS, "opted_out")
    tell(database, CARLOS, "call_back", call_back_on=TOMORROW + timedelta(days=1), note="+5521912345678 at six")
    page = reader_of(database, "operator").get("/call-backs")
    assert "0 are due, and 2 are to come." in page
    first = r"\+55 11 98765-4321 .{3,20} Bo the same agent to come"
    second = r"\+55 21 91234-5678 .{3,20} \+5521912345678 at six Al anybody not dealt: on a do-not-contact list"
    assert re.search(f"{first} {second}", page.text)
    # On a phone, a card is named by its number: several have the same day.
    assert re.search(r'<th scope="row">\s*<a href="/leads/', page.source)
    page = viewer.get("/call-backs")
    assert re.search("…321 .{3,20} Bo the same agent to come", page.text)
    assert "91234" not in page.source
    assert "+5511" not in page.source
    page = viewer.get("/call-backs", agent="Bo")
    assert "Here are those of Bo" in page
    assert "…678" not in page


@on_sqlite
def test_what_is_the_same_in_all_rows_is_said_once_above_them(database: TestedDatabase) -> None:
    put_floor(database)
    for number in (CARLOS, ANAS):
        tell(database, number, "call_back", call_back_on=TOMORROW)
    page = reader_of(database, "operator").get("/call-backs")
    assert "The same for all of these: Goes to: anybody ; Now: to come" in page
    table = page.source[page.source.index("<table") :]
    assert "anybody" not in table
    assert "Now" not in table
    assert "Asked by" in table
    assert "Asked by" not in reader_of(database, "viewer").get("/call-backs", agent="Bo").source


def test_each_state_has_words_on_the_page() -> None:
    assert set(STATE_NAMES) == set(get_args(CallBackState))


@on_sqlite
def test_the_api_the_files_and_the_command_list_the_same(database: TestedDatabase, tmp_path: Path) -> None:
    put_floor(database)
    tell(database, CARLOS, "call_back", call_back_on=TOMORROW)
    tell(database, ANAS, "call_back", call_back_on=TOMORROW, same_agent=True)
    client, viewer = client_of(database), bearer(key_of(database, "viewer"))
    operator = bearer(key_of(database, "operator"))
    first: Any = client.get("/api/call-backs?count=1", headers=operator).json
    second: Any = client.get(f"/api/call-backs?count=1&cursor={first['next']}", headers=operator).json
    items = first["items"] + second["items"]
    assert [(each["number"], each["state"], each["same_agent"]) for each in items] == [
        (CARLOS, "to_come", False), (ANAS, "to_come", True),
    ]  # fmt: skip
    masked: Any = client.get("/api/call-backs", headers=viewer).json
    assert [each["number"] for each in masked["items"]] == ["…678", "…321"]
    place: dict[str, Any] = {"cwd": tmp_path, "FUNNEL_DATABASE_URL": database.url}
    listed = json.loads(run_command("call-backs", "--json", **place).stdout)
    assert [each["outcome_id"] for each in listed] == [each["outcome_id"] for each in items]
    assert "anybody" in run_command("call-backs", **place).stdout
    file = client.get("/api/call-backs?format=csv", headers=operator).text
    assert file.replace("\r\n", "\n") == run_command("export", "call-backs", **place).stdout.replace("\r\n", "\n")
    assert [row["state"] for row in csv.DictReader(io.StringIO(file))] == ["to_come", "to_come"]
    assert "+55" not in client.get("/api/call-backs?format=csv", headers=viewer).text


@on_sqlite
def test_a_preview_and_tonight_count_the_call_backs_of_the_next_deal(database: TestedDatabase) -> None:
    put_floor(database)
    tell(database, ANAS, "call_back", call_back_on=TOMORROW, same_agent=True)
    tell(database, CARLOS, "call_back", call_back_on=TOMORROW)
    database.execute("UPDATE assignment_outcome SET call_back_on = %s", str(DEALT_ON))
    reader = reader_in_the_morning(database, "viewer")
    page = reader.get("/run-now/preview")
    assert "2 of these leads are call-backs that are due, and 1 stays with the agent who asked for it." in page
    assert "Bo 1 1" in page
    page = reader.wait_for("/", lambda page: "is being counted" not in page)
    assert "2 of these leads are call-backs." in page


@on_sqlite
def test_a_refused_deal_has_the_notice_of_call_backs_beside_it_and_no_other(database: TestedDatabase) -> None:
    put_floor(database)
    for number in (ANAS, CARLOS):
        tell(database, number, "call_back", call_back_on=TOMORROW)
    database.execute("UPDATE assignment_outcome SET call_back_on = %s", str(DEALT_ON))
    for agent, most in (("Al", 1), ("Bo", 0)):
        add_limit(database.backend, agent, starts_on=DEALT_ON, ends_on=None, max_records=most)
    reader = reader_in_the_morning(database, "operator")
    page = reader.get("/run-now/preview")
    assert "This deal is probably a mistake." in page
    assert "No agent has room for 1 call-back that is due; the next deal has it again." in page
    assert "count a second call that day" not in page
    reader.headers["Accept-Language"] = "de"
    german = reader.get("/run-now/preview")
    assert "Kein Agent hat Platz für 1 fälligen Rückruf; die nächste Verteilung hat ihn wieder." in german
    del reader.headers["Accept-Language"]
    done = reader.done("/deal", **page.forms["/deal"], again="1")
    assert "count a second call that day. An undo takes that back. No agent has room for 1 call-back " in done
