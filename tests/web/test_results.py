"""Results: the page, the API, the files and the command have the same numbers, and no number of a lead."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from support.command import run_command
from support.databases import TestedDatabase
from support.nights import active_agents, put_agents, put_leads
from support.outcomes import ARRIVED, DEALT_ON, deal_again, tell
from support.pages import bearer, client_of, key_of, reader_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NUMBERS = [f"+55119876543{which:02}" for which in range(99)]


def put_results(database: TestedDatabase) -> int:
    """Al gets 50 leads and Bo 49; Al reports some of them. They come from a file whose name has a number."""
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, [(number, 1, ARRIVED) for number in NUMBERS])
    database.execute(
        "INSERT INTO dbo.import_record (import_id, kind, imported_at, source, file_name, sha256, rules) "
        "VALUES (7, 'leads', '2026-11-01T00:00:00', 'page', '+5511987654300.csv', '', '{}')"
    )
    database.insert(
        "import_lead", ("import_id", "number", "stage", "date", "is_changed"), [(7, NUMBERS[0], 1, ARRIVED, 0)]
    )
    run_id = deal_again(database)
    for number, outcome in zip(NUMBERS[::2], ("won", "talked", "no_answer"), strict=False):
        assert tell(database, number, outcome).agent == "Al"
    return run_id


def test_the_page_shows_rates_with_intervals_and_says_where_there_is_not_enough(database: TestedDatabase) -> None:
    run_id = put_results(database)
    reader = reader_of(database, "viewer")
    page = reader.wait_for("/results", lambda page: "are being counted" not in page)
    assert "1 deal: of 99 leads dealt, agents reported 3, reached 2, and won 1." in page
    assert f"Agents are still calling those of deal {run_id}" in page
    # No row has another rate, and nobody handed a lead back: these columns are left out.
    assert "Too few reports to rank agents: each needs 50." in page
    assert "Al 1 50 3 2 6.0% 2.1% to 16.2% Bo 0 49 0 0 not enough yet" in page
    agents = page.source[page.source.index('id="agents"') : page.source.index('id="classes"')]
    for column in ("Place", "Won of dealt", "Contact rate", "Conversion", "Handed back"):
        assert f"{column}</th>" not in agents
    assert "With fewer than 50 in the denominator" in page
    # The agents can be sorted; the dates stay.
    address = f"/results?sort=reached&date_from={DEALT_ON}&date_to={DEALT_ON}"
    assert (
        f'href="{address}#agents"'.replace("&", "&amp;")
        in reader.get(f"/results?date_from={DEALT_ON}&date_to={DEALT_ON}").source
    )
    for order in ("dealt", "penetration", "best_place"):
        assert "Al 1 50" in reader.get(f"/results?sort={order}")
    # Viewers see no number, not even in the name of a file.
    assert "7 …" in page
    assert "+5511" not in page.source
    later = DEALT_ON + timedelta(days=1)
    page = reader.wait_for(f"/results?date_from={later}&date_to={later}", lambda page: "being counted" not in page)
    assert "No deal of these nights counts" in page
    assert "Nothing was counted." in reader.get(f"/results?date_from={later}&date_to={DEALT_ON}", 422)
    assert "Nothing was counted." in reader.get("/results?date_from=tomorrow", 422)


def test_a_column_that_one_row_has_a_value_for_is_there_for_all(database: TestedDatabase) -> None:
    put_results(database)
    for number in NUMBERS[6::2]:
        tell(database, number, "talked")
    tell(database, NUMBERS[1], "not_worked")
    page = reader_of(database, "viewer").wait_for("/results", lambda page: "are being counted" not in page)
    assert "Too few reports to rank agents" not in page
    assert "Al 1 2.0% 0.4% to 10.5% 1 50 50 49 0 100.0% 92.9% to 100.0% 98.0% 89.5% to 99.6% Bo" in page
    assert "Bo not enough yet not enough yet 0 48 0 0 1 not enough yet" in page


def test_agents_are_in_the_order_in_which_people_look_names_up(database: TestedDatabase) -> None:
    names = ["ana", "Débora", "Diego", "Élcio", "Yara"]
    put_agents(database, active_agents(*reversed(names)))
    put_leads(database, [(number, 1, ARRIVED) for number in NUMBERS])
    run_id = deal_again(database)
    client, reader = client_of(database), reader_of(database, "operator")
    viewer = bearer(key_of(database, "viewer"))
    for path, items, field in (
        ("/api/results", "agents", "name"), ("/api/agents", "items", "agent"),
        (f"/api/runs/{run_id}", "shares", "agent"),
    ):  # fmt: skip
        answer: Any = client.get(path, headers=viewer).json
        assert [each[field] for each in answer[items]] == names
    exported = csv.reader(io.StringIO(client.get("/api/exports/agents?format=csv", headers=viewer).text))
    assert [row[0] for row in exported][1:] == names
    for path in ("/results", "/agents", "/agents/links", f"/runs/{run_id}"):
        page = reader.wait_for(path, lambda page: "Yara" in page.source)
        rows = re.findall(r"<th scope=\"row\">\s*<a[^>]*>([^<]*)</a>", page.source)
        assert [row.strip() for row in rows if row.strip() in names] in (names, []), path


def test_the_api_the_files_and_the_command_have_the_same_numbers(database: TestedDatabase, tmp_path: Path) -> None:
    put_results(database)
    client, viewer = client_of(database), bearer(key_of(database, "viewer"))
    operator = bearer(key_of(database, "operator"))
    span = f"date_from={DEALT_ON}&date_to={DEALT_ON}"
    answer: Any = client.get(f"/api/results?{span}", headers=operator).json
    al, bo = answer["agents"]
    assert (al["name"], al["dealt"], al["reported"], al["reached"], al["won"]) == ("Al", 50, 3, 2, 1)
    assert al["penetration"] == {"rate": 0.06, "low": 0.0206, "high": 0.1622}
    assert (al["best_place"], al["worst_place"], bo["best_place"], bo["penetration"]) == (None, None, None, None)
    assert [each["label"] for each in answer["imports"]] == [None, "+5511987654300.csv"]
    masked: Any = client.get(f"/api/results?{span}", headers=viewer).json
    assert "+5511" not in json.dumps(masked)
    assert masked["agents"] == answer["agents"]
    assert client.get(f"/api/results?date_from={DEALT_ON}&date_to=2000-01-01", headers=viewer).status_code == 422

    place: dict[str, Any] = {"cwd": tmp_path, "FUNNEL_DATABASE_URL": database.url}
    days = ("--from", str(DEALT_ON), "--to", str(DEALT_ON))
    assert json.loads(run_command("results", "--json", *days, **place).stdout) == answer
    text = run_command("results", *days, **place).stdout
    assert f"1 deal from {DEALT_ON} to {DEALT_ON}." in text
    assert "–: fewer than 50, so not enough yet." in text
    assert re.search(r"Al +6\.0 \(2\.1–16\.2\) +– +– +–", text)

    file = client.get(f"/api/results?{span}&format=csv", headers=viewer)
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert [row["by"] for row in rows] == ["agents"] * 2 + ["stages", "classes", "nights"] + ["imports"] * 2
    assert (rows[0]["name"], rows[0]["dealt"], rows[0]["penetration_low"], rows[1]["penetration"]) == (
        "Al", "50", "0.0206", "",
    )  # fmt: skip
    assert "+5511" not in file.text
    exported = run_command("export", "results", *days, **place).stdout
    # For viewers, the name of the file is masked.
    assert list(csv.reader(io.StringIO(exported)))[:-1] == list(csv.reader(io.StringIO(file.text)))[:-1]
    book = load_workbook(io.BytesIO(client.get(f"/api/results?{span}&format=xlsx", headers=operator).data))
    assert [cell.value for cell in book.active[2]][:9] == ["agents", "Al", None, 50, 0, 3, 2, 1, 0.06]
