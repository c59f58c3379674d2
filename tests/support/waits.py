"""Waits for a lock on the T-SQL engine, as another session sees them."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

from support.databases import TestedDatabase

# A new session of Babelfish may parse a procedure for as long, on a busy machine, before it waits.
PATIENCE_SECONDS = 120
# Not by who blocks it: Babelfish also names sessions that share a lock, and may name a third one for a row.
WAITING = """
    SELECT COUNT(*) FROM sys.sysprocesses AS p
    WHERE p.dbid = DB_ID() AND p.spid <> @@SPID AND UPPER(p.lastwaittype) LIKE %s
"""


def wait_until_somebody_waits(session: TestedDatabase, future: Future[Any] | None = None) -> None:
    """Returns when another session of the database waits for a lock, whoever holds it, or when the future is done.

    This session must have no transaction open: within one, Babelfish may show what the sessions did at its beginning.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while session.execute(WAITING, "L%CK%") == [(0,)] and not (future and future.done()):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.05)
