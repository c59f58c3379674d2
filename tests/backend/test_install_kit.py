"""The kit for a DBA: its scripts are run as sqlcmd runs them, and have the effect of `agent-funnel install`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pymssql
import pytest

from agent_funnel.install import install
from agent_funnel.kit import kit
from agent_funnel.sql import batches, grants, routines, tables, version, views
from support.command import run_command
from support.databases import TestedDatabase
from support.doctor import problems
from support.nights import RECENT, active_agents, put_agents, put_leads, run_deal

YOURS = {"agents", "wafunnel", "agent_wafunnel_assignment"}
ROOT = Path(__file__).parents[2]

# Everything that an installation makes, your three tables included:
OBJECTS = tables("sqlserver") | views("sqlserver") | set(routines("sqlserver"))


def run_as_sqlcmd(database: TestedDatabase, script: str) -> None:
    """Runs a script batch by batch, as `sqlcmd -b` does: it stops at the first error, and rolls back by leaving.

    sqlcmd ends lines as Windows does, and keeps the blank lines of a batch.
    """
    assert "$(" not in script, "sqlcmd would take this for a variable"
    lines = [line for line in script.splitlines() if not line.startswith(":")]
    with closing(TestedDatabase(database.url, database.schema)) as session:
        for batch in re.split(r"^GO$", "\n".join(lines), flags=re.MULTILINE):
            if batch.strip():
                with session.raw.cursor() as cursor:
                    cursor.execute(batch.replace("\n", "\r\n"))
                    while cursor.nextset():
                        pass


def objects(database: TestedDatabase) -> dict[str, str]:
    """The tables, views, procedures and functions of the schema, with their texts."""
    return dict(
        database.execute(
            """
            SELECT o.name, COALESCE(m.[definition], '') FROM sys.objects AS o
            LEFT JOIN sys.sql_modules AS m ON o.object_id = m.object_id
            WHERE o.schema_id = SCHEMA_ID(%s) AND o.type IN ('U', 'V', 'P', 'FN')
            """,
            database.schema,
        )
    )


def columns(database: TestedDatabase) -> set[tuple[object, ...]]:
    """Every column of the schema, with its type."""
    found = database.execute(
        """
        SELECT o.name, c.name, TYPE_NAME(c.user_type_id), c.max_length, c.scale, c.is_nullable, c.is_identity,
            c.collation_name
        FROM sys.columns AS c INNER JOIN sys.objects AS o ON c.object_id = o.object_id
        WHERE o.schema_id = SCHEMA_ID(%s) AND o.type = 'U'
        """,
        database.schema,
    )
    return set(found)


@pytest.fixture
def place(sqlserver: str) -> Iterator[TestedDatabase]:
    """An empty schema on the T-SQL engine."""
    with closing(TestedDatabase(sqlserver, "kit")) as database:
        if database.execute("SELECT SCHEMA_ID('kit')") == [(None,)]:
            database.execute("CREATE SCHEMA kit")
        yield database
        there = objects(database)
        for kind, names in (
            ("PROCEDURE", {name for name in there if name.startswith("sp_")}),
            ("VIEW", views("sqlserver")),
            ("FUNCTION", {name for name in there if name.startswith("fn_")}),
            ("TABLE", {*tables("sqlserver"), *YOURS}),
        ):
            for name in names & set(there):
                database.execute(f"DROP {kind} dbo.{name}")


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_install_sql_has_the_effect_of_the_installer_and_uninstall_sql_removes_it(
    place: TestedDatabase, database: TestedDatabase
) -> None:
    scripts = kit("kit")
    run_as_sqlcmd(place, scripts["install.sql"])
    # The installer made the tables in dbo, where other tests may have some, too.
    assert columns(place) == {column for column in columns(database) if column[0] in OBJECTS}
    assert set(objects(place)) == OBJECTS
    assert place.execute("SELECT version FROM dbo.agent_funnel_version") == [(version("sqlserver"),)]
    # The records say who made the procedures, although their lines end otherwise.
    assert [problems(place, check) for check in ("tables", "procedures", "rights")] == [[], [], []]
    put_agents(place, active_agents("Ana"))
    put_leads(place, [("1", 1, RECENT)])
    assert run_deal(place).assigned == 1

    # Neither a second time nor the installer after it changes anything.
    records = "SELECT name, installed, script, recorded_at FROM dbo.agent_funnel_checksum ORDER BY name"
    before = (columns(place), place.execute(records), place.execute("SELECT * FROM dbo.agent_funnel_version"))
    run_as_sqlcmd(place, scripts["install.sql"])
    assert (columns(place), place.execute(records), place.execute("SELECT * FROM dbo.agent_funnel_version")) == before
    assert install(place.backend).made == ()
    assert place.execute(records) == before[1]
    assert problems(place, "procedures") == []

    # As it is, uninstall.sql changes nothing.
    run_as_sqlcmd(place, scripts["uninstall.sql"])
    assert set(objects(place)) == OBJECTS
    told = scripts["uninstall.sql"].replace("@do_it BIT = 0", "@do_it BIT = 1")
    run_as_sqlcmd(place, told)
    assert set(objects(place)) == YOURS
    assert place.execute("SELECT number, stage FROM dbo.wafunnel") == [("1", 2)]
    # Another schema of this database still uses the role.
    assert place.execute("SELECT DATABASE_PRINCIPAL_ID('agent_funnel_service')") != [(None,)]


@pytest.mark.parametrize(
    ("table", "refusal"),
    [
        ("CREATE TABLE dbo.wafunnel (number VARCHAR(20), stage INT)", "has no column date"),
        ("CREATE TABLE dbo.wafunnel (number FLOAT, stage INT, date DATE)", r"wafunnel.number has the type FLOAT"),
        ("CREATE TABLE dbo.agent_wafunnel_assignment (agent VARCHAR(9), number BIGINT)", "number has the type BIGINT"),
        ("CREATE TABLE dbo.agent_funnel_version (version INT, installed_at DATETIME2(3))", "has no row"),
    ],
)
def test_install_sql_refuses_what_the_installer_refuses_and_leaves_nothing(
    place: TestedDatabase, table: str, refusal: str
) -> None:
    place.execute(table)
    there = objects(place)
    with pytest.raises(pymssql.Error, match=refusal):
        run_as_sqlcmd(place, kit("kit")["install.sql"])
    assert objects(place) == there


def test_an_error_in_the_middle_of_install_sql_leaves_nothing(place: TestedDatabase) -> None:
    broken = kit("kit")["install.sql"].replace(
        "\nGRANT EXECUTE ON kit.sp_assign", "\nGRANT EXECUTE ON kit.sp_nothing", 1
    )
    with pytest.raises(pymssql.Error):
        run_as_sqlcmd(place, broken)
    assert objects(place) == {}


def test_install_sql_stops_everything_after_an_error_in_any_client() -> None:
    script = kit("dbo")["install.sql"]
    assert script.count("BEGIN TRANSACTION;") - script.count("    BEGIN TRANSACTION;") == 1
    first, *found = batches(script.split("BEGIN TRANSACTION;\nGO\n")[1])
    assert first.startswith("DECLARE @problem")
    guard = "IF @@TRANCOUNT = 0\n    SET NOEXEC ON;"
    assert found[0::2][: len(found) // 2 - 1] == [guard] * (len(found) // 2 - 1)
    assert script.index(":on error exit") < script.index("SET ANSI_NULLS")
    # Every right is granted, too.
    assert all(statement in script for statement, _, _ in grants("sqlserver"))


def test_the_job_is_quiet_where_the_service_was_first_and_deals_on_the_primary_only() -> None:
    job = kit("sales")["job.sql"]
    assert "@database_name = N'master'" in job
    assert "sys.fn_hadr_is_primary_replica(N''', @text, N''') = 0" in job
    assert "IF ERROR_NUMBER() <> 50003\n        THROW;" in job
    assert "N'.sales.sp_assign_wafunnel_to_agents" in job
    assert "dbo.sp_assign" not in job
    assert "SET LOCK_TIMEOUT 30000;" in job


def test_the_command_writes_the_scripts_and_asks_no_database(tmp_path: Path) -> None:
    done = run_command("install", "--script", "--schema", "sales", cwd=tmp_path, FUNNEL_DATABASE_URL="sqlite:///no.db")
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_bytes().decode() for path in tmp_path.iterdir()} == kit("sales")
    assert "Nothing was installed" in done.stdout


def test_the_release_has_the_scripts_that_the_code_writes_and_their_checksums() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    release = makefile.split("\nrelease: ", 1)[1].split("\n\n", 1)[0]
    assert "agent-funnel install --script --schema dbo --directory dist" in release
    assert "sha256sum" in release
    assert "SHA256SUMS" in release
