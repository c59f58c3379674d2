"""Waits for a lock on the T-SQL engine, as another session sees them."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

from support.databases import TestedDatabase

# A new session of Babelfish may parse a procedure for as long, on a busy machine, before it waits.
PATIENCE_SECONDS = 120
# Babelfish also names sessions that share a lock as one that blocks the other; who waits says so in its last wait.
WAITING = """
    SELECT COUNT(*) FROM sys.sysprocesses AS p
    WHERE p.blocked = @@SPID AND p.spid <> @@SPID AND UPPER(p.lastwaittype) LIKE %s
"""
# Where a session waits for a row that another one changed, Babelfish may name a third one as the one that blocks it.
ANYBODY_WAITING = """
    SELECT COUNT(*) FROM sys.sysprocesses AS p
    WHERE p.dbid = DB_ID() AND p.spid <> @@SPID AND UPPER(p.lastwaittype) LIKE %s
"""


def wait_until_somebody_waits_for(session: TestedDatabase) -> None:
    """Returns when another session waits for a lock that this one holds."""
    _wait(session, WAITING)


def wait_until_somebody_waits(session: TestedDatabase, future: Future[Any] | None = None) -> None:
    """Returns when another session of the database waits for a lock, whoever holds it, or when the future is done.

    This session must have no transaction open: within one, Babelfish may show what the sessions did at its beginning.
    """
    _wait(session, ANYBODY_WAITING, future)


def _wait(session: TestedDatabase, waiting: str, future: Future[Any] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while session.execute(waiting, "L%CK%") == [(0,)] and not (future and future.done()):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.05)
