"""doctor: a healthy database has nothing the matter, and each ailment is found and can be put right.

Each test looks before, brings something about, looks again, does what the remedy says, and looks once more.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from agent_funnel import service
from agent_funnel.backends import connect
from agent_funnel.backends.sqlserver import SQLServer
from agent_funnel.doctor import IN_A_FILE, ON_A_SERVER, ON_BOTH, examine, schema, server
from agent_funnel.doctor.case import Case, findings, guarded, masked
from agent_funnel.doctor.deep import records
from agent_funnel.errors import DatabaseError, DatabaseUnavailable
from agent_funnel.install import install
from agent_funnel.records import Finding, Level
from agent_funnel.settings import load
from agent_funnel.sql import checksum, procedures, queries, version
from support.databases import TestedDatabase, sqlite_database
from support.faketds import HANG_UP, FakeServer, error, rows

UNDO = "sp_undo_wafunnel_assignment"
# What depends on the machines that the tests run on, and on what other tests have left in the same database:
SURROUNDINGS = {"encryption", "schemas"}

# A server that answers nothing but this gets through the examination, with many notes:
IN_DBO = {"CASE WHEN SCHEMA_ID": [rows({"name": "dbo", "found": 1})]}

on_server = pytest.mark.parametrize("database", ["sqlserver"], indirect=True)


def a_case(backend: Any, *, babelfish: bool = False, schema: str | None = "dbo", now: datetime | None = None) -> Case:
    return Case(backend, schema=schema, babelfish=babelfish, now=now or datetime.now(UTC), began=time.monotonic())


def look(database: TestedDatabase, check: str, *, now: datetime | None = None) -> list[Finding]:
    """What one of the checks has found that is not ok. The others are left out, to save the time."""
    server = database.engine == "sqlserver"
    case = a_case(
        database.backend,
        babelfish=server and is_babelfish(database),
        schema=database.schema if server else None,
        now=now,
    )
    checks = {**(ON_A_SERVER if server else IN_A_FILE), **ON_BOTH}
    return [
        finding for finding in guarded(check, partial(findings, check, checks[check], case)) if finding.level != "ok"
    ]


def one(database: TestedDatabase, check: str, level: Level, pattern: str, *, now: datetime | None = None) -> Finding:
    """The one thing that a check has found."""
    (finding,) = look(database, check, now=now)
    assert finding.level == level
    assert re.search(pattern, finding.text), finding.text
    assert finding.remedy
    assert_plain(finding)
    return finding


def assert_plain(finding: Finding) -> None:
    """One sentence, in plain words, without any number of a lead."""
    assert finding.text.endswith("."), finding.text
    assert re.match(r"[A-Z\d]", finding.text), finding.text
    assert "\n" not in finding.text + (finding.remedy or "")
    assert not re.search(r"\b\d{5}", finding.text), finding.text


def statement(finding: Finding) -> str:
    """The statement of a remedy."""
    found = re.search(r"\b(SELECT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT)\b.*;$", finding.remedy or "")
    assert found, finding.remedy
    return found[0]


def run_as_told(database: TestedDatabase, finding: Finding) -> list[tuple[object, ...]]:
    """Runs the statement of a remedy as it is, around the product."""
    if database.engine == "sqlite":
        return list(database.raw.execute(statement(finding)))
    with database.raw.cursor() as cursor:
        cursor.execute(statement(finding))
        return list(cursor.fetchall()) if cursor.description else []


def floor(database: TestedDatabase, leads: int = 7) -> None:
    """Three agents and some leads of today, whose numbers nobody may see whole."""
    database.insert("agents", ("agent", "status"), [(f"agent {index}", "active") for index in range(3)])
    today = datetime.now(UTC).strftime("%Y-%m-%d 00:00:00.000")
    database.insert("wafunnel", ("number", "stage", "date"), [(f"+49300001{n:03}", 1, today) for n in range(leads)])


def lead(
    database: TestedDatabase, number: str | None, stage: int | None = 1, day: str | None = "2026-11-10 08:00:00.000"
) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), [(number, stage, day)])


def deal(database: TestedDatabase) -> int:
    return service.assign(database.backend, load(), business_date=datetime.now(UTC).date()).run_id


def is_babelfish(database: TestedDatabase) -> bool:
    return database.execute("SELECT SERVERPROPERTY('BabelfishVersion')") != [(None,)]


# ---- Health


@pytest.mark.parametrize("deep", [False, True], ids=["", "deep"])
def test_a_healthy_database_has_nothing_the_matter(database: TestedDatabase, deep: bool) -> None:
    floor(database)
    deal(database)
    deal(database)
    service.undo(database.backend)
    found = examine(database.backend, now=datetime.now(UTC), deep=deep)
    checks = {
        "engine", "tables", "rights", "truncate", "indexes", "missing values", "duplicates", "stages", "dates",
        "statuses",
    }  # fmt: skip
    if database.engine == "sqlserver":
        checks |= {"driver", "encryption", "clock", "schemas", "procedures"}
    if deep:
        checks |= {"runs", "history", "shares", "undos", "assignments", "leads", "do-not-contact"}
    assert {finding.check for finding in found} == checks
    # The tables of the installer have no index by agent.
    odd = {finding.check for finding in found if finding.level != "ok"} - SURROUNDINGS
    assert odd == {"indexes"}
    assert {finding.level for finding in found if finding.check == "indexes"} == {"note"}
    assert all(finding.remedy is None for finding in found if finding.level == "ok")
    for finding in found:
        assert_plain(finding)


def test_so_has_a_database_around_tables_that_were_there_before(bare_database: TestedDatabase) -> None:
    floor(bare_database)
    deal(bare_database)
    found = examine(bare_database.backend, now=datetime.now(UTC), deep=True)
    assert {finding.check for finding in found if finding.level in ("warning", "error")} <= SURROUNDINGS
    assert {finding.check for finding in found if finding.level == "note"} - SURROUNDINGS == {"indexes"}


def test_an_empty_database_has_nothing_the_matter(database: TestedDatabase) -> None:
    found = examine(database.backend, now=datetime.now(UTC), deep=True)
    assert {finding.check for finding in found if finding.level in ("warning", "error")} <= SURROUNDINGS


def test_the_examination_changes_nothing(database: TestedDatabase) -> None:
    floor(database)
    lead(database, "+49300009", stage=4)
    deal(database)
    before = {
        table: sorted(database.execute(f"SELECT * FROM dbo.{table}"), key=repr) for table in ("wafunnel", "agents")
    }
    examine(database.backend, now=datetime.now(UTC), deep=True)
    assert before == {
        table: sorted(database.execute(f"SELECT * FROM dbo.{table}"), key=repr) for table in ("wafunnel", "agents")
    }


def test_a_database_that_is_not_there_is_an_error_as_everywhere(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        examine(connect(f"sqlite:///{tmp_path / 'none.db'}"), now=datetime.now(UTC))
    with FakeServer() as nobody:
        url = nobody.url()
    with pytest.raises(DatabaseUnavailable):
        examine(connect(url), now=datetime.now(UTC))


# ---- The driver, the engine, the connection, the login


def test_a_driver_that_ignores_encryption_is_refused_before_it_sends_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(IN_DBO) as listening:
        backend = connect(listening.url())
        for version in ("2.4.2", "2.3.13", "1.0"):
            monkeypatch.setattr(server, "installed_version", lambda _, version=version: version)
            (finding,) = examine(backend, now=datetime.now(UTC), deep=True)
            assert (finding.check, finding.level) == ("driver", "error")
            assert version in finding.text
            assert "pymssql>=2.4.3" in (finding.remedy or "")
        assert listening.logins == []
        for version in ("2.4.3", "2.4.10", "3.0"):
            monkeypatch.setattr(server, "installed_version", lambda _, version=version: version)
            assert examine(backend, now=datetime.now(UTC))[0] == Finding(
                "driver", "ok", f"The driver is pymssql {version}."
            )
        assert len(listening.logins) > 0


def test_the_engine_is_named_with_its_version(database: TestedDatabase) -> None:
    (finding,) = [finding for finding in examine(database.backend, now=datetime.now(UTC)) if finding.check == "engine"]
    assert finding.level == "ok"
    expected = (
        r"SQLite 3\.\d+" if database.engine == "sqlite" else r"Babelfish \d.* for PostgreSQL \d|SQL Server 20\d\d"
    )
    assert re.search(expected, finding.text), finding.text


def an_engine(**properties: str | int) -> list[bytes]:
    row: dict[str, str | int] = {
        "engine_edition": 3, "product_version": "16.0.4135.4", "edition": "Developer Edition (64-bit)",
        "babelfish_version": "", "version_text": "Microsoft SQL Server 2022 (RTM-CU14) - 16.0.4135.4 (X64)",
        "compatibility_level": 160,
    }  # fmt: skip
    return [rows({**row, **properties})]


@pytest.mark.parametrize(
    ("properties", "level", "pattern"),
    [
        ({}, "ok", r"Microsoft SQL Server 2022, version 16\.0\.4135\.4, Developer Edition"),
        (
            {"product_version": "12.0.6024.0", "version_text": "Microsoft SQL Server 2014 (SP3)"},
            "error",
            "2016 or later",
        ),
        ({"compatibility_level": 120}, "warning", "compatibility level, 120,.* JSON"),
        ({"engine_edition": 5, "product_version": "12.0.2000.8"}, "ok", "Azure SQL Database"),
        ({"engine_edition": 5, "compatibility_level": 120}, "warning", "Azure SQL Database"),
        ({"engine_edition": 8, "product_version": "12.0.2000.8"}, "ok", "Azure SQL Managed Instance"),
        ({"engine_edition": 12, "product_version": "12.0.2000.8"}, "ok", "Microsoft Fabric"),
        ({"engine_edition": 6}, "error", "Azure Synapse Analytics"),
        ({"engine_edition": 11}, "error", "Azure Synapse serverless"),
    ],
)
def test_microsofts_engines_are_told_apart(properties: dict[str, str | int], level: str, pattern: str) -> None:
    with FakeServer({"SERVERPROPERTY": an_engine(**properties)}) as listening:
        ((found, text, remedy),) = server.engine(a_case(connect(listening.url())))
    assert found == level
    assert re.search(pattern, text), text
    assert (remedy is None) == (level == "ok")
    assert level != "warning" or remedy == "ALTER DATABASE CURRENT SET COMPATIBILITY_LEVEL = 130;"


@pytest.mark.parametrize(
    ("version", "level"), [("4.3.0", "ok"), ("5.1.0", "ok"), ("4.2.1", "warning"), ("3.9.0", "warning")]
)
def test_a_babelfish_older_than_what_was_tried_is_a_warning(version: str, level: str) -> None:
    text = "Babelfish for PostgreSQL with SQL Server Compatibility - 12.0.2000.8\nPostgreSQL 16.4 on x86_64"
    answer = an_engine(engine_edition=2, babelfish_version=version, version_text=text, compatibility_level=120)
    with FakeServer({"SERVERPROPERTY": answer}) as listening:
        ((found, said, _),) = server.engine(a_case(connect(listening.url()), babelfish=True))
    assert (found, f"Babelfish {version} for PostgreSQL 16.4" in said) == (level, True)


@pytest.mark.parametrize(
    ("option", "address", "level", "pattern"),
    [
        ("TRUE", "10.0.0.5", "warning", "is encrypted, and the server's certificate is not checked"),
        ("FALSE", "10.0.0.5", "warning", "is not encrypted"),
        ("TRUE", "127.0.0.1", "ok", "is encrypted.* does not leave this machine"),
        ("FALSE", "127.0.0.1", "ok", "is not encrypted; it does not leave this machine"),
        ("FALSE", "<local machine>", "ok", "is not encrypted; it does not leave this machine"),
    ],
)
def test_whether_the_connection_is_encrypted_is_the_servers_word(
    option: str, address: str, level: str, pattern: str
) -> None:
    answer = [rows({"encrypt_option": option, "client_net_address": address})]
    with FakeServer({"dm_exec_connections": answer}) as listening:
        ((found, text, remedy),) = server.encryption(a_case(connect(listening.url())))
    assert found == level
    assert re.search(pattern, text), text
    assert (remedy is None) == (level == "ok")
    assert level == "ok" or "FUNNEL_" in (remedy or "")


@pytest.mark.parametrize(
    ("asked", "level", "pattern"),
    [
        ("request", "note", "Could not be checked: the server does not say .* certificate is not checked"),
        # No connection would have come about without it.
        ("require", "warning", "is encrypted, and the server's certificate is not checked"),
    ],
)
def test_a_server_that_does_not_say_whether_it_encrypts(asked: str, level: str, pattern: str) -> None:
    refusal = [error(300, "VIEW SERVER STATE permission was denied on object 'server', database 'master'.", 14)]
    with FakeServer({"dm_exec_connections": refusal}) as listening:
        backend = connect(listening.url(), encryption="request")
        backend.one("ping")
        assert isinstance(backend, SQLServer)
        # What was asked of a server that does not encrypt, which the fake does not.
        backend._encryption = asked
        ((found, text, remedy),) = server.encryption(a_case(backend))
    assert found == level
    assert re.search(pattern, text), text
    assert "FUNNEL_CA_FILE" in (remedy or "")


def test_with_a_ca_file_the_connection_is_encrypted_and_the_certificate_checked(tmp_path: Path) -> None:
    certificates = tmp_path / "ca.pem"
    certificates.write_text("not looked at before a login")
    backend = connect("mssql+pymssql://sa:hunter2@db.example:1433/funnel", ca_file=certificates)
    ((level, text, remedy),) = server.encryption(a_case(backend))
    assert (level, remedy) == ("ok", None)
    assert "encrypted, and the server's certificate is checked" in text


@on_server
def test_a_clock_that_is_wrong_is_a_warning(database: TestedDatabase) -> None:
    now = datetime.now(UTC)
    assert look(database, "clock", now=now) == []
    one(database, "clock", "warning", r"1 h( \d s)? behind", now=now + timedelta(hours=1, seconds=1))
    one(database, "clock", "warning", r"ahead of", now=now - timedelta(minutes=5))


@on_server
def test_a_server_in_another_time_zone_than_the_floor_is_a_note(database: TestedDatabase) -> None:
    there = database.execute("SELECT DATEDIFF(MINUTE, SYSUTCDATETIME(), SYSDATETIME())")[0][0]
    here = datetime.now(timezone(timedelta(minutes=there)))
    assert look(database, "clock", now=here) == []
    other = timezone(timedelta(minutes=there) - timedelta(hours=3, minutes=30))
    finding = one(database, "clock", "note", r"floor in UTC-\d\d:\d\d", now=here.astimezone(other))
    assert "@business_date" in (finding.remedy or "")


@pytest.fixture
def guest(database: TestedDatabase) -> Iterator[TestedDatabase]:
    """The same database for a login that has no right there."""
    login = f"funnel_doctor_{os.getpid()}"
    database.execute_patiently(f"CREATE LOGIN {login} WITH PASSWORD = 'For-an-hour-only-1'")
    database.execute_patiently(f"CREATE USER {login} FOR LOGIN {login}")
    url = make_url(database.url).set(username=login, password="For-an-hour-only-1")
    found = TestedDatabase(url.render_as_string(hide_password=False), database.schema)
    try:
        yield found
    finally:
        found.close()
        # Who is no member cannot be dropped from a role.
        if database.execute(f"SELECT IS_ROLEMEMBER('agent_funnel_service', '{login}')") == [(1,)]:
            database.execute(f"ALTER ROLE agent_funnel_service DROP MEMBER {login}")
        database.execute_patiently(f"DROP USER IF EXISTS {login}")
        database.execute_patiently(f"DROP LOGIN {login}")


@on_server
def test_a_login_without_the_rights_is_told_how_to_get_them(database: TestedDatabase, guest: TestedDatabase) -> None:
    assert look(database, "rights") == []
    login = make_url(guest.url).username
    finding = one(guest, "rights", "error", rf"{login} lacks \d+ of the \d+ rights.*EXECUTE on dbo\.sp_assign")
    if is_babelfish(database):
        assert "owner of the tables" in (finding.remedy or "")
        database.execute(f"ALTER ROLE agent_funnel_service ADD MEMBER {login}")
        # The role is not enough there, and its rights are not missed any more.
        again = one(guest, "rights", "error", r"lacks 7 of the \d+ rights")
        assert "EXECUTE" not in again.text
    else:
        assert finding.remedy == f"ALTER ROLE agent_funnel_service ADD MEMBER [{login}];"
        run_as_told(database, finding)
        guest.close()
        assert look(guest, "rights") == []
        assert look(guest, "procedures") == []
        database.execute(f"REVOKE VIEW DEFINITION ON dbo.{UNDO} FROM agent_funnel_service")
        unseen = one(guest, "procedures", "note", "must not see the text")
        run_as_told(database, unseen)
        assert look(guest, "procedures") == []
        database.execute("REVOKE INSERT ON dbo.agent_limit FROM agent_funnel_service")
        try:
            again = one(guest, "rights", "error", r"lacks 1 of the \d+ rights.*INSERT on dbo\.agent_limit")
            assert again.remedy == "GRANT INSERT ON dbo.agent_limit TO agent_funnel_service;"
        finally:
            database.execute("GRANT INSERT ON dbo.agent_limit TO agent_funnel_service")
        assert look(guest, "rights") == []


@on_server
def test_what_a_login_must_not_see_is_not_checked_and_ends_nothing(
    database: TestedDatabase, guest: TestedDatabase
) -> None:
    found = {finding.check: finding for finding in examine(guest.backend, now=datetime.now(UTC), deep=True)}
    for check in ("stages", "duplicates", "records"):
        assert found[check].level == "note"
        assert found[check].text.startswith("Could not be checked: ")
    assert found["clock"].level == "ok"
    assert found["tables"].level == "error"


def test_a_file_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    with sqlite_database(tmp_path, "funnel") as database:
        assert look(database, "rights") == []
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode = DELETE")
        database.close()
        path = Path(make_url(database.url).database or "")
        content = bytearray(path.read_bytes())
        # What a file says that a newer SQLite has written: read it, and do not write to it.
        content[18] = 9
        path.write_bytes(content)
        one(database, "rights", "error", "may not write")
        assert look(database, "stages") == []


# ---- Tables, procedures, indexes


def test_a_missing_table_is_named_and_installed_again(database: TestedDatabase) -> None:
    assert look(database, "tables") == []
    database.execute("DROP TABLE dbo.assignment_undo")
    try:
        finding = one(database, "tables", "error", r"1 table is missing.*: assignment_undo\.")
        assert (finding.remedy or "").startswith("agent-funnel install")
        (unknown,) = guarded("records", partial(records, a_case(database.backend)))
        assert unknown.level == "note"
        assert unknown.text.startswith("Could not be checked: ")
    finally:
        install(database.backend)
    assert look(database, "tables") == []


def test_a_missing_column_is_named(bare_database: TestedDatabase) -> None:
    assert look(bare_database, "tables") == []
    sqlite = bare_database.engine == "sqlite"
    bare_database.execute(
        "ALTER TABLE agents RENAME COLUMN status TO state"
        if sqlite
        else "EXECUTE sp_rename 'dbo.agents.status', 'state', 'COLUMN'"
    )
    try:
        one(bare_database, "tables", "error", "The table agents has no column status")
        assert look(bare_database, "statuses")[0].text.startswith("Could not be checked: ")
    finally:
        bare_database.execute(
            "ALTER TABLE agents RENAME COLUMN state TO status"
            if sqlite
            else "EXECUTE sp_rename 'dbo.agents.state', 'status', 'COLUMN'"
        )
    assert look(bare_database, "tables") == []


def test_tables_of_another_version_are_an_error(database: TestedDatabase) -> None:
    kept = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    moment, newest = str(kept[0][1])[:19], version(database.engine)
    try:
        database.execute("INSERT INTO dbo.agent_funnel_version (version, installed_at) VALUES (99, %s)", moment)
        finding = one(database, "tables", "error", rf"version 99, and this program knows none after {newest}")
        assert "Update" in (finding.remedy or "")
        database.execute("DELETE FROM dbo.agent_funnel_version")
        finding = one(database, "tables", "error", rf"version 0, and this program needs {newest}")
        assert finding.remedy == "agent-funnel install"
    finally:
        database.execute("DELETE FROM dbo.agent_funnel_version")
        install(database.backend)
    assert look(database, "tables") == []


@on_server
def test_a_schema_that_is_not_there_is_an_error(database: TestedDatabase) -> None:
    with closing(TestedDatabase(database.url, "seles")) as mistyped:
        finding = one(mistyped, "tables", "error", "no schema seles")
        assert "FUNNEL_SCHEMA" in (finding.remedy or "")


@on_server
def test_tables_in_another_schema_are_a_warning_while_ours_are_empty(database: TestedDatabase) -> None:
    before = {finding.text for finding in look(database, "schemas")}
    assert not any("elsewhere" in text for text in before)
    database.execute("CREATE SCHEMA elsewhere")
    database.execute("CREATE TABLE elsewhere.wafunnel (number VARCHAR(20))")
    try:
        finding = one(database, "schemas", "warning", r"elsewhere.* dbo has no leads")
        assert "FUNNEL_SCHEMA=" in (finding.remedy or "")
        floor(database)
        one(database, "schemas", "note", "elsewhere")
    finally:
        database.execute("DROP TABLE elsewhere.wafunnel")
        database.execute("DROP SCHEMA elsewhere")
    assert {"elsewhere" in finding.text for finding in look(database, "schemas")} <= {False}


@contextmanager
def reinstalled(database: TestedDatabase) -> Iterator[None]:
    """Afterwards, everything is as it was installed."""
    try:
        yield
    finally:
        install(database.backend)
        assert look(database, "procedures") == []


ANOTHER = f"ALTER PROCEDURE dbo.{UNDO} @run_id BIGINT = NULL, @actor NVARCHAR(255) = NULL AS SELECT 'another' AS answer"


@on_server
def test_a_procedure_that_somebody_changed_is_an_error(database: TestedDatabase) -> None:
    assert look(database, "procedures") == []
    with reinstalled(database):
        database.execute(ANOTHER)
        finding = one(database, "procedures", "error", rf"Somebody has changed the procedure dbo\.{UNDO} since")
        assert (finding.remedy or "").startswith("agent-funnel install")


@on_server
def test_a_procedure_that_is_missing_is_an_error(database: TestedDatabase) -> None:
    with reinstalled(database):
        database.execute(f"DROP PROCEDURE dbo.{UNDO}")
        finding = one(database, "procedures", "error", rf"dbo\.{UNDO} is missing")
        assert finding.remedy == "agent-funnel install"


def record(database: TestedDatabase, script: str | None) -> None:
    """Puts on record that the procedure of now was installed from a script, or nothing at all."""
    database.execute("DELETE FROM dbo.agent_funnel_checksum WHERE name = %s", UNDO)
    if script is not None:
        row = database.backend.one("definition", procedure_name=UNDO)
        assert row is not None
        database.execute(
            "INSERT INTO dbo.agent_funnel_checksum (name, installed, script, recorded_at) "
            "VALUES (%s, %s, %s, SYSUTCDATETIME())",
            UNDO, checksum(row["definition"]), checksum(script),
        )  # fmt: skip


@on_server
def test_a_procedure_of_another_version_is_told_from_one_that_somebody_changed(database: TestedDatabase) -> None:
    with reinstalled(database):
        database.execute(ANOTHER)
        record(database, "the script of that version")
        finding = one(database, "procedures", "error", rf"dbo\.{UNDO} is that of another version of Agent Funnel")
        assert finding.remedy == "agent-funnel install"


@on_server
def test_a_procedure_that_was_installed_by_hand_is_judged_by_its_text(database: TestedDatabase) -> None:
    with reinstalled(database):
        record(database, None)
        assert look(database, "procedures") == []
        database.execute(ANOTHER)
        one(database, "procedures", "error", rf"dbo\.{UNDO} is not that of this version")


@on_server
def test_an_encrypted_procedure_cannot_be_compared(database: TestedDatabase) -> None:
    if is_babelfish(database):
        pytest.skip("Babelfish encrypts no procedure")
    with reinstalled(database):
        database.execute(ANOTHER.replace(" AS SELECT", " WITH ENCRYPTION AS SELECT"))
        one(database, "procedures", "warning", rf"dbo\.{UNDO} is encrypted")


def test_the_text_of_a_procedure_that_a_login_must_not_see_is_a_note() -> None:
    case = a_case(None, schema="sales")
    unseen = {"definition": None, "is_encrypted": 0}
    ((level, text, remedy),) = schema._procedure(case, UNDO, procedures("sqlserver")[UNDO], unseen, None)
    assert level == "note"
    assert text == f"Could not be checked: this login must not see the text of sales.{UNDO}."
    assert remedy == f"GRANT VIEW DEFINITION ON sales.{UNDO} TO agent_funnel_service;"


@on_server
def test_a_foreign_key_keeps_a_deal_from_emptying_the_assignments(database: TestedDatabase) -> None:
    assert look(database, "truncate") == []
    floor(database)
    database.execute(
        "CREATE TABLE dbo.[call log] (number VARCHAR(255) COLLATE Latin1_General_BIN2, "
        "CONSTRAINT [fk of calls] FOREIGN KEY (number) REFERENCES dbo.agent_wafunnel_assignment (number))"
    )
    try:
        finding = one(database, "truncate", "error", r"the foreign key fk of calls of dbo\.call log points to it")
        with pytest.raises(DatabaseError):
            deal(database)
        run_as_told(database, finding)
        assert look(database, "truncate") == []
        deal(database)
    finally:
        database.execute("DROP TABLE dbo.[call log]")


def test_assignments_that_are_a_view_cannot_be_emptied(bare_database: TestedDatabase) -> None:
    assert look(bare_database, "truncate") == []
    sqlite = bare_database.engine == "sqlite"
    bare_database.execute(
        "ALTER TABLE agent_wafunnel_assignment RENAME TO kept"
        if sqlite
        else "EXECUTE sp_rename 'dbo.agent_wafunnel_assignment', 'kept', 'OBJECT'"
    )
    bare_database.execute("CREATE VIEW dbo.agent_wafunnel_assignment AS SELECT agent, number FROM dbo.kept")
    try:
        one(bare_database, "truncate", "error", r"since it is no table")
    finally:
        bare_database.execute("DROP VIEW dbo.agent_wafunnel_assignment")
        bare_database.execute(
            "ALTER TABLE kept RENAME TO agent_wafunnel_assignment"
            if sqlite
            else "EXECUTE sp_rename 'dbo.kept', 'agent_wafunnel_assignment', 'OBJECT'"
        )
    assert look(bare_database, "truncate") == []


TEMPORAL = """
CREATE TABLE dbo.agent_wafunnel_assignment (
    agent NVARCHAR(255) NOT NULL, number VARCHAR(255) NOT NULL PRIMARY KEY,
    since DATETIME2 GENERATED ALWAYS AS ROW START NOT NULL, until DATETIME2 GENERATED ALWAYS AS ROW END NOT NULL,
    PERIOD FOR SYSTEM_TIME (since, until)
) WITH (SYSTEM_VERSIONING = ON)
"""
PLAIN = "CREATE TABLE dbo.agent_wafunnel_assignment (agent NVARCHAR(255) NOT NULL, number VARCHAR(255) NOT NULL)"
VIEW = """
CREATE VIEW dbo.per_number WITH SCHEMABINDING AS
SELECT m.number, COUNT_BIG(*) AS copies FROM dbo.agent_wafunnel_assignment AS m GROUP BY m.number
"""


@pytest.mark.parametrize(
    ("schema", "statements", "pattern"),
    [
        ("temporal", [TEMPORAL], "it is a temporal table"),
        ("indexed", [PLAIN, VIEW, "CREATE UNIQUE CLUSTERED INDEX ix ON dbo.per_number (number)"], "the indexed view"),
    ],
)
def test_what_only_sql_server_has_keeps_a_deal_from_emptying_the_assignments_too(
    sqlserver: str, schema: str, statements: list[str], pattern: str
) -> None:
    with closing(TestedDatabase(sqlserver, schema)) as database:
        if is_babelfish(database):
            pytest.skip("Babelfish has neither temporal tables nor indexed views")
        database.execute(f"CREATE SCHEMA {schema}")
        for text in statements:
            database.execute(text)
        install(database.backend)
        finding = one(database, "truncate", "error", pattern)
        run_as_told(database, finding)
        assert look(database, "truncate") == []


INDEXES = [
    ("wafunnel", "number", "lead"),
    ("agent_wafunnel_assignment", "number", "assignment"),
    ("agent_wafunnel_assignment", "agent", "assignment"),
]


def test_missing_indexes_are_notes_that_say_why_and_how(bare_database: TestedDatabase) -> None:
    floor(bare_database)
    found = look(bare_database, "indexes")
    prefix = "" if bare_database.engine == "sqlite" else "bare."
    assert [finding.level for finding in found] == ["note"] * 3
    for finding, (table, column, what) in zip(found, INDEXES, strict=True):
        assert re.search(rf"No index of {prefix}{table} begins with {column}, so .* reads all \d {what}s", finding.text)
        assert finding.remedy == f"CREATE INDEX ix_{table}_{column} ON {prefix}{table} ({column});"
    for finding in found:
        run_as_told(bare_database, finding)
    try:
        assert look(bare_database, "indexes") == []
    finally:
        for table, column, _ in INDEXES:
            on = "" if bare_database.engine == "sqlite" else f" ON dbo.{table}"
            bare_database.execute(f"DROP INDEX ix_{table}_{column}{on}")


def test_an_index_with_a_condition_is_none(bare_database: TestedDatabase) -> None:
    if bare_database.engine == "sqlserver" and is_babelfish(bare_database):
        pytest.skip("Babelfish does not tell which index has a condition")
    bare_database.execute("CREATE INDEX some_agents ON dbo.agent_wafunnel_assignment (agent) WHERE number = '1'")
    try:
        assert "begins with agent" in look(bare_database, "indexes")[2].text
    finally:
        on = "" if bare_database.engine == "sqlite" else " ON dbo.agent_wafunnel_assignment"
        bare_database.execute(f"DROP INDEX some_agents{on}")


@pytest.mark.parametrize("columns", ["date", "stage, date"])
def test_an_index_by_date_is_worth_its_keep_where_most_leads_are_old(database: TestedDatabase, columns: str) -> None:
    def by_date() -> list[Finding]:
        return [finding for finding in look(database, "indexes") if "begins with date" in finding.text]

    floor(database, leads=10)
    assert by_date() == []
    for number in range(100):
        lead(database, f"old {number}", day="2020-01-31 08:00:00.000")
    if database.engine == "sqlite":
        # It deals no faster with one.
        assert by_date() == []
        return
    (finding,) = by_date()
    assert "reads all 110 leads to find the 10 of the last 45 days" in finding.text
    assert finding.remedy == "CREATE INDEX ix_wafunnel_date ON dbo.wafunnel (date);"
    database.execute(f"CREATE INDEX ix_wafunnel_date ON dbo.wafunnel ({columns})")
    try:
        assert by_date() == []
    finally:
        database.execute("DROP INDEX ix_wafunnel_date ON dbo.wafunnel")


# ---- The data


@pytest.mark.parametrize(
    ("table", "column", "values", "means"),
    [
        ("wafunnel", "number", (None, 1, "2026-11-10"), "never dealt"),
        ("wafunnel", "number", (" ", 1, "2026-11-10"), "never dealt"),
        ("wafunnel", "stage", ("+493000017", None, "2026-11-10"), "never dealt"),
        ("wafunnel", "date", ("+493000017", 1, None), "never dealt"),
        ("agents", "agent", (None, "active"), "given nothing"),
        ("agents", "agent", ("  ", "active"), "given nothing"),
        ("agents", "status", ("Zoe", None), "given nothing"),
        ("agent_wafunnel_assignment", "agent", (None, "+493000017"), "nobody's to call"),
        ("agent_wafunnel_assignment", "number", ("Zoe", None), "of no use"),
    ],
)
def test_a_missing_value_is_a_warning(
    bare_database: TestedDatabase, table: str, column: str, values: tuple[object, ...], means: str
) -> None:
    assert look(bare_database, "missing values") == []
    columns = {"wafunnel": ("number", "stage", "date"), "agents": ("agent", "status")}.get(table, ("agent", "number"))
    bare_database.insert(table, columns, [values])
    finding = one(
        bare_database, "missing values", "warning", rf"1 row of (bare\.)?{table} has no {column}, and is {means}"
    )
    assert len(run_as_told(bare_database, finding)) == 1
    bare_database.insert(table, columns, [values])
    assert re.search(rf"2 rows of .* have no {column}, and are", look(bare_database, "missing values")[0].text)


def test_numbers_in_several_rows_are_a_warning(bare_database: TestedDatabase) -> None:
    floor(bare_database)
    assert look(bare_database, "duplicates") == []
    for day in ("2026-11-10", "2026-11-11"):
        lead(bare_database, "+49300001777", 2, day)
    finding = one(bare_database, "duplicates", "warning", r"1 number \(…777\) stands in 2 rows of (bare\.)?wafunnel; ")
    assert run_as_told(bare_database, finding) == [("+49300001777", 2)]
    # An exact copy counts as a row, too; a number that differs in its case or its last digit does not.
    for number in ("+49300001777", "+49300001666", "+49300001666", "+4930000177", "a", "A"):
        lead(bare_database, number, 2, "2026-11-11")
    one(bare_database, "duplicates", "warning", r"2 numbers \(…777, …666\) stand in 5 rows")


def test_rows_of_a_number_that_share_the_date_but_not_the_stage_are_a_warning(bare_database: TestedDatabase) -> None:
    lead(bare_database, "+49300001777", 1)
    lead(bare_database, "+49300001777", 1)
    lead(bare_database, "+49300001777", 2, "2026-11-12")
    assert len(look(bare_database, "duplicates")) == 1
    lead(bare_database, "+49300001777", 2)
    numbers, finding = look(bare_database, "duplicates")
    assert "in 4 rows" in numbers.text
    assert finding.level == "warning"
    assert re.search(r"1 number \(…777\) has rows that share the date but not the stage", finding.text)
    ((number, _, lowest, highest),) = run_as_told(bare_database, finding)
    assert (number, lowest, highest) == ("+49300001777", 1, 2)


def test_a_number_that_is_assigned_twice_is_a_warning(bare_database: TestedDatabase) -> None:
    pairs = [("a", "+49300001777"), ("b", "+49300001777"), ("b", "+49300001778")]
    bare_database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs[1:])
    assert look(bare_database, "duplicates") == []
    bare_database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs[:1])
    finding = one(bare_database, "duplicates", "warning", r"1 number \(…777\) is assigned more than once")
    assert run_as_told(bare_database, finding) == [("+49300001777", "a", "b")]


def test_of_many_numbers_a_few_are_shown(bare_database: TestedDatabase) -> None:
    for number in range(1_005, 1_000, -1):
        lead(bare_database, f"+493000{number}")
        lead(bare_database, f"+493000{number}")
    one(bare_database, "duplicates", "warning", r"5 numbers \(…001, …002, …003, …\) stand in 10 rows")


def test_stages_that_are_none_are_a_warning(bare_database: TestedDatabase) -> None:
    for stage in (1, 2, 3, 4):
        lead(bare_database, f"+4930000177{stage}", stage)
    assert look(bare_database, "stages") == []
    for number, stage in enumerate((5, 0, 0)):
        lead(bare_database, f"+4930000178{number}", stage)
    finding = one(bare_database, "stages", "warning", r"3 leads have stages outside 1 to 4 \(0, 5\)")
    run_as_told(bare_database, finding)
    assert look(bare_database, "stages") == []
    stages = bare_database.execute("SELECT stage, COUNT(*) FROM dbo.wafunnel GROUP BY stage ORDER BY stage")
    assert stages == [(1, 3), (2, 1), (3, 1), (4, 2)]
    for stage in (-1, 7, 8, 9):
        lead(bare_database, f"+4930000179{stage}", stage)
    one(bare_database, "stages", "warning", r"4 leads have stages outside 1 to 4 \(-1, 7, 8, …\)")


def test_dates_in_the_future_are_a_warning(database: TestedDatabase) -> None:
    now = datetime(2026, 11, 23, 22, 30, tzinfo=timezone(timedelta(hours=-5)))
    lead(database, "+49300001777", day="2026-11-23 23:59:59.000")
    assert look(database, "dates", now=now) == []
    # It is the floor's day that counts: in UTC, it is tomorrow already.
    assert [finding.level for finding in look(database, "dates", now=now - timedelta(hours=23))] == ["warning"]
    lead(database, "+49300001778", day="2026-11-24 00:00:00.000")
    one(database, "dates", "warning", r"1 lead has a date in the future, up to 2026-11-24", now=now)
    lead(database, "+49300001779", day="2099-01-31 00:00:00.000")
    finding = one(database, "dates", "warning", r"2 leads have a date in the future, up to 2099-01-31", now=now)
    assert "+49300001779" in {row[0] for row in run_as_told(database, finding)}


@pytest.mark.parametrize("bare_database", ["sqlite"], indirect=True)
def test_a_text_that_is_no_date_is_a_warning_on_sqlite(bare_database: TestedDatabase) -> None:
    lead(bare_database, "+49300001777", day="2026-11-10 08:00:00")
    assert look(bare_database, "dates") == []
    for day in ("31.12.2020", 2_461_000):
        bare_database.execute("INSERT INTO wafunnel (number, stage, date) VALUES ('+49300001778', 1, %s)", day)
    finding = one(
        bare_database, "dates", "warning", "2 leads have a date that is no ISO 8601 text, and are never dealt"
    )
    assert len(run_as_told(bare_database, finding)) == 2


def test_a_status_that_is_neither_active_nor_inactive_is_a_warning(bare_database: TestedDatabase) -> None:
    statuses = ["active", "ACTIVE ", " Inactive"]
    bare_database.insert("agents", ("agent", "status"), [(f"agent {status}", status) for status in statuses])
    assert look(bare_database, "statuses") == []
    bare_database.insert("agents", ("agent", "status"), [("Ana", "on leave"), ("Ben", "On Leave"), ("Cleo", "")])
    finding = one(bare_database, "statuses", "warning", r"3 agents have a status .* \('', 'on leave'\)")
    run_as_told(bare_database, finding)
    assert look(bare_database, "statuses") == []
    assert len(bare_database.execute("SELECT agent FROM dbo.agents WHERE status = 'inactive'")) == 3


# ---- Manners


def test_a_busy_database_is_a_note_and_a_lost_one_an_error(tmp_path: Path) -> None:
    with sqlite_database(tmp_path, "funnel") as database:
        hasty = connect(database.url, lock_wait=timedelta(seconds=1))
        database.raw.execute("BEGIN IMMEDIATE")
        found = {finding.check: finding for finding in examine(hasty, now=datetime.now(UTC))}
        assert found["rights"].level == "note"
        assert "busy" in found["rights"].text
        assert found["stages"].level == "ok"
        database.raw.execute("ROLLBACK")
    answers = {**IN_DBO, "sys.databases": [error(229, "The SELECT permission was denied.", 14)]}
    with FakeServer(answers) as listening:
        found = {finding.check: finding for finding in examine(connect(listening.url()), now=datetime.now(UTC))}
        assert found["engine"].level == "note"
        assert "SELECT permission" in found["engine"].text
    with FakeServer({**answers, "dm_exec_connections": [HANG_UP]}) as listening:
        with pytest.raises(DatabaseUnavailable):
            examine(connect(listening.url()), now=datetime.now(UTC))


@pytest.mark.parametrize("text", ["the varchar value '+4930000177' overflowed", 'bad "4930000177"'])
def test_a_servers_own_words_are_shown_without_whole_numbers(text: str) -> None:
    assert re.search(r"['\"]…177['\"]", masked(text))
    assert "4930000" not in masked(text)


@pytest.mark.parametrize("name", sorted(name for name in queries("sqlserver") if name.startswith("remedy_")))
def test_every_remedy_can_be_run_as_it_is_shown(bare_database: TestedDatabase, name: str) -> None:
    # The level of compatibility is that of the database of all tests.
    if name == "remedy_compatibility" or name not in queries(bare_database.backend.dialect):
        pytest.skip("not for this database")
    floor(bare_database)
    schema = None if bare_database.engine == "sqlite" else "bare"
    shown = a_case(bare_database.backend, schema=schema).remedy(name.removeprefix("remedy_"))
    assert "--" not in shown
    run_as_told(bare_database, Finding("remedy", "note", "It is shown.", shown))
    if index := re.match(r"CREATE INDEX (\w+) ON ([\w.]+)", shown):
        bare_database.execute(f"DROP INDEX {index[1]}" + ("" if schema is None else f" ON {index[2]}"))
