"""Whatever keeps the schedule from looking or dealing is told: a notice, a signal, and a code for `/readyz`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_funnel import errors
from agent_funnel.doctor import examine
from agent_funnel.errors import BrakeApplied, DatabaseUnavailable, FunnelError, RunError, RunInProgress
from agent_funnel.install import install
from agent_funnel.schedule.store import failure_counts, list_nights
from agent_funnel.web import create_app
from support.databases import TestedDatabase, connect_to
from support.nights import active_agents, fresh, put_agents, put_leads
from support.stepped import OPENS, SteppedClock

MINUTE, HOUR, NIGHT = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = OPENS - 8 * HOUR


def every_error() -> list[type[Exception]]:
    """All errors of the tree that the schedule can meet, and some that nobody expects."""
    found = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, FunnelError)]
    return [*found, TypeError, KeyError, OSError, sqlite3.ProgrammingError]


# These mean that nothing is wrong: another copy or a person deals at this moment, or has dealt.
NO_TROUBLE = (errors.RunInProgress, errors.AlreadyRun)
# The deal of these was refused for a reason that people see on the page; the schedule itself works.
REFUSALS = (RunError, BrakeApplied)


def raising(cls: type[Exception]) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise cls("made up for a test")

    return fail


@pytest.fixture
def funnel(database: TestedDatabase) -> Iterator[TestedDatabase]:
    """A database with an agent and four leads, installed on the morning of the first night."""
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(4, created=datetime(2026, 6, 1)))
    installed = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")
    yield database
    for version, moment in installed:
        database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s WHERE version = %s", moment, version)


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_each_error_of_a_look_at_the_time_of_the_deal_is_told(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch, cls: type[Exception]
) -> None:
    night = SteppedClock(funnel.backend)
    with monkeypatch.context() as patched:
        patched.setattr("agent_funnel.schedule.store.schedule_state", raising(cls))
        told = night.look(OPENS)
        if cls is RunInProgress:
            assert told == []
            return
        assert told == ["held" if cls is BrakeApplied else "failed"]
        told_of = "holds the deal of 2026-06-01" if cls is BrakeApplied else "deal of 2026-06-01 failed"
        assert told_of in night.notifier.notices[-1][1]
        assert "tried again until 23:40" in night.notifier.notices[-1][1] or issubclass(
            cls, errors.CheckFailed | BrakeApplied
        )
        assert night.notifier.signalled == ["fail"]
        assert night.clock.problem == f"could not look: {cls.__name__}"
        # Once for each date.
        assert night.look(OPENS + MINUTE) == []
    assert "finished" in night.look(OPENS + 2 * MINUTE)
    assert night.clock.problem is None


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_each_error_of_a_look_at_noon_is_told_but_for_a_short_outage(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch, cls: type[Exception]
) -> None:
    night = SteppedClock(funnel.backend)
    short = issubclass(cls, DatabaseUnavailable)
    with monkeypatch.context() as patched:
        patched.setattr("agent_funnel.schedule.store.schedule_state", raising(cls))
        told = night.look(NOON)
        if cls is RunInProgress:
            assert told == []
            return
        assert told == ([] if short else ["failed"])
        assert (night.clock.problem is None) == short
        assert night.look(NOON + 11 * MINUTE) == (["failed"] if short else [])
        assert night.notifier.signalled == ["fail"]
        assert night.clock.problem == f"could not look: {cls.__name__}"
        assert night.look(NOON + 12 * MINUTE) == []
    assert night.look(NOON + 13 * MINUTE) == ["recovered"]
    assert night.clock.problem is None


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_each_error_of_a_deal_is_told_and_recorded(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch, cls: type[Exception]
) -> None:
    night = SteppedClock(funnel.backend)
    with monkeypatch.context() as patched:
        patched.setattr("agent_funnel.schedule.scheduler.scheduled_run", raising(cls))
        told = night.look(OPENS)
        if cls in NO_TROUBLE:
            assert told == []
            return
        assert told == ["held" if cls is BrakeApplied else "failed"]
        assert night.notifier.signalled == ["start", "fail"]
        refused = issubclass(cls, REFUSALS)
        assert night.clock.problem == (None if refused else f"could not deal: {cls.__name__}")
        assert sum(failure_counts(funnel.backend).values()) == 1
        # A notice has no text of an error that is not ours: it may have data in it.
        assert ("made up" in night.notifier.notices[-1][1]) == issubclass(cls, FunnelError)
    assert night.look(OPENS + 2 * MINUTE) == ["finished", "recovered"]
    assert night.clock.problem is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_run_in_progress_that_does_not_end_is_told(funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    night = SteppedClock(funnel.backend)
    monkeypatch.setattr("agent_funnel.schedule.scheduler.scheduled_run", raising(RunInProgress))
    assert night.look(OPENS) == []
    assert night.look(OPENS + 9 * MINUTE) == []
    assert night.look(OPENS + 10 * MINUTE) == ["failed"]
    assert night.look(OPENS + 11 * MINUTE) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_deal_is_not_told_as_failed_because_of_what_comes_after_it(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = SteppedClock(funnel.backend)
    monkeypatch.setattr("agent_funnel.schedule.scheduler.unusual_pool", raising(TypeError))
    assert night.look(OPENS) == ["finished"]
    assert night.clock.problem is None
    assert failure_counts(funnel.backend) == {}


@pytest.mark.parametrize("table", ["schedule_outcome", "schedule_terms", "assignment_failure", "agents"])
def test_a_missing_table_is_told_and_the_service_is_not_ready(tmp_path: Path, table: str) -> None:
    backend = connect_to(f"sqlite:///{tmp_path / 'gone.db'}")
    install(backend)
    night = SteppedClock(backend)
    with closing(sqlite3.connect(tmp_path / "gone.db")) as raw:
        raw.execute("UPDATE agent_funnel_version SET installed_at = '2026-06-01 08:00:00'")
        raw.execute(f"DROP TABLE {table}")
        raw.commit()
    assert night.look(OPENS) == ["failed"]
    assert "fail" in night.notifier.signalled
    answer = create_app(night.settings, backend, lambda: 1.0, night.clock).test_client().get("/readyz")
    assert answer.status_code == 503
    assert str(tmp_path) not in answer.text.replace("\\\\", "\\")
    assert answer.json is not None
    assert answer.json["problems"]["schedule"] in ("could not look: NotInstalled", "could not deal: NotInstalled")


def test_a_damaged_file_is_told_and_is_an_error_of_the_doctor(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    backend = connect_to(f"sqlite:///{path}")
    install(backend)
    night = SteppedClock(backend)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE agent_funnel_version SET installed_at = '2026-06-01 08:00:00'")
        raw.commit()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = raw.execute("PRAGMA page_size").fetchone()
        pages = raw.execute(
            "SELECT rootpage FROM sqlite_schema WHERE rootpage > 0 AND (name LIKE '%run%' OR name LIKE '%outcome%')"
        ).fetchall()
    with path.open("r+b") as file:
        for (page,) in pages:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
    assert night.look(OPENS) == ["failed"]
    assert night.notifier.signalled == ["fail"]
    assert night.clock.problem is not None
    found = [finding for finding in examine(backend, now=datetime.now(UTC)) if finding.check == "contents"]
    assert [finding.level for finding in found] == ["error"]
    assert "damaged" in found[0].text


def test_a_clock_before_the_installation_deals_nothing_and_is_told(funnel: TestedDatabase) -> None:
    night = SteppedClock(funnel.backend)
    night.server_ahead = night.ahead = timedelta(days=-365)
    assert night.look(OPENS) == ["failed"]
    assert "was installed here on 2026-06-01" in night.notifier.notices[-1][1]
    assert night.clock.problem == "could not look: WrongClock"
    night.server_ahead = night.ahead = timedelta(0)
    assert night.look(OPENS + MINUTE)[0] == "finished"
    assert [each.outcome for each in list_nights(funnel.backend)] == ["succeeded"]
