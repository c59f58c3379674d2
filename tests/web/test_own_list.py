"""An agent's own list, opened by a personal link; on each engine."""

from __future__ import annotations

import csv
import html
import json
import re

import pytest
from click.testing import CliRunner

from agent_funnel import cli
from agent_funnel.access.links import make_link, revoke_link
from agent_funnel.errors import NotFound
from agent_funnel.web.auth import SESSION_COOKIE
from agent_funnel.web.routing import WRONG_KEYS, WRONG_LINKS
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today
from support.pages import BROWSER, Page, bearer, client_of, key_of

# tests/backend runs the queries of these pages on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long


ODD = '=<b>&"x'


def dealt(database: TestedDatabase) -> list[str]:
    """Makes a deal; returns the numbers of the agent with the odd name."""
    seed_tables(database)
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 1'", ODD)
    deal_today(database)
    return numbers_of(database, ODD)


def numbers_of(database: TestedDatabase, agent: str) -> list[str]:
    found = database.execute("SELECT number FROM dbo.agent_wafunnel_assignment WHERE agent = %s", agent)
    return sorted(number for (number,) in found)


def path_of(database: TestedDatabase, agent: str = ODD) -> str:
    return f"/mine/{make_link(database.backend, agent)[1]}"


def test_a_link_shows_the_agents_own_list_to_call_write_to_and_print(database: TestedDatabase) -> None:
    mine = dealt(database)
    others = set(numbers_of(database, "agent 0") + numbers_of(database, "agent 2"))
    key_of(database, "admin")
    browser, path = client_of(database), path_of(database)
    answer = browser.get(path, headers=BROWSER)
    assert answer.status_code == 200
    assert sorted(re.findall(r' href="tel:(\+\d+)"', answer.text)) == mine
    chats = re.findall(r'href="https://wa.me/(\d+)\?text=Good%20\w+%21" rel="noreferrer noopener"', answer.text)
    assert sorted(chats) == [number.removeprefix("+") for number in mine]
    assert not any(number in answer.text for number in others)
    assert f"<h1>{html.escape(ODD).replace('&quot;', '&#34;')} <span>" in answer.text
    assert "<b>&" not in answer.text
    assert f"{len(mine)} to call · 0 done" in Page(answer.text).text
    assert set(re.findall(r"<section>\s*<h2[^>]*>([^<]+)", answer.text)) == calls(database)
    assert answer.text.count('class="tick"') == len(mine)
    assert "data-print hidden" in answer.text
    # Nobody is signed in: the page has nothing of the dashboard, and browsers do not store it.
    assert '<nav aria-label="Pages"' not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "strict-origin"


def calls(database: TestedDatabase) -> set[str]:
    rows = database.execute(
        "SELECT w.stage FROM dbo.wafunnel AS w "
        "INNER JOIN dbo.agent_wafunnel_assignment AS a ON a.number = w.number WHERE a.agent = %s",
        ODD,
    )
    return {{2: "First call", 3: "Second call", 4: "Third call"}[stage] for (stage,) in rows}


def test_the_file_has_the_agents_own_list_and_no_cell_that_a_spreadsheet_runs(database: TestedDatabase) -> None:
    mine = dealt(database)
    answer = client_of(database).get(f"{path_of(database)}/list.csv")
    rows = list(csv.reader(answer.text.splitlines()))
    assert rows[0] == ["call", "number", "lead from", "outcome", "call back on", "note"]
    assert sorted(row[1] for row in rows[1:]) == mine
    assert {row[0] for row in rows[1:]} == calls(database)
    assert answer.headers["Content-Disposition"] == "attachment; filename=list.csv"


def test_a_link_is_no_key_and_a_wrong_revoked_or_replaced_one_opens_nothing(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    dealt(database)
    key = key_of(database, "admin")
    browser, first = client_of(database), path_of(database)
    second = path_of(database)
    secret = second.removeprefix("/mine/")
    assert browser.get(second).status_code == 200
    for way in (bearer(secret), {"Cookie": f"agent_funnel_session={secret}"}):
        assert browser.get("/api/assignments", headers=way).status_code == 401
    for opens_nothing in (first, second[:-1], "/mine/x", "/mine/funnel_x"):
        for path in (opens_nothing, f"{opens_nothing}/list.csv"):
            answer = browser.get(path, headers=BROWSER)
            assert (path, answer.status_code) == (path, 404)
            assert "Ask your team lead for a new one." in " ".join(answer.text.split())
    revoke_link(database.backend, ODD)
    assert browser.get(second).status_code == 404
    assert "This link no longer works." in browser.get(second, headers=BROWSER).text
    third = path_of(database)
    monkeypatch.setattr(WRONG_LINKS, "limit", "2 per minute")
    answers = [browser.get("/mine/x").status_code for _ in range(4)]
    assert answers == [404, 404, 429, 429]
    # A right link still opens, and the office behind this address can still sign in.
    assert browser.get(third).status_code == 200
    assert browser.post("/sign-in", data={"key": "funnel_wrong"}).status_code == 401
    assert browser.post("/sign-in", data={"key": key}).status_code == 303


def test_signing_in_with_the_secret_of_a_link_leads_to_the_list_and_begins_no_session(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    dealt(database)
    key_of(database, "admin")
    browser, path = client_of(database), path_of(database)
    answer = browser.post("/sign-in", data={"key": f" {path.removeprefix('/mine/')} "})
    assert (answer.status_code, answer.location) == (303, path)
    assert browser.get_cookie(SESSION_COOKIE) is None
    monkeypatch.setattr(WRONG_KEYS, "limit", "2 per minute")
    codes = [browser.post("/sign-in", data={"key": "mine_wrong"}).status_code for _ in range(3)]
    assert codes == [401, 401, 429]


def test_the_secret_is_in_no_log_and_nowhere_in_the_database(
    database: TestedDatabase,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dealt(database)
    key = key_of(database, "operator")
    browser = client_of(database)
    made = browser.post("/agents/link", data={"agent": ODD}, headers={**BROWSER, **bearer(key)})
    secret = re.findall(r"/mine/(mine_[\w-]+)", made.text)[0]
    caplog.set_level("DEBUG")
    assert browser.get(f"/mine/{secret}").status_code == 200
    browser.post(f"/mine/{secret}")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("agent_funnel.web.pages.own_list.own_list", broken)
    assert browser.get(f"/mine/{secret}").status_code == 500
    written = caplog.text + "".join(capfd.readouterr())
    assert "broken" in written
    assert secret not in written
    for table in ("agent_link", "audit_entry", "request_answer"):
        assert secret not in repr(database.execute(f"SELECT * FROM dbo.{table}"))
    assert [entry[0] for entry in database.execute("SELECT operation FROM dbo.audit_entry")] == ["POST /agents/link"]


def test_the_command_makes_a_link_and_revokes_it(database: TestedDatabase) -> None:
    mine = dealt(database)
    browser = client_of(database)
    command = ["--database-url", database.url, "--schema", database.schema, "agents"]
    made = CliRunner().invoke(cli.cli, [*command, "link", ODD, "--json"], env={"FUNNEL_HOST": "::1"})
    link = json.loads(made.output)
    assert link["url"] == f"http://[::1]:5000{link['path']}"
    assert all(number in browser.get(link["path"]).text for number in mine)
    told = CliRunner().invoke(cli.cli, [*command, "link", ODD])
    path, url = re.findall(r"^(?:http://127.0.0.1:5000)?/mine/mine_[\w-]{43}$", told.output, re.MULTILINE)
    assert url.endswith(path)
    assert browser.get(link["path"]).status_code == 404
    assert CliRunner().invoke(cli.cli, [*command, "unlink", ODD]).exit_code == 0
    assert browser.get(path).status_code == 404
    assert isinstance(CliRunner().invoke(cli.cli, [*command, "unlink", ODD]).exception, NotFound)


def test_deactivating_an_agent_closes_the_link_and_says_so(database: TestedDatabase) -> None:
    dealt(database)
    operator = {**BROWSER, **bearer(key_of(database, "operator"))}
    browser, path = client_of(database), path_of(database)
    notice = "personal link opens nothing"
    for agent, has_link in (("agent 0", False), (ODD, True)):
        browser.post("/agents/deactivate", data={"agent": agent}, headers=operator)
        assert (notice in browser.get("/agents", headers=operator).text) == has_link
    assert browser.get(path).status_code == browser.get(f"{path}/list.csv").status_code == 404
    assert browser.post("/sign-in", data={"key": path.removeprefix("/mine/")}).status_code == 401
    assert "It opens nothing while" in browser.get("/agents/of", query_string={"agent": ODD}, headers=operator).text
    command = ["--database-url", database.url, "--schema", database.schema, "agents"]
    assert CliRunner().invoke(cli.cli, [*command, "activate", ODD]).exit_code == 0
    assert browser.get(path).status_code == 200
    told = CliRunner().invoke(cli.cli, [*command, "deactivate", ODD])
    assert notice in told.output
    assert notice not in CliRunner().invoke(cli.cli, [*command, "deactivate", "agent 0"]).output
    assert browser.get(path).status_code == 404


def test_the_last_use_of_a_link_is_noted_now_and_then(database: TestedDatabase) -> None:
    dealt(database)
    browser, path = client_of(database), path_of(database)
    used = "SELECT last_used_at FROM dbo.agent_link"
    assert database.execute(used) == [(None,)]
    browser.get(path)
    first = database.execute(used)
    assert first != [(None,)]
    browser.get(path)
    assert database.execute(used) == first
    database.execute("UPDATE dbo.agent_link SET last_used_at = '2026-01-01 00:00:00.000'")
    browser.get(path)
    assert str(database.execute(used)[0][0]) > "2026-01-02"


def test_while_no_key_exists_a_link_opens_only_on_this_machine(database: TestedDatabase) -> None:
    dealt(database)
    path = path_of(database)
    assert client_of(database).get(path).status_code == 200
    assert client_of(database).get(path, headers={"Host": "evil.example"}).status_code == 403
    assert client_of(database).get(path, headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 403
    assert client_of(database, host="0.0.0.0").get(path).status_code == 403


def test_an_empty_list_says_when_the_next_deal_is_due(database: TestedDatabase) -> None:
    seed_tables(database)
    browser, path = client_of(database, timezone="Europe/Berlin"), path_of(database, "agent 1")
    answer = browser.get(path, headers=BROWSER)
    assert "There was no deal yet" in answer.text
    assert re.search(r"The next deal is due <time[^>]*>to(day|morrow) at 20:40</time>", answer.text)


def test_a_long_list_comes_page_by_page(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = dealt(database)
    monkeypatch.setattr("agent_funnel.web.pages.own_list.LEADS_PER_PAGE", 2)
    browser, path = client_of(database), path_of(database)
    assert len(mine) == 3
    pages = [browser.get(f"{path}?page={page}", headers=BROWSER).text for page in ("1", "2", "99", "nonsense")]
    first, second, last, nonsense = (re.findall(r' href="tel:([^"]+)"', text) for text in pages)
    assert (len(first), sorted(first + second)) == (2, mine)
    assert (last, nonsense) == (second, first)
    assert all("3 to call · 0 done" in Page(text).text for text in pages)
