"""Errors of SQL Server and Azure SQL that pass: the database starts, fails over, or is at a limit.

Microsoft lists them in "Troubleshoot connectivity issues and other errors" (Azure SQL), "SqlConfigurableRetryFactory"
(its own client), and "Database engine events and errors".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from agent_funnel.errors import DatabaseNotReady

# A server that was not ready is believed to be still not ready for so many seconds, if the driver shows no reason:
BELIEVED_SECONDS = 120.0

# A database that starts, recovers, or moves to another server. A serverless database wakes up with the first of these:
_STARTING = frozenset({40613, 921, 922, 18401})
# A limit of the service tier, or a server that has too much to do:
_LIMITS = frozenset({40501, 10928, 10929, 49918, 49919, 49920})
# A secondary replica: it is not open to reads, or only to clients that ask for it, or its role is not decided yet.
# 3906, a refused write, is not here: a failover ends all connections, so it means a database that stays read-only.
_REPLICA = frozenset({976, 978, 983})
# The server failed while it worked on a request. During a login nothing was done; later on, nobody knows.
FAILED_ON_THE_WAY = 40197


def not_ready(number: int, where: str, *, login: bool) -> DatabaseNotReady | None:
    """The error of ours for one of these numbers, during a login or later; None for any other number.

    `where` names the database and its server.
    """
    if number in _STARTING or (login and number == FAILED_ON_THE_WAY):
        why = "it is starting, or moving to another server"
    elif number in _LIMITS:
        why = "it has too much to do, or has reached a limit of its service tier"
    elif number in _REPLICA:
        why = "this server does not have its primary replica, so it is failing over, or FUNNEL_DATABASE_URL is wrong"
    else:
        return None
    return DatabaseNotReady(
        f"{where} is not ready (error {number}): {why}; nothing was changed. Try again in a minute."
    )


class Sightings:
    """Remembers when a server said that it was not ready.

    The driver shows a message only if it is more severe than all those before it in this process. Otherwise it gives
    the number of an earlier login, perhaps to another server, without a text.
    """

    def __init__(self) -> None:
        self._last = -inf

    def believed(self, has_text: bool, accepts_password: Callable[[], bool]) -> bool:
        """Whether the number of a refused login is to be believed."""
        if has_text:
            self._last = time.monotonic()
            return True
        if time.monotonic() - self._last <= BELIEVED_SECONDS:
            return True
        return self._last > -inf and accepts_password()
