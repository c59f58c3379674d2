"""Dates whose scheduled deal is skipped: alone, or with a deal by hand that is made instead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from agent_funnel.deal import NewRun, deal
from agent_funnel.errors import AlreadyRun, NoActiveAgent, NotConfirmed, NotFound, ParameterOutOfRange
from agent_funnel.schedule import voids
from agent_funnel.schedule.skips import deal_and_skip, list_skips, skip, skipped_dates, tonight_to_skip
from agent_funnel.schedule.status import tonight
from agent_funnel.schedule.store import (
    add_holiday,
    find_night,
    list_nights,
    next_run_on_record,
    outcome_counts,
    settle_date,
)
from support.databases import TestedDatabase, snapshot
from support.nights import active_agents, fresh, put_agents, put_leads, undo
from support.stepped import OPENS, SteppedClock

DAY = date(2026, 6, 1)
HOUR = timedelta(hours=1)
NOON, CLOSES, NIGHT = OPENS - 9 * HOUR, OPENS + 3 * HOUR, timedelta(days=1)
# Undos are stamped with the database's own time, which is after that of these nights; before this moment:
LATER = "2999-01-01 00:00:00.000"


@pytest.fixture
def night(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[SteppedClock]:
    """A copy of the service at noon, on a floor with two agents and six leads, installed that morning."""
    installed = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")
    for module in ("skips", "voids"):
        monkeypatch.setattr(f"agent_funnel.schedule.{module}.database_now", lambda _: None)
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(6))
    yield SteppedClock(database.backend)
    for version, moment in installed:
        database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s WHERE version = %s", moment, version)


def made_instead(database: TestedDatabase, night: SteppedClock) -> NewRun:
    return deal_and_skip(database.backend, night.settings, DAY, now=NOON, actor="Ana", again=False)


def scheduled(database: TestedDatabase, day: date) -> None:
    """Records that the scheduled run of a date is due in five minutes, by the database's clock."""
    soon = "DATEADD(MINUTE, 5, SYSUTCDATETIME())"
    if database.engine == "sqlite":
        soon = "strftime('%Y-%m-%d %H:%M:%f', 'now', '+5 minutes')"
    database.execute(f"INSERT INTO dbo.schedule_next (row_id, business_date, due_at) VALUES (1, '{day}', {soon})")


def outcomes(database: TestedDatabase) -> list[tuple[date, str]]:
    return [(each.business_date, each.outcome) for each in list_nights(database.backend)]


def test_a_deal_that_is_made_instead_skips_the_scheduled_one_everywhere(
    database: TestedDatabase, night: SteppedClock
) -> None:
    backend, settings = database.backend, night.settings
    assert tonight_to_skip(backend, settings, now=NOON) == (DAY, OPENS)
    run = made_instead(database, night)
    assert (run.trigger, run.assigned) == ("manual", 6)
    (found,) = list_skips(backend, since=DAY)
    assert (found.business_date, found.run_id, found.skipped_by) == (DAY, run.run_id, "Ana")
    assert skipped_dates(backend, NOON) == {DAY}
    assert tonight_to_skip(backend, settings, now=NOON) is None
    shown = tonight(backend, settings, NOON, run)
    assert (shown.state, shown.business_date, shown.next_at) == ("skipped", DAY, OPENS + NIGHT)
    # Nothing happens at its time, and later nobody calls it missed.
    for at in (NOON, OPENS, OPENS + HOUR, CLOSES, CLOSES + HOUR):
        assert night.look(at) == []
    assert night.notifier.signalled == []
    assert next_run_on_record(backend) == (DAY + NIGHT, OPENS + NIGHT)
    assert outcomes(database) == [(DAY, "skipped")]
    assert outcome_counts(backend) == {"skipped": 1}
    assert settle_date(backend, DAY, workday=True, closes_at=CLOSES, now=CLOSES) is None
    # Nor does a job of the database deal for it.
    with pytest.raises(AlreadyRun, match="2026-06-01 is recorded as skipped"):
        deal(backend, settings, business_date=DAY, trigger="schedule")
    assert night.look(OPENS + NIGHT) == ["finished"]


def test_an_undo_of_the_deal_ends_the_skip_while_the_window_is_open(
    database: TestedDatabase, night: SteppedClock
) -> None:
    made_instead(database, night)
    database.execute("UPDATE dbo.schedule_skip SET closes_at = %s", LATER)
    undo(database)
    assert (list_skips(database.backend, since=DAY), outcomes(database)) == ([], [])
    assert night.look(OPENS) == ["finished"]
    assert outcomes(database) == [(DAY, "succeeded")]
    with pytest.raises(AlreadyRun, match="was made already"):
        skip(database.backend, night.settings, DAY, now=OPENS + HOUR, actor=None)


def test_an_undo_after_the_window_leaves_the_date_skipped(database: TestedDatabase, night: SteppedClock) -> None:
    made_instead(database, night)
    undo(database)
    assert outcomes(database) == [(DAY, "skipped")]
    assert night.look(CLOSES + HOUR) == []


def test_a_date_that_is_skipped_alone_is_reopened_and_may_be_skipped_again(
    database: TestedDatabase, night: SteppedClock
) -> None:
    backend, settings = database.backend, night.settings
    coming = DAY + 3 * NIGHT
    for day in (DAY, coming):
        skip(backend, settings, day, now=NOON, actor="Ana")
    with pytest.raises(AlreadyRun, match="recorded as skipped already"):
        skip(backend, settings, DAY, now=NOON, actor="Bea")
    assert [each.business_date for each in list_skips(backend, since=DAY)] == [DAY, coming]
    # No look takes a skip for the record of a wrong clock.
    assert night.look(NOON) == []
    assert find_night(backend, coming) is not None
    assert voids.reopen(backend, settings, DAY, now=OPENS, actor="Bea").outcome == "skipped"
    assert night.look(OPENS) == ["finished"]
    assert [(each.outcome, each.voided_by) for each in voids.list_voids(backend)] == [("skipped", "Bea")]
    voids.reopen(backend, settings, coming, now=OPENS, actor="Bea")
    skip(backend, settings, coming, now=OPENS, actor="Ana")
    assert [each.skipped_by for each in list_skips(backend, since=DAY)] == ["Ana"]


def test_a_skip_that_has_ended_by_an_undo_is_replaced(database: TestedDatabase, night: SteppedClock) -> None:
    made_instead(database, night)
    database.execute("UPDATE dbo.schedule_skip SET closes_at = %s", LATER)
    undo(database)
    second = made_instead(database, night)
    assert [each.run_id for each in list_skips(database.backend, since=DAY)] == [second.run_id]
    database.execute("UPDATE dbo.schedule_skip SET closes_at = %s", LATER)
    undo(database)
    skip(database.backend, night.settings, DAY, now=NOON, actor="Bea")
    assert [each.run_id for each in list_skips(database.backend, since=DAY)] == [None]


def test_there_must_be_a_scheduled_deal_to_skip(database: TestedDatabase, night: SteppedClock) -> None:
    backend, settings = database.backend, night.settings
    add_holiday(backend, DAY + NIGHT)
    before = snapshot(database)
    with pytest.raises(NotFound, match="has passed, so there is none to skip; nothing was changed"):
        skip(backend, settings, DAY, now=CLOSES, actor=None)
    with pytest.raises(NotFound, match="No automatic deal is due on 2026-06-02"):
        skip(backend, settings, DAY + NIGHT, now=NOON, actor=None)
    with pytest.raises(NotFound, match="No automatic deal is due on 2026-06-02"):
        deal_and_skip(backend, settings, DAY, now=NOON + NIGHT, actor=None, again=True)
    with pytest.raises(ParameterOutOfRange, match="Tonight is 2026-06-01, not 2026-05-31"):
        deal_and_skip(backend, settings, DAY, now=NOON, actor=None, again=True, skip_date=DAY - NIGHT)
    assert snapshot(database) == before


def test_a_deal_that_is_refused_skips_nothing(database: TestedDatabase, night: SteppedClock) -> None:
    put_agents(database, [])
    with pytest.raises(NoActiveAgent):
        made_instead(database, night)
    put_agents(database, active_agents("A"))
    # Each checks this before it deals; in between, another copy may have dealt.
    deal(database.backend, night.settings, business_date=DAY, trigger="schedule")
    before = snapshot(database)
    with pytest.raises(AlreadyRun, match=r"already done .run .*, so it cannot be skipped; nothing was changed"):
        deal(database.backend, night.settings, business_date=DAY, again=True, skip_date=DAY)
    with pytest.raises(ParameterOutOfRange, match="skip_date is for manual runs"):
        deal(database.backend, night.settings, business_date=DAY + NIGHT, trigger="schedule", skip_date=DAY + NIGHT)
    assert snapshot(database) == before


def test_just_before_the_scheduled_deal_another_one_needs_no_again_if_it_skips_that(
    database: TestedDatabase, night: SteppedClock
) -> None:
    backend, settings = database.backend, night.settings
    scheduled(database, DAY)
    with pytest.raises(NotConfirmed, match="The scheduled run of 2026-06-01 is due in"):
        deal(backend, settings, business_date=DAY)
    made_instead(database, night)
    database.execute("UPDATE dbo.assignment_run SET started_at = '2026-01-01 00:00:00.000'")
    # Nothing else asks for a confirmation, although the next look has not yet removed that run.
    assert deal(backend, settings, business_date=DAY).pool == 6
