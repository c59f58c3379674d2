"""The schedule's records in the database, and what the clock does because of them; on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from agent_funnel.deal import deal, undo
from agent_funnel.errors import AlreadyRun, BrakeApplied, NoActiveAgent, NotFound
from agent_funnel.install import install
from agent_funnel.runs import last_run, list_runs
from agent_funnel.schedule.brakes import scheduled_run
from agent_funnel.schedule.store import (
    add_holiday,
    failure_counts,
    find_night,
    list_holidays,
    list_nights,
    list_pauses,
    outcome_counts,
    pause,
    record_failure,
    remove_holiday,
    resume,
    schedule_state,
    settle_date,
)
from agent_funnel.settings import load
from agent_funnel.sql import batches, scripts
from support.databases import TestedDatabase, snapshot
from support.stepped import OPENS, SteppedClock

DAY = date(2026, 6, 1)
CLOSES = OPENS + timedelta(hours=3)
HOUR = timedelta(hours=1)


@pytest.fixture
def small_database(database: TestedDatabase) -> Iterator[TestedDatabase]:
    database.insert("agents", ("agent", "status"), [("Ana", "active")])
    put_pool(database, 10)
    # The service was installed on the first of these days, in the morning.
    installed = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")
    yield database
    for version, moment in installed:
        database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s WHERE version = %s", moment, version)


def put_pool(database: TestedDatabase, count: int) -> None:
    database.execute("DELETE FROM dbo.wafunnel")
    database.insert(
        "wafunnel", ("number", "stage", "date"), [(f"49170{n:04}", 1, datetime(2026, 6, 1)) for n in range(count)]
    )


def ends(database: TestedDatabase) -> list[tuple[str, str]]:
    return [(str(each.business_date), each.outcome) for each in reversed(list_nights(database.backend))]


def settle(database: TestedDatabase, day: date = DAY, **changed: Any) -> str | None:
    given: dict[str, Any] = {"workday": True, "closes_at": CLOSES, "now": CLOSES} | changed
    return settle_date(database.backend, day, **given)


def test_a_date_is_settled_once_and_then_has_no_scheduled_run(small_database: TestedDatabase) -> None:
    assert settle(small_database) == "missed"
    assert settle(small_database) is None
    before = snapshot(small_database)
    with pytest.raises(AlreadyRun, match=r"2026-06-01 is recorded as missed"):
        scheduled_run(small_database.backend, load(), DAY, now=OPENS, actor="late", overrule=True)
    assert snapshot(small_database) == before
    # A manual run is still possible.
    assert deal(small_database.backend, load(), business_date=DAY).assigned == 10


@pytest.mark.parametrize("undone", [False, True])
def test_a_date_with_a_scheduled_run_is_not_settled_even_if_the_run_is_undone(
    small_database: TestedDatabase, undone: bool
) -> None:
    scheduled_run(small_database.backend, load(), DAY, now=OPENS, actor="clock", overrule=False)
    if undone:
        undo(small_database.backend)
    assert settle(small_database) is None
    assert ends(small_database) == [("2026-06-01", "undone" if undone else "succeeded")]
    assert schedule_state(small_database.backend, DAY).settled == DAY


def test_the_reason_why_a_date_had_no_run_is_recorded(small_database: TestedDatabase) -> None:
    days = [DAY + timedelta(days=offset) for offset in range(5)]
    add_holiday(small_database.backend, days[1], "a holiday")
    assert settle(small_database, days[0], workday=False) == "holiday"
    assert settle(small_database, days[1]) == "holiday"
    fail(small_database, days[2])
    assert settle(small_database, days[2]) == "failed"
    pause(small_database.backend, now=CLOSES - HOUR, actor=None, reason=None)
    resume(small_database.backend, now=CLOSES + HOUR, actor=None)
    assert settle(small_database, days[3]) == "paused"
    assert settle(small_database, days[4], closes_at=CLOSES + 2 * HOUR) == "missed"
    assert outcome_counts(small_database.backend) == {"failed": 1, "holiday": 2, "missed": 1, "paused": 1}


def test_the_outcome_of_one_business_date_is_found_by_the_date(small_database: TestedDatabase) -> None:
    days = [DAY + timedelta(days=offset) for offset in range(4)]
    assert find_night(small_database.backend, DAY) is None
    run = scheduled_run(small_database.backend, load(), days[0], now=OPENS, actor="clock", overrule=False)
    assert settle(small_database, days[1]) == "missed"
    fail(small_database, days[2])
    assert settle(small_database, days[2]) == "failed"
    # A deal by a person is not the outcome of its date.
    deal(small_database.backend, load(), business_date=days[3], again=True)
    nights = {day: find_night(small_database.backend, day) for day in days}
    found = {day: (night.business_date, night.outcome, night.run_id) for day, night in nights.items() if night}
    assert found == {
        days[0]: (days[0], "succeeded", run.run_id),
        days[1]: (days[1], "missed", None),
        days[2]: (days[2], "failed", None),
    }
    assert [night for night in reversed(nights.values()) if night] == list_nights(small_database.backend)


def fail(database: TestedDatabase, day: date = DAY, attempt: int = 1) -> bool:
    return record_failure(
        database.backend,
        load(),
        day,
        NoActiveAgent(),
        attempt=attempt,
        started_at=OPENS,
        finished_at=OPENS,
        actor="clock",
    )


def test_a_failed_attempt_of_two_copies_is_recorded_once(small_database: TestedDatabase) -> None:
    assert fail(small_database)
    assert not fail(small_database)
    assert fail(small_database, attempt=2)
    state = schedule_state(small_database.backend, DAY)
    assert (state.failures, state.failed_at, state.settled) == (2, OPENS, None)
    assert schedule_state(small_database.backend, DAY + timedelta(days=1)).failures == 0
    assert failure_counts(small_database.backend) == {"50002": 2}
    assert [run.status for run in list_runs(small_database.backend)] == ["failed", "failed"]
    # A failed run cannot be undone, and does not prevent the next attempt.
    assert last_run(small_database.backend) is None
    assert scheduled_run(small_database.backend, load(), DAY, now=OPENS, actor="clock", overrule=False).assigned == 10


def test_failed_attempts_are_repeated_with_growing_pauses_and_one_notice(small_database: TestedDatabase) -> None:
    nights = SteppedClock(small_database.backend)
    small_database.execute("UPDATE dbo.agents SET status = 'inactive'")
    for seconds in range(0, 3_600, 30):
        nights.look(OPENS + timedelta(seconds=seconds))
    tried = [run.started_at - OPENS for run in reversed(list_runs(small_database.backend))]
    # Pauses of half a minute, 1, 2, 4, 8 and then always 10 minutes:
    assert [moment.total_seconds() for moment in tried] == [0, 30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]
    assert nights.kinds == ["failed"]
    assert "No agent is active" in nights.notifier.notices[0][1]
    assert "23:40" in nights.notifier.notices[0][1]
    assert nights.notifier.signalled == ["start", "fail"] * 10

    small_database.execute("UPDATE dbo.agents SET status = 'active'")
    nights.look(OPENS + 2 * HOUR)
    assert ends(small_database) == [("2026-06-01", "succeeded")]
    assert nights.kinds == ["failed", "finished", "recovered"]


def test_a_night_without_a_successful_attempt_is_recorded_as_failed_with_a_notice(
    small_database: TestedDatabase,
) -> None:
    nights = SteppedClock(small_database.backend)
    small_database.execute("UPDATE dbo.agents SET status = 'inactive'")
    nights.look(OPENS)
    small_database.execute("UPDATE dbo.agents SET status = 'active'")
    nights.look(CLOSES)
    nights.look(CLOSES + HOUR)
    assert ends(small_database) == [("2026-06-01", "failed")]
    assert nights.kinds == ["failed", "missed"]
    assert last_run(small_database.backend) is None


def test_each_missed_night_is_recorded_once_with_a_notice(small_database: TestedDatabase) -> None:
    nights, another = SteppedClock(small_database.backend), SteppedClock(small_database.backend)
    three_days_later = CLOSES + timedelta(days=3)
    nights.look(three_days_later)
    another.look(three_days_later)
    assert ends(small_database) == [(f"2026-06-0{n}", "missed") for n in (1, 2, 3, 4)]
    assert nights.kinds == ["missed"] * 4
    assert another.kinds == []


def test_nothing_is_missed_before_the_installation(small_database: TestedDatabase) -> None:
    small_database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-03 23:00:00.000'")
    SteppedClock(small_database.backend).look(CLOSES + timedelta(days=3))
    # The window of the third was still open then.
    assert ends(small_database) == [("2026-06-03", "missed"), ("2026-06-04", "missed")]


def test_a_pause_stops_all_copies_and_a_resumed_schedule_deals_the_same_evening(small_database: TestedDatabase) -> None:
    nights = SteppedClock(small_database.backend)
    assert pause(small_database.backend, now=OPENS - HOUR, actor="Ana", reason="stocktaking")
    assert not pause(small_database.backend, now=OPENS, actor="Bruno", reason=None)
    nights.look(OPENS)
    assert list_runs(small_database.backend) == []
    (paused,) = list_pauses(small_database.backend)
    assert (paused.paused_by, paused.reason, paused.paused_at, paused.resumed_at) == (
        "Ana",
        "stocktaking",
        OPENS - HOUR,
        None,
    )
    assert resume(small_database.backend, now=OPENS + HOUR, actor="Bruno")
    assert not resume(small_database.backend, now=OPENS + HOUR, actor="Bruno")
    nights.look(OPENS + HOUR)
    assert ends(small_database) == [("2026-06-01", "succeeded")]

    pause(small_database.backend, now=CLOSES, actor=None, reason=None)
    nights.look(OPENS + timedelta(days=1))
    nights.look(CLOSES + timedelta(days=1))
    assert ends(small_database)[1:] == [("2026-06-02", "paused")]
    assert nights.kinds == ["finished"]


def test_on_days_off_and_holidays_nothing_is_due(small_database: TestedDatabase) -> None:
    # 2026-06-01 is a Monday.
    nights = SteppedClock(small_database.backend, weekdays="tue-fri")
    add_holiday(small_database.backend, date(2026, 6, 2))
    add_holiday(small_database.backend, date(2026, 6, 2), "renamed")
    assert [(each.day, each.name) for each in list_holidays(small_database.backend, since=DAY)] == [
        (date(2026, 6, 2), "renamed")
    ]
    for offset in range(3):
        nights.look(OPENS + timedelta(days=offset))
        nights.look(CLOSES + timedelta(days=offset))
    assert ends(small_database) == [("2026-06-01", "holiday"), ("2026-06-02", "holiday"), ("2026-06-03", "succeeded")]
    assert nights.kinds == ["finished"]
    remove_holiday(small_database.backend, date(2026, 6, 2))
    with pytest.raises(NotFound, match="2026-06-02"):
        remove_holiday(small_database.backend, date(2026, 6, 2))


def usual_nights(small_database: TestedDatabase, nights: SteppedClock, pool: int) -> datetime:
    """Plays three nights with a pool of this size; returns the moment when the next run is due."""
    for offset in range(3):
        put_pool(small_database, pool)
        nights.look(OPENS + timedelta(days=offset))
    nights.notifier.notices.clear()
    return OPENS + timedelta(days=3)


@pytest.mark.parametrize(
    ("pool", "unusual"),
    [
        (1, True),
        *(pytest.param(*case, marks=pytest.mark.sqlserver_if_long) for case in ((2, False), (50, False), (51, True))),
    ],
)
def test_a_pool_of_unusual_size_is_dealt_with_a_warning(
    small_database: TestedDatabase, pool: int, unusual: bool
) -> None:
    nights = SteppedClock(small_database.backend)
    due = usual_nights(small_database, nights, 10)
    put_pool(small_database, pool)
    nights.look(due)
    assert [outcome for _, outcome in ends(small_database)] == ["succeeded"] * 4
    assert nights.kinds == (["finished", "warning"] if unusual else ["finished"])
    if unusual:
        assert (
            f" {pool} {'leads are' if pool > 1 else 'lead is'} ready to deal, but the median of the last 3 deals is 10"
            in nights.notifier.notices[1][1]
        )


def test_an_empty_pool_is_dealt_with_a_warning(small_database: TestedDatabase) -> None:
    put_pool(small_database, 0)
    nights = SteppedClock(small_database.backend)
    nights.look(OPENS)
    assert nights.kinds == ["finished", "warning"]
    assert ends(small_database) == [("2026-06-01", "succeeded")]


def test_the_brake_stops_an_unusual_deal_until_a_person_overrules_it(small_database: TestedDatabase) -> None:
    nights = SteppedClock(small_database.backend, brake="pool")
    due = usual_nights(small_database, nights, 10)
    put_pool(small_database, 100)
    before = snapshot(small_database)
    nights.look(due)
    nights.look(due + timedelta(minutes=1))
    assert nights.kinds == ["held"]
    assert "agent-funnel run --scheduled" in nights.notifier.notices[0][1]
    assert snapshot(small_database)["agent_wafunnel_assignment"] == before["agent_wafunnel_assignment"]
    assert snapshot(small_database)["wafunnel"] == before["wafunnel"]
    with pytest.raises(BrakeApplied):
        scheduled_run(small_database.backend, nights.settings, due.date(), now=due, actor="Ana", overrule=False)
    run = scheduled_run(small_database.backend, nights.settings, due.date(), now=due, actor="Ana", overrule=True)
    assert run.assigned == 100
    nights.look(due + HOUR)
    assert len(ends(small_database)) == 4


def test_a_scheduled_run_signals_the_dead_mans_switch(small_database: TestedDatabase) -> None:
    nights = SteppedClock(small_database.backend)
    nights.look(OPENS - HOUR)
    assert nights.notifier.signalled == []
    nights.look(OPENS)
    nights.look(OPENS + HOUR)
    assert nights.notifier.signalled == ["start", "success"]


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
@pytest.mark.parametrize("brake", ["", "procedure"])
def test_a_changed_procedure_is_a_warning_and_with_the_brake_a_refusal(
    small_database: TestedDatabase, brake: str
) -> None:
    nights = SteppedClock(small_database.backend, brake=brake)
    # Somebody installed their own text of the procedure, which does the same.
    ours = next(
        text for text in batches(scripts("sqlserver")["sp_assign_wafunnel_to_agents"]) if text.startswith("ALTER")
    )
    small_database.execute(ours.replace("AS\nBEGIN", "AS\nBEGIN\n    -- Changed by hand.", 1))
    try:
        nights.look(OPENS)
    finally:
        install(small_database.backend)
    assert nights.kinds == (["held"] if brake else ["finished", "warning"])
    assert "changed the procedure" in nights.notifier.notices[-1][1]
    assert [run.status for run in list_runs(small_database.backend)] == (["failed"] if brake else ["succeeded"])
