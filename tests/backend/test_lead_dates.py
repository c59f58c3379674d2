"""Dates on SQLite, which keeps any text: what is no ISO 8601 date is never in the pool, and is shown as no date."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from agent_funnel.agents import list_agents, list_limits
from agent_funnel.exports import export
from agent_funnel.leads import pool_report, search_leads
from agent_funnel.schedule.store import list_holidays
from agent_funnel.settings import load
from support.databases import TestedDatabase, sqlite_database
from support.doctor import only_problem, problems, run_remedy
from support.nights import TODAY, active_agents, numbers_by_agent, preview, put_agents, put_leads, put_limits, run_deal

# Day numbers of spreadsheets, times of day, words that SQLite takes for moments, and days that no month has:
NO_DATES = [
    46346, "46346", 46346.5, "46346.5", 2461002.5, "20:40", "20:40:00.000", "20:40  -03:00", "now", "5.5110E-05",
    "2026-02-31", "2026-11-31 08:00", "31.12.2026", "20261120", "2026-11-20 25:00", "2026-1-5", "yesterday", "",
    b"2026-11-20",
]  # fmt: skip
# The ways of ISO 8601 that SQLite reads; the text begins with the day.
DATES = [
    "2026-11-20",
    "2026-11-09",
    "2026-10-31 08:00",
    "2026-11-20T23:59:59.999",
    "2026-11-19 22:30-03:00",
    "2099-12-29",
]

# The table of an earlier version, whose check took everything that SQLite takes for a moment:
EARLIER = """
CREATE TABLE wafunnel (
    number TEXT NOT NULL PRIMARY KEY,
    stage INTEGER NOT NULL CHECK (stage BETWEEN 1 AND 4),
    date TEXT NOT NULL
) WITHOUT ROWID
"""


@pytest.fixture(params=["earlier", "bare"])
def lax(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestedDatabase]:
    """A database whose table of leads takes any date."""
    with sqlite_database(tmp_path, "lax", bare=request.param == "bare") as database:
        if request.param == "earlier":
            database.execute("DROP TABLE wafunnel")
            database.execute(EARLIER)
        put_agents(database, active_agents("Ana"))
        for index, value in enumerate([*NO_DATES, *DATES]):
            database.execute("INSERT INTO wafunnel (number, stage, date) VALUES (%s, 1, %s)", f"+4930{index:06}", value)
        yield database


NUMBERS = [f"+4930{len(NO_DATES) + index:06}" for index in range(len(DATES))]


def test_only_iso_dates_are_in_the_pool(lax: TestedDatabase) -> None:
    assert preview(lax).run.pool == len(DATES)
    assert run_deal(lax).pool == len(DATES)
    assert numbers_by_agent(lax) == {"Ana": NUMBERS}


def test_reports_lists_and_exports_show_no_date_where_there_is_none(lax: TestedDatabase) -> None:
    report = pool_report(lax.backend, load(), TODAY)
    assert (report.unusable, report.left_over, report.total) == (len(NO_DATES), len(DATES), len(NO_DATES + DATES))
    found = search_leads(lax.backend, count=100)
    assert [lead.number for lead in found if lead.date is not None] == NUMBERS
    # A bound on the date leaves out what has none.
    later = search_leads(lax.backend, count=100, date_from=date(2000, 1, 1))
    assert [lead.number for lead in later] == NUMBERS
    assert search_leads(lax.backend, count=100, date_to=date(1999, 12, 31)) == []
    run_deal(lax)
    file = io.BytesIO()
    assert export(lax.backend, "assignments", file, "csv") == len(DATES)
    assert all(row.rstrip().rsplit(",", 1)[1] for row in file.getvalue().decode().splitlines())


def test_the_doctor_counts_them_and_lists_them(lax: TestedDatabase) -> None:
    now = datetime(2026, 11, 23, 12)
    (invalid, future) = problems(lax, "dates", now=now)
    assert f"{len(NO_DATES)} leads have a date that is not an ISO 8601 text, and are never dealt." == invalid.text
    assert "1 lead has a date in the future, up to 2099-12-29" in future.text
    assert {f"+4930{index:06}" for index in range(len(NO_DATES))} <= {row[0] for row in run_remedy(lax, invalid)}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("value", NO_DATES)
def test_the_installer_refuses_them_in_new_tables(database: TestedDatabase, value: object) -> None:
    with pytest.raises(sqlite3.Error):
        database.execute("INSERT INTO wafunnel (number, stage, date) VALUES ('1', 1, %s)", value)
    for table, columns in (("holiday", "(day)"), ("agent_limit", "(starts_on, agent, max_records)")):
        rest = "" if table == "holiday" else ", 'Ana', 0"
        with pytest.raises(sqlite3.Error):
            database.execute(f"INSERT INTO {table} {columns} VALUES (%s{rest})", value)
    with pytest.raises(sqlite3.Error):
        database.execute(
            "INSERT INTO agent_limit (agent, starts_on, ends_on, max_records) VALUES ('Ana', '0000-01-01', %s, 0)",
            value,
        )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("value", DATES)
def test_the_installer_takes_dates_in_new_tables(database: TestedDatabase, value: str) -> None:
    database.execute("INSERT INTO wafunnel (number, stage, date) VALUES ('1', 1, %s)", value)


def test_limits_and_holidays_of_days_that_cannot_be_read_hold_on_no_day(tmp_path: Path) -> None:
    with sqlite_database(tmp_path, "lax") as database:
        for table, columns in (
            (
                "agent_limit",
                "limit_id INTEGER PRIMARY KEY, agent TEXT, starts_on TEXT, ends_on TEXT, max_records INTEGER",
            ),
            ("holiday", "day TEXT, name TEXT"),
        ):
            database.execute(f"DROP TABLE {table}")
            database.execute(f"CREATE TABLE {table} ({columns})")
        put_agents(database, active_agents("Ana"))
        put_leads(database, [("1", 1, datetime(2026, 11, 20))])
        for first, last in (("1.1.2026", None), ("20:40", None), ("2026-02-31", None), ("2026-11-01", "46400")):
            database.execute("INSERT INTO agent_limit VALUES (NULL, 'Ana', %s, %s, 0)", first, last)
        database.execute("INSERT INTO holiday VALUES ('46346', NULL), ('2026-12-24', NULL)")
        assert list_limits(database.backend) == []
        assert [each.room for each in list_agents(database.backend, TODAY)] == [None]
        assert [each.day for each in list_holidays(database.backend, since=date(2026, 1, 1))] == [date(2026, 12, 24)]
        assert run_deal(database).assigned == 1
        limits, holidays = problems(database, "dates", now=datetime(2026, 11, 23, 12))
        assert limits.text == "4 limits have a day that is not an ISO 8601 text, and hold on no day."
        assert len(run_remedy(database, limits)) == 4
        assert holidays.text == "1 holiday has a day that is not an ISO 8601 text, and holds on no day."
        assert len(run_remedy(database, holidays)) == 1
        database.execute("DELETE FROM agent_limit")
        database.execute("DELETE FROM holiday WHERE day = '46346'")
        # A day with a time of day is that day.
        put_limits(database, [("Ana", TODAY, None, 2)])
        database.execute("UPDATE agent_limit SET starts_on = starts_on || ' 00:00:00'")
        assert [each.room for each in list_agents(database.backend, TODAY)] == [2]
        assert [each.starts_on for each in list_limits(database.backend)] == [TODAY]
        assert problems(database, "dates", now=datetime(2026, 11, 23, 12)) == []
        assert only_problem(database, "numbers", "note", "nobody can dial")
