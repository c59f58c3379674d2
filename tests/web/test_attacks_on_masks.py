"""Attacks on masked numbers: a viewer tries to work out hidden digits, from the order of lists and from searches."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from agent_funnel.web.routing import route_of
from support import LONG
from support.databases import TestedDatabase
from support.masked import LEADS, PREFIX, Schedule, fill, fill_texts, hide_others, numbers
from support.pages import BROWSER, bearer, client_of, key_of, reader_of

# The order of masked lists is made in Python; tests/backend runs the queries on each engine.
pytestmark = pytest.mark.sqlserver_if_long

# Of the leads, one in this many is attacked, with a hundred requests each:
STEP = 1 if LONG else 5
# Values of the variable parts of addresses:
PARTS = {"<int:run_id>": "{run}", "<day>": "{day}", "<int:import_id>": "{made}", "<what>": "leads"}
# Addresses with their conditions; `{run}`, `{day}` and the others are filled in:
LISTS = (
    "/api/assignments?count=3",
    "/api/assignments?count=7&agent=Ana",
    "/api/assignments?format=csv",
    "/api/assignments?format=xlsx",
    "/api/runs/{run}/assignments?count=3",
    "/api/runs/{run}/assignments?format=csv",
    "/api/runs/{run}/assignments?format=xlsx",
    "/api/leads?count=3",
    "/api/leads?count=7&stage=2",
    "/api/leads?date_from={day}&date_to={day}",
    "/leads?all=1",
    "/api/exports/history",
    "/api/exports/do-not-contact",
    "/api/exports/assignments?format=excel-csv",
    "/api/leads?import_id={made}",
    "/leads?stage=2",
    "/leads?date_from={day}",
    "/agents/of?agent=Ana",
    "/agents/list?agent=Ana",
    "/agents?find=an",
    "/api/do-not-contact?list_name=another",
    "/api/exports/do-not-contact?list_name=another",
)
# A preview is a deal, which is in the order of numbers: it counts the leads that would change hands, and names none.
OTHERS = ("/api/preview", "/run-now/preview")
# When the leads of each stage were counted, which may be once more between two looks:
COUNTED = re.compile(r"Counted <time.*?</time>")
# A form's idempotency key, against double clicks, is new on each page:
FORM_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def addresses(client: FlaskClient) -> Iterator[str]:
    """Every address that a viewer may read, with and without conditions."""
    for rule in client.application.url_map.iter_rules():
        view = client.application.view_functions[rule.endpoint]
        if "GET" in (rule.methods or ()) and route_of(view).role == "viewer" and rule.rule not in OTHERS:
            path = rule.rule
            for part, value in PARTS.items():
                path = path.replace(part, value)
            yield path
    yield from LISTS


def seen(database: TestedDatabase, client: FlaskClient, secret: str) -> dict[str, Any]:
    """Everything that a viewer can get, by address: texts, rows of files, and the headers that follow from them."""
    found: dict[str, Any] = {}
    [(run,)] = database.execute("SELECT max(run_id) FROM dbo.assignment_run")
    [(made,)] = database.execute("SELECT max(import_id) FROM dbo.import_record")
    waiting = [path.format(run=run, made=made, day=f"{datetime.now():%Y-%m-%d}") for path in addresses(client)]
    for path in waiting:
        answer = client.get(
            path, headers={**bearer(secret), **({} if path.startswith("/api") else BROWSER)}, follow_redirects=True
        )
        assert answer.status_code == 200 or path in ("/agents/of", "/agents/list") or "another" in path, path
        text: Any = rows_of(answer.data) if answer.mimetype == SHEET else COUNTED.sub("", FORM_KEY.sub("", answer.text))
        if path == "/metrics":
            # The others have the time of day and the memory of the process.
            text = [line for line in text.splitlines() if "_do_not_contact_numbers{" in line]
        found[path] = (answer.status_code, answer.headers.get("ETag"), text)
        if answer.mimetype == "application/json" and (following := (answer.get_json() or {}).get("next")):
            base = re.sub(r"[?&]cursor=.*", "", path)
            waiting.append(f"{base}{'&' if '?' in base else '?'}cursor={following}")
        elif answer.mimetype == "text/html":
            waiting += [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)" rel="next"', answer.text)]
    return found


SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def rows_of(workbook: bytes) -> list[Any]:
    return list(load_workbook(io.BytesIO(workbook)).active.iter_rows(values_only=True))


# In the morning the deal is still to come, and late in the evening it is late.
@pytest.mark.parametrize("hour", [8, 22])
def test_nothing_that_a_viewer_sees_depends_on_the_hidden_digits(
    database: TestedDatabase, hour: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.web.counts.STAGES_AGE_SECONDS", 0)
    old = fill(database)
    client, secret = client_of(database, rate_limit="1000000 per second"), key_of(database, "viewer")
    fill_texts(database, old)
    # Pages show the time of day.
    given, now = client.application.extensions["agent_funnel"], datetime.now(UTC).replace(hour=hour)
    schedule: Any = Schedule(database, now)
    client.application.extensions["agent_funnel"] = replace(given, now=lambda: now, schedule=schedule)
    before = seen(database, client, secret)
    # The shown digits are there, so lists were compared, and not refusals.
    for path in ("/api/assignments", "/api/leads", "/api/do-not-contact", "/leads?all=1", "/agents/list?agent=Ana"):
        assert len(re.findall(r"…\d\d\d", before[path][2])) >= 9, path
    assert len([path for path in before if "cursor=" in path]) > LEADS // 2
    new = numbers(random.Random(2))
    assert [old.index(each) for each in sorted(old)] != [new.index(each) for each in sorted(new)]
    hide_others(database, old, new)
    after = seen(database, client, secret)
    assert {path: answer for path, answer in after.items() if before.get(path) != answer} == {}
    assert before.keys() == after.keys()
    # An operator sees the change in each of these lists.
    operator = bearer(key_of(database, "operator"))
    for path in ("/api/assignments", "/api/leads", "/api/do-not-contact"):
        assert all(each not in client.get(path, headers=operator).text for each in set(old) - set(new)), path


@pytest.mark.parametrize("path", ["/api/leads", "/api/lead", "/leads", "/leads/of"])
def test_a_viewer_cannot_ask_whether_a_number_is_on_record(database: TestedDatabase, path: str) -> None:
    given = fill(database)
    client, secret = client_of(database), key_of(database, "viewer")
    answers = set()
    for number in (given[0], given[20], f"{PREFIX}00000", given[20].removeprefix("+"), "x" * 300):
        answer = client.get(f"{path}?number={quote(number)}", headers=bearer(secret))
        answers.add((answer.status_code, answer.text if number not in answer.text else None))
    assert len(answers - {(422, each[1]) for each in answers}) == 1
    assert {status for status, _ in answers} <= {403, 422}
    operator = bearer(key_of(database, "operator"))
    assert client.get(f"{path}?number={quote(given[20])}", headers=operator).status_code == 200


def test_a_program_that_reads_the_order_and_searches_works_out_no_number(database: TestedDatabase) -> None:
    """The attack that once worked out all numbers: cuts the list into blocks of ascending digits, and searches."""
    given = sorted(fill(database))
    client, secret = client_of(database, rate_limit="1000000 per second"), key_of(database, "viewer")
    last, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/leads?count=9{cursor and f'&cursor={cursor}'}", headers=bearer(secret)).get_json()
        last += [item["number"][-3:] for item in page["items"]]
        cursor = page["next"]
    worked_out, block = [], 0
    for index, digits in enumerate(last):
        # Where the digits do not ascend, a new block of a thousand numbers begins.
        block += bool(index) and digits <= last[index - 1]
        if index % STEP:
            continue
        guess = next(
            (
                f"{PREFIX}{tried:02}{digits}"
                for tried in range(block, 100)
                if _exists(client, secret, f"{PREFIX}{tried:02}{digits}")
            ),
            None,
        )
        worked_out.append(guess)
    assert worked_out == [None] * (LEADS // STEP)
    # The order alone does not tell the blocks either.
    assert last != [number[-3:] for number in given]
    assert len(last) == len(given)


def _exists(client: FlaskClient, secret: str, number: str) -> bool:
    answer = client.get(f"/api/leads?count=1&number={quote(number)}", headers=bearer(secret))
    return bool((answer.get_json() or {}).get("items"))


def test_a_list_that_is_too_long_for_a_viewer_is_refused_whole(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database)
    client, viewer = client_of(database), bearer(key_of(database, "viewer"))
    run = database.execute("SELECT max(run_id) FROM dbo.assignment_run")[0][0]
    for path in ("/api/leads", "/api/assignments", f"/api/runs/{run}/assignments"):
        rows = len(client.get(f"{path}?count=1000", headers=viewer).get_json()["items"])
        monkeypatch.setattr("agent_funnel.web.paging.LONGEST_MASKED_LIST", rows)
        assert client.get(f"{path}?count=3", headers=viewer).status_code == 200
        monkeypatch.setattr("agent_funnel.web.paging.LONGEST_MASKED_LIST", rows - 1)
        refused = client.get(f"{path}?count=3", headers=viewer)
        assert refused.status_code == 422
        assert "narrow it down" in refused.get_json()["detail"]
        assert "…" not in refused.text
        monkeypatch.undo()
    monkeypatch.setattr("agent_funnel.web.paging.LONGEST_MASKED_LIST", 5)
    page = reader_of(database, None).client.get("/leads?all=1", headers={**BROWSER, **viewer})
    assert (page.status_code, "Too many leads to list" in page.text, "…" in page.text) == (200, True, False)


def test_a_masked_file_is_sorted_in_parts_as_in_one(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database)
    client, viewer = client_of(database), bearer(key_of(database, "viewer"))
    whole = client.get("/api/assignments?format=csv", headers=viewer).text
    monkeypatch.setattr("agent_funnel.exports.SORTED_IN_MEMORY", 7)
    assert client.get("/api/assignments?format=csv", headers=viewer).text == whole
    rows = whole.splitlines()[1:]
    assert (len(rows), rows) == (LEADS - 9, sorted(rows, key=lambda row: (row.split(",")[0], row.split(",")[2:])))
