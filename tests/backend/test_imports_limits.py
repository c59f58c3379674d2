"""Limits and absences from a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from agent_funnel.errors import ImportRefused
from agent_funnel.imports import BadRows, Imported, import_file
from support.command import answer, run_command
from support.databases import TestedDatabase


@pytest.fixture
def floor(database: TestedDatabase) -> TestedDatabase:
    """A database with three agents."""
    database.insert("agents", ("agent", "status"), [("Ana", "active"), ("Bo", "active"), ("Zoë", "inactive")])
    return database


def limits_from(database: TestedDatabase, text: str, **options: Any) -> Imported:
    return import_file(database.backend, "limits", io.BytesIO(text.encode()), name="limits.csv", **options)


def stored(database: TestedDatabase) -> list[tuple[str, str, str | None, int]]:
    rows = database.execute("SELECT agent, starts_on, ends_on, max_records FROM dbo.agent_limit ORDER BY limit_id")
    return [(agent, str(begin), None if end is None else str(end), most) for agent, begin, end, most in rows]


def test_limits_and_absences_come_from_a_file_as_people_have_it(floor: TestedDatabase) -> None:
    done = limits_from(
        floor,
        "Vendedor;Máximo de leads;Data início;Data fim\n"
        "Ana;60;01/12/2026;31/12/2026\nBo;0;24/12/2026;24/12/2026\nZoë;20,00;01/02/2027;\nAna;0;31/12/2026;05/01/2027\n",
    )
    assert (done.rows, done.added, done.kept) == (4, 4, 0)
    assert done.understood.dates == "dmy"
    assert stored(floor) == [
        ("Ana", "2026-12-01", "2026-12-31", 60),
        ("Bo", "2026-12-24", "2026-12-24", 0),
        ("Zoë", "2027-02-01", None, 20),
        ("Ana", "2026-12-31", "2027-01-05", 0),
    ]


def test_a_date_of_either_column_shows_the_order_for_both(floor: TestedDatabase) -> None:
    assert limits_from(floor, "agent,from,to\nAna,01/12/2026,13/12/2026\n").understood.dates == "dmy"
    assert stored(floor) == [("Ana", "2026-12-01", "2026-12-13", 0)]


def test_a_file_without_numbers_of_leads_has_absences(floor: TestedDatabase) -> None:
    done = limits_from(floor, "agent,from,to\nAna,2026-12-24,2026-12-26\n")
    assert "The file has no numbers of leads, so every row is an absence." in done.understood.notes
    assert stored(floor) == [("Ana", "2026-12-24", "2026-12-26", 0)]


def test_limits_that_are_there_stay_and_the_same_file_twice_adds_nothing(floor: TestedDatabase) -> None:
    text = "agent,max_records,from,to\nAna,60,2026-12-01,2026-12-31\nAna,60,2026-12-01,\n"
    assert limits_from(floor, text).added == 2
    before = stored(floor)
    again = limits_from(floor, text.replace("Ana,60,2026-12-01,\n", "Ana,70,2026-12-01,\n"))
    assert (again.added, again.kept, again.differing) == (0, 2, 1)
    assert [(row.line, row.there) for row in again.kept_rows] == [(3, "has the limit 60 there")]
    assert stored(floor) == before


def test_bad_limits_are_named_and_nothing_is_imported(floor: TestedDatabase) -> None:
    text = (
        "agent,max_records,from,to\nAna,60,2026-12-01,2026-12-31\nAna,50,2026-12-01,2026-12-31\nAna,-1,2026-12-01,\n"
        "Ana,1000000000,2026-12-01,\nAna,5,2026-12-02,2026-12-01\nana,5,2026-12-02,\nAna,5,soon,\n"
    )
    with pytest.raises(BadRows) as refused:
        limits_from(floor, text)
    reasons = {row.line: row.reason for row in refused.value.bad}
    assert reasons[3] == "same limit as on line 2"
    assert reasons[4].startswith("max_records '-1' is not a whole number from 0 (away) to ")
    assert "not a whole number" in reasons[5]
    assert reasons[6] == "ends_on 2026-12-01 is before starts_on 2026-12-02"
    assert reasons[7] == "there is no agent 'ana'"
    assert reasons[8].startswith("starts_on 'soon' is not a date")
    assert len(reasons) == refused.value.count == 6
    assert stored(floor) == []
    assert limits_from(floor, text, skip_bad=True, new_agents=True).added == 2
    assert [row[0] for row in stored(floor)] == ["Ana", "ana"]


def test_a_file_of_limits_needs_the_first_days(floor: TestedDatabase) -> None:
    with pytest.raises(ImportRefused, match="no column that is clearly the starts_on, the first day of a limit"):
        limits_from(floor, "agent,max_records\nAna,60\n")


def test_the_command_imports_limits(tmp_path: Path) -> None:
    answer("install", cwd=tmp_path)
    (tmp_path / "limits.csv").write_text("agent,max_records,from\nAl,60,2026-12-01\n")
    refused = run_command("import", "limits", "limits.csv", cwd=tmp_path)
    assert refused.returncode == 1
    assert "line 2: there is no agent 'Al'" in refused.stderr
    assert answer("import", "limits", "limits.csv", "--new-agents", cwd=tmp_path)["added"] == 1
