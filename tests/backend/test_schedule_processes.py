"""One run a night, with real processes and in real time: many copies, killed copies, an unreachable database."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest
from sqlalchemy.engine import make_url

from agent_funnel.schedule.store import list_nights
from support import LONG
from support.databases import TestedDatabase, sqlserver_command, sqlserver_setting
from support.listener import listening
from support.processes import COMMAND, environment
from support.proxy import Proxy

ROUNDS = 20 if LONG else 1
# How long the processes take to start on a small machine, and a deal in a session that must parse the procedure:
START_SECONDS = 10.0 if LONG else 6.0
DEAL_SECONDS = 180.0
LEADS = 500

pytestmark = pytest.mark.timeout(3600)


class Copy:
    """A copy of the service in a process, whose scheduled run is due at a given moment."""

    def __init__(
        self,
        database: TestedDatabase,
        directory: Path,
        at: datetime,
        *,
        log: int | IO[bytes] = subprocess.DEVNULL,
        **settings: str,
    ) -> None:
        given = {"FUNNEL_DATABASE_URL": database.url, "FUNNEL_SCHEMA": database.schema, **settings}
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", "--run-at", f"{at:%H:%M:%S}"],
            cwd=directory, env=environment(**given), stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8",
        )  # fmt: skip

    def ready(self) -> None:
        """Waits until the clock runs; before that, a copy that finds no SQLite file exits, as for a mistyped path."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("Agent Funnel on ")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def soon(seconds: float) -> datetime:
    """A moment this far from now, in whole seconds; it waits if the date would change in between."""
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    if at.date() != (at + timedelta(minutes=3)).date() or at.date() != (at - timedelta(minutes=3)).date():
        time.sleep(400)
        return soon(seconds)
    return at


@pytest.fixture
def small_database(database: TestedDatabase) -> TestedDatabase:
    database.insert("agents", ("agent", "status"), [(f"agent {n}", "active") for n in range(7)])
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    database.insert("wafunnel", ("number", "stage", "date"), [(f"4930{n:06}", 1, today) for n in range(LEADS)])
    return database


def forget(database: TestedDatabase) -> None:
    """Deletes the records of all nights."""
    for table in (
        "assignment_run",
        "assignment_history",
        "assignment_failure",
        "schedule_outcome",
        "schedule_terms",
        "schedule_copy",
        "schedule_next",
        "schedule_void",
        "assignment_request",
    ):
        database.execute(f"DELETE FROM dbo.{table}")
    database.execute("UPDATE dbo.wafunnel SET stage = 1")


def scheduled_runs(database: TestedDatabase) -> list[tuple[str, str]]:
    return database.execute("SELECT [trigger], status FROM dbo.assignment_run ORDER BY run_id")


def wait_for_runs(database: TestedDatabase, seconds: float = DEAL_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while ("schedule", "succeeded") not in scheduled_runs(database):
        assert time.monotonic() < deadline, scheduled_runs(database)
        time.sleep(0.1)


def assert_dealt_once(database: TestedDatabase) -> None:
    assert scheduled_runs(database) == [("schedule", "succeeded")]
    assert database.execute("SELECT stage, COUNT(*) FROM dbo.wafunnel GROUP BY stage") == [(2, LEADS)]
    assert database.execute("SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment") == [(LEADS,)]


# On a T-SQL engine, the short version has the copy that is killed and restarted, and several clocks in one process.
@pytest.mark.sqlserver_if_long
def test_copies_that_wake_at_the_same_time_make_one_run(small_database: TestedDatabase, tmp_path: Path) -> None:
    # On a small machine, eight sessions that each parse the procedure take a minute.
    how_many = 8 if LONG else 2 if small_database.engine == "sqlserver" else 3
    for _ in range(ROUNDS):
        forget(small_database)
        at = soon(START_SECONDS)
        with ExitStack() as stack:
            copies = [stack.enter_context(closing(Copy(small_database, tmp_path, at))) for _ in range(how_many)]
            wait_for_runs(small_database, START_SECONDS + DEAL_SECONDS)
            # The other copies have looked too, or look now.
            time.sleep(2)
            assert all(copy.process.poll() is None for copy in copies)
            assert_dealt_once(small_database)


def test_a_copy_that_is_killed_around_its_deal_and_restarted_makes_one_run(
    small_database: TestedDatabase, tmp_path: Path
) -> None:
    dealt_by_the_first = 0
    kills = 50 if LONG else 1
    for _ in range(kills):
        forget(small_database)
        at = soon(3)
        # On Babelfish the first deal of a session takes seconds longer, since it parses the procedure.
        length = 1.0 if small_database.engine == "sqlite" else 7.0
        with closing(Copy(small_database, tmp_path, at)) as copy:
            moment = at + timedelta(seconds=random.uniform(-0.2, length))
            time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))
            copy.process.kill()
            copy.process.wait()
        dealt_by_the_first += ("schedule", "succeeded") in scheduled_runs(small_database)
        with closing(Copy(small_database, tmp_path, at)):
            wait_for_runs(small_database)
            time.sleep(1)
            assert_dealt_once(small_database)
    # Otherwise all came too late to show anything; of so few that may happen.
    assert dealt_by_the_first < kills or not LONG


class Switch:
    """Makes the database unreachable for the service and reachable again; the service connects to `url`.

    If FUNNEL_TEST_SQLSERVER_STOP has a command, the T-SQL engine is really stopped and started; otherwise only the
    connection to it is cut. An SQLite file is moved away with its directory, so that a service that opens it meanwhile
    finds all of it or nothing, and never creates a journal of its own next to it.
    """

    def __init__(self, database: TestedDatabase) -> None:
        self._database = database
        self._proxy: Proxy | None = None
        url = make_url(database.url)
        # The engine is stopped only if no other tests use it.
        alone = LONG and "PYTEST_XDIST_WORKER" not in os.environ
        can_stop = all(sqlserver_setting(f"FUNNEL_TEST_SQLSERVER_{name}") for name in ("START", "STOP"))
        if database.engine == "sqlserver" and not (alone and can_stop):
            self._proxy = Proxy(url.host or "", url.port or 1433)
            url = url.set(host="127.0.0.1", port=self._proxy.port)
        self.url = url.render_as_string(hide_password=False)
        self._directory = Path(url.database or "").parent
        self._away = Path(f"{self._directory}-away")

    def off(self) -> None:
        if self._proxy:
            self._proxy.stop()
            return
        self._database.close()
        if self._database.engine == "sqlserver":
            sqlserver_command("STOP")
        else:
            self._directory.rename(self._away)

    def on(self) -> None:
        if self._proxy:
            self._proxy.start()
        elif self._database.engine == "sqlserver":
            sqlserver_command("START")
        else:
            self._away.rename(self._directory)


@pytest.fixture
def switch(small_database: TestedDatabase, request: pytest.FixtureRequest) -> Iterator[Switch]:
    found = Switch(small_database)
    if small_database.engine == "sqlserver" and not found._proxy:
        # A server that stops closes all connections.
        request.getfixturevalue("_sqlserver_bare").close()
    yield found
    if found._proxy:
        found._proxy.stop()


@pytest.mark.stops_the_engine
@pytest.mark.sqlserver_if_long
def test_a_database_that_returns_within_the_window_gets_its_run(
    small_database: TestedDatabase, switch: Switch, tmp_path: Path
) -> None:
    at = soon(START_SECONDS)
    with closing(Copy(small_database, tmp_path, at, FUNNEL_DATABASE_URL=switch.url)) as copy:
        copy.ready()
        switch.off()
        time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()) + 6)
        switch.on()
        assert scheduled_runs(small_database) == []
        wait_for_runs(small_database)
        assert copy.process.poll() is None
        assert_dealt_once(small_database)


@pytest.mark.stops_the_engine
@pytest.mark.skipif(
    not LONG, reason="takes 90 s: `make test-long` runs it, and test_schedule_store.py tests the rule on its own"
)
@pytest.mark.usefixtures("installed_long_ago")
def test_a_database_that_is_unreachable_past_the_window_is_a_missed_date_with_one_notice(
    small_database: TestedDatabase, switch: Switch, tmp_path: Path
) -> None:
    small_database.execute(
        "INSERT INTO dbo.schedule_outcome VALUES (%s, 'missed', '2026-01-01')", date.today() - timedelta(days=1)
    )
    at = soon(2 * START_SECONDS)
    with listening() as listener, ExitStack() as stack:
        notify_url = f"json://{listener.address}/"
        for _ in range(3):
            copy = Copy(
                small_database,
                tmp_path,
                at,
                FUNNEL_NOTIFY_URLS=notify_url,
                FUNNEL_CATCH_UP="0",
                FUNNEL_DATABASE_URL=switch.url,
            )
            stack.enter_context(closing(copy))
            copy.ready()
        switch.off()
        time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()) + 40)
        switch.on()
        deadline = time.monotonic() + 60
        while not (
            found := [each.outcome for each in list_nights(small_database.backend) if each.business_date == at.date()]
        ):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        time.sleep(35)
        assert found == ["missed"]
        assert len([body for body in listener.bodies if "was missed" in body]) == 1
    assert scheduled_runs(small_database) == []


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[IO[bytes]]:
    """A file on a full disk: on a small full file system if we may mount one, otherwise /dev/full."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        with Path("/dev/full").open("wb") as file:
            yield file
        return
    try:
        with (small / "log").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1024))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            yield file
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)


@pytest.mark.sqlserver_if_long
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a file that is always full")
def test_the_deal_is_on_time_despite_a_full_log_disk_failing_notices_and_a_hanging_switch(
    small_database: TestedDatabase, tmp_path: Path, full_disk: IO[bytes]
) -> None:
    at = soon(START_SECONDS)
    with listening(hangs=True) as listener:
        poisoned = Copy(
            small_database,
            tmp_path,
            at,
            log=full_disk,
            FUNNEL_NOTIFY_URLS=f"json://{listener.address}/ json://127.0.0.1:1/",
            FUNNEL_NOTIFY_ON="finished,failed,missed,recovered,warning,held",
            FUNNEL_DEAD_MAN_URL=f"http://{listener.address}/ping",
        )
        with closing(poisoned) as copy:
            copy.ready()
            wait_for_runs(small_database)
            assert copy.process.poll() is None
            if sys.platform != "win32":
                copy.process.send_signal(signal.SIGTERM)
                assert copy.process.wait(timeout=30) == 0
    assert_dealt_once(small_database)
    started = small_database.execute("SELECT started_at FROM dbo.assignment_run")[0][0]
    moment = datetime.fromisoformat(started) if isinstance(started, str) else started
    # By the time of the database, which runs on this machine. The hanging switch would hang for longer than that.
    assert timedelta(seconds=-1) < moment.replace(tzinfo=UTC) - at < timedelta(seconds=30)
