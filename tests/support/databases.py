"""Databases to test on: SQLite always, a T-SQL engine where `FUNNEL_TEST_SQLSERVER_URL` names one.

The setting is read from the environment or from `~/.config/agent-funnel/test.env`, and with it
`FUNNEL_TEST_SQLSERVER_START`, a command that starts the server and ends when it answers (see CONTRIBUTING.md).
"""

from __future__ import annotations

import gc
import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import pymssql
from dotenv import dotenv_values
from sqlalchemy.engine import make_url
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from agent_funnel.agents import Agent, list_agents
from agent_funnel.database import Database, connect
from agent_funnel.database.sqlite import SQLite
from agent_funnel.database.sqlserver import SQLServer
from agent_funnel.install import install
from agent_funnel.settings import load

CONFIG = Path.home() / ".config" / "agent-funnel" / "test.env"
MISSING = (
    "NO T-SQL ENGINE: the tests on SQL Server are skipped. Set FUNNEL_TEST_SQLSERVER_URL to "
    "mssql+pymssql://user:password@host:port/master, in the environment or in ~/.config/agent-funnel/test.env "
    "(see CONTRIBUTING.md)"
)

OWN_TABLES = (
    "assignment_failure", "schedule_outcome", "schedule_pause", "holiday",
    "number_key", "assignment_run", "assignment_history", "assignment_request", "assignment_edit", "assignment_undo",
    "assignment_purge", "agent_limit", "do_not_contact", "access_key", "access_session", "audit_entry",
    "request_answer", "agent_link", "schedule_terms", "schedule_copy", "schedule_next", "schedule_void",
    "do_not_contact_list", "do_not_contact_entry", "floor_rule", "assignment_country", "schedule_notice",
    "forgotten_salt", "forgotten_number", "assignment_forgotten", "assignment_voice",
    "assignment_rule", "assignment_outcome", "assignment_call_back", "assignment_outcome_effect",
    "assignment_hand_back", "assignment_hand_back_lead",
    "import_record", "import_result", "import_lead", "import_row", "import_undo", "import_mapping", "assignment_limit",
    "schedule_skip",
)  # fmt: skip
TABLES = ("agents", "wafunnel", "agent_wafunnel_assignment", *OWN_TABLES)

# Your three tables as somebody else may have made them: no keys, no indexes, an identity on two of them.
BARE = {
    "sqlite": """
        CREATE TABLE agents (agent VARCHAR(50), status VARCHAR(20));
        CREATE TABLE wafunnel (id INTEGER PRIMARY KEY AUTOINCREMENT, number VARCHAR(50), stage INT, date DATETIME);
        CREATE TABLE agent_wafunnel_assignment
            (id INTEGER PRIMARY KEY AUTOINCREMENT, agent VARCHAR(50), number VARCHAR(50));
    """,
    "sqlserver": """
        CREATE TABLE dbo.agents (agent VARCHAR(50), status VARCHAR(20));
        CREATE TABLE dbo.wafunnel (id INT IDENTITY(1, 1), number VARCHAR(50), stage INT, date DATETIME);
        CREATE TABLE dbo.agent_wafunnel_assignment (id INT IDENTITY(1, 1), agent VARCHAR(50), number VARCHAR(50));
    """,
}


def bare_tables() -> str:
    """The script of your three tables on the T-SQL engine, in the collation that a setting of the tests names."""
    collation = sqlserver_setting("FUNNEL_TEST_SQLSERVER_COLLATION")
    return (
        re.sub(r"VARCHAR\(\d+\)", rf"\g<0> COLLATE {collation}", BARE["sqlserver"]) if collation else BARE["sqlserver"]
    )


def sqlserver_setting(name: str) -> str | None:
    """A setting of the tests, from the environment or from the file."""
    return {**dotenv_values(CONFIG), **os.environ}.get(name)


@cache
def sqlserver_url() -> str | None:
    """The URL of the T-SQL engine to test on, started if need be; None without one.

    The first process of a test run starts it, before there are other processes, since two starts at the same time would
    conflict.
    """
    url = sqlserver_setting("FUNNEL_TEST_SQLSERVER_URL")
    if url and "PYTEST_XDIST_WORKER" not in os.environ:
        sqlserver_command("START")
    return url or None


def sqlserver_command(name: str) -> None:
    """Starts or stops the T-SQL engine by the command in FUNNEL_TEST_SQLSERVER_START or _STOP, if it is set."""
    if command := sqlserver_setting(f"FUNNEL_TEST_SQLSERVER_{name}"):
        subprocess.run(command, shell=True, check=True, timeout=300, stdout=subprocess.DEVNULL)


def connect_to(url: str, schema: str = "dbo", **flags: Any) -> Database:
    """The product's database for a URL; `flags` are further settings."""
    return connect(load(database_url=url, database_schema=schema, **flags))


class TestedDatabase:
    """A database under test. `backend` is the product's database; the other methods do not use the product."""

    # This is not a test class, although pytest would take it for one by its name.
    __test__ = False

    def __init__(self, url: str, schema: str = "dbo") -> None:
        self.url = url
        self.schema = schema
        self.backend: Database = _lasting(connect_to(url, schema))
        self.engine = self.backend.dialect
        # One schema of the tests has a reserved word as its name.
        self._qualifier = "[order]." if schema == "order" else f"{schema}."
        self._raw: Any = None
        self._unrefused: Database | None = None

    @property
    def raw(self) -> Any:
        """The driver's own connection in autocommit mode, kept open."""
        if self._raw is None:
            url = make_url(self.url)
            if self.engine == "sqlite":
                self._raw = sqlite3.connect(
                    url.database or "", timeout=30, isolation_level=None, check_same_thread=False
                )
            else:
                self._raw = pymssql.connect(
                    server=url.host or "", port=str(url.port), user=url.username, password=url.password,
                    database=url.database or "", tds_version="7.4", autocommit=True,
                )  # fmt: skip
        return self._raw

    @property
    def unrefused(self) -> Database:
        """Another backend, for looks that nothing refuses, so that its sessions are as those of a new command.

        When a procedure refuses a call, Babelfish forgets who the user of that session is, and from then on says there
        that this user lacks rights.
        """
        if self._unrefused is None:
            self._unrefused = _lasting(connect_to(self.url, self.schema))
        return self._unrefused

    def execute(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Runs one statement, written with `dbo.` and `%s` for both engines; its rows have SQLite's dates as text."""
        if self.engine == "sqlserver" and statement.startswith("CREATE ") and self._raw is not None:
            # After a refused call, what a session on Babelfish makes belongs to nobody: others cannot use a schema, nor
            # see the name of a table. What a transaction makes is not to stay.
            with self._raw.cursor() as cursor:
                cursor.execute("SELECT @@TRANCOUNT")
                is_open = cursor.fetchall() != [(0,)]
            if not is_open:
                self._raw.close()
                self._raw = None
        if self.engine == "sqlite":
            rows: list[tuple[Any, ...]] = self.raw.execute(
                statement.replace("dbo.", "").replace("%s", "?"), parameters
            ).fetchall()
            return rows
        with self.raw.cursor() as cursor:
            cursor.execute(statement.replace("dbo.", self._qualifier), parameters)
            rows = cursor.fetchall() if cursor.description else []
            while cursor.nextset():
                rows = cursor.fetchall() if cursor.description else rows
            return rows

    def execute_patiently(self, statement: str) -> None:
        """Runs a statement that creates or drops a database or a login, as soon as the server allows it.

        Babelfish refuses to create or drop two of them at the same moment. A connection also keeps them in use until
        the server notices, perhaps a little late, that the client has gone.
        """
        Retrying(
            retry=retry_if_exception_type(pymssql.Error),
            stop=stop_after_delay(30),
            wait=wait_random(0.1, 0.5),
            reraise=True,
        )(self.execute, statement)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Inserts rows; converts datetimes to the engine's format."""
        values = [[_plain(value) for value in row] for row in rows]
        names = ", ".join(columns)
        if not values:
            return
        if self.engine == "sqlite":
            placeholders = ", ".join("?" * len(columns))
            self.raw.execute("BEGIN IMMEDIATE")
            self.raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({placeholders})", values)
            self.raw.execute("COMMIT")
            return
        # A DATE or DATETIME accepts ISO 8601 with a T in every language of the session.
        for row in values:
            for index, value in enumerate(row):
                if isinstance(value, str) and columns[index] == "date":
                    row[index] = value.replace(" ", "T")
        with_ = ", ".join(f"{name} {_json_type(name)} '$[{index}]'" for index, name in enumerate(columns))
        texts = json.dumps([[_unescaped(value) for value in row] for row in values], ensure_ascii=False)
        shown = names
        if texts != json.dumps(values, ensure_ascii=False):
            shown = ", ".join(
                name if name in WHOLE_NUMBERS else f"REPLACE(REPLACE({name}, NCHAR(57344), N'\"'), NCHAR(57345), N'\\')"
                for name in columns
            )
        self.execute(f"INSERT INTO dbo.{table} ({names}) SELECT {shown} FROM OPENJSON(%s) WITH ({with_})", texts)

    def clear(self) -> None:
        """Empties every table, except for the do-not-contact list that the installer makes.

        On SQLite in one transaction and on the T-SQL engine in one batch, since nearly every test begins with this.
        """
        kept = {"do_not_contact_list": " WHERE list_id > 1"}
        statements = [f"DELETE FROM dbo.{table}{kept.get(table, '')}" for table in TABLES]
        statements.append("UPDATE dbo.do_not_contact_list SET imported_at = NULL, warned_at = NULL")
        if self.engine == "sqlite":
            statements = ["BEGIN IMMEDIATE", *statements, "COMMIT"]
        for statement in statements if self.engine == "sqlite" else ["; ".join(statements)]:
            self.execute(statement)

    def close(self) -> None:
        """Closes every connection, also the backend's; the next use opens a new one."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None
        disconnect(self.backend)
        if self._unrefused is not None:
            disconnect(self._unrefused)


def _lasting(backend: Database) -> Database:
    """A backend that keeps its sessions, although to a test that sets the time they seem too old for the pool."""
    if isinstance(backend, SQLServer):
        backend._pool._recycle = -1
    return backend


def disconnect(backend: Database) -> None:
    """Closes the connections that a backend keeps. The driver does not always close them when they are collected."""
    if isinstance(backend, SQLServer):
        backend._pool.dispose()
    elif isinstance(backend, SQLite):
        while backend._kept:
            backend._kept.pop().close()


def _unescaped(value: Any) -> Any:
    """A text without the characters that JSON escapes: Babelfish leaves such escapes as they are."""
    return value.replace('"', "\ue000").replace("\\", "\ue001") if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    return value.isoformat(" ", "milliseconds") if isinstance(value, datetime) else value


# The columns that are inserted as whole numbers:
WHOLE_NUMBERS = {
    "stage", "max_records", "max_per_agent", "window_days", "newest_first", "run_id", "assigned", "list_id", "imported",
    "same_agent", "stands", "stage_back",
}  # fmt: skip


def _json_type(column: str) -> str:
    return "INT" if column in WHOLE_NUMBERS else "NVARCHAR(1000)"


def moment(value: date | str) -> datetime:
    """A date of either engine, to the millisecond."""
    parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(parsed, datetime):
        parsed = datetime.combine(parsed, time.min)
    return parsed.replace(microsecond=round(parsed.microsecond / 1000) * 1000 % 1_000_000)


@contextmanager
def sqlite_database(directory: Path, name: str, *, bare: bool = False) -> Iterator[TestedDatabase]:
    """A new, installed SQLite database; with `bare`, on your three tables as somebody else made them."""
    path = directory / f"{name}.db"
    if bare:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(BARE["sqlite"])
    database = TestedDatabase(f"sqlite:///{path}")
    install(database.backend)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def sqlserver_database(name: str) -> Iterator[str]:
    """The URL of a new, empty database on the T-SQL engine, which is dropped at the end."""
    server = make_url(sqlserver_url() or "")
    with closing(TestedDatabase(server.render_as_string(hide_password=False))) as master:
        master.execute_patiently(f"DROP DATABASE IF EXISTS {name}")
        master.execute_patiently(f"CREATE DATABASE {name}")
        if versions := sqlserver_setting("FUNNEL_TEST_SQLSERVER_SNAPSHOT_READS"):
            assert versions in ("on", "off"), "FUNNEL_TEST_SQLSERVER_SNAPSHOT_READS is neither on nor off"
            master.execute(f"ALTER DATABASE {name} SET READ_COMMITTED_SNAPSHOT {versions.upper()}")
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            # A backend and its pool refer to each other, so an unused one stays connected until the garbage collection.
            gc.collect()
            # Use a new connection, since the engine may have been restarted meanwhile.
            master.close()
            master.execute_patiently(f"DROP DATABASE IF EXISTS {name}")


@contextmanager
def sqlserver_schema(url: str, schema: str, *, tables: str = "") -> Iterator[TestedDatabase]:
    """A new, installed schema in a database of the T-SQL engine; `tables` is a script of existing tables."""
    database = TestedDatabase(url, schema)
    if schema != "dbo":
        database.execute(f"CREATE SCHEMA {schema}")
    for statement in filter(str.strip, tables.split(";")):
        database.execute(statement)
    install(database.backend)
    try:
        yield database
    finally:
        database.close()


def snapshot(database: TestedDatabase) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, sorted, to compare two moments.

    Without the record of requests, in which refused requests stay, too, and without what the schedule notes
    of itself at each look.
    """
    rows = {
        table: database.execute(f"SELECT * FROM dbo.{table}")
        for table in TABLES
        if table not in ("access_key", "access_session", "audit_entry", "request_answer")
        and table not in ("schedule_copy", "schedule_next", "schedule_terms")
    }
    # Without the moments of last use.
    rows["access_key"] = database.execute("SELECT key_id, name, role, secret_hash, revoked_at FROM dbo.access_key")
    return {table: sorted(found, key=repr) for table, found in rows.items()}


def all_rows(database: TestedDatabase) -> str:
    """Every row of every table as one text, to search for secrets."""
    return repr([database.execute(f"SELECT * FROM dbo.{table}") for table in TABLES])


def seed_tables(database: TestedDatabase, *, leads: int = 7, agents: int = 3) -> None:
    """Adds a few agents and a few fresh leads."""
    database.insert("agents", ("agent", "status"), [(f"agent {index}", "active") for index in range(agents)])
    today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    database.insert(
        "wafunnel",
        ("number", "stage", "date"),
        [(f"+4930000{index:04d}", 1 + index % 3, today) for index in range(leads)],
    )


def agent_named(database: Database, name: str, business_date: date) -> Agent:
    """The agent of exactly this name; there must be one."""
    (found,) = (agent for agent in list_agents(database, business_date) if agent.agent == name)
    return found
