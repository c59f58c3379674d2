"""The notice before a scheduled run that would not deal, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from agent_funnel.errors import DatabaseBusy
from agent_funnel.schedule.store import add_holiday, pause
from support.databases import TestedDatabase
from support.nights import active_agents, deal_today, fresh, put_agents, put_leads
from support.stepped import OPENS, SteppedClock

DAY = date(2026, 6, 1)
AHEAD = OPENS - timedelta(hours=2)
MOMENT = timedelta(seconds=1)


@pytest.fixture
def funnel(database: TestedDatabase) -> Iterator[TestedDatabase]:
    """A database with four leads and nobody active, as if it had been installed on 2026-06-01."""
    put_agents(database, [("A", "inactive")])
    put_leads(database, fresh(4, created=datetime(2026, 6, 1)))
    installed = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")
    yield database
    for version, moment in installed:
        database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s WHERE version = %s", moment, version)


def test_two_hours_before_a_run_that_would_fail_people_are_warned_once_by_one_copy(funnel: TestedDatabase) -> None:
    first, second = SteppedClock(funnel.backend), SteppedClock(funnel.backend, name="copy B")
    assert first.look(AHEAD - MOMENT) == []
    assert first.look(AHEAD) == ["warning"]
    assert first.notifier.notices[0][1] == (
        "As things stand, the deal of 2026-06-01 will fail. No agent is active. Activate an agent."
    )
    assert first.look(AHEAD + MOMENT) == []
    assert second.look(AHEAD + MOMENT) == []
    # A copy that was started again does not repeat it, and the next night has its own.
    assert SteppedClock(funnel.backend).look(AHEAD + MOMENT) == []
    assert "warning" in second.look(AHEAD + timedelta(days=1))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_run_that_will_deal_warns_of_nothing(funnel: TestedDatabase) -> None:
    put_agents(funnel, active_agents("A"))
    # The pool is unusual: the run itself warns of that.
    put_leads(funnel, fresh(40, start=100, created=datetime(2026, 6, 1)))
    for _ in range(3):
        deal_today(funnel)
    evening = SteppedClock(funnel.backend, pool_factor=1.5)
    assert evening.look(AHEAD) == []
    # It is forecast once: what changes later is found by the run.
    put_agents(funnel, [("A", "inactive")])
    assert evening.look(AHEAD + timedelta(hours=1)) == []
    assert evening.look(OPENS) == ["failed"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_time_of_the_warning_is_a_setting_and_zero_turns_it_off(funnel: TestedDatabase) -> None:
    evening = SteppedClock(funnel.backend, warn_before="0")
    assert evening.look(OPENS - MOMENT) == []
    evening = SteppedClock(funnel.backend, warn_before="30m")
    assert evening.look(OPENS - timedelta(minutes=30) - MOMENT) == []
    assert evening.look(OPENS - timedelta(minutes=30)) == ["warning"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_run_that_a_brake_would_hold_or_that_finds_nothing_is_warned_of(funnel: TestedDatabase) -> None:
    put_agents(funnel, active_agents("A"))
    for _ in range(3):
        deal_today(funnel, window_days=36_500)
    funnel.execute("UPDATE dbo.assignment_run SET pool = 1000")
    braked = SteppedClock(funnel.backend, brake="pool")
    assert braked.look(AHEAD) == ["warning"]
    assert (
        "FUNNEL_BRAKE will hold the deal of 2026-06-01 until a person makes it. 0 leads are ready"
        in braked.notifier.notices[0][1]
    )
    funnel.execute("DELETE FROM dbo.schedule_notice")
    empty = SteppedClock(funnel.backend)
    assert empty.look(AHEAD) == ["warning"]
    assert "will find no lead to deal, and empty all lists." in empty.notifier.notices[0][1]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_on_days_off_and_in_pauses_nothing_is_forecast(funnel: TestedDatabase) -> None:
    evening = SteppedClock(funnel.backend)
    add_holiday(funnel.backend, DAY)
    assert evening.look(AHEAD) == []
    pause(funnel.backend, now=AHEAD, actor=None, reason=None)
    assert evening.look(AHEAD + timedelta(days=1)) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_forecast_that_the_database_refused_is_made_at_the_next_look(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise DatabaseBusy

    evening = SteppedClock(funnel.backend)
    with monkeypatch.context() as patch:
        patch.setattr("agent_funnel.schedule.scheduler.forecast", busy)
        assert evening.look(AHEAD) == []
    assert evening.look(AHEAD + MOMENT) == ["warning"]
