"""Microsoft's own engine: whether it is there, its row versions, its deadlocks, and its plans."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

from support.databases import TestedDatabase, sqlserver_url

MARK = "microsoft_engine"
# The reason for which its tests are skipped elsewhere, and the line that counts them:
OTHER_ENGINE_REASON = "only Microsoft's engine can answer this"
OTHER_ENGINE = (
    "NO MICROSOFT ENGINE: the {count} tests of waits, deadlocks, plans and rights that only Microsoft's SQL Server can "
    "answer are skipped. The workflow runs them (see CONTRIBUTING.md)"
)
SHOWPLAN = "{http://schemas.microsoft.com/sqlserver/2004/07/showplan}"
# The name of the column that has a plan, with SET STATISTICS XML ON:
PLAN = "Microsoft SQL Server 2005 XML Showplan"


@cache
def microsoft_engine() -> bool:
    """Whether the T-SQL engine of the tests is Microsoft's; False if there is none."""
    url = sqlserver_url()
    if url is None:
        return False
    with closing(TestedDatabase(url)) as master:
        return master.execute("SELECT SERVERPROPERTY('BabelfishVersion')") == [(None,)]


def readers_wait(database: TestedDatabase) -> bool:
    """Whether readers wait for writers: on Microsoft's engine, unless it reads row versions instead of locking."""
    if not microsoft_engine():
        return False
    ((versions,),) = database.execute(
        "SELECT d.is_read_committed_snapshot_on FROM sys.databases AS d WHERE d.name = DB_NAME()"
    )
    return not versions


# ---- Deadlocks


class Deadlocks:
    """The deadlocks of a database since a moment, as an Extended Events session of the server sees them."""

    # The longest time that the server keeps an event before it is in the target:
    LATENCY_SECONDS = 1

    def __init__(self, database: TestedDatabase, session: str) -> None:
        self._database, self._session = database, session

    def count(self) -> int:
        """How many deadlocks there were."""
        time.sleep(2 * self.LATENCY_SECONDS)
        ((count,),) = self._database.execute(
            """
            DECLARE @database INT = DB_ID();
            SELECT CAST(t.target_data AS XML).value(
                'count(/RingBufferTarget/event[.//process/@currentdb = sql:variable("@database")])', 'INT'
            )
            FROM sys.dm_xe_sessions AS s
            INNER JOIN sys.dm_xe_session_targets AS t ON s.address = t.event_session_address
            WHERE s.name = %s AND t.target_name = 'ring_buffer'
            """,
            self._session,
        )
        return int(count)


@contextmanager
def deadlocks(database: TestedDatabase) -> Iterator[Deadlocks]:
    """Counts the deadlocks of a database within the block."""
    session = f"funnel_test_{os.getpid()}"
    # Another connection, so that a session under test that is a victim does not end the count.
    with closing(TestedDatabase(database.url, database.schema)) as watch:
        watch.execute(
            f"IF EXISTS (SELECT 1 FROM sys.server_event_sessions AS s WHERE s.name = '{session}')"
            f" DROP EVENT SESSION {session} ON SERVER"
        )
        watch.execute(
            f"CREATE EVENT SESSION {session} ON SERVER ADD EVENT sqlserver.xml_deadlock_report"
            f" ADD TARGET package0.ring_buffer WITH (MAX_DISPATCH_LATENCY = {Deadlocks.LATENCY_SECONDS} SECONDS)"
        )
        watch.execute(f"ALTER EVENT SESSION {session} ON SERVER STATE = START")
        try:
            yield Deadlocks(watch, session)
        finally:
            watch.execute(f"DROP EVENT SESSION {session} ON SERVER")


# ---- Plans


@dataclass(frozen=True)
class Access:
    """An operation of a plan on a table: its name, such as Index Seek, and how many rows it read."""

    table: str
    operation: str
    rows: int


def accesses(plan: str | bytes) -> list[Access]:
    """The operations of an actual plan that read tables.

    Left out are temporary tables, the server's own, and operations that never ran, such as the branch of a query that
    is for other parameters.
    """
    found: list[Access] = []
    for operation in ElementTree.fromstring(plan).iter(f"{SHOWPLAN}RelOp"):
        table = _table_of(operation)
        counters = operation.findall(f"{SHOWPLAN}RunTimeInformation/{SHOWPLAN}RunTimeCountersPerThread")
        if table is not None and any(each.get("ActualExecutions") != "0" for each in counters):
            rows = sum(int(each.get("ActualRowsRead") or each.get("ActualRows") or 0) for each in counters)
            found.append(Access(table, operation.get("PhysicalOp") or "", rows))
    return found


def _table_of(operation: ElementTree.Element) -> str | None:
    """The table that an operation reads itself, and not through an operation below it."""
    for details in operation:
        for thing in details:
            if thing.tag == f"{SHOWPLAN}Object":
                name, schema = (thing.get("Table") or "").strip("[]"), (thing.get("Schema") or "").strip("[]")
                return name if name and name[0] not in "#@" and schema != "sys" else None
    return None


def actual_plans(database: TestedDatabase, name: str, parameters: dict[str, Any]) -> list[str | bytes]:
    """Runs a query of the product as the service does; returns the actual plans of its statements."""
    backend: Any = database.backend
    connection = backend.open(create=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET STATISTICS XML ON;")
        sets = backend.execute(connection, name, parameters)
    finally:
        # The setting must not stay on a connection of the pool.
        backend.discard(connection)
    return [plan for rows in sets for row in rows for column, plan in row.items() if column == PLAN]
