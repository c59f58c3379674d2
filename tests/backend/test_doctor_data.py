"""The doctor's checks of the data: values that are missing, doubtful or duplicated."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest

from support.databases import TestedDatabase
from support.doctor import only_problem, problems, put_agents_and_leads, put_lead, run_remedy


@pytest.mark.parametrize(
    ("table", "column", "values", "means"),
    [
        ("wafunnel", "number", (None, 1, "2026-11-10"), "never dealt"),
        ("wafunnel", "number", (" ", 1, "2026-11-10"), "never dealt"),
        ("wafunnel", "stage", ("+493000017", None, "2026-11-10"), "never dealt"),
        ("wafunnel", "date", ("+493000017", 1, None), "never dealt"),
        ("agents", "agent", (None, "active"), "given no leads"),
        ("agents", "agent", ("  ", "active"), "given no leads"),
        ("agents", "status", ("Zoe", None), "given no leads"),
        ("agent_wafunnel_assignment", "agent", (None, "+493000017"), "on nobody's list"),
        ("agent_wafunnel_assignment", "number", ("Zoe", None), "of no use"),
    ],
)
def test_a_missing_value_is_a_warning(
    bare_database: TestedDatabase, table: str, column: str, values: tuple[object, ...], means: str
) -> None:
    assert problems(bare_database, "missing values") == []
    columns = {"wafunnel": ("number", "stage", "date"), "agents": ("agent", "status")}.get(table, ("agent", "number"))
    bare_database.insert(table, columns, [values])
    finding = only_problem(
        bare_database, "missing values", "warning", rf"1 row of (bare\.)?{table} has no {column}, and is {means}"
    )
    assert len(run_remedy(bare_database, finding)) == 1
    bare_database.insert(table, columns, [values])
    assert re.search(rf"2 rows of .* have no {column}, and are", problems(bare_database, "missing values")[0].text)


def test_numbers_in_several_rows_are_a_warning(bare_database: TestedDatabase) -> None:
    put_agents_and_leads(bare_database)
    assert problems(bare_database, "duplicates") == []
    for day in ("2026-11-10", "2026-11-11"):
        put_lead(bare_database, "+49300001777", 2, day)
    finding = only_problem(
        bare_database, "duplicates", "warning", r"1 number \(…777\) is in 2 rows of (bare\.)?wafunnel; "
    )
    assert run_remedy(bare_database, finding) == [("+49300001777", 2)]
    # An exact copy of a row counts too; a number that differs in case or in its last digit does not.
    for number in ("+49300001777", "+49300001666", "+49300001666", "+4930000177", "a", "A"):
        put_lead(bare_database, number, 2, "2026-11-11")
    only_problem(bare_database, "duplicates", "warning", r"2 numbers \(…777, …666\) are in 5 rows")


def test_rows_of_a_number_that_share_the_date_but_not_the_stage_are_a_warning(bare_database: TestedDatabase) -> None:
    put_lead(bare_database, "+49300001777", 1)
    put_lead(bare_database, "+49300001777", 1)
    put_lead(bare_database, "+49300001777", 2, "2026-11-12")
    assert len(problems(bare_database, "duplicates")) == 1
    put_lead(bare_database, "+49300001777", 2)
    numbers, finding = problems(bare_database, "duplicates")
    assert "in 4 rows" in numbers.text
    assert finding.level == "warning"
    assert re.search(r"1 number \(…777\) has rows with the same date but different stages", finding.text)
    ((number, _, lowest, highest),) = run_remedy(bare_database, finding)
    assert (number, lowest, highest) == ("+49300001777", 1, 2)


def test_a_number_that_is_assigned_twice_is_a_warning(bare_database: TestedDatabase) -> None:
    pairs = [("a", "+49300001777"), ("b", "+49300001777"), ("b", "+49300001778")]
    bare_database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs[1:])
    assert problems(bare_database, "duplicates") == []
    bare_database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs[:1])
    finding = only_problem(bare_database, "duplicates", "warning", r"1 number \(…777\) is assigned more than once")
    assert run_remedy(bare_database, finding) == [("+49300001777", "a", "b")]


def test_only_a_few_of_many_numbers_are_shown(bare_database: TestedDatabase) -> None:
    for number in range(1_005, 1_000, -1):
        put_lead(bare_database, f"+493000{number}")
        put_lead(bare_database, f"+493000{number}")
    only_problem(bare_database, "duplicates", "warning", r"5 numbers \(…001, …002, …003, …\) are in 10 rows")


def test_values_that_are_not_stages_are_a_warning(bare_database: TestedDatabase) -> None:
    for stage in (1, 2, 3, 4):
        put_lead(bare_database, f"+4930000177{stage}", stage)
    assert problems(bare_database, "stages") == []
    for number, stage in enumerate((5, 0, 0)):
        put_lead(bare_database, f"+4930000178{number}", stage)
    finding = only_problem(bare_database, "stages", "warning", r"3 leads have stages outside 1 to 4 \(0, 5\)")
    run_remedy(bare_database, finding)
    assert problems(bare_database, "stages") == []
    stages = bare_database.execute("SELECT stage, COUNT(*) FROM dbo.wafunnel GROUP BY stage ORDER BY stage")
    assert stages == [(1, 3), (2, 1), (3, 1), (4, 2)]
    for stage in (-1, 7, 8, 9):
        put_lead(bare_database, f"+4930000179{stage}", stage)
    only_problem(bare_database, "stages", "warning", r"4 leads have stages outside 1 to 4 \(-1, 7, 8, …\)")


def test_dates_in_the_future_are_a_warning(database: TestedDatabase) -> None:
    now = datetime(2026, 11, 23, 22, 30, tzinfo=timezone(timedelta(hours=-5)))
    put_lead(database, "+49300001777", day="2026-11-23 23:59:59.000")
    assert problems(database, "dates", now=now) == []
    # The date of the sales floor counts; in UTC it is tomorrow already.
    assert [finding.level for finding in problems(database, "dates", now=now - timedelta(hours=23))] == ["warning"]
    put_lead(database, "+49300001778", day="2026-11-24 00:00:00.000")
    only_problem(database, "dates", "warning", r"1 lead has a date in the future, up to 2026-11-24", now=now)
    put_lead(database, "+49300001779", day="2099-01-31 00:00:00.000")
    finding = only_problem(
        database, "dates", "warning", r"2 leads have a date in the future, up to 2099-01-31", now=now
    )
    assert "+49300001779" in {row[0] for row in run_remedy(database, finding)}


@pytest.mark.parametrize("bare_database", ["sqlite"], indirect=True)
def test_a_text_that_is_not_a_date_is_a_warning_on_sqlite(bare_database: TestedDatabase) -> None:
    put_lead(bare_database, "+49300001777", day="2026-11-10 08:00:00")
    assert problems(bare_database, "dates") == []
    for day in ("31.12.2020", 2_461_000):
        bare_database.execute("INSERT INTO wafunnel (number, stage, date) VALUES ('+49300001778', 1, %s)", day)
    finding = only_problem(
        bare_database, "dates", "warning", "2 leads have a date that is not an ISO 8601 text, and are never dealt"
    )
    assert len(run_remedy(bare_database, finding)) == 2


def test_a_status_that_is_neither_active_nor_inactive_is_a_warning(bare_database: TestedDatabase) -> None:
    statuses = ["active", "ACTIVE ", " Inactive"]
    bare_database.insert("agents", ("agent", "status"), [(f"agent {status}", status) for status in statuses])
    assert problems(bare_database, "statuses") == []
    bare_database.insert("agents", ("agent", "status"), [("Ana", "on leave"), ("Ben", "On Leave"), ("Cleo", "")])
    finding = only_problem(bare_database, "statuses", "warning", r"3 agents have a status .* \('', 'on leave'\)")
    run_remedy(bare_database, finding)
    assert problems(bare_database, "statuses") == []
    assert len(bare_database.execute("SELECT agent FROM dbo.agents WHERE status = 'inactive'")) == 3


def test_a_number_in_the_table_that_no_deal_reads_is_a_warning_until_a_list_has_it(
    bare_database: TestedDatabase,
) -> None:
    assert problems(bare_database, "do not contact") == []
    bare_database.execute("INSERT INTO dbo.do_not_contact (number, added_at) VALUES ('+49300001777', '2026-11-10')")
    finding = only_problem(
        bare_database,
        "do not contact",
        "warning",
        r"1 number \(…777\) is in (bare\.)?do_not_contact, which no deal reads",
    )
    run_remedy(bare_database, finding)
    assert bare_database.execute("SELECT number, imported FROM dbo.do_not_contact_entry") == [("+49300001777", 0)]
    assert problems(bare_database, "do not contact") == []
