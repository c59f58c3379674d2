"""The doctor's checks of the server: the driver, the engine, the connection, the time and the rights of the login."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from importlib import metadata
from pathlib import Path

import pytest
import trustme
from sqlalchemy.engine import make_url

from agent_funnel.database.sqlserver import SQLServer
from agent_funnel.doctor import examine, server
from agent_funnel.doctor.check import Finding
from support.databases import TestedDatabase, connect_to, disconnect, sqlite_database
from support.doctor import (
    IN_DBO,
    UNDO,
    examination,
    findings_of,
    is_babelfish,
    on_server,
    only_problem,
    problems,
    run_remedy,
)
from support.faketds import FakeServer, error, rows


def test_a_driver_that_ignores_encryption_is_refused_before_it_sends_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(IN_DBO) as listening:
        backend = connect_to(listening.url())
        for version in ("2.4.2", "2.3.13", "1.0"):
            monkeypatch.setattr(metadata, "version", lambda _, version=version: version)
            (finding,) = examine(backend, now=datetime.now(UTC), deep=True)
            assert (finding.check, finding.level) == ("driver", "error")
            assert version in finding.text
            assert "pymssql>=2.4.3" in (finding.remedy or "")
        assert listening.logins == []
        for version in ("2.4.3", "2.4.10", "3.0"):
            monkeypatch.setattr(metadata, "version", lambda _, version=version: version)
            assert examine(backend, now=datetime.now(UTC))[0] == Finding(
                "driver", "ok", f"The driver is pymssql {version}."
            )
        assert len(listening.logins) > 0


def test_the_engine_is_named_with_its_version(database: TestedDatabase) -> None:
    (finding,) = findings_of(database, "engine")
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
def test_the_engines_of_microsoft_are_distinguished(properties: dict[str, str | int], level: str, pattern: str) -> None:
    with FakeServer({"SERVERPROPERTY": an_engine(**properties)}) as listening:
        ((found, text, remedy),) = server.engine(examination(connect_to(listening.url())))
    assert found == level
    assert re.search(pattern, text), text
    assert (remedy is None) == (level == "ok")
    assert level != "warning" or remedy == "ALTER DATABASE CURRENT SET COMPATIBILITY_LEVEL = 130;"


@pytest.mark.parametrize(
    ("version", "level"), [("4.3.0", "ok"), ("5.1.0", "ok"), ("4.2.1", "warning"), ("3.9.0", "warning")]
)
def test_a_babelfish_older_than_the_tested_version_is_a_warning(version: str, level: str) -> None:
    text = "Babelfish for PostgreSQL with SQL Server Compatibility - 12.0.2000.8\nPostgreSQL 16.4 on x86_64"
    answer = an_engine(engine_edition=2, babelfish_version=version, version_text=text, compatibility_level=120)
    with FakeServer({"SERVERPROPERTY": answer}) as listening:
        ((found, said, _),) = server.engine(examination(connect_to(listening.url()), babelfish=True))
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
def test_the_server_decides_whether_the_connection_counts_as_encrypted(
    option: str, address: str, level: str, pattern: str
) -> None:
    answer = [rows({"encrypt_option": option, "client_net_address": address})]
    with FakeServer({"dm_exec_connections": answer}) as listening:
        ((found, text, remedy),) = server.encryption(examination(connect_to(listening.url())))
    assert found == level
    assert re.search(pattern, text), text
    assert (remedy is None) == (level == "ok")
    assert level == "ok" or "FUNNEL_" in (remedy or "")


@pytest.mark.parametrize(
    ("asked", "level", "pattern"),
    [
        ("request", "note", "Could not be checked: the server does not say .* certificate is not checked"),
        # Without encryption there would be no connection.
        ("require", "warning", "is encrypted, and the server's certificate is not checked"),
    ],
)
def test_if_the_server_does_not_report_encryption_the_setting_decides(asked: str, level: str, pattern: str) -> None:
    refusal = [error(300, "VIEW SERVER STATE permission was denied on object 'server', database 'master'.", 14)]
    azure = an_engine(engine_edition=5)
    with FakeServer({"dm_exec_connections": refusal, "SERVERPROPERTY": azure}) as listening:
        backend = connect_to(listening.url(), encryption="request")
        backend.one("ping")
        assert isinstance(backend, SQLServer)
        # The setting that is reported; the connection itself needs another one, since the fake does not encrypt.
        backend.encryption = asked
        ((found, text, remedy),) = server.encryption(examination(backend))
    assert found == level
    assert re.search(pattern, text), text
    assert "FUNNEL_CA_FILE" in (remedy or "")
    assert ("grant the login VIEW DATABASE STATE" in (remedy or "")) == (level == "note")


def test_with_a_ca_file_the_connection_is_encrypted_and_the_certificate_checked(tmp_path: Path) -> None:
    certificates = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(certificates))
    backend = connect_to("mssql+pymssql://sa:hunter2@db.example:1433/funnel", ca_file=certificates)
    ((level, text, remedy),) = server.encryption(examination(backend))
    assert (level, remedy) == ("ok", None)
    assert "encrypted, and the server's certificate is checked" in text


@on_server
def test_a_clock_that_is_wrong_is_a_warning(database: TestedDatabase) -> None:
    now = datetime.now(UTC)
    assert problems(database, "clock", now=now) == []
    only_problem(database, "clock", "warning", r"1 h( \d s)? behind", now=now + timedelta(hours=1, seconds=1))
    only_problem(database, "clock", "warning", r"ahead of", now=now - timedelta(minutes=5))


@on_server
def test_a_server_in_another_time_zone_than_the_sales_floor_is_a_note(database: TestedDatabase) -> None:
    there = database.execute("SELECT DATEDIFF(MINUTE, SYSUTCDATETIME(), SYSDATETIME())")[0][0]
    here = datetime.now(timezone(timedelta(minutes=there)))
    assert problems(database, "clock", now=here) == []
    other = timezone(timedelta(minutes=there) - timedelta(hours=3, minutes=30))
    finding = only_problem(database, "clock", "note", r"floor in UTC-\d\d:\d\d", now=here.astimezone(other))
    assert "@business_date" in (finding.remedy or "")


@pytest.fixture
def guest(database: TestedDatabase) -> Iterator[TestedDatabase]:
    """The same database, as a login sees it that has no rights there."""
    login = f"funnel_doctor_{os.getpid()}"
    database.execute_patiently(f"CREATE LOGIN {login} WITH PASSWORD = 'For-an-hour-only-1'")
    database.execute_patiently(f"CREATE USER {login} FOR LOGIN {login}")
    url = make_url(database.url).set(username=login, password="For-an-hour-only-1")
    found = TestedDatabase(url.render_as_string(hide_password=False), database.schema)
    try:
        yield found
    finally:
        found.close()
        # Only a member can be dropped from a role.
        if database.execute(f"SELECT IS_ROLEMEMBER('agent_funnel_service', '{login}')") == [(1,)]:
            database.execute(f"ALTER ROLE agent_funnel_service DROP MEMBER {login}")
        database.execute_patiently(f"DROP USER IF EXISTS {login}")
        database.execute_patiently(f"DROP LOGIN {login}")


@on_server
def test_a_login_without_the_rights_gets_the_statements_that_grant_them(
    database: TestedDatabase, guest: TestedDatabase
) -> None:
    assert problems(database, "rights") == []
    login = make_url(guest.url).username
    finding = only_problem(guest, "rights", "error", rf"{login} lacks \d+ of the \d+ rights.*EXECUTE on dbo\.sp_assign")
    if is_babelfish(database):
        assert "owner of the tables" in (finding.remedy or "")
        database.execute(f"ALTER ROLE agent_funnel_service ADD MEMBER {login}")
        # The role is not enough there, but its rights are no longer missing.
        again = only_problem(guest, "rights", "error", r"lacks 10 of the \d+ rights")
        assert "EXECUTE" not in again.text
    else:
        assert finding.remedy == f"ALTER ROLE agent_funnel_service ADD MEMBER [{login}];"
        run_remedy(database, finding)
        guest.close()
        assert problems(guest, "rights") == []
        assert problems(guest, "procedures") == []
        database.execute(f"REVOKE VIEW DEFINITION ON dbo.{UNDO} FROM agent_funnel_service")
        unseen = only_problem(guest, "procedures", "note", "no right to see the text")
        run_remedy(database, unseen)
        assert problems(guest, "procedures") == []
        database.execute("REVOKE INSERT ON dbo.agent_limit FROM agent_funnel_service")
        try:
            again = only_problem(guest, "rights", "error", r"lacks 1 of the \d+ rights.*INSERT on dbo\.agent_limit")
            assert again.remedy == "GRANT INSERT ON dbo.agent_limit TO agent_funnel_service;"
        finally:
            database.execute("GRANT INSERT ON dbo.agent_limit TO agent_funnel_service")
        assert problems(guest, "rights") == []


@on_server
def test_a_check_that_the_login_may_not_make_is_a_note_and_the_others_go_on(
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
        assert problems(database, "writing") == []
        disconnect(database.backend)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode = DELETE")
        database.close()
        path = Path(make_url(database.url).database or "")
        content = bytearray(path.read_bytes())
        # The mark in a file of a newer SQLite: it may be read, and must not be written.
        content[18] = 9
        path.write_bytes(content)
        only_problem(database, "writing", "error", "may not write")
        assert problems(database, "stages") == []
