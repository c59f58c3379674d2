"""Programs and tables of different versions: nothing is dealt, written or installed, and a sentence says what to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_funnel import agents, demo, do_not_contact, runs
from agent_funnel.access import keys
from agent_funnel.doctor import examine
from agent_funnel.errors import FunnelError, WrongVersion
from agent_funnel.imports import load_rows
from agent_funnel.install import install
from agent_funnel.schedule import store
from agent_funnel.schedule.brakes import scheduled_run
from agent_funnel.schedule.clock import Clock
from agent_funnel.settings import load
from agent_funnel.sql import version
from support.databases import TestedDatabase, connect_to, seed_tables, snapshot
from support.faketds import FakeServer, rows
from support.nights import TODAY, preview, run_deal, undo
from support.versions import record_versions, recorded_versions

NEWER = "Update Agent Funnel on this machine"
OLDER = "Run `agent-funnel install`"
UNKNOWN = "`agent-funnel doctor` says how to record the version"
NOW = datetime(2026, 11, 23, 20, 41, tzinfo=UTC)

# Calls of every kind: deals, other writes, and reads.
CALLS: dict[str, Callable[[TestedDatabase], Any]] = {
    "deal": run_deal,
    "scheduled run": lambda database: scheduled_run(
        database.backend, load(), TODAY, now=NOW, actor="tests", overrule=True
    ),
    "undo": undo,
    "preview": preview,
    "import": lambda database: load_rows(database.backend, "agents", [("Ana", "active")]),
    "demo": lambda database: demo.fill(database.backend, leads=10, seed=1, today=TODAY),
    "pause": lambda database: store.pause(database.backend, now=NOW, actor=None, reason=None),
    "do not contact": lambda database: do_not_contact.add_do_not_contact(database.backend, "49300000"),
    "key": lambda database: keys.add_key(database.backend, "Ana", "admin", actor="tests"),
    "runs": lambda database: runs.list_runs(database.backend, count=10),
    "agents": lambda database: agents.list_agents(database.backend, TODAY),
    "state": lambda database: store.schedule_state(database.backend, TODAY),
}


def others(database: TestedDatabase) -> dict[str, tuple[int, ...]]:
    """The recorded versions of other tables, by the advice of the error."""
    ours = version(database.engine)
    # An upgrade adds a row, and a new installation has the newest row only.
    return {NEWER: (ours + 1,), OLDER: tuple(range(1, ours)), UNKNOWN: ()}


@pytest.mark.parametrize(
    "advice", [NEWER, *(pytest.param(advice, marks=pytest.mark.sqlserver_if_long) for advice in (OLDER, UNKNOWN))]
)
def test_every_call_is_refused_on_tables_of_another_version_and_changes_nothing(
    database: TestedDatabase, advice: str
) -> None:
    seed_tables(database)
    run_deal(database)
    before = snapshot(database)
    with recorded_versions(database, *others(database)[advice]):
        for name, call in CALLS.items():
            with pytest.raises(WrongVersion, match=advice) as refused:
                call(database)
            assert "nothing was changed" in str(refused.value), name
    assert snapshot(database) == before
    # The same backend deals again.
    assert run_deal(database).status == "succeeded"


def test_the_error_names_both_versions(database: TestedDatabase) -> None:
    ours = version(database.engine)
    with recorded_versions(database, 1, ours + 2):
        with pytest.raises(
            WrongVersion, match=f"are of version {ours + 2}, but this program knows no .* after {ours};"
        ):
            run_deal(database)
    with recorded_versions(database, ours - 1):
        with pytest.raises(WrongVersion, match=f"are of version {ours - 1}, but this program needs version {ours};"):
            run_deal(database)


class Looks(Clock):
    """A schedule that keeps the errors of its looks."""

    def look_and_return_error(self) -> FunnelError | None:
        """The error of one look; None if it ended well."""
        try:
            self.scheduler.look()
        except FunnelError as error:
            return error
        return None


def test_the_schedule_of_a_running_service_stops_dealing_when_another_version_is_installed(
    database: TestedDatabase, installed_long_ago: None
) -> None:
    seed_tables(database)
    now = datetime.now(UTC)
    settings = load(run_at=(now - timedelta(minutes=1)).time(), catch_up=timedelta(hours=1))
    clock = Looks(database.backend, settings)
    with recorded_versions(database, version(database.engine) + 1):
        assert isinstance(clock.look_and_return_error(), WrongVersion)
        assert database.execute("SELECT * FROM dbo.assignment_run") == []
        assert database.execute("SELECT * FROM dbo.schedule_outcome") == []


def test_a_deal_that_waits_for_an_installer_notices_what_it_installed(tmp_path: Path) -> None:
    with closing(TestedDatabase(f"sqlite:///{tmp_path / 'funnel.db'}")) as database, ThreadPoolExecutor() as pool:
        install(database.backend)
        seed_tables(database)
        before = snapshot(database)
        database.raw.execute("BEGIN IMMEDIATE")
        record_versions(database, version("sqlite") + 1)
        waiting = pool.submit(run_deal, database)
        # The deal has found its own version, and waits for the write lock.
        time.sleep(0.5)
        assert not waiting.done()
        database.raw.execute("COMMIT")
        with pytest.raises(WrongVersion, match=NEWER):
            waiting.result()
        assert snapshot(database) == before


def test_polls_notice_another_version_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    deals, ours = rows({"newest": 7, "undone": 0}), version("sqlserver")
    found = [rows({"session_id": 50, "version": number}) for number in (ours, ours + 1)]
    with FakeServer(answers={"AS newest": [deals], " AS version": found}) as server:
        backend = connect_to(server.url())
        now = time.monotonic()
        # Clients that never pause keep the connection in use.
        for seconds in (0, 2, 4):
            monkeypatch.setattr("time.monotonic", lambda seconds=seconds: now + seconds)
            assert backend.one("deal_version") == {"newest": 7, "undone": 0}
        monkeypatch.setattr("time.monotonic", lambda: now + 6)
        with pytest.raises(WrongVersion, match=NEWER):
            backend.one("deal_version")


def everything(database: TestedDatabase) -> tuple[Any, ...]:
    return snapshot(database), database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")


@pytest.mark.parametrize("row_of_this_program", [True, False], ids=["its row is there", "its row is missing"])
def test_an_older_program_refuses_to_install_each_time(database: TestedDatabase, row_of_this_program: bool) -> None:
    ours = version(database.engine)
    with recorded_versions(database, *([ours] if row_of_this_program else []), ours + 1):
        before = everything(database)
        for _ in range(2):
            with pytest.raises(WrongVersion, match=NEWER):
                install(database.unrefused)
        assert everything(database) == before


@pytest.mark.sqlserver_if_long
def test_without_a_recorded_version_nothing_is_installed_and_the_doctor_says_how_to_record_it(
    database: TestedDatabase,
) -> None:
    with recorded_versions(database):
        before = everything(database)
        for _ in range(2):
            with pytest.raises(WrongVersion, match=UNKNOWN):
                install(database.unrefused)
        assert everything(database) == before
        (finding,) = (each for each in examine(database.unrefused, now=NOW) if each.check == "tables")
        assert finding.level == "error"
        database.execute((finding.remedy or "").partition(": ")[2])
        assert database.unrefused.installed_version() == version(database.engine)
        assert install(database.unrefused).made == ()
        assert runs.list_runs(database.unrefused, count=10) == []


@pytest.mark.sqlserver_if_long
def test_the_doctor_and_the_check_of_the_version_work_on_tables_of_any_version(database: TestedDatabase) -> None:
    with recorded_versions(database, 99):
        found = examine(database.unrefused, now=NOW, deep=True)
        assert "99" in next(each.text for each in found if each.check == "tables")
        assert not [each for each in found if "Could not be checked" in each.text and "version" in each.text]
        assert database.unrefused.for_any_version().installed_version() == 99
