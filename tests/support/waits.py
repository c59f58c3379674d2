"""Waits for a lock on the T-SQL engine, as another session sees them."""

from __future__ import annotations

import time

from support.databases import TestedDatabase

PATIENCE_SECONDS = 30
# Babelfish also names sessions that share a lock as one that blocks the other; who waits says so in its last wait.
WAITING = """
    SELECT COUNT(*) FROM sys.sysprocesses AS p
    WHERE p.blocked = @@SPID AND p.spid <> @@SPID AND UPPER(p.lastwaittype) LIKE %s
"""


def wait_until_somebody_waits_for(session: TestedDatabase) -> None:
    """Returns when another session waits for a lock that this one holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while session.execute(WAITING, "L%CK%") == [(0,)]:
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.05)
