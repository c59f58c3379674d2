"""Installation: what it creates, what it leaves alone and what it refuses; and databases without an installation."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pymssql
import pytest
from sqlalchemy.engine import make_url

from agent_funnel.deal import deal, undo
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import DatabaseError, DatabaseUnavailable, NotInstalled, ParameterOutOfRange
from agent_funnel.install import Installed, install
from agent_funnel.settings import load
from agent_funnel.sql import _table_version, routines, scripts, version, views
from support import LONG
from support.databases import BARE, TABLES, TestedDatabase, connect_to, sqlserver_database
from support.nights import TODAY, run_deal

YOUR_TABLES = ("agents", "wafunnel", "agent_wafunnel_assignment")
PROCEDURE = "sp_assign_wafunnel_to_agents"
PROCEDURES = tuple(sorted(routines("sqlserver")))

# Your three tables as others might have made them: other widths, NVARCHAR, more columns before and between ours.
OTHER = {
    "sqlite": """
        CREATE TABLE agents (team NVARCHAR(10), agent NVARCHAR(40) NOT NULL, status NVARCHAR(8), hired DATE);
        CREATE TABLE wafunnel
            (source NVARCHAR(20), number NVARCHAR(16), note TEXT, stage SMALLINT NOT NULL, date TIMESTAMP, score REAL);
        CREATE INDEX by_source ON wafunnel (source);
        CREATE TABLE agent_wafunnel_assignment
            (number NVARCHAR(16), called INT DEFAULT 0, agent NVARCHAR(40), id INTEGER PRIMARY KEY);
    """,
    "sqlserver": """
        CREATE TABLE dbo.agents (team NVARCHAR(10), agent NVARCHAR(40) NOT NULL, status NVARCHAR(8), hired DATE);
        CREATE TABLE dbo.wafunnel
            (source NVARCHAR(20), number NVARCHAR(16), note NVARCHAR(MAX), stage SMALLINT NOT NULL, date DATETIME2(3),
            score FLOAT);
        CREATE INDEX by_source ON dbo.wafunnel (source);
        CREATE TABLE dbo.agent_wafunnel_assignment
            (number NVARCHAR(16), called INT DEFAULT 0, agent NVARCHAR(40), id BIGINT IDENTITY(7, 3) PRIMARY KEY);
    """,
}


@contextmanager
def new_sqlserver_database(request: pytest.FixtureRequest, schema: str = "dbo") -> Iterator[TestedDatabase]:
    request.getfixturevalue("sqlserver")  # skips where there is no such engine
    with sqlserver_database(f"funnel_install_{schema}_{os.getpid()}") as url:
        database = TestedDatabase(url, schema)
        try:
            yield database
        finally:
            database.close()


@pytest.fixture(params=["sqlite", "sqlserver"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestedDatabase]:
    """An empty database without any tables; the test runs on each engine."""
    if request.param == "sqlite":
        database = TestedDatabase(f"sqlite:///{tmp_path / 'funnel.db'}")
        yield database
        database.close()
    else:
        with new_sqlserver_database(request) as database:
            yield database


def create(database: TestedDatabase, scripts: dict[str, str]) -> None:
    for statement in scripts[database.engine].split(";"):
        if statement.strip():
            database.execute(statement)


def fill(database: TestedDatabase, leads: int = 10, agents: int = 3) -> None:
    database.insert("agents", ("agent", "status"), [(f"agent {n}", "active") for n in range(agents)])
    database.insert(
        "wafunnel", ("number", "stage", "date"), [(f"4930{n:04}", 1, "2026-11-10 08:00:00.000") for n in range(leads)]
    )


def objects(database: TestedDatabase, schema: str = "dbo") -> set[str]:
    """The names of all tables, views, procedures, functions and triggers."""
    if database.engine == "sqlite":
        statement = "SELECT name FROM sqlite_schema WHERE type <> 'index' AND name NOT LIKE 'sqlite_%'"
        return {name for (name,) in database.raw.execute(statement)}
    found = database.execute(
        """
        SELECT o.name FROM sys.objects AS o
        WHERE o.schema_id = SCHEMA_ID(%s) AND o.type IN ('U', 'V', 'P', 'FN', 'IF', 'TF', 'TR')
        """,
        schema,
    )
    return {name for (name,) in found}


def every_table(database: TestedDatabase) -> set[str]:
    """The tables of an installation; SQLite has no procedures, and so no table of their checksums."""
    found = {*TABLES, "agent_funnel_version"}
    return found if database.engine == "sqlite" else {*found, "agent_funnel_checksum"}


def expected_objects(database: TestedDatabase) -> set[str]:
    return every_table(database) | views(database.engine) | (set() if database.engine == "sqlite" else {*PROCEDURES})


def catalogue(database: TestedDatabase, table: str) -> Any:
    """Everything the engine knows about a table, including its object id, which differs if it was created again."""
    if database.engine == "sqlite":
        return [
            database.raw.execute("SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ?", (table,)).fetchall(),
            database.raw.execute(f"PRAGMA table_info({table})").fetchall(),
            database.raw.execute(f"PRAGMA index_list({table})").fetchall(),
        ]
    return [
        sorted(database.execute(statement, f"{database.schema}.{table}"), key=repr)
        for statement in (
            """
            SELECT c.object_id, c.name, c.column_id, c.user_type_id, c.max_length, c.precision, c.scale, c.is_nullable,
                c.is_identity, c.collation_name
            FROM sys.columns AS c WHERE c.object_id = OBJECT_ID(%s)
            """,
            """
            SELECT i.name, i.type, i.is_unique, i.is_primary_key
            FROM sys.indexes AS i WHERE i.object_id = OBJECT_ID(%s)
            """,
            # Constraints, keys, defaults, triggers:
            "SELECT o.name, o.type FROM sys.objects AS o WHERE o.parent_object_id = OBJECT_ID(%s)",
        )
    ]


def rows(database: TestedDatabase, table: str) -> list[tuple[Any, ...]]:
    return sorted(database.execute(f"SELECT * FROM dbo.{table}"), key=repr)


def test_an_installation_creates_everything_and_a_second_one_nothing(new_database: TestedDatabase) -> None:
    assert new_database.engine == "sqlserver" or not Path(make_url(new_database.url).database or "").exists()
    first = install(new_database.backend)
    assert set(first.made) == expected_objects(new_database)
    assert (first.kept, first.replaced) == ((), ())
    assert objects(new_database) == expected_objects(new_database)
    fill(new_database)
    assert run_deal(new_database).assigned == 10

    before = {table: (catalogue(new_database, table), rows(new_database, table)) for table in every_table(new_database)}
    again = install(new_database.backend)
    assert again.made == ()
    assert set(again.kept) == every_table(new_database)
    assert again.replaced == (PROCEDURES if new_database.engine == "sqlserver" else ())
    assert {
        table: (catalogue(new_database, table), rows(new_database, table)) for table in every_table(new_database)
    } == before

    new_database.execute("DROP TABLE dbo.agent_limit")
    repaired = install(new_database.backend)
    assert repaired.made == ("agent_limit",)
    assert set(repaired.kept) == every_table(new_database) - {"agent_limit"}
    others = [table for table in TABLES if table != "agent_limit"]
    assert {table: (catalogue(new_database, table), rows(new_database, table)) for table in others} == {
        table: before[table] for table in others
    }
    add_do_not_contact(new_database.backend, "49300000")
    assert run_deal(new_database).assigned == 9


def test_an_upgraded_database_equals_a_new_one(new_database: TestedDatabase) -> None:
    # A database of version 1, with a run on record:
    with new_database.backend.for_any_version().transaction(create=True) as session:
        session.script("tables-1-deal")
        session.one("record_version", version=1)
    new_database.execute(
        'INSERT INTO dbo.assignment_run (business_date, "trigger", status, max_per_agent, window_days, newest_first, '
        "assigned, started_at) VALUES ('2026-11-22', 'schedule', 'succeeded', 450, 45, 0, 1, '2026-11-22 20:40:00')"
    )
    new_database.insert(
        "assignment_history",
        ("run_id", "agent", "number", "date", "stage"),
        [(1, "agent 9", "49300000", "2026-11-10 08:00:00.000", 1)],
    )
    new_database.insert("agent_wafunnel_assignment", ("agent", "number"), [("agent 9", "49300000")])
    installed = install(new_database.backend)
    assert "assignment_undo" in installed.made
    assert "assignment_run" in installed.kept
    assert objects(new_database) == expected_objects(new_database)
    fill(new_database)
    assert run_deal(new_database).assigned == 10
    # A deal of the older version can be undone as well.
    new_database.execute("UPDATE dbo.wafunnel SET stage = 2 WHERE number = '49300000'")
    assert undo(new_database.backend).assignments == 1
    assert undo(new_database.backend).run_id == 1


def another_place(database: TestedDatabase, name: str) -> TestedDatabase:
    """Another place to install in: a file next to the file, or another schema."""
    if database.engine == "sqlite":
        return TestedDatabase(f"sqlite:///{Path(make_url(database.url).database or '').with_name(name)}")
    database.execute(f"CREATE SCHEMA {name}")
    return TestedDatabase(database.url, name)


def definition_of(database: TestedDatabase, table: str) -> Any:
    """The catalogue of a table without its object id, which differs from place to place."""
    if database.engine == "sqlite":
        made, *rest = catalogue(database, table)
        # A table that was renamed, and back, has its name in quotation marks.
        return [[(*others, sql and sql.replace(f'"{table}"', table)) for *others, sql in made], *rest]
    columns, *rest = catalogue(database, table)
    return [sorted((row[1:] for row in columns), key=repr), *rest]


def test_an_upgrade_from_each_version_equals_a_new_installation(database: TestedDatabase) -> None:
    dialect, newest = database.engine, version(database.engine)
    new = {table: definition_of(database, table) for table in every_table(database)}
    with_table = max(_table_version(stem) for stem, text in scripts(dialect).items() if "CREATE TABLE" in text)
    # On a T-SQL engine, the short version upgrades from the oldest version only.
    for older in range(1, newest + 1) if LONG or dialect == "sqlite" else (1,):
        with closing(another_place(database, f"version_{older}")) as place:
            with place.backend.for_any_version().transaction(create=True) as session:
                for stem in scripts(dialect):
                    if stem.startswith("tables-") and int(stem.split("-")[1]) <= older:
                        session.script(stem)
                session.one("record_version", version=older)
            assert bool(set(install(place.backend).made) & set(TABLES)) == (older < with_table), older
            assert {table: definition_of(place, table) for table in every_table(place)} == new, older
            assert place.backend.installed_version() == newest, older


@pytest.mark.parametrize(
    "shape",
    [
        # All tests with `bare_database` work on such tables on a T-SQL engine.
        pytest.param(BARE, marks=pytest.mark.sqlserver_if_long, id="bare"),
        pytest.param(OTHER, id="other widths, types and columns"),
    ],
)
def test_existing_tables_work_and_are_never_altered(new_database: TestedDatabase, shape: dict[str, str]) -> None:
    create(new_database, shape)
    fill(new_database, leads=8)
    # Such tables may also hold a lead without a number, and assignments from before the installation.
    new_database.insert("wafunnel", ("number", "stage", "date"), [(None, 1, "2026-11-10 08:00:00.000")])
    new_database.insert("agent_wafunnel_assignment", ("agent", "number"), [("agent 9", "49300001")])
    tables = {table: catalogue(new_database, table) for table in YOUR_TABLES}
    content = {table: rows(new_database, table) for table in YOUR_TABLES}

    installed = install(new_database.backend)
    assert set(installed.made) == expected_objects(new_database) - set(YOUR_TABLES)
    assert set(installed.kept) == set(YOUR_TABLES)
    assert installed.replaced == ()
    assert {table: catalogue(new_database, table) for table in YOUR_TABLES} == tables
    assert {table: rows(new_database, table) for table in YOUR_TABLES} == content

    run = run_deal(new_database)
    assert (run.agents, run.pool, run.assigned) == (3, 8, 8)
    assert {table: catalogue(new_database, table) for table in YOUR_TABLES} == tables
    assert rows(new_database, "agents") == content["agents"]
    # The same rows, except that the stage of each dealt lead is one higher:
    new_database.execute("UPDATE dbo.wafunnel SET stage = stage - 1 WHERE number IS NOT NULL")
    assert rows(new_database, "wafunnel") == content["wafunnel"]
    assigned = new_database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")
    assert sorted(assigned, key=lambda row: row[1]) == [(f"agent {n % 3}", f"4930{n:04}") for n in range(8)]


@pytest.mark.sqlserver_if_long
def test_your_three_tables_are_recognized_in_another_case_and_kept(new_database: TestedDatabase) -> None:
    create(new_database, {name: text.replace("agents", "AGENTS") for name, text in BARE.items()})
    fill(new_database)
    installed = install(new_database.backend)
    assert {name.lower() for name in installed.kept} == set(YOUR_TABLES)
    assert set(installed.made) == expected_objects(new_database) - set(YOUR_TABLES)
    assert run_deal(new_database).assigned == 10


def test_a_missing_schema_is_named_and_not_created(request: pytest.FixtureRequest) -> None:
    with new_sqlserver_database(request, "seles") as database:
        for _ in range(2):
            with pytest.raises(DatabaseError, match=r"no schema seles.*FUNNEL_SCHEMA") as refusal:
                install(database.backend)
            assert_readable(refusal.value)
        assert database.execute("SELECT SCHEMA_ID('seles')") == [(None,)]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("wafunnel", "date"),
        pytest.param("agent_wafunnel_assignment", "agent", marks=pytest.mark.sqlserver_if_long),
    ],
)
def test_a_table_that_lacks_a_column_is_named_with_it_and_nothing_is_installed(
    new_database: TestedDatabase, table: str, column: str
) -> None:
    columns = ("number", "stage", "date") if table == "wafunnel" else ("agent", "number")
    there = ", ".join(f"{name} VARCHAR(20)" for name in columns if name != column)
    new_database.execute(f"CREATE TABLE dbo.{table} (id INT, {there})")
    before = catalogue(new_database, table)
    with pytest.raises(DatabaseError, match=rf"\b{table}\b.*\b{column}\b") as refusal:
        install(new_database.backend)
    assert_readable(refusal.value)
    assert objects(new_database) == {table}
    assert catalogue(new_database, table) == before


class Sales(NamedTuple):
    """The schema sales of a database whose dbo has your three tables, after an installation in sales."""

    database: TestedDatabase
    dbo: TestedDatabase
    dbo_before: dict[str, Any]
    # A user with a right of their own on the procedure that was there before:
    guest: TestedDatabase
    installed: Installed


@pytest.fixture(scope="module")
def sales(request: pytest.FixtureRequest) -> Iterator[Sales]:
    with new_sqlserver_database(request, "sales") as database, closing(TestedDatabase(database.url)) as dbo:
        create(dbo, BARE)
        fill(dbo, leads=4)
        database.execute("CREATE SCHEMA sales")
        database.execute(f"CREATE PROCEDURE dbo.{PROCEDURE} @date DATE = NULL AS SELECT 'older' AS status")
        login = f"funnel_test_login_{os.getpid()}"
        database.execute_patiently(f"CREATE LOGIN {login} WITH PASSWORD = 'For-an-hour-only-1'")
        url = make_url(database.url).set(username=login, password="For-an-hour-only-1")
        guest = TestedDatabase(url.render_as_string(hide_password=False), "sales")
        try:
            database.execute_patiently(f"CREATE USER {login} FOR LOGIN {login}")
            with pytest.raises(pymssql.Error, match="permission"):
                guest.execute(f"EXECUTE dbo.{PROCEDURE}")
            # This grants to the user, not to our role, which gets its grants from each installation.
            database.execute(f"GRANT EXECUTE ON dbo.{PROCEDURE} TO {login}")
            assert guest.execute(f"EXECUTE dbo.{PROCEDURE}") == [("older",)]
            before = {table: (catalogue(dbo, table), rows(dbo, table)) for table in YOUR_TABLES}
            installed = install(database.backend)
            fill(database)
            yield Sales(database, dbo, before, guest, installed)
        finally:
            guest.close()
            # Babelfish keeps a user that has a right, even when the database is dropped.
            database.execute(f"REVOKE EXECUTE ON dbo.{PROCEDURE} FROM {login}")
            database.execute_patiently(f"DROP USER IF EXISTS {login}")
            database.execute_patiently(f"DROP LOGIN {login}")


def test_an_older_procedure_is_replaced_and_grants_on_it_stay(sales: Sales) -> None:
    assert sales.installed.replaced == (PROCEDURE,)
    assert run_deal(sales.database).assigned == 10
    # The procedure accepts the user and then refuses the parameter, before it reads anything.
    with pytest.raises(pymssql.Error) as refusal:
        sales.guest.execute(f"EXECUTE dbo.{PROCEDURE} @max_per_agent = 0")
    assert refusal.value.args[0] == ParameterOutOfRange.number


def test_everything_is_created_in_the_given_schema_and_dbo_is_left_alone(sales: Sales) -> None:
    assert set(sales.installed.made) == expected_objects(sales.database) - {PROCEDURE}
    assert sales.installed.kept == ()
    assert objects(sales.database, "sales") == expected_objects(sales.database)
    assert run_deal(sales.database).assigned == 10
    assert len(rows(sales.database, "agent_wafunnel_assignment")) == 10
    assert objects(sales.dbo) == set(YOUR_TABLES)
    assert {table: (catalogue(sales.dbo, table), rows(sales.dbo, table)) for table in YOUR_TABLES} == sales.dbo_before


def assert_readable(error: Exception) -> None:
    """Asserts that the message is fit for a person, and that the password is nowhere in the error."""
    text = str(error)
    assert "\n" not in text
    assert 20 < len(text) < 300
    assert text.endswith(".")
    assert "DB-Lib" not in text
    assert "hunter2" not in "".join(traceback.format_exception(error))


def test_without_an_installation_the_error_names_the_command_that_installs(
    new_database: TestedDatabase,
) -> None:
    create(new_database, BARE)
    fill(new_database)
    with pytest.raises(NotInstalled, match="`agent-funnel install`") as refusal:
        run_deal(new_database)
    assert_readable(refusal.value)
    # Babelfish's own message would list the types of all parameters of the procedure.
    assert "@" not in str(refusal.value)
    assert objects(new_database) == set(YOUR_TABLES)
    assert rows(new_database, "agent_wafunnel_assignment") == []


def test_a_path_without_a_database_is_refused_and_no_file_is_created(tmp_path: Path) -> None:
    backend = connect_to(f"sqlite:///{tmp_path / 'mistyped.db'}")
    with pytest.raises(DatabaseUnavailable, match=r"mistyped\.db") as refusal:
        deal(backend, load(), business_date=TODAY)
    assert_readable(refusal.value)
    assert list(tmp_path.iterdir()) == []
