"""The runway on databases: its first night is the deal's own, and forecasts hold beside what then happens."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from agent_funnel.numbers import take_in
from agent_funnel.schedule.runway import NIGHTS_AHEAD, Runway, runway
from agent_funnel.schedule.store import add_holiday, pause, resume
from agent_funnel.settings import load
from support.databases import TestedDatabase
from support.nights import (
    TODAY,
    active_agents,
    preview,
    put_agents,
    put_do_not_contact,
    put_leads,
    put_limits,
    run_deal,
)
from support.oracle import Lead
from support.oracle_outcomes import Reported
from support.properties import property_test
from support.reported import put_outcomes
from support.strategies import piles, with_messy_rows

NOON = datetime.combine(TODAY, time(12), UTC)
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ONE_DAY = timedelta(days=1)


def ahead(database: TestedDatabase, *, now: datetime = NOON, **settings: Any) -> Runway:
    return runway(database.backend, load(**{"window_days": 45, "newest_first": False, **settings}), now=now)


def leads_of(day: date, count: int, stage: int = 1) -> list[Lead]:
    """Leads of a day, at different times of it."""
    at = datetime.combine(day, time(6))
    return [(f"{day:%y%m%d}{stage}{place:05}", stage, at + timedelta(seconds=place)) for place in range(count)]


@property_test(st.data(), st.booleans(), st.sampled_from([0, 3, 45]), share=0.5)
def test_the_pool_of_the_first_night_is_that_of_the_deal(
    bare_database: TestedDatabase, data: st.DataObject, newest_first: bool, window_days: int
) -> None:
    put_agents(bare_database, active_agents("Al"))
    leads = data.draw(with_messy_rows(data.draw(piles(TODAY, window_days, "", 8)), TODAY, window_days))
    put_leads(bare_database, leads)
    numbers = sorted({number for number, _, _ in leads if number and number.strip()})
    put_do_not_contact(bare_database, set(data.draw(st.lists(st.sampled_from(numbers), max_size=5))) if numbers else ())
    take_in(bare_database.backend)
    night = ahead(bare_database, newest_first=newest_first, window_days=window_days).nights[0]
    planned = preview(bare_database, newest_first=newest_first, window_days=window_days)
    assert (night.business_date, night.low.pool - night.low.arrived) == (TODAY, planned.run.pool)
    (share,) = planned.shares
    by_stage = {**night.low.by_stage, 1: night.low.by_stage[1] - night.low.arrived}
    # The share counts only the stages at which leads are dealt; a lead at stage 0 has never been called.
    assert {stage: by_stage[stage] for stage in (2, 3)} == {stage: share.by_stage[stage] for stage in (2, 3)}
    assert sum(by_stage.values()) == share.leads


def test_what_outcomes_keep_out_is_in_the_pool_of_no_night_to_come(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al"))
    leads = leads_of(TODAY - ONE_DAY, 9)
    put_leads(database, leads)
    before = ahead(database).nights[0].low
    assert before.pool == 9
    told = ["won", "lost", "wrong_number", "call_back", "talked", "no_answer"]
    put_outcomes(
        database,
        [
            Reported(
                run_id=1, business_date=TODAY - ONE_DAY, agent="Al", number=number, created=created, outcome=outcome,
                # A person who bought before the record was made is a new request, unless it is this very record.
                reported_on=TODAY - 2 * ONE_DAY if outcome == "lost" else TODAY,
                call_back_on=TODAY + ONE_DAY if outcome == "call_back" else None,
            )
            for (number, _, created), outcome in zip(leads, told, strict=False)
            if number and created
        ],
    )  # fmt: skip
    night = ahead(database).nights[0]
    assert night.low.pool == preview(database).run.pool == 5
    # They have come all the same.
    assert night.low.arrived == before.arrived


@property_test(st.integers(0, 999), st.booleans(), share=0.3)
@on_sqlite
def test_without_new_leads_each_night_has_exactly_the_amounts_of_its_deal(
    database: TestedDatabase, seed: int, newest_first: bool
) -> None:
    chance = random.Random(seed)
    put_agents(database, active_agents("Al", "Bo", "Cy"))
    names = ("Al", "Bo")
    put_limits(
        database,
        [
            (chance.choice(names), TODAY + timedelta(days=chance.randrange(6)), TODAY + timedelta(days=6), room)
            for room in (0, 3)
        ],
    )
    add_holiday(database.backend, TODAY + timedelta(days=chance.randrange(5)))
    # Older than four weeks, so that no new leads are expected, and at the edge of the window.
    for age in range(29, 60):
        put_leads(database, leads_of(TODAY - timedelta(days=age), chance.randrange(6), chance.choice((1, 1, 2, 3))))
    rules: dict[str, Any] = {
        "newest_first": newest_first,
        "window_days": 50,
        "max_per_agent": chance.choice((4, 9, 40)),
    }
    found = ahead(database, **rules)
    for night in found.nights[:7]:
        assert (night.low, night.low.arrived) == (night.high, 0)
        if night.off:
            continue
        run = run_deal(database, night.business_date, **rules)
        amounts = (night.low.pool, night.low.dealt, night.low.left_over, night.agents)
        assert amounts == (run.pool, run.assigned, run.left_over, run.agents)


# Made histories: the new leads of each day, by its distance from today. Those before today are known to it.
HISTORIES: dict[str, Callable[[random.Random, date], int]] = {
    "weekly": lambda chance, day: 0 if day.weekday() >= 5 else chance.randint(65, 75) - 8 * day.weekday(),
    "mondays only": lambda chance, day: chance.randint(180, 220) if day.weekday() == 0 else 0,
    "too many": lambda chance, day: chance.randint(80, 100),
}


def gone(database: TestedDatabase, day: date, window_days: int = 12) -> int:
    """How many leads with calls left are too old on a day."""
    statement = "SELECT COUNT(*) FROM dbo.wafunnel WHERE stage < 4 AND date < %s"
    ((leads,),) = database.execute(statement, (day - timedelta(days=window_days)).isoformat())
    return int(leads)


@pytest.mark.parametrize("name", HISTORIES)
@on_sqlite
def test_what_then_happens_lies_in_the_band_of_the_forecast(database: TestedDatabase, name: str) -> None:
    """The forecast beside two weeks of deals, with new leads like those before."""
    chance = random.Random(name)
    put_agents(database, active_agents(*(f"agent {place}" for place in range(6))))
    rules: dict[str, Any] = {"window_days": 12, "max_per_agent": 25}
    counts = {
        TODAY + timedelta(days=far): HISTORIES[name](chance, TODAY + timedelta(days=far)) for far in range(-40, 14)
    }
    # New leads vary within what the same weekdays of the last weeks had.
    for far in range(14):
        day = TODAY + timedelta(days=far)
        like = [counts[day - timedelta(weeks=weeks)] for weeks in range(1 + far // 7, 5 + far // 7)]
        counts[day] = chance.randint(min(like), max(like))
    for far in range(-40, 0):
        day = TODAY + timedelta(days=far)
        put_leads(database, leads_of(day, counts[day]))
        if far >= -6:
            run_deal(database, day, **rules)
    found = ahead(database, **rules)
    assert found.weeks == 4
    before = gone(database, TODAY)
    total = low = high = 0
    for night in found.nights:
        put_leads(database, leads_of(night.business_date, counts[night.business_date]))
        run = run_deal(database, night.business_date, **rules)
        assert night.low.pool <= run.pool <= night.high.pool
        assert night.low.dealt <= run.assigned <= night.high.dealt
        total, low, high = total + run.assigned, low + night.low.dealt, high + night.high.dealt
    # The band tells something: the leads dealt in all are known to a quarter.
    assert high - low <= 0.25 * total
    few, many = sorted((found.as_is.low.expired, found.as_is.high.expired))
    assert few <= gone(database, found.nights[-1].business_date) - before <= many


@on_sqlite
def test_one_agent_more_or_fewer_changes_what_expires(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo"))
    put_limits(database, [("Bo", TODAY, None, 2)])
    put_leads(database, leads_of(TODAY - timedelta(days=40), 60))
    found = ahead(database, max_per_agent=5)
    # Six deals before the leads are too old, of 7, of 7 + 5, and of 7 - 5 leads.
    assert [night.low.dealt for night in found.nights[:7]] == [7, 7, 7, 7, 7, 7, 0]
    assert found.one_fewer is not None
    for scenario, never in ((found.as_is, 18), (found.one_more, 0), (found.one_fewer, 48)):
        assert scenario.low == scenario.high
        assert (scenario.low.never_called, scenario.low.expired) == (never, 60)
    assert [night.agents for night in found.nights] == [2] * NIGHTS_AHEAD


@on_sqlite
def test_the_runway_ends_with_the_first_deal_that_has_fewer_leads_than_agents(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo", "Cy"))
    put_leads(database, leads_of(TODAY - timedelta(days=30), 5))
    add_holiday(database.backend, TODAY + ONE_DAY)
    found = ahead(database)
    # Three calls each, on three nights and a holiday between.
    short = TODAY + timedelta(days=4)
    low = found.as_is.low
    assert (low.lasts, low.lasts_until, low.short_on) == (3, short - ONE_DAY, short)
    assert found.warning(3) is None
    assert found.warning(4) == (
        f"Leads fall short on {short}, after 3 more deals: as things stand, the deal of that day has fewer leads than "
        "agents. Import leads."
    )
    database.execute("UPDATE dbo.wafunnel SET stage = 4")
    assert ahead(database).warning(1) == (
        f"Leads fall short on {TODAY}: as things stand, the deal of that day has fewer leads than agents. Import leads."
    )
    assert ahead(database).warning(0) is None


@on_sqlite
def test_days_off_pauses_and_nights_that_nobody_works_have_no_deal(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al"))
    put_leads(database, leads_of(TODAY - timedelta(days=45), 4))
    put_limits(database, [("Al", TODAY + 2 * ONE_DAY, TODAY + 2 * ONE_DAY, 0)])
    add_holiday(database.backend, TODAY + ONE_DAY)
    # TODAY is a Monday.
    found = ahead(database, weekdays="mon-thu", max_per_agent=1)
    assert [night.off for night in found.nights[:6]] == [None, "holiday", "nobody", None, "weekday", "weekday"]
    assert [night.low.dealt for night in found.nights[:4]] == [1, 0, 0, 0]
    assert [night.low.expired for night in found.nights[:3]] == [0, 4, 0]
    # An agent more would work on the night of the absence.
    assert found.one_more.low.dealt == 2
    pause(database.backend, now=NOON, actor=None, reason=None)
    found = ahead(database, weekdays="mon-thu")
    assert {night.off for night in found.nights} == {"paused", "holiday", "weekday"}
    assert (found.as_is.low.dealt, found.as_is.low.lasts, found.warning(14)) == (0, None, None)
    resume(database.backend, now=NOON, actor=None)
    put_agents(database, [])
    found = ahead(database)
    assert (found.one_fewer, found.as_is.low.dealt, found.one_more.low.dealt) == (None, 0, 4)


@on_sqlite
def test_the_first_night_is_the_next_deal_to_come_with_the_rest_of_todays_new_leads(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al"))
    for weeks, count in ((1, 10), (2, 6), (3, 8), (4, 9)):
        put_leads(database, leads_of(TODAY - timedelta(weeks=weeks), count, stage=4))
        put_leads(database, leads_of(TODAY + ONE_DAY - timedelta(weeks=weeks), 3, stage=4))
    put_leads(database, leads_of(TODAY, 7))
    first = ahead(database).nights[0]
    assert (first.business_date, first.low.arrived, first.high.arrived) == (TODAY, 0, 3)
    assert (first.low.pool, first.high.pool) == (7, 10)
    run_deal(database, TODAY, trigger="schedule")
    # After tonight's deal, the rest of today comes before tomorrow's.
    first = ahead(database).nights[0]
    assert (first.business_date, first.low.arrived, first.high.arrived) == (TODAY + ONE_DAY, 3, 6)
    database.clear()
    put_agents(database, active_agents("Al"))
    late = datetime.combine(TODAY, time(23, 50), UTC)
    assert ahead(database, now=late).nights[0].business_date == TODAY + ONE_DAY
    in_window = datetime.combine(TODAY + ONE_DAY, time(0, 30), UTC)
    assert ahead(database, now=in_window, catch_up="6h").nights[0].business_date == TODAY


@on_sqlite
def test_without_new_leads_the_leads_last_for_less_than_with_as_many_as_lately(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo", "Cy"))
    for back in range(28, 0, -1):
        put_leads(database, leads_of(TODAY - timedelta(days=back), 5, stage=4 if back > 1 else 1))
    found = ahead(database)
    assert (found.as_is.low.lasts, found.as_is.high.lasts) == (None, None)
    # Five leads, three calls each.
    assert (found.without_new.lasts, found.without_new.lasts_until) == (3, TODAY + timedelta(days=2))
    dealt = [run_deal(database, TODAY + timedelta(days=days)).assigned for days in range(4)]
    assert dealt == [5, 5, 5, 0]
    database.execute("UPDATE dbo.wafunnel SET stage = 4")
    assert (ahead(database).without_new.lasts, ahead(database).without_new.lasts_until) == (0, None)
