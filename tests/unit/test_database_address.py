"""Database URLs: what they may be, and that no message, log or text of an object shows a part of the password."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from agent_funnel.database.address import Address, read_address
from agent_funnel.errors import DatabaseUnavailable, SettingsError
from agent_funnel.logs import mask
from agent_funnel.settings import load
from support.command import run_command
from support.databases import connect_to

MSSQL = "mssql+pymssql://"


def address(rest: str, **flags: Any) -> Address:
    """The address in a URL for SQL Server."""
    return read_address(load(database_url=MSSQL + rest, **flags))


# URLs that are not written as they must be, each with a password that has the word `secret` in it.
WRONG = {
    "an @ in the password": "sa:P@secret@127.0.0.1:1499/funnel",
    "an @ and a / in the password": "sa:P@ss/w0rd-secret@127.0.0.1:1499/funnel",
    "an @ and a : in the password": "sa:P@ss:secret@127.0.0.1:1499/funnel",
    "several of them": "sa:@@secret@@127.0.0.1:1499/funnel",
    "an @ and a ? in the password": "sa:P@ss?secret@127.0.0.1:1499/funnel",
    "an @ in user and password": "sa@contoso:P@secret@contoso.example:1433/funnel",
    "a / in the user": "CORP/ana:secret@127.0.0.1:1499/funnel",
    "no @": "sa:secret/funnel",
    "an ADO string": "Server=tcp:db.example,1433;Database=funnel;User ID=sa;Password=secret;/funnel",
    "a JDBC string": "host;user=sa;password=secret/funnel",
    "blanks": "host password secret/funnel",
    "an option": "sa:secret@127.0.0.1:1499/funnel?password=secret",
    "two ports": "sa:secret@127.0.0.1,1433:1434/funnel",
    "a port that is none": "sa:secret@127.0.0.1:123456789/funnel",
    "a numeric password without a host": "sa:70000/funnel-secret",
    "no database": "sa:secret@127.0.0.1:1499",
}


@pytest.mark.parametrize("rest", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("engine", ["mssql+pymssql", "mssql"])
def test_a_url_that_is_written_wrongly_is_refused_and_nothing_of_the_password_is_shown(
    tmp_path: Path, rest: str, engine: str
) -> None:
    with pytest.raises(SettingsError, match="FUNNEL_DATABASE_URL") as refused:
        connect_to(f"{engine}://{rest}")
    done = run_command("--database-url", f"{engine}://{rest}", "status", cwd=tmp_path)
    assert done.returncode == 2
    for text in (str(refused.value), done.stdout, done.stderr):
        for part in ("secret", "w0rd", "P@", "70000", "ss:", "ss/"):
            assert part not in text


def test_an_at_sign_in_the_password_is_named_with_the_way_to_write_it() -> None:
    with pytest.raises(SettingsError, match="%40"):
        address(WRONG["an @ in the password"])


@pytest.mark.parametrize(
    ("rest", "user", "password"),
    [
        ("sa:P%40ss%2Fw%3Ard%23%25@host/db", "sa", "P@ss/w:rd#%"),
        ("sa:P/w:r#d?x@host/db", "sa", "P/w:r#d?x"),
        # Azure SQL's user names may have the server in them.
        ("sa@contoso:pw@host/db", "sa@contoso", "pw"),
        ("sa%40contoso:pw@host/db", "sa@contoso", "pw"),
        (r"CORP\ana:pw@host/db", r"CORP\ana", "pw"),
        ("CORP%5Cana:pw@host/db", r"CORP\ana", "pw"),
        ("sa@host/db", "sa", None),
        ("host/db", None, None),
    ],
)
def test_user_and_password_reach_the_driver_as_they_are_meant(
    rest: str, user: str | None, password: str | None
) -> None:
    found = address(rest)
    assert (found.user, found.password(), found.host, found.database) == (user, password, "host", "db")
    assert password is None or password not in repr(found)


@pytest.mark.parametrize(
    ("place", "host", "instance", "port", "text"),
    [
        ("db.example", "db.example", None, 1433, "db.example:1433"),
        ("db.example:1499", "db.example", None, 1499, "db.example:1499"),
        ("db.example,1499", "db.example", None, 1499, "db.example:1499"),
        ("db.example,1499:1499", "db.example", None, 1499, "db.example:1499"),
        (r"db_1\SQLEXPRESS", "db_1", "SQLEXPRESS", None, r"db_1\SQLEXPRESS"),
        (r"10.0.0.7\MY$INST", "10.0.0.7", "MY$INST", None, r"10.0.0.7\MY$INST"),
        ("db%5CSQLEXPRESS", "db", "SQLEXPRESS", None, r"db\SQLEXPRESS"),
        # As for Microsoft's clients, a port says it all.
        (r"db\SQLEXPRESS:1499", "db", None, 1499, "db:1499"),
        (r"db\SQLEXPRESS,1499", "db", None, 1499, "db:1499"),
        (r".\SQLEXPRESS", "localhost", "SQLEXPRESS", None, r"localhost\SQLEXPRESS"),
        ("(local)", "localhost", None, 1433, "localhost:1433"),
        ("bücher.example", "bücher.example", None, 1433, "bücher.example:1433"),
        ("[::1]:1499", "::1", None, 1499, "::1:1499"),
    ],
)
def test_a_host_can_have_an_instance_or_a_port_as_microsofts_clients_write_them(
    place: str, host: str, instance: str | None, port: int | None, text: str
) -> None:
    found = address(f"sa:pw@{place}/db")
    assert (found.host, found.instance, found.port, str(found)) == (host, instance, port, text)


@pytest.mark.parametrize("place", ["-x", "a b", "a;b", r"a\b\c", r"a\ ", "(localdb)", "a,b", ".x"])
def test_a_host_that_cannot_be_one_is_refused(place: str) -> None:
    with pytest.raises(SettingsError, match="names a host that cannot be one"):
        address(f"sa:pw@{place}/db")


def test_an_instance_is_refused_where_the_certificate_is_checked(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with pytest.raises(SettingsError, match="FUNNEL_CA_FILE works only with a port"):
        address(r"sa:pw@db\SQLEXPRESS/db", ca_file=tmp_path / "ca.pem")


@pytest.mark.parametrize(
    "text", ["Server=db;Database=funnel;User Id=sa;Password=secret;", "jdbc:sqlserver://h;password=secret", "funnel.db"]
)
def test_a_text_that_is_no_url_is_answered_with_the_forms_of_both_engines(text: str) -> None:
    with pytest.raises(SettingsError, match=r"sqlite:///funnel\.db, or mssql\+pymssql://user:password@host") as refused:
        connect_to(text)
    assert "secret" not in str(refused.value)


def test_another_driver_is_named_with_the_forms_that_work() -> None:
    with pytest.raises(SettingsError, match=r"'mssql\+pyodbc'; write sqlite:///funnel\.db, or mssql\+pymssql://"):
        connect_to("mssql+pyodbc://sa:secret@db/funnel")


@pytest.mark.parametrize("url", ["sqlite:///a?b.db", "sqlite:///funnel.db?mode=ro"])
def test_a_question_mark_in_a_url_of_sqlite_is_refused_and_no_file_is_made(tmp_path: Path, url: str) -> None:
    done = run_command("--database-url", url, "install", cwd=tmp_path)
    assert done.returncode == 2
    assert "FUNNEL_DATABASE_URL has a ?" in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_a_line_end_after_the_url_is_not_a_part_of_it() -> None:
    assert address("sa:pw@host/db\n").database == "db"


def test_the_password_can_be_in_a_file_which_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes("\ufeffP@ss/wörd: 1 \r\n".encode())
    found = address("sa@host/db", database_password_file=path)
    assert found.password() == "P@ss/wörd: 1 "
    assert "wörd" not in repr(found)
    path.write_text("another\n")
    assert found.password() == "another"
    path.unlink()
    with pytest.raises(DatabaseUnavailable, match="FUNNEL_DATABASE_PASSWORD_FILE cannot be read"):
        found.password()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read"), (b"", "is empty"), (b"\n", "is empty"), (b"p\xe4ss", "is not UTF-8")],
)
def test_a_password_file_that_cannot_be_used_is_refused_at_the_start(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=f"FUNNEL_DATABASE_PASSWORD_FILE {reason}") as refused:
        address("sa@host/db", database_password_file=path)
    assert "p" + "\xe4" + "ss" not in str(refused.value)


def test_a_password_in_the_url_and_in_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret")
    with pytest.raises(SettingsError, match="leave one out"):
        address("sa:pw@host/db", database_password_file=tmp_path / "password")


def test_the_text_of_the_settings_has_no_secret() -> None:
    settings = load(
        database_url="mssql+pymssql://sa:secret@host/db",
        notify_urls=("json://secret",),
        dead_man_url="https://example.org/secret",
    )
    assert "secret" not in f"{settings!r} {settings}"
    assert "5000" in repr(settings)


@pytest.mark.parametrize("password", ["secret", "p@secret", "p:@/secret@"])
def test_the_log_shows_no_part_of_a_password_in_a_url(password: str) -> None:
    event = mask(logging, "info", {"event": f"cannot reach mssql+pymssql://sa:{password}@host:1433/db."})
    assert event["event"] == "cannot reach mssql+pymssql://sa:…@host:1433/db."
