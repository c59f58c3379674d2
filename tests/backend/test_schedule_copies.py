"""Copies of the service with wrong clocks or with other terms, and records that people take back; on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from agent_funnel.deal import deal
from agent_funnel.doctor import examine
from agent_funnel.errors import NotFound
from agent_funnel.runs import list_runs
from agent_funnel.schedule import terms, voids
from agent_funnel.schedule.brakes import scheduled_run
from agent_funnel.schedule.copies import Copies
from agent_funnel.schedule.store import find_night, list_nights, next_run_on_record, pause, schedule_state
from agent_funnel.schedule.terms import Terms
from agent_funnel.settings import load
from support.databases import TestedDatabase
from support.nights import active_agents, fresh, put_agents, put_leads
from support.stepped import OPENS, RecordingNotifier, SteppedClock

DAY = date(2026, 6, 1)  # a Monday
CLOSES = OPENS + timedelta(hours=3)
SECOND, MINUTE, HOUR, NIGHT = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = OPENS - 8 * HOUR - 40 * MINUTE
YEARS = timedelta(days=3_652)


@pytest.fixture
def funnel(database: TestedDatabase) -> Iterator[TestedDatabase]:
    """A database with an agent and some leads, installed on the morning of the first night."""
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(4, created=datetime(2026, 6, 1)))
    installed = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")
    yield database
    for version, moment in installed:
        database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s WHERE version = %s", moment, version)


def ends(database: TestedDatabase) -> list[tuple[str, str]]:
    return [(str(each.business_date), each.outcome) for each in reversed(list_nights(database.backend))]


def has_clock(database: TestedDatabase) -> bool:
    return database.engine == "sqlserver"


# ---- Clocks


@pytest.mark.parametrize("ahead", [3 * NIGHT, pytest.param(YEARS, marks=pytest.mark.sqlserver_if_long)])
def test_one_look_of_a_clock_that_is_ahead_costs_no_night(funnel: TestedDatabase, ahead: timedelta) -> None:
    right, wrong = SteppedClock(funnel.backend), SteppedClock(funnel.backend, name="copy B")
    right.look(NOON)
    told = wrong.look(NOON + MINUTE, ahead=ahead)
    if has_clock(funnel):
        # The server's clock counts, so the wrong one is only told, once.
        assert told == ["warning"]
        assert "copy B" in wrong.notifier.notices[0][1]
        assert wrong.look(NOON + 2 * MINUTE) == []
        assert ends(funnel) == []
    else:
        assert "missed" in told
        assert ends(funnel) != []
    # The right copy tells of the other clock, and of the records that it voids.
    told = right.look(NOON + 3 * MINUTE)
    assert told == ["warning"] if has_clock(funnel) else ["warning", "warning"]
    assert ends(funnel) == []
    assert right.look(OPENS)[0] == "finished"
    assert right.look(OPENS + NIGHT)[0] == "finished"
    assert ends(funnel) == [("2026-06-01", "succeeded"), ("2026-06-02", "succeeded")]
    voided = voids.list_voids(funnel.backend)
    assert bool(voided) != has_clock(funnel)
    assert {(each.outcome, each.voided_by) for each in voided} <= {("missed", "copy A")}


def test_a_record_of_a_date_whose_window_is_open_is_void_and_the_date_is_dealt(funnel: TestedDatabase) -> None:
    night = settled(funnel, OPENS)
    assert night.look(CLOSES - SECOND) == ["warning", "finished"]
    assert "record of 2026-06-01 (missed) is void" in night.notifier.notices[0][1]
    assert ends(funnel) == [("2026-06-01", "succeeded")]


def test_a_record_of_a_date_whose_window_has_closed_holds(funnel: TestedDatabase) -> None:
    night = settled(funnel, OPENS)
    assert night.look(CLOSES) == []
    assert ends(funnel) == [("2026-06-01", "missed")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_deal_of_a_date_to_come_is_void_and_that_date_gets_its_own(funnel: TestedDatabase) -> None:
    right, wrong = SteppedClock(funnel.backend), SteppedClock(funnel.backend, name="copy B")
    wrong.look(OPENS + MINUTE - HOUR, ahead=NIGHT + HOUR)
    assert [run.business_date for run in list_runs(funnel.backend)] == [DAY + NIGHT]
    assert "warning" in right.look(OPENS - HOUR)
    assert right.look(OPENS)[0] == "finished"
    assert right.look(OPENS + NIGHT)[0] == "finished"
    assert [(run.trigger, run.business_date) for run in reversed(list_runs(funnel.backend))] == [
        ("manual", DAY + NIGHT),
        ("schedule", DAY),
        ("schedule", DAY + NIGHT),
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_clock_that_is_behind_for_a_moment_does_not_deal_the_same_night_again(funnel: TestedDatabase) -> None:
    night = SteppedClock(funnel.backend)
    funnel.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-05-20 08:00:00.000'")
    assert night.look(OPENS)[-1] == "finished"
    night.look(OPENS + MINUTE, ahead=-3 * NIGHT)
    night.look(OPENS + 2 * MINUTE, ahead=timedelta(0))
    assert [run.trigger for run in list_runs(funnel.backend) if run.business_date == DAY] == ["schedule"]


def test_a_failure_that_a_clock_ahead_recorded_delays_nothing(funnel: TestedDatabase) -> None:
    right, wrong = SteppedClock(funnel.backend, catch_up="0"), SteppedClock(funnel.backend, name="copy B", catch_up="0")
    funnel.execute("UPDATE dbo.agents SET status = 'inactive'")
    wrong.server_ahead = 20 * SECOND
    wrong.look(OPENS - 10 * SECOND, ahead=20 * SECOND)
    assert schedule_state(funnel.backend, DAY).failures == 1
    funnel.execute("UPDATE dbo.agents SET status = 'active'")
    right.look(OPENS - 5 * SECOND)
    assert schedule_state(funnel.backend, DAY).failures == 0
    assert "finished" in right.look(OPENS)
    assert [each.outcome for each in voids.list_voids(funnel.backend)] == ["attempt"]


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_the_server_decides_what_is_due_and_is_told_if_a_clock_differs(funnel: TestedDatabase) -> None:
    night = SteppedClock(funnel.backend)
    # The copy is three minutes ahead: it does not deal early.
    assert night.look(OPENS - MINUTE, ahead=3 * MINUTE) == ["warning"]
    assert "3 min ahead" in night.notifier.notices[0][1]
    assert night.look(OPENS, ahead=-3 * MINUTE)[-1] == "finished"
    checks = [finding for finding in examine(funnel.backend, now=datetime.now(UTC)) if finding.check == "copies"]
    assert [finding.level for finding in checks] == ["ok"]  # its last look was months ago


def test_the_time_is_that_of_the_database(database: TestedDatabase) -> None:
    found = terms.database_now(database.backend)
    if has_clock(database):
        assert found is not None
        assert abs(found - datetime.now(UTC)) < HOUR
    else:
        assert found is None


# ---- Terms


def test_a_changed_setting_and_a_restart_move_the_deal_of_tonight(funnel: TestedDatabase) -> None:
    before = SteppedClock(funnel.backend)
    before.look(NOON)
    before.clock.scheduler.leave()
    after = SteppedClock(funnel.backend, run_at="19:00")
    assert after.look(NOON + MINUTE) == ["warning"]
    assert "19:00:00 (UTC)" in after.notifier.notices[0][1]
    assert after.look(OPENS - 100 * MINUTE)[-1] == "finished"
    assert ends(funnel) == [("2026-06-01", "succeeded")]


def test_a_copy_that_was_killed_and_started_again_with_other_settings_replaces_itself(funnel: TestedDatabase) -> None:
    SteppedClock(funnel.backend).look(NOON)
    after = SteppedClock(funnel.backend, run_at="19:00")
    assert after.look(NOON + MINUTE) == ["warning"]
    assert [each.terms for each in terms.list_terms(funnel.backend)] == [
        Terms.of(load(run_at="19:00")), Terms.of(load()),
    ]  # fmt: skip


def test_a_copy_that_differs_does_not_deal_while_another_is_running_and_both_say_so(funnel: TestedDatabase) -> None:
    right, other = (
        SteppedClock(funnel.backend),
        SteppedClock(funnel.backend, name="copy B", run_at="08:30", catch_up="10h"),
    )
    right.look(NOON)
    assert other.look(NOON + MINUTE) == ["warning"]
    assert list(other.clock.notes) == ["terms of copy B"]
    assert right.look(NOON + 2 * MINUTE) == ["warning"]
    assert list(right.clock.notes) == ["terms of copy B"]
    for clock in (right, other):
        assert "08:30" in clock.notifier.notices[-1][1]
        assert "20:40" in clock.notifier.notices[-1][1]
        assert "agent-funnel schedule adopt" in clock.notifier.notices[-1][1]
    # Told once, while it lasts.
    assert other.look(NOON + 3 * MINUTE) == right.look(NOON + 4 * MINUTE) == []
    # At the time of the deal, only the copy with the terms that hold deals.
    right.look(OPENS - MINUTE)
    assert other.look(OPENS) == []
    assert list_runs(funnel.backend) == []
    assert right.look(OPENS + SECOND)[-1] == "finished"
    assert ends(funnel) == [("2026-06-01", "succeeded")]


def test_a_copy_that_differs_adopts_its_terms_when_the_others_are_gone(funnel: TestedDatabase) -> None:
    right, other = SteppedClock(funnel.backend), SteppedClock(funnel.backend, name="copy B", run_at="19:00")
    right.look(NOON)
    other.look(NOON + 5 * MINUTE)
    assert terms.list_terms(funnel.backend)[0].terms == Terms.of(right.settings)
    assert other.look(NOON + 5 * MINUTE + SECOND) == ["warning"]
    assert terms.list_terms(funnel.backend)[0].terms == Terms.of(other.settings)
    assert other.clock.notes == {}


def test_copies_that_all_have_the_new_terms_adopt_them(funnel: TestedDatabase) -> None:
    SteppedClock(funnel.backend).look(NOON)
    first = SteppedClock(funnel.backend, name="copy B", run_at="19:00")
    first.look(NOON + MINUTE)
    # The first copy is replaced, too; nobody who disagrees is left.
    second = SteppedClock(funnel.backend, run_at="19:00")
    assert second.look(NOON + 2 * MINUTE) == ["warning"]
    assert terms.list_terms(funnel.backend)[0].terms == Terms.of(second.settings)


@pytest.mark.sqlserver_if_long
def test_if_no_copy_has_the_terms_that_hold_the_others_deal_by_them(funnel: TestedDatabase) -> None:
    SteppedClock(funnel.backend, name="copy C").look(NOON)
    clocks = [SteppedClock(funnel.backend, name=name, run_at=at) for name, at in (("A", "19:00"), ("B", "22:00"))]
    # A copy is alive if it has looked within five minutes.
    for minutes in range(1, 522, 2):
        for clock in clocks:
            clock.look(NOON + minutes * MINUTE)
        if minutes == 519:
            assert list_runs(funnel.backend) == []
    assert ends(funnel) == [("2026-06-01", "succeeded")]


def test_a_copy_alone_with_another_time_at_noon_does_not_take_the_night_away(funnel: TestedDatabase) -> None:
    SteppedClock(funnel.backend).look(NOON - HOUR)
    wrong = SteppedClock(funnel.backend, name="copy B", run_at="08:30")
    assert wrong.look(NOON) == ["warning"]
    assert ends(funnel) == []
    wrong.clock.scheduler.leave()
    right = SteppedClock(funnel.backend)
    assert right.look(OPENS - 25 * SECOND) == ["warning"]
    assert right.look(OPENS) == ["finished"]
    assert ends(funnel) == [("2026-06-01", "succeeded")]


def test_a_deal_that_was_moved_to_an_earlier_time_is_not_missed(funnel: TestedDatabase) -> None:
    SteppedClock(funnel.backend).look(NOON)
    moved = SteppedClock(funnel.backend, run_at="08:30")
    kinds = [moved.look(NOON + hours * HOUR) for hours in range(1, 24)]
    assert [kind for found in kinds for kind in found] == ["warning", "finished"]
    assert ends(funnel) == [("2026-06-01", "holiday"), ("2026-06-02", "succeeded")]


def test_a_deal_that_was_moved_after_it_was_made_is_not_made_again(funnel: TestedDatabase) -> None:
    SteppedClock(funnel.backend, run_at="12:00").look(NOON)
    moved = SteppedClock(funnel.backend)
    moved.look(NOON + HOUR)
    moved.look(OPENS)
    moved.look(OPENS + HOUR)
    assert [run.trigger for run in list_runs(funnel.backend)] == ["schedule"]
    assert voids.list_voids(funnel.backend) == []


def test_a_person_decides_at_once_which_terms_hold(funnel: TestedDatabase) -> None:
    right, other = SteppedClock(funnel.backend), SteppedClock(funnel.backend, name="copy B", run_at="19:00")
    right.look(NOON)
    other.look(NOON + MINUTE)
    assert terms.adopt(funnel.backend, other.settings, now=NOON + 2 * MINUTE, actor="Ana")
    assert not terms.adopt(funnel.backend, other.settings, now=NOON + 2 * MINUTE, actor="Ana")
    assert right.look(NOON + 3 * MINUTE) == ["warning"]
    assert "recorded by Ana" in right.notifier.notices[-1][1]
    other.look(OPENS - 101 * MINUTE)
    assert right.look(OPENS - 100 * MINUTE) == []
    assert "finished" in other.look(OPENS - 99 * MINUTE)


@pytest.mark.parametrize("changed", [{"timezone": "Asia/Tokyo"}, {"weekdays": "mon-fri"}, {"catch_up": "1h"}])
def test_zone_weekdays_and_catch_up_are_terms_too(funnel: TestedDatabase, changed: dict[str, str]) -> None:
    SteppedClock(funnel.backend).look(NOON)
    other = SteppedClock(funnel.backend, name="copy B", **changed)
    other.look(NOON + MINUTE)
    assert list(other.clock.notes) == ["terms of copy B"]
    assert Terms.from_row(Terms.of(other.settings).to_row()) == Terms.of(other.settings)
    assert Terms.of(Terms.of(other.settings).applied_to(load())) == Terms.of(other.settings)


def test_of_two_copies_that_begin_together_at_least_one_sees_the_other(funnel: TestedDatabase) -> None:
    SteppedClock(funnel.backend, name="copy C").look(NOON - HOUR)
    found = []
    for name, at in (("copy A", "19:00"), ("copy B", "22:00")):
        settings = load(run_at=at)
        copies = Copies(funnel.backend, settings, RecordingNotifier(settings), name)
        found.append(copies.agree(NOON, timedelta(0)).periods[0].rules.run_at.hour)
    assert found == [19, 19]


def test_a_copy_that_is_long_gone_is_removed(funnel: TestedDatabase) -> None:
    SteppedClock(funnel.backend, name="copy B").look(NOON)
    right = SteppedClock(funnel.backend)
    right.look(NOON + NIGHT)
    assert [copy.name for copy in terms.list_copies(funnel.backend)] == ["copy A", "copy B"]
    right.look(NOON + NIGHT + SECOND)
    assert [copy.name for copy in terms.list_copies(funnel.backend)] == ["copy A"]


# ---- The next run


def test_the_next_run_is_on_record_except_in_a_pause(funnel: TestedDatabase) -> None:
    night = SteppedClock(funnel.backend, weekdays="mon,wed")
    night.look(NOON)
    assert next_run_on_record(funnel.backend) == (DAY, OPENS)
    night.look(OPENS)
    night.look(OPENS + MINUTE)
    assert next_run_on_record(funnel.backend) == (DAY + 2 * NIGHT, OPENS + 2 * NIGHT)
    pause(funnel.backend, now=OPENS + HOUR, actor=None, reason=None)
    night.look(OPENS + HOUR)
    assert next_run_on_record(funnel.backend) is None


# ---- Records that a person takes back


def settled(database: TestedDatabase, now: datetime, **given: Any) -> SteppedClock:
    """A copy that has recorded the first night as missed at this moment."""
    night = SteppedClock(database.backend, **given)
    database.execute("INSERT INTO dbo.schedule_outcome VALUES ('2026-06-01', 'missed', %s)", f"{now:%Y-%m-%d %H:%M:%S}")
    return night


def test_a_person_reopens_a_date_and_the_schedule_deals_while_its_window_is_open(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.schedule.voids.database_now", lambda _: None)
    night = settled(funnel, OPENS + HOUR)
    done = voids.reopen(funnel.backend, night.settings, DAY, now=OPENS + HOUR, actor="Ana")
    assert (done.outcome, done.window_closed) == ("missed", False)
    assert find_night(funnel.backend, DAY) is None
    assert night.look(OPENS + HOUR + MINUTE) == ["finished"]
    assert ends(funnel) == [("2026-06-01", "succeeded")]
    (voided,) = voids.list_voids(funnel.backend)
    assert (voided.outcome, voided.voided_by, voided.voided_at) == ("missed", "Ana", OPENS + HOUR)


def test_an_older_record_becomes_void_and_the_deal_is_made_by_hand(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.schedule.voids.database_now", lambda _: None)
    night = SteppedClock(funnel.backend)
    night.look(CLOSES)
    done = voids.reopen(funnel.backend, night.settings, DAY, now=CLOSES + HOUR, actor="Ana")
    assert done.window_closed
    assert "make a deal by hand" in done.text
    # The schedule leaves the date alone.
    assert night.look(CLOSES + 2 * HOUR) == []
    assert ends(funnel) == [("2026-06-01", "void")]
    with pytest.raises(NotFound, match="void already"):
        voids.reopen(funnel.backend, night.settings, DAY, now=CLOSES + HOUR, actor="Ana")
    # As the scheduled run of the date, or as an extra one.
    run = scheduled_run(funnel.backend, night.settings, DAY, now=CLOSES + HOUR, actor="Ana", overrule=True)
    assert ends(funnel) == [("2026-06-01", "succeeded")]
    assert deal(funnel.backend, night.settings, business_date=DAY, again=True).run_id > run.run_id


def test_only_a_record_without_a_deal_is_taken_back(funnel: TestedDatabase) -> None:
    night = SteppedClock(funnel.backend)
    with pytest.raises(NotFound, match="2026-06-01 has no outcome"):
        voids.reopen(funnel.backend, night.settings, DAY, now=OPENS, actor=None)
    night.look(OPENS)
    with pytest.raises(NotFound, match=r"was made \(deal"):
        voids.reopen(funnel.backend, night.settings, DAY, now=OPENS, actor=None)
    assert ends(funnel) == [("2026-06-01", "succeeded")]
