"""Installation: what it makes, what it leaves alone, what it refuses; and databases it cannot be on."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pymssql
import pytest
from sqlalchemy.engine import make_url

from agent_funnel import service
from agent_funnel.backends import connect
from agent_funnel.errors import DatabaseError, DatabaseUnavailable, NotInstalled, ParameterOutOfRange
from agent_funnel.install import install
from agent_funnel.records import Run
from agent_funnel.settings import load
from databases import BARE, TABLES, Database, sqlserver_database
from processes import run_command

TONIGHT = date(2026, 11, 23)
BRIEF = ("agents", "wafunnel", "agent_wafunnel_assignment")
PROCEDURE = "sp_assign_wafunnel_to_agents"
EVERY_TABLE = {*TABLES, "agent_funnel_version"}

# The brief's tables as a third party might have them: other widths, NVARCHAR, other columns before and between ours.
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
def new_sqlserver_database(request: pytest.FixtureRequest, schema: str = "dbo") -> Iterator[Database]:
    request.getfixturevalue("sqlserver")  # skips where there is no such engine
    with sqlserver_database(f"funnel_install_{os.getpid()}") as url:
        database = Database(url, schema)
        try:
            yield database
        finally:
            let_go(database)


def let_go(database: Database) -> None:
    """Closes every connection, without which the database could not be dropped."""
    database.close()
    if database.engine == "sqlserver":
        database.backend._pool.dispose()  # type: ignore[attr-defined]


@pytest.fixture(params=["sqlite", "sqlserver"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it; the test runs on each engine."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'funnel.db'}")
        yield database
        database.close()
    else:
        with new_sqlserver_database(request) as database:
            yield database


def create(database: Database, scripts: dict[str, str]) -> None:
    for statement in scripts[database.engine].split(";"):
        if statement.strip():
            database.execute(statement)


def fill(database: Database, leads: int = 10, agents: int = 3) -> None:
    database.insert("agents", ("agent", "status"), [(f"agent {n}", "active") for n in range(agents)])
    database.insert(
        "wafunnel", ("number", "stage", "date"), [(f"4930{n:04}", 1, "2026-11-10 08:00:00.000") for n in range(leads)]
    )


def deal(database: Database) -> Run:
    return service.assign(database.backend, load(), business_date=TONIGHT)


def objects(database: Database, schema: str = "dbo") -> set[str]:
    """The tables, views, procedures and functions that there are."""
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


def expected_objects(database: Database) -> set[str]:
    return EVERY_TABLE if database.engine == "sqlite" else {*EVERY_TABLE, PROCEDURE}


def catalogue(database: Database, table: str) -> Any:
    """All that the engine knows of how a table was made. Its object id too: a table made anew has another one."""
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


def rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    return sorted(database.execute(f"SELECT * FROM dbo.{table}"), key=repr)


def test_installing_on_an_empty_database_makes_everything_and_again_makes_nothing(new_database: Database) -> None:
    assert new_database.engine == "sqlserver" or not Path(make_url(new_database.url).database or "").exists()
    first = install(new_database.backend)
    assert set(first.made) == expected_objects(new_database)
    assert (first.kept, first.replaced) == ((), ())
    assert objects(new_database) == expected_objects(new_database)
    fill(new_database)
    assert deal(new_database).assigned == 10

    before = {table: (catalogue(new_database, table), rows(new_database, table)) for table in EVERY_TABLE}
    again = install(new_database.backend)
    assert again.made == ()
    assert set(again.kept) == EVERY_TABLE
    assert again.replaced == ((PROCEDURE,) if new_database.engine == "sqlserver" else ())
    assert {table: (catalogue(new_database, table), rows(new_database, table)) for table in EVERY_TABLE} == before

    new_database.execute("DROP TABLE dbo.do_not_contact")
    repaired = install(new_database.backend)
    assert repaired.made == ("do_not_contact",)
    assert set(repaired.kept) == EVERY_TABLE - {"do_not_contact"}
    assert {table: (catalogue(new_database, table), rows(new_database, table)) for table in TABLES[:-1]} == {
        table: before[table] for table in TABLES[:-1]
    }
    service.add_do_not_contact(new_database.backend, "49300000")
    assert deal(new_database).assigned == 9


@pytest.mark.parametrize("shape", [BARE, OTHER], ids=["bare", "other widths, types and columns"])
def test_tables_that_are_there_already_work_and_are_never_altered(
    new_database: Database, shape: dict[str, str]
) -> None:
    create(new_database, shape)
    fill(new_database, leads=8)
    # What such tables have, too: a lead without a number, and assignments from before our time.
    new_database.insert("wafunnel", ("number", "stage", "date"), [(None, 1, "2026-11-10 08:00:00.000")])
    new_database.insert("agent_wafunnel_assignment", ("agent", "number"), [("agent 9", "49300001")])
    tables = {table: catalogue(new_database, table) for table in BRIEF}
    content = {table: rows(new_database, table) for table in BRIEF}

    installed = install(new_database.backend)
    assert set(installed.made) == expected_objects(new_database) - set(BRIEF)
    assert set(installed.kept) == set(BRIEF)
    assert installed.replaced == ()
    assert {table: catalogue(new_database, table) for table in BRIEF} == tables
    assert {table: rows(new_database, table) for table in BRIEF} == content

    run = deal(new_database)
    assert (run.agents, run.pool, run.assigned) == (3, 8, 8)
    assert {table: catalogue(new_database, table) for table in BRIEF} == tables
    assert rows(new_database, "agents") == content["agents"]
    # The same rows but for the stage, which one more of each lead that was dealt:
    new_database.execute("UPDATE dbo.wafunnel SET stage = stage - 1 WHERE number IS NOT NULL")
    assert rows(new_database, "wafunnel") == content["wafunnel"]
    assigned = new_database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")
    assert sorted(assigned, key=lambda row: row[1]) == [(f"agent {n % 3}", f"4930{n:04}") for n in range(8)]


@pytest.mark.parametrize(
    ("table", "column"),
    [("wafunnel", "date"), ("agent_wafunnel_assignment", "agent")],
)
def test_a_table_that_lacks_a_column_is_named_with_it_and_nothing_is_installed(
    new_database: Database, table: str, column: str
) -> None:
    columns = ("number", "stage", "date") if table == "wafunnel" else ("agent", "number")
    there = ", ".join(f"{name} VARCHAR(20)" for name in columns if name != column)
    new_database.execute(f"CREATE TABLE dbo.{table} (id INT, {there})")
    before = catalogue(new_database, table)
    with pytest.raises(DatabaseError, match=rf"\b{table}\b.*\b{column}\b") as refusal:
        install(new_database.backend)
    assert_one_sentence(refusal.value)
    assert objects(new_database) == {table}
    assert catalogue(new_database, table) == before


def test_an_older_procedure_is_replaced_and_what_was_granted_on_it_stays(request: pytest.FixtureRequest) -> None:
    with new_sqlserver_database(request) as database:
        database.execute(f"CREATE PROCEDURE dbo.{PROCEDURE} @date DATE = NULL AS SELECT 'older' AS status")
        login = f"funnel_test_login_{os.getpid()}"
        database.execute(f"CREATE LOGIN {login} WITH PASSWORD = 'For-an-hour-only-1'")
        url = make_url(database.url).set(username=login, password="For-an-hour-only-1")
        guest = Database(url.render_as_string(hide_password=False))
        try:
            database.execute(f"CREATE USER {login} FOR LOGIN {login}")
            with pytest.raises(pymssql.Error, match="permission"):
                guest.execute(f"EXECUTE dbo.{PROCEDURE}")
            # To the user, not to our role, to which the installer grants it every time.
            database.execute(f"GRANT EXECUTE ON dbo.{PROCEDURE} TO {login}")
            assert guest.execute(f"EXECUTE dbo.{PROCEDURE}") == [("older",)]

            installed = install(database.backend)
            assert installed.replaced == (PROCEDURE,)
            assert set(installed.made) == EVERY_TABLE
            fill(database)
            assert deal(database).assigned == 10
            # It lets the user in, and there refuses the parameter, before it reads anything.
            with pytest.raises(pymssql.Error) as refusal:
                guest.execute(f"EXECUTE dbo.{PROCEDURE} @max_per_agent = 0")
            assert refusal.value.args[0] == ParameterOutOfRange.number
        finally:
            let_go(guest)
            # Babelfish keeps a user that has a right, and would keep it with the database.
            database.execute(f"REVOKE EXECUTE ON dbo.{PROCEDURE} FROM {login}")
            database.execute(f"DROP USER IF EXISTS {login}")
            database.execute(f"DROP LOGIN {login}")


def test_in_another_schema_everything_is_made_there_and_dbo_is_left_alone(request: pytest.FixtureRequest) -> None:
    with new_sqlserver_database(request, "sales") as database, closing(Database(database.url)) as dbo:
        create(dbo, BARE)
        fill(dbo, leads=4)
        tables = {table: (catalogue(dbo, table), rows(dbo, table)) for table in BRIEF}
        database.execute("CREATE SCHEMA sales")

        installed = install(database.backend)
        assert set(installed.made) == expected_objects(database)
        assert (installed.kept, installed.replaced) == ((), ())
        assert objects(database, "sales") == expected_objects(database)
        fill(database, leads=10)
        assert deal(database).assigned == 10
        assert len(rows(database, "agent_wafunnel_assignment")) == 10

        assert objects(dbo) == set(BRIEF)
        assert {table: (catalogue(dbo, table), rows(dbo, table)) for table in BRIEF} == tables


def assert_one_sentence(error: Exception) -> None:
    """Fit to be shown to a person, and without the password wherever one looks."""
    text = str(error)
    assert "\n" not in text
    assert 20 < len(text) < 300
    assert text.endswith(".")
    assert "DB-Lib" not in text
    assert "hunter2" not in "".join(traceback.format_exception(error))


def test_a_database_without_an_installation_is_told_apart_and_the_message_names_the_command(
    new_database: Database,
) -> None:
    create(new_database, BARE)
    fill(new_database)
    with pytest.raises(NotInstalled, match="`agent-funnel install`") as refusal:
        deal(new_database)
    assert_one_sentence(refusal.value)
    assert objects(new_database) == set(BRIEF)
    assert rows(new_database, "agent_wafunnel_assignment") == []


def test_a_path_where_there_is_no_database_is_refused_and_no_file_is_made(tmp_path: Path) -> None:
    backend = connect(f"sqlite:///{tmp_path / 'mistyped.db'}")
    with pytest.raises(DatabaseUnavailable, match=r"mistyped\.db") as refusal:
        service.assign(backend, load(), business_date=TONIGHT)
    assert_one_sentence(refusal.value)
    assert list(tmp_path.iterdir()) == []


def assert_unavailable(url: Any) -> DatabaseUnavailable:
    backend = connect(url.render_as_string(hide_password=False))
    with pytest.raises(DatabaseUnavailable) as refusal:
        service.assign(backend, load(), business_date=TONIGHT)
    assert_one_sentence(refusal.value)
    return refusal.value


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_server_that_nobody_is_at_is_unavailable() -> None:
    port = free_port()
    url = make_url(f"mssql+pymssql://sa:hunter2@127.0.0.1:{port}/funnel")
    assert f"127.0.0.1:{port}" in str(assert_unavailable(url))


def test_a_server_that_went_away_after_it_had_answered_is_unavailable(sqlserver: str) -> None:
    # The client library remembers what it heard at a login, in this process, and reports it at the next one that fails.
    assert connect(sqlserver).one("ping") == {"alive": 1}
    assert_unavailable(make_url(sqlserver).set(port=free_port(), password="hunter2"))


def test_what_a_server_said_before_is_not_taken_for_the_answer_of_another() -> None:
    with server_that_refuses_the_login("sa") as port:
        assert_unavailable(make_url(f"mssql+pymssql://sa:hunter2@127.0.0.1:{port}/funnel"))
    message = str(assert_unavailable(make_url(f"mssql+pymssql://sa:hunter2@127.0.0.1:{free_port()}/funnel")))
    assert "password" not in message
    assert "reached" in message


@pytest.mark.parametrize("changed", [{"username": "nobody_of_that_name"}, {"database": "no_such_database"}])
def test_a_login_that_the_server_refuses_is_unavailable(sqlserver: str, changed: dict[str, str]) -> None:
    message = str(assert_unavailable(make_url(sqlserver).set(**changed)))  # type: ignore[arg-type]
    assert "install" not in message


def test_a_wrong_password_is_said_to_be_that_and_is_not_repeated(tmp_path: Path) -> None:
    # A server that trusts its own machine takes every password, so this is another one, with SQL Server's answer; in a
    # process of its own, where the client library has heard nothing yet.
    with server_that_refuses_the_login("sa") as port:
        answer = run_command(
            "run", cwd=tmp_path, FUNNEL_DATABASE_URL=f"mssql+pymssql://sa:hunter2@127.0.0.1:{port}/funnel"
        )
    assert answer.returncode != 0
    assert "password" in answer.stderr
    assert "'sa'" in answer.stderr
    assert "hunter2" not in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


@contextmanager
def server_that_refuses_the_login(user: str) -> Iterator[int]:
    """Listens on a port and answers each login with error 18456, as MS-TDS 2.2.7.10 (ERROR) has it."""

    def text(value: str, size: str) -> bytes:
        return struct.pack(size, len(value)) + value.encode("utf-16-le")

    def packet(content: bytes) -> bytes:
        return struct.pack(">BBHHBB", 4, 1, len(content) + 8, 0, 1, 0) + content

    # PRELOGIN: the server's version, and that it has no encryption.
    offered = struct.pack(">BHHBHHB", 0, 11, 6, 1, 17, 1, 255) + bytes([13, 0, 0, 0, 0, 0]) + bytes([2])
    error = struct.pack("<IBB", 18456, 1, 14) + text(f"Login failed for user '{user}'.", "<H")
    error += text("server", "<B") + text("", "<B") + struct.pack("<I", 1)
    refused = b"\xaa" + struct.pack("<H", len(error)) + error + b"\xfd" + struct.pack("<HHQ", 2, 0, 0)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                for answer in (packet(offered), packet(refused)):
                    if client.recv(65536):
                        client.sendall(answer)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_exec_without_a_parameter_from_another_client_does_the_whole_job(database: Database, tmp_path: Path) -> None:
    client = shutil.which("tsql")
    if client is None:
        reason = "FreeTDS's client tsql is not installed (Debian: freetds-bin)"
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    today: date = database.execute("SELECT CAST(SYSDATETIME() AS DATE)")[0][0]
    database.insert("agents", ("agent", "status"), [("a", "active"), ("b", "active"), ("c", "inactive")])
    database.insert(
        "wafunnel",
        ("number", "stage", "date"),
        # The last day of the 45, the day before that, and 903 leads of today: 3 more than two agents may have.
        [("oldest", 1, f"{today - timedelta(days=45)} 00:00:00.000"), ("over", 1, f"{today - timedelta(days=46)}")]
        + [(f"4930{n:04}", 2, f"{today}") for n in range(902)],
    )
    url = make_url(database.url)
    sent = subprocess.run(
        [client, "-H", url.host or "", "-p", str(url.port), "-U", url.username or "", "-P", str(url.password or ""),
         "-D", url.database or ""],
        input=f"EXEC {PROCEDURE};\ngo\nexit\n",
        env={**os.environ, "TDSVER": "7.4", "LC_ALL": "C"}, cwd=tmp_path, text=True, capture_output=True, timeout=120,
        check=False,
    )  # fmt: skip

    lines = sent.stdout.splitlines()
    header = next(number for number, line in enumerate(lines) if "run_id\tbusiness_date\ttrigger\tstatus\t" in line)
    names = lines[header].split("run_id", 1)[1].split("\t")[1:]
    answer = dict(zip(names, lines[header + 1].split("\t")[1:], strict=True))
    expected = {
        "trigger": "manual", "status": "succeeded", "agents": "2", "pool": "903", "per_agent": "450", "assigned": "900",
        "left_over": "3", "duplicates": "0", "suppressed": "0", "smallest_share": "450", "largest_share": "450",
    }  # fmt: skip
    assert {name: answer[name] for name in expected} == expected
    assert "started_at" in names
    assert "finished_at" in names

    run = service.last_run(database.backend)
    assert run is not None
    assert (run.business_date, run.trigger, run.assigned) == (today, "manual", 900)
    shares = database.execute("SELECT agent, COUNT(*) FROM dbo.agent_wafunnel_assignment GROUP BY agent ORDER BY agent")
    assert shares == [("a", 450), ("b", 450)]
    stages = dict(database.execute("SELECT number, stage FROM dbo.wafunnel WHERE number IN ('oldest', 'over')"))
    assert stages == {"oldest": 2, "over": 1}
    assert database.execute("SELECT COUNT(*) FROM dbo.wafunnel WHERE stage = 3") == [(899,)]
