"""Checks a database, and suggests how to fix what is wrong. It changes nothing; one check writes, and takes it back.

A check is a function that yields results: a level, a sentence, and a remedy or None. It yields one also if all is well.
`server` checks the engine, the connection and the login; `schema` the tables, procedures and indexes; `data` the rows
of your three tables; `numbers` the spellings of numbers; `names` the names of agents; `settings` the settings; `rules`
the rules of the deal; and `deep` whether runs, history, stages and assignments agree.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial

from agent_funnel.database import Database
from agent_funnel.doctor import data, names, numbers, schedule, schema, server
from agent_funnel.doctor.check import Check, Examination, Finding, findings, guarded
from agent_funnel.doctor.deep import records
from agent_funnel.doctor.rules import rule_findings
from agent_funnel.doctor.settings import settings_findings
from agent_funnel.errors import DatabaseError, DatabaseUnavailable
from agent_funnel.install import schema_name
from agent_funnel.settings import Settings

ON_A_SERVER: dict[str, Check] = {
    "engine": server.engine,
    "encryption": server.encryption,
    "addresses": server.addresses,
    "clock": server.clock,
    "tables": schema.installed_tables,
    "schemas": schema.schemas,
    "procedures": schema.installed_procedures,
    "rights": server.rights,
    "writing": server.writing,
    "readers": server.readers,
}
IN_A_FILE: dict[str, Check] = {
    "engine": server.file,
    "place": server.place,
    "contents": server.contents,
    "tables": schema.installed_tables,
    "writing": server.writing,
}
ON_BOTH: dict[str, Check] = {
    "emptying": schema.emptying,
    "indexes": schema.indexes,
    "missing values": data.missing_values,
    "duplicates": data.duplicates,
    "stages": data.stages,
    "dates": data.dates,
    "numbers": data.numbers,
    "spellings": numbers.spelled_twice,
    "do not contact": data.unread_numbers,
    "list ages": data.old_numbers,
    "statuses": data.statuses,
    "names": names.alike,
    "holders": names.of_nobody,
    "copies": schedule.copies,
    "records ahead": schedule.records_ahead,
}


def examine(
    database: Database, *, now: datetime, deep: bool = False, settings: Settings | None = None
) -> list[Finding]:
    """Runs all checks and returns their findings, in the order of the checks.

    `now` is the time at the sales floor; without a zone it is in UTC. Its date decides which dates are in the future,
    and its moment whether the server's clock is right. With `deep`, runs the deep checks too, and with `settings`, the
    checks of the settings.

    A check that cannot be made becomes a note, and the others go on. Raises DatabaseUnavailable without a connection.
    """
    began = time.monotonic()
    database = database.for_any_version()
    on_a_server = database.dialect == "sqlserver"
    found = [Finding("driver", *result) for result in server.driver()] if on_a_server else []
    # A driver that does not keep the password secret must not even log in.
    if any(finding.level == "error" for finding in found):
        return found
    database.ping()
    exam = _examination(database, now, began)
    for name, check in {**(ON_A_SERVER if on_a_server else IN_A_FILE), **ON_BOTH}.items():
        found += guarded(name, partial(findings, name, check, exam))
    if settings is not None:
        found += settings_findings(settings, now)
        found += guarded("rules", partial(rule_findings, database, settings))
    if deep:
        for name, check in numbers.DEEP_CHECKS.items():
            found += guarded(name, partial(findings, name, check, exam))
        found += guarded("records", partial(records, exam))
    return found


def check_procedures(database: Database, *, now: datetime) -> list[Finding]:
    """Runs only the check of the installed procedures. SQLite has no procedures, and so no findings."""
    if database.dialect != "sqlserver":
        return []
    exam = _examination(database, now, time.monotonic())
    return guarded("procedures", partial(findings, "procedures", schema.installed_procedures, exam))


def _examination(database: Database, now: datetime, began: float) -> Examination:
    on_a_server = database.dialect == "sqlserver"
    return Examination(
        database,
        schema=schema_name(database)[0] if on_a_server else None,
        babelfish=on_a_server and _is_babelfish(database),
        now=now if now.tzinfo else now.replace(tzinfo=UTC),
        began=began,
    )


def _is_babelfish(database: Database) -> bool:
    try:
        row = database.one("doctor_engine")
    except DatabaseUnavailable:
        raise
    except DatabaseError:
        return False
    return row is not None and row["babelfish_version"] is not None
