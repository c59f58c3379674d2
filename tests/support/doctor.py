"""Helpers that examine a database and follow the doctor's remedies."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from agent_funnel.doctor import IN_A_FILE, ON_A_SERVER, ON_BOTH, deep
from agent_funnel.doctor.check import Examination, Finding, Level, findings, guarded
from support.databases import TestedDatabase
from support.faketds import rows

UNDO = "sp_undo_wafunnel_assignment"
# The deep checks, in their order:
DEEP = ("runs", "history", "shares", "undos", "assignments", "leads", "do-not-contact", "outcomes")
# Checks that depend on the machines of the tests, and on objects of other tests in the same database:
SURROUNDINGS = {"encryption", "schemas"}

# With only these answers, a fake server gets through the examination, with many notes:
IN_DBO = {"CASE WHEN SCHEMA_ID": [rows({"name": "dbo", "found": 1})]}

# The date of the leads, inside the window:
DAY = "2026-11-10 08:00:00.000"

on_server = pytest.mark.parametrize("database", ["sqlserver"], indirect=True)


# Checks whose answer depends on the user, whom a session forgets on Babelfish after a refused call:
OF_THE_USER = ("rights", "writing", "emptying", "schemas")


def examination(
    backend: Any, *, babelfish: bool = False, schema: str | None = "dbo", now: datetime | None = None
) -> Examination:
    return Examination(
        backend and backend.for_any_version(),
        schema=schema,
        babelfish=babelfish,
        now=now or datetime.now(UTC),
        began=time.monotonic(),
    )


def findings_of(database: TestedDatabase, check: str, *, now: datetime | None = None) -> list[Finding]:
    """The findings of one check. The other checks are skipped, to save time."""
    server = database.engine == "sqlserver"
    case = examination(
        database.unrefused if check in OF_THE_USER else database.backend,
        babelfish=server and is_babelfish(database),
        schema=database.schema if server else None,
        now=now,
    )
    checks = {**(ON_A_SERVER if server else IN_A_FILE), **ON_BOTH}
    return list(guarded(check, partial(findings, check, checks[check], case)))


def problems(database: TestedDatabase, check: str, *, now: datetime | None = None) -> list[Finding]:
    """The findings of one check that are not ok."""
    return [finding for finding in findings_of(database, check, now=now) if finding.level != "ok"]


def only_problem(
    database: TestedDatabase, check: str, level: Level, pattern: str, *, now: datetime | None = None
) -> Finding:
    """The only finding of a check."""
    (finding,) = problems(database, check, now=now)
    assert finding.level == level
    assert re.search(pattern, finding.text), finding.text
    assert finding.remedy
    assert_readable(finding)
    return finding


def deep_findings(database: TestedDatabase) -> list[Finding]:
    """All findings of the deep checks. The other checks are skipped, to save time."""
    schema = None if database.engine == "sqlite" else database.schema
    return deep.records(examination(database.backend, schema=schema))


def deep_problems(database: TestedDatabase) -> list[tuple[str, str, str]]:
    """The findings of the deep checks that are not ok: check, level and text."""
    found = deep_findings(database)
    for finding in found:
        assert (finding.remedy is None) == (finding.level == "ok")
        assert not re.search(r"\b\d{5}", finding.text)
    return [(finding.check, finding.level, finding.text) for finding in found if finding.level != "ok"]


def deep_texts(database: TestedDatabase, check: str) -> list[str]:
    """The texts of one of the deep checks."""
    return [finding.text for finding in deep_findings(database) if finding.check == check]


def assert_readable(finding: Finding) -> None:
    """Asserts that a finding is one plain sentence, without the number of any lead."""
    assert finding.text.endswith("."), finding.text
    assert re.match(r"[A-Z\d]", finding.text), finding.text
    assert "\n" not in finding.text + (finding.remedy or "")
    assert not re.search(r"\b\d{5}", finding.text), finding.text


def statement_of(finding: Finding) -> str:
    """The statement of a remedy."""
    found = re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT)\b.*;$", finding.remedy or "")
    assert found, finding.remedy
    return found[0]


def run_remedy(database: TestedDatabase, finding: Finding) -> list[tuple[object, ...]]:
    """Runs the statement of a remedy as it is shown, without the product."""
    if database.engine == "sqlite":
        return list(database.raw.execute(statement_of(finding)))
    with database.raw.cursor() as cursor:
        cursor.execute(statement_of(finding))
        return list(cursor.fetchall()) if cursor.description else []


def put_agents_and_leads(database: TestedDatabase, leads: int = 7) -> None:
    """Adds three agents and some leads of today; no message may show their numbers whole."""
    database.insert("agents", ("agent", "status"), [(f"agent {index}", "active") for index in range(3)])
    today = datetime.now(UTC).strftime("%Y-%m-%d 00:00:00.000")
    database.insert("wafunnel", ("number", "stage", "date"), [(f"+49300001{n:03}", 1, today) for n in range(leads)])


def put_lead(database: TestedDatabase, number: str | None, stage: int | None = 1, day: str | None = DAY) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), [(number, stage, day)])


def is_babelfish(database: TestedDatabase) -> bool:
    return database.execute("SELECT SERVERPROPERTY('BabelfishVersion')") != [(None,)]
