"""The rules of the deal over the API and on the page of the settings, for admins; and the rules of a run."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.access.audit import list_entries
from agent_funnel.rules import Rules, effective, record_rules
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables
from support.pages import AGAIN, Page, Reader, bearer, client_of, key_of, reader_of

# tests/backend runs the queries on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

DEFAULTS = {"country": "none", "max_per_agent": 450, "window_days": 45, "newest_first": False, "voice": "fresh"}


def shown(client: FlaskClient, **options: Any) -> dict[str, tuple[Any, str]]:
    """What holds, by rule, with its source."""
    answer = client.get("/api/rules", **options)
    assert answer.status_code == 200, answer.text
    return {each["name"]: (each["value"], each["source"]) for each in answer.get_json()["items"]}


def test_rules_are_changed_over_the_api_at_once_and_each_run_keeps_its_own(database: TestedDatabase) -> None:
    seed_tables(database)
    client = client_of(database)
    admin = {"headers": bearer(key_of(database, "admin", "Ana"))}
    assert shown(client, **admin) == {name: (value, "default") for name, value in DEFAULTS.items()}
    before = client.post("/run-now", **admin).get_json()["run_id"]
    wanted = {"country": "br", "max_per_agent": 1, "newest_first": True, "voice": "as-dealt"}
    answer = client.post("/api/rules", json=wanted, **admin)
    assert (answer.status_code, answer.get_json()["problems"]) == (200, [])
    assert {each["name"]: each["recorded_by"] for each in answer.get_json()["items"]} == {
        "country": "http: Ana", "max_per_agent": "http: Ana", "window_days": None, "newest_first": "http: Ana",
        "voice": "http: Ana",
    }  # fmt: skip
    assert effective(database.backend, load()) == Rules("BR", 1, 45, True, "as-dealt")
    assert client.get("/api/preview", **admin).get_json()["run"]["largest_share"] == 1
    assert client.get("/api/preview?max_per_agent=2&country=none", **admin).get_json()["run"]["largest_share"] == 2
    assert client.get("/api/pool", **admin).status_code == 200
    after = client.post("/run-now", **AGAIN, **admin).get_json()["run_id"]
    kept = [client.get(f"/api/runs/{run}", **admin).get_json()["run"] for run in (before, after)]
    assert [(run["max_per_agent"], run["newest_first"], run["country"], run["voice"]) for run in kept] == [
        (450, False, None, "fresh"), (1, True, "BR", "as-dealt"),
    ]  # fmt: skip
    page = Reader(client, key_of(database, "viewer")).get(f"/runs/{after}")
    assert (
        "The rules: at most 1 leads per agent, leads of the last 45 days, newest first, country BR, leads that "
        "were dealt before go to any agent, as the order has it." in page
    )
    entry = next(each for each in list_entries(database.backend, count=9) if each.operation == "POST /api/rules")
    assert (entry.actor, entry.target, entry.status) == (
        "Ana", "country BR, max_per_agent 1, newest_first True, voice as-dealt", 200,
    )  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [
        {}, {"volume": 1}, {"voice": "loud"}, {"country": "XX"}, {"country": ""}, {"max_per_agent": 0},
        {"max_per_agent": "5"}, {"window_days": 36_501}, {"newest_first": "yes"},
        {"max_per_agent": 3, "window_days": -1},
    ],
    ids=str,
)  # fmt: skip
def test_a_bad_rule_is_refused_and_none_is_recorded(
    database: TestedDatabase, client: FlaskClient, bad: dict[str, Any]
) -> None:
    answer = client.post("/api/rules", json=bad)
    assert answer.status_code == 422
    if bad:
        assert list(bad)[-1] in answer.text
    assert database.execute("SELECT COUNT(*) FROM dbo.floor_rule") == [(0,)]


def test_only_an_admin_sees_and_changes_the_rules(database: TestedDatabase) -> None:
    for role in ("viewer", "operator"):
        reader = reader_of(database, role)
        for answer in (
            reader.client.get("/api/rules", headers=reader.headers),
            reader.client.post("/api/rules", json={"max_per_agent": 1}, headers=reader.headers),
            reader.send("/rules", max_per_agent="1"),
        ):
            assert answer.status_code == 403
    assert database.execute("SELECT COUNT(*) FROM dbo.floor_rule") == [(0,)]


def test_an_admin_changes_the_rules_on_the_page_of_the_settings(database: TestedDatabase, reader: Reader) -> None:
    page = reader.get("/settings")
    assert 'value="450"' in page.source
    assert page.text.count("The default.") == 5
    fields = {"max_per_agent": "450", "window_days": "30", "newest_first": "true", "country": "PT", "voice": "as-dealt"}
    page = reader.done("/rules", **fields)
    assert (
        "Recorded: country of numbers without one: Portugal (PT); days that a lead is dealt: 30; leads with the same "
        "number of calls: newest first; leads that were dealt before go to any agent, as the order has it. It "
        "holds from now on." in page
    )
    assert page.text.count("The default.") == 1
    assert page.text.count("by somebody on the server.") == 4
    # The cap was sent, too, and was not recorded, because it is the same.
    assert database.execute("SELECT COUNT(*) FROM dbo.floor_rule") == [(4,)]
    assert effective(database.backend, load()) == Rules("PT", 450, 30, True, "as-dealt")
    assert '<option value="PT" selected>' in page.source
    assert '<option value="true" selected>' in page.source
    assert '<option value="as-dealt" selected>' in page.source
    assert "Every rule was recorded like this already." in reader.done("/rules", **fields)
    refused = reader.refused(422, "/rules", **{**fields, "window_days": "36501"})
    assert "window_days is '36501'; it must be from 0 to 36500. Nothing was changed." in refused
    assert 'value="36501"' in refused.source
    assert effective(database.backend, load()).window_days == 30
    targets = [entry.target for entry in list_entries(database.backend, count=9)]
    assert targets == [None, "no change", "country PT, window_days 30, newest_first true, voice as-dealt"]


def test_the_page_names_both_values_where_a_setting_differs(database: TestedDatabase) -> None:
    record_rules(database.backend, {"max_per_agent": 3}, actor="Ana <b>")
    page = reader_of(database, None, max_per_agent=1).get("/settings")
    assert "FUNNEL_MAX_PER_AGENT (flag) is 1, but 3 is recorded in the database" in page
    assert "This copy of the service deals by 1 (flag). Recorded" in page
    assert "by Ana <b>" in page
    assert 'value="3"' in page.source
    assert "Without a value" not in page


def test_a_rule_that_is_recorded_wrongly_is_shown_and_can_be_corrected(
    database: TestedDatabase, reader: Reader
) -> None:
    database.execute(
        "INSERT INTO dbo.floor_rule (name, value, recorded_at, recorded_by) "
        "VALUES ('max_per_agent', '<i>many', '2026-01-01', 'dba')"
    )
    page = reader.get("/settings")
    assert "The recorded rule max_per_agent is '<i>many'; it must be from 1 to 1000000." in page
    assert "What is recorded, <i>many, is not allowed. Recorded" in page
    assert "is '<i>many'; it must be from 1 to 1000000" in Page(reader.get("/run-now/preview").source)
    problem = reader.client.get("/api/pool")
    assert (problem.status_code, problem.get_json()["code"]) == (422, 50006)
    reader.done("/rules", max_per_agent="7", window_days="45", newest_first="false", country="none")
    assert effective(database.backend, load()).max_per_agent == 7
