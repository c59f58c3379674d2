"""The notice that leads fall short."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from agent_funnel.errors import DatabaseBusy
from support.databases import TestedDatabase
from support.nights import active_agents, fresh, put_agents, put_leads
from support.stepped import OPENS, SteppedClock

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NOON = OPENS.replace(hour=12, minute=0)
MOMENT = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def floor(database: TestedDatabase) -> None:
    """Two agents, and leads for three deals, as if it had been installed on 2026-06-01."""
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4, created=datetime(2026, 5, 1)))
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")


def test_that_leads_fall_short_is_told_once_a_day_by_one_copy(database: TestedDatabase) -> None:
    first, second = (SteppedClock(database.backend, runway_nights=3, name=name) for name in ("copy A", "copy B"))
    assert first.look(NOON) == []
    # After the deal of Monday, there are leads for two more.
    assert first.look(OPENS) == ["finished"]
    assert first.look(OPENS + MOMENT) == ["warning"]
    assert first.notifier.notices[-1][1] == (
        "Leads fall short on 2026-06-04, after 2 more deals: as things stand, the deal of that day has fewer leads "
        "than agents. Import leads."
    )
    assert first.look(OPENS + 2 * MOMENT) == []
    assert second.look(OPENS + 2 * MOMENT) == []
    assert SteppedClock(database.backend, runway_nights=3).look(OPENS + 2 * MOMENT) == []
    tomorrow = OPENS + timedelta(days=1)
    assert first.look(tomorrow) == ["finished"]
    assert first.look(tomorrow + MOMENT) == ["warning"]


def test_zero_turns_it_off_and_a_failed_count_is_made_again(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SteppedClock(database.backend, runway_nights=0).look(NOON) == []

    def busy(*_: object, **__: object) -> None:
        raise DatabaseBusy

    copy = SteppedClock(database.backend, runway_nights=4)
    with monkeypatch.context() as patch:
        patch.setattr("agent_funnel.schedule.scheduler.runway", busy)
        assert copy.look(NOON) == []
    assert copy.look(NOON + MOMENT) == ["warning"]
