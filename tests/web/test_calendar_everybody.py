"""The calendar of everybody: its month, and the forms for holidays, absences and a country's public holidays."""

from __future__ import annotations

from datetime import date

import pytest

from agent_funnel.agents import add_limit, list_limits
from agent_funnel.schedule.store import add_holiday, list_holidays
from support.databases import TestedDatabase, seed_tables
from support.pages import Reader, reader_of

pytestmark = pytest.mark.sqlserver_if_long

DECEMBER = {"month": "2026-12"}


@pytest.fixture
def planner(database: TestedDatabase) -> Reader:
    """A browser on a floor that deals from Monday to Saturday, with a holiday, a skip, absences and a limit."""
    seed_tables(database, agents=6)
    add_holiday(database.backend, date(2026, 12, 25), "<Christmas>")
    database.execute(
        "INSERT INTO dbo.schedule_skip (business_date, skipped_at, skipped_by) VALUES (%s, %s, %s)",
        "2026-12-30", "2026-12-01 10:00:00", "http: Ana",
    )  # fmt: skip
    for agent, first, last, most in (
        *((f"agent {number}", date(2026, 12, 8), date(2026, 12, 9), 0) for number in range(4)),
        ("agent 5", date(2026, 11, 1), None, 7),
        ("agent 4", date(2026, 12, 16), date(2026, 12, 18), 7),
        ("agent 4", date(2027, 1, 1), None, 0),
    ):
        add_limit(database.backend, agent, starts_on=first, ends_on=last, max_records=most)
    return reader_of(database, weekdays="mon-sat")


def test_weekdays_have_no_full_stop_which_a_phone_would_put_on_a_line_of_its_own(planner: Reader) -> None:
    planner.headers["Accept-Language"] = "pt-BR"
    assert "dom seg ter qua qui sex sáb" in planner.get("/calendar", **DECEMBER)


def test_a_month_shows_holidays_skips_absences_and_limits_of_everybody(planner: Reader) -> None:
    page = planner.get("/calendar", **DECEMBER)
    for words in (
        "December 2026 › Mon Tue Wed Thu Fri Sat Sun",
        "6 ○ no deal on this weekday",
        "8 ✕ 4 away agent 0, agent 1, agent 2 and 1 more 9 ✕ 4 away",
        # A limit shows where it begins and where it ends, and not on each day between.
        "16 ≤ 2 limited 17 18 ≤ 2 limited 19",
        "25 ○ <Christmas> 26",
        "30 » skipped",
        "Wed 30 Dec skipped by Ana",
        "agent 0 away 8 Dec to 9 Dec",
        "agent 5 at most 7 1 Nov with no end date",
    ):
        assert words in page
    assert "agent 4 away" not in page
    assert "<Christmas>" not in page.source
    assert "/nights/2026-12-30" in page.links
    assert "agent 4 away 1 Jan" in planner.get("/calendar", month="2027-01")


def test_a_holiday_and_several_in_a_row_are_added_and_taken_away(database: TestedDatabase, planner: Reader) -> None:
    assert "no automatic deal on 24 Dec 2026" in planner.done(
        "/calendar/holidays", starts_on="2026-12-24", name="Christmas Eve"
    )
    added = planner.done("/calendar/holidays", starts_on="2026-12-27", ends_on="2026-12-29")
    assert "3 days from 27 Dec 2026 on" in added
    assert "Thu 24 Dec Christmas Eve" in added
    planner.done("/calendar/holidays/remove", day="2026-12-28", **DECEMBER)
    planner.refused(404, "/calendar/holidays/remove", day="2026-12-28", **DECEMBER)
    found = {each.day.day: each.name for each in list_holidays(database.backend, since=date(2026, 12, 1))}
    assert found == {24: "Christmas Eve", 25: "<Christmas>", 27: None, 29: None}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"starts_on": "2026-12-09", "ends_on": "2026-12-08"}, "The last day, 8 Dec 2026, is before the first day"),
        ({"starts_on": "2026-12-01", "ends_on": "2027-01-01"}, "are 32 days; at most 31 are possible at once"),
        ({"starts_on": "tomorrow"}, "First day: is not a date"),
        ({}, "First day: is missing"),
    ],
)
def test_impossible_holidays_are_refused(
    database: TestedDatabase, planner: Reader, fields: dict[str, str], words: str
) -> None:
    assert words in planner.refused(422, "/calendar/holidays", **fields)
    assert len(list_holidays(database.backend, since=date(2026, 1, 1))) == 1


def test_an_absence_is_added_and_taken_away_on_the_calendar(database: TestedDatabase, planner: Reader) -> None:
    form = {"starts_on": "2026-12-14", "max_records": "0"}
    added = planner.done("/calendar/limits", agent="agent 4", ends_on="2026-12-15", **form)
    assert "Saved: agent 4 is away from 14 Dec 2026 to 15 Dec 2026" in added
    assert "agent 4 away 14 Dec to 15 Dec" in added
    (made,) = [limit for limit in list_limits(database.backend) if limit.starts_on == date(2026, 12, 14)]
    assert "agent 4 away 14 Dec" not in planner.done("/calendar/limits/remove", limit_id=made.limit_id, **DECEMBER)
    assert "Perhaps you mean" in planner.refused(404, "/calendar/limits", agent="AGENT 4", **form)


def test_public_holidays_are_shown_first_and_only_the_chosen_ones_are_added(
    database: TestedDatabase, planner: Reader
) -> None:
    asked = {"country": "DE", "region": "BY", "year": "2026"}
    before = list_holidays(database.backend, since=date(2026, 1, 1))
    shown = planner.get("/calendar/public", **asked)
    assert "Public holidays of Germany, 2026" in shown
    assert "Tue 6 Jan Epiphany" in shown
    assert "Fri 25 Dec Christmas Day in the calendar" in shown
    assert list_holidays(database.backend, since=date(2026, 1, 1)) == before
    assert "Epiphany" not in planner.get("/calendar/public", country="DE", year="2026")
    # Their names are in the language of the page, where the package has them in it, or else in the country's own.
    planner.headers["Accept-Language"] = "de"
    assert "Heilige Drei Könige" in planner.get("/calendar/public", **asked)
    planner.headers["Accept-Language"] = "pt-BR"
    assert "Heilige Drei Könige" in planner.get("/calendar/public", **asked)
    planner.headers["Accept-Language"] = "en-GB"
    # A day that is no public holiday is not added, whatever the form says.
    added = planner.done("/calendar/public", day=["2026-01-06", "2026-10-03", "2026-02-02"], **asked)
    assert "Added 2 holidays of Germany, 2026." in added
    found = {each.day: each.name for each in list_holidays(database.backend, since=date(2026, 1, 1))}
    assert found == {
        date(2026, 1, 6): "Epiphany", date(2026, 10, 3): "German Unity Day", date(2026, 12, 25): "<Christmas>",
    }  # fmt: skip
    assert "No day was chosen" in planner.refused(422, "/calendar/public", **asked)


@pytest.mark.parametrize("asked", [{"country": "XX"}, {"country": "DE", "region": "ZZ"}, {"year": "99999999999"}, {}])
def test_an_unknown_country_region_or_year_is_no_error(planner: Reader, asked: dict[str, str]) -> None:
    assert "Public holidays" in planner.get("/calendar/public", **asked)


def test_viewers_see_the_calendar_without_forms_and_without_numbers_in_names(
    database: TestedDatabase, planner: Reader
) -> None:
    add_holiday(database.backend, date(2026, 12, 26), "ask +49301234567")
    viewer = reader_of(database, "viewer")
    page = viewer.get("/calendar", **DECEMBER)
    assert "agent 0 away" in page
    assert "1234567" not in page.source
    assert not [action for action in page.forms if action.startswith("/calendar")]
    assert viewer.send("/calendar/holidays", starts_on="2026-12-24").status_code == 403
