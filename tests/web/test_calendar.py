"""An agent's calendar: the text of each day, and adding and removing absences and limits; on each engine."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from agent_funnel.agents import add_limit, list_limits
from agent_funnel.schedule.store import add_holiday
from agent_funnel.web.pages.month import month_of
from support.databases import TestedDatabase, seed_tables
from support.pages import BROWSER, Reader, reader_of

# tests/backend runs the queries of these pages on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

DECEMBER = {"agent": "agent 1", "month": "2026-12"}


@pytest.fixture
def planner(database: TestedDatabase) -> Reader:
    """A browser on a floor that deals from Monday to Saturday, except at Christmas."""
    seed_tables(database)
    add_holiday(database.backend, date(2026, 12, 25), "<Christmas>")
    return reader_of(database, weekdays="mon-sat")


@pytest.fixture
def december(database: TestedDatabase, planner: Reader) -> Reader:
    """The same, with limits of agent 1 that overlap in December, and one limit of agent 2."""
    for agent, first, last, most in (
        ("agent 1", date(2026, 12, 2), date(2026, 12, 4), 0),
        ("agent 1", date(2026, 12, 4), None, 7),
        ("agent 1", date(2026, 12, 1), date(2026, 12, 31), 9),
        ("agent 2", date(2026, 12, 1), None, 0),
    ):
        add_limit(database.backend, agent, starts_on=first, ends_on=last, max_records=most)
    return planner


def calendar_of(database: TestedDatabase, reader: Reader, language: str = "en-GB") -> dict[str, Any]:
    """The calendar of agent 1 in December, as the template gets it."""
    limits = [limit for limit in list_limits(database.backend) if limit.agent == "agent 1"]
    with reader.client.application.test_request_context(
        "/agents/of", query_string=DECEMBER, headers={**BROWSER, "Accept-Language": language}
    ):
        # Identifies the requester, as each request does.
        reader.client.application.preprocess_request()
        return month_of(limits)


def test_each_day_shows_what_applies_to_it(database: TestedDatabase, december: Reader) -> None:
    calendar = calendar_of(database, december)
    assert (calendar["month"], calendar["month_before"], calendar["month_after"]) == (
        date(2026, 12, 1), "2026-11", "2027-01",
    )  # fmt: skip
    days = {day.date.day: (day.symbol, day.text) for week in calendar["weeks"] for day in week if day is not None}
    assert sorted(days) == list(range(1, 32))
    assert days[1] == ("≤9", "at most 9")
    assert days[2] == days[3] == days[4] == ("✕", "away")
    assert days[5] == ("≤7", "at most 7")
    assert days[6] == ("≤7", "at most 7; no deal on this weekday")
    assert days[25] == ("≤7", "at most 7; holiday: <Christmas>")
    assert days[26] == ("≤7", "at most 7")


@pytest.mark.parametrize(("language", "first"), [("en-GB", "Mo"), ("en-US", "Su")])
def test_a_week_begins_on_the_readers_first_weekday(
    database: TestedDatabase, december: Reader, language: str, first: str
) -> None:
    calendar = calendar_of(database, december, language)
    assert f"{calendar['weekdays'][0]:%a}".startswith(first)
    assert all(len(week) == 7 for week in calendar["weeks"])
    days = "Su Mo Tu We Th Fr Sa" if first == "Su" else "Mo Tu We Th Fr Sa Su"
    assert days in Reader(december.client, **{"Accept-Language": language}).get("/agents/of", **DECEMBER)


def test_the_page_has_the_calendar_and_the_limits_below_it(december: Reader) -> None:
    page = december.get("/agents/of", **DECEMBER)
    row = "1 ≤9 : at most 9 2 ✕ : away 3 ✕ : away 4 ✕ : away 5 ≤7 : at most 7 6 ≤7 : at most 7; no deal on this weekday"
    for part in (
        "December 2026",
        f"Mo Tu We Th Fr Sa Su {row}",
        "25 ≤7 : at most 7; holiday: <Christmas> 26",
        "Away 2 Dec 2026 to 4 Dec 2026",
        "At most 7 4 Dec 2026 with no end date",
    ):
        assert part in page
    assert "<Christmas>" not in page.source
    for month in ("2026-11", "2027-01"):
        assert f"month={month}#away" in page.source


@pytest.mark.parametrize("month", ["", "nonsense", "0001-01", "9999-12", "2026-13"])
def test_a_month_that_cannot_be_shown_is_replaced_by_this_month(planner: Reader, month: str) -> None:
    assert f"{datetime.now(UTC):%B %Y}" in planner.get("/agents/of", agent="agent 1", month=month)


def test_the_last_month_that_can_be_shown_links_to_the_month_before(planner: Reader) -> None:
    assert "9998-11" in planner.get("/agents/of", agent="agent 1", month="9998-12").source


def test_an_absence_is_added_and_shown(database: TestedDatabase, planner: Reader) -> None:
    added = planner.done(
        "/agents/limits", agent="agent 1", starts_on="2026-12-02", ends_on="2026-12-04", max_records="0"
    )
    assert "agent 1 is away from 2 Dec 2026 to 4 Dec 2026, both days inclusive. They have no leads now." in added
    assert "December 2026" in added
    planner.done("/agents/limits", agent="agent 1", starts_on="2026-12-04", max_records="7")
    assert {(found.starts_on, found.ends_on, found.max_records) for found in list_limits(database.backend)} == {
        (date(2026, 12, 2), date(2026, 12, 4), 0),
        (date(2026, 12, 4), None, 7),
    }


def test_an_impossible_limit_is_refused_and_stays_in_the_form(database: TestedDatabase, december: Reader) -> None:
    refused = december.refused(
        422, "/agents/limits", agent="agent 1", starts_on="2026-12-09", ends_on="2026-12-08", max_records="3"
    )
    assert "The last day, 8 Dec 2026, is before the first day, 9 Dec 2026" in refused
    for field in ('value="2026-12-09"', 'value="2026-12-08"', 'value="3"'):
        assert field in refused.source
    assert "First day: is missing" in december.refused(422, "/agents/limits", agent="agent 1", max_records="1")
    assert "Leads per night: must be at least 0" in december.refused(
        422, "/agents/limits", agent="agent 1", starts_on="2026-12-09", max_records="-1"
    )
    assert len(list_limits(database.backend)) == 4


def test_limits_are_removed_one_by_one(database: TestedDatabase, december: Reader) -> None:
    for found in re.findall(r'name="limit_id" value="(\d+)"', december.get("/agents/of", **DECEMBER).source):
        assert "Removed" in december.done("/agents/limits/remove", agent="agent 1", limit_id=found)
    assert "No absences or limits." in december.get("/agents/of", **DECEMBER)
    assert [left.agent for left in list_limits(database.backend)] == ["agent 2"]
    december.refused(404, "/agents/limits/remove", agent="agent 1", limit_id="99999")
