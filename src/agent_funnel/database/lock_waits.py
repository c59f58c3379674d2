"""Waits of a run for a lock on SQL Server, which are logged, and the right that shows who holds the lock."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any, Literal

from agent_funnel.database.base import Database
from agent_funnel.errors import FunnelError

log = logging.getLogger(__name__)

# A run that waits longer than this for a lock logs a warning:
LOG_WAIT_SECONDS = 2.0
# SERVERPROPERTY('EngineEdition') of Azure SQL Database and of the SQL database in Microsoft Fabric. A login there has
# rights in its database only.
DATABASES_ALONE = (5, 12)
# SQL Server 2022 divides the right on the whole server into smaller ones:
SMALLER_RIGHTS = 16


def state_right(server: Mapping[str, Any] | None, part: Literal["PERFORMANCE", "SECURITY"]) -> str:
    """The smallest right that shows a part of the server's state: PERFORMANCE is its sessions, SECURITY connections.

    `server` has the edition and the version of the server; None if these are not known.
    """
    if server is None:
        return "VIEW SERVER STATE"
    if server["engine_edition"] in DATABASES_ALONE:
        return "VIEW DATABASE STATE"
    smaller = int(str(server["product_version"]).split(".")[0]) >= SMALLER_RIGHTS and not server["babelfish_version"]
    return f"VIEW SERVER {part} STATE" if smaller else "VIEW SERVER STATE"


@contextmanager
def watch_for_lock_wait(database: Database, session: int, longest: timedelta) -> Iterator[None]:
    """Logs a warning if the session waits for a lock while the `with` block runs. `longest` is when it gives up."""
    ended = Event()
    Thread(target=_log_lock_wait, args=(database, session, longest.total_seconds(), ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _log_lock_wait(database: Database, session: int, longest: float, ended: Event) -> None:
    began = time.monotonic()
    while not ended.wait(LOG_WAIT_SECONDS):
        try:
            row = database.one("blocker", session=session)
            if row is not None and row["blocked"]:
                log.warning(
                    "this run waits for a lock, which session %d seems to hold; it gives up after %.0f s",
                    row["blocked"],
                    longest,
                )
                return
            # Without the right to see the server's state, a login sees only its own session.
            if row is None and time.monotonic() - began > longest / 3:
                log.warning(
                    "this run has taken %.0f s so far; if it waits for a lock, it gives up after %.0f s (grant the "
                    "login %s to see which session holds the lock)",
                    time.monotonic() - began,
                    longest,
                    state_right(database.one("server"), "PERFORMANCE"),
                )
                return
        except FunnelError:
            return
