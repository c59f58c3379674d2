"""The doctor's checks of the schema: tables, procedures, obstacles to emptying the assignments, and indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest

from agent_funnel.doctor import schema
from agent_funnel.doctor.check import Finding, guarded
from agent_funnel.doctor.deep import records
from agent_funnel.errors import DatabaseError
from agent_funnel.install import definitions, install
from agent_funnel.sql import checksum, procedures, queries, version
from support.databases import TestedDatabase, connect_to
from support.doctor import (
    UNDO,
    examination,
    is_babelfish,
    on_server,
    only_problem,
    problems,
    put_agents_and_leads,
    put_lead,
    run_remedy,
)
from support.faketds import FakeServer, rows
from support.nights import deal_today

# ---- Tables, procedures, indexes


# On a T-SQL engine, every session has to parse the procedures again after such an installation.
@pytest.mark.sqlserver_if_long
def test_a_missing_table_is_named_and_installed_again(database: TestedDatabase) -> None:
    assert problems(database, "tables") == []
    # No view reads this one, so each engine drops it.
    database.execute("DROP TABLE dbo.assignment_edit")
    try:
        finding = only_problem(database, "tables", "error", r"1 table is missing.*: assignment_edit\.")
        assert (finding.remedy or "").startswith("agent-funnel install")
        (unknown,) = guarded("records", partial(records, examination(database.backend)))
        assert unknown.level == "note"
        assert unknown.text.startswith("Could not be checked: ")
    finally:
        install(database.unrefused)
    assert problems(database, "tables") == []


def test_a_missing_column_is_named(bare_database: TestedDatabase) -> None:
    assert problems(bare_database, "tables") == []
    sqlite = bare_database.engine == "sqlite"
    bare_database.execute(
        "ALTER TABLE agents RENAME COLUMN status TO state"
        if sqlite
        else "EXECUTE sp_rename 'dbo.agents.status', 'state', 'COLUMN'"
    )
    try:
        only_problem(bare_database, "tables", "error", "The table agents has no column status")
        assert problems(bare_database, "statuses")[0].text.startswith("Could not be checked: ")
    finally:
        bare_database.execute(
            "ALTER TABLE agents RENAME COLUMN state TO status"
            if sqlite
            else "EXECUTE sp_rename 'dbo.agents.state', 'status', 'COLUMN'"
        )
    assert problems(bare_database, "tables") == []


def test_tables_of_another_version_are_an_error(database: TestedDatabase) -> None:
    kept = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    moment, newest = str(kept[0][1])[:19], version(database.engine)
    try:
        database.execute("INSERT INTO dbo.agent_funnel_version (version, installed_at) VALUES (99, %s)", moment)
        finding = only_problem(
            database, "tables", "error", rf"version 99, but this program knows no version after {newest}"
        )
        assert "Update" in (finding.remedy or "")
        database.execute("UPDATE dbo.agent_funnel_version SET version = version - 99")
        finding = only_problem(database, "tables", "error", rf"but this program needs version {newest}")
        assert finding.remedy == "agent-funnel install"
    finally:
        database.execute("DELETE FROM dbo.agent_funnel_version")
        for found, when in kept:
            database.execute(
                "INSERT INTO dbo.agent_funnel_version (version, installed_at) VALUES (%s, %s)", found, when
            )
    assert problems(database, "tables") == []


@on_server
def test_a_missing_schema_is_an_error(database: TestedDatabase) -> None:
    with closing(TestedDatabase(database.url, "seles")) as mistyped:
        finding = only_problem(mistyped, "tables", "error", "no schema seles")
        assert "FUNNEL_SCHEMA" in (finding.remedy or "")


@on_server
def test_tables_in_another_schema_are_a_warning_while_ours_are_empty(database: TestedDatabase) -> None:
    before = {finding.text for finding in problems(database, "schemas")}
    assert not any("elsewhere" in text for text in before)
    database.execute("CREATE SCHEMA elsewhere")
    database.execute("CREATE TABLE elsewhere.wafunnel (number VARCHAR(20))")
    try:
        finding = only_problem(database, "schemas", "warning", r"elsewhere.* dbo has no leads")
        assert "FUNNEL_SCHEMA=" in (finding.remedy or "")
        put_agents_and_leads(database)
        only_problem(database, "schemas", "note", "elsewhere")
    finally:
        database.execute("DROP TABLE elsewhere.wafunnel")
        database.execute("DROP SCHEMA elsewhere")
    assert {"elsewhere" in finding.text for finding in problems(database, "schemas")} <= {False}


@contextmanager
def reinstalled(database: TestedDatabase) -> Iterator[None]:
    """Installs again after the test, which restores the procedures."""
    try:
        yield
    finally:
        install(database.unrefused)
        assert problems(database, "procedures") == []


ANOTHER = f"ALTER PROCEDURE dbo.{UNDO} @run_id BIGINT = NULL, @actor NVARCHAR(255) = NULL AS SELECT 'another' AS answer"


@on_server
def test_a_procedure_that_somebody_changed_is_an_error(database: TestedDatabase) -> None:
    assert problems(database, "procedures") == []
    with reinstalled(database):
        database.execute(ANOTHER)
        finding = only_problem(
            database, "procedures", "error", rf"Somebody has changed the procedure dbo\.{UNDO} since"
        )
        assert (finding.remedy or "").startswith("agent-funnel install")


@on_server
def test_a_missing_procedure_is_an_error(database: TestedDatabase) -> None:
    with reinstalled(database):
        database.execute(f"DROP PROCEDURE dbo.{UNDO}")
        finding = only_problem(database, "procedures", "error", rf"dbo\.{UNDO} is missing")
        assert finding.remedy == "agent-funnel install"


def record(database: TestedDatabase, script: str | None) -> None:
    """Records that the present procedure was installed from this script, or removes that record."""
    database.execute("DELETE FROM dbo.agent_funnel_checksum WHERE name = %s", UNDO)
    if script is not None:
        row = definitions(database.backend, [UNDO])[UNDO]
        database.execute(
            "INSERT INTO dbo.agent_funnel_checksum (name, installed, script, recorded_at) "
            "VALUES (%s, %s, %s, SYSUTCDATETIME())",
            UNDO, checksum(row["definition"]), checksum(script),
        )  # fmt: skip


@on_server
def test_a_procedure_of_another_version_is_distinguished_from_a_changed_one(database: TestedDatabase) -> None:
    with reinstalled(database):
        database.execute(ANOTHER)
        record(database, "the script of that version")
        finding = only_problem(
            database, "procedures", "error", rf"dbo\.{UNDO} is that of another version of Agent Funnel"
        )
        assert finding.remedy == "agent-funnel install"


@on_server
def test_a_procedure_that_was_installed_by_hand_is_judged_by_its_text(database: TestedDatabase) -> None:
    with reinstalled(database):
        record(database, None)
        assert problems(database, "procedures") == []
        database.execute(ANOTHER)
        only_problem(database, "procedures", "error", rf"dbo\.{UNDO} is not that of this version")


@on_server
def test_an_encrypted_procedure_cannot_be_compared(database: TestedDatabase) -> None:
    if is_babelfish(database):
        pytest.skip("Babelfish cannot encrypt a procedure")
    with reinstalled(database):
        database.execute(ANOTHER.replace(" AS SELECT", " WITH ENCRYPTION AS SELECT"))
        only_problem(database, "procedures", "warning", rf"dbo\.{UNDO} is encrypted")


def test_a_procedure_whose_text_the_login_must_not_see_is_a_note() -> None:
    case = examination(None, schema="sales")
    unseen = {"definition": None, "is_encrypted": 0}
    ((level, text, remedy),) = schema._procedure(case, UNDO, procedures("sqlserver")[UNDO], unseen, None)
    assert level == "note"
    assert text == f"Could not be checked: this login has no right to see the text of sales.{UNDO}."
    assert remedy == f"GRANT VIEW DEFINITION ON sales.{UNDO} TO agent_funnel_service;"


@on_server
def test_a_foreign_key_that_keeps_a_deal_from_emptying_the_assignments_is_an_error(database: TestedDatabase) -> None:
    assert problems(database, "emptying") == []
    put_agents_and_leads(database)
    deal_today(database)
    database.execute(
        "CREATE TABLE dbo.[call log] (number VARCHAR(255) COLLATE Latin1_General_BIN2, "
        "CONSTRAINT [fk of calls] FOREIGN KEY (number) REFERENCES dbo.agent_wafunnel_assignment (number))"
    )
    try:
        finding = only_problem(
            database, "emptying", "error", r"the foreign key fk of calls of dbo\.call log points to it"
        )
        # Babelfish refuses any row in this table, since it cannot compare texts of this collation in a key.
        if not is_babelfish(database):
            database.execute(
                "INSERT INTO dbo.[call log] (number) SELECT TOP (1) number FROM dbo.agent_wafunnel_assignment"
            )
            with pytest.raises(DatabaseError):
                deal_today(database)
        run_remedy(database, finding)
        assert problems(database, "emptying") == []
        deal_today(database)
    finally:
        database.execute("DROP TABLE dbo.[call log]")


def test_assignments_that_are_a_view_cannot_be_emptied(bare_database: TestedDatabase) -> None:
    assert problems(bare_database, "emptying") == []
    sqlite = bare_database.engine == "sqlite"
    bare_database.execute(
        "ALTER TABLE agent_wafunnel_assignment RENAME TO kept"
        if sqlite
        else "EXECUTE sp_rename 'dbo.agent_wafunnel_assignment', 'kept', 'OBJECT'"
    )
    bare_database.execute("CREATE VIEW dbo.agent_wafunnel_assignment AS SELECT agent, number FROM dbo.kept")
    try:
        only_problem(bare_database, "emptying", "error", r"since it is not a table")
    finally:
        bare_database.execute("DROP VIEW dbo.agent_wafunnel_assignment")
        bare_database.execute(
            "ALTER TABLE kept RENAME TO agent_wafunnel_assignment"
            if sqlite
            else "EXECUTE sp_rename 'dbo.kept', 'agent_wafunnel_assignment', 'OBJECT'"
        )
    assert problems(bare_database, "emptying") == []


@pytest.mark.parametrize(
    ("table", "does"), [("agent_wafunnel_assignment", "empty"), ("wafunnel", "read"), ("agents", "read")]
)
def test_a_memory_optimized_table_of_yours_is_an_error(table: str, does: str) -> None:
    """No engine of the tests has such a table, so the answer of the server is made up."""
    # Of the two tables that a deal only reads or updates, the setting of the database counts, too.
    asked = queries("sqlserver")["doctor_emptying"].split("is_memory_optimized = 1")[1].split("UNION ALL")[0]
    assert f"OBJECT_ID(N'dbo.{table}')" in asked
    row = {"table_name": table, "reason": "it is memory-optimized", "remedy": "Create it again as an ordinary table."}
    with FakeServer({"is_memory_optimized": [rows(row)]}) as listening:
        ((level, text, remedy),) = schema.emptying(examination(connect_to(listening.url())))
    assert (level, text) == ("error", f"No deal can {does} dbo.{table}, since it is memory-optimized.")
    assert remedy == row["remedy"]


def test_a_trigger_that_the_emptying_of_the_assignments_fires_is_a_warning(bare_database: TestedDatabase) -> None:
    put_agents_and_leads(bare_database)
    sqlite = bare_database.engine == "sqlite"
    head, body = ("CREATE TRIGGER {} AFTER {} ON agent_wafunnel_assignment", "BEGIN DELETE FROM holiday; END")
    if not sqlite:
        head, body = ("CREATE TRIGGER dbo.{} ON dbo.agent_wafunnel_assignment AFTER {} AS", "DELETE FROM dbo.holiday")
    for name, event in (("on_delete", "DELETE"), ("on_insert_only", "INSERT")):
        bare_database.execute(f"{head.format(name, event)} {body}")
    try:
        only_problem(bare_database, "emptying", "warning", r"fires the trigger on_delete\.")
        deal_today(bare_database)
    finally:
        for name in ("on_delete", "on_insert_only"):
            bare_database.execute(f"DROP TRIGGER dbo.{name}")
    assert problems(bare_database, "emptying") == []


INDEXES = [
    ("wafunnel", "number", "lead"),
    ("agent_wafunnel_assignment", "number", "assignment"),
    ("agent_wafunnel_assignment", "agent", "assignment"),
]


def test_missing_indexes_are_notes_with_a_reason_and_a_statement(bare_database: TestedDatabase) -> None:
    put_agents_and_leads(bare_database)
    found = problems(bare_database, "indexes")
    prefix = "" if bare_database.engine == "sqlite" else "bare."
    assert [finding.level for finding in found] == ["note"] * 3
    for finding, (table, column, what) in zip(found, INDEXES, strict=True):
        assert re.search(rf"No index of {prefix}{table} begins with {column}, so .* reads all \d {what}s", finding.text)
        # SQL Server looks up each of an agent's numbers in the table if they are not in the index.
        included = " INCLUDE (number)" if column == "agent" and bare_database.engine == "sqlserver" else ""
        assert finding.remedy == f"CREATE INDEX ix_{table}_{column} ON {prefix}{table} ({column}){included};"
    for finding in found:
        run_remedy(bare_database, finding)
    try:
        assert problems(bare_database, "indexes") == []
    finally:
        for table, column, _ in INDEXES:
            on = "" if bare_database.engine == "sqlite" else f" ON dbo.{table}"
            bare_database.execute(f"DROP INDEX ix_{table}_{column}{on}")


def test_a_filtered_index_does_not_count(bare_database: TestedDatabase) -> None:
    if bare_database.engine == "sqlserver" and is_babelfish(bare_database):
        pytest.skip("Babelfish does not show which index is filtered")
    bare_database.execute("CREATE INDEX some_agents ON dbo.agent_wafunnel_assignment (agent) WHERE number = '1'")
    try:
        assert "begins with agent" in problems(bare_database, "indexes")[2].text
    finally:
        on = "" if bare_database.engine == "sqlite" else " ON dbo.agent_wafunnel_assignment"
        bare_database.execute(f"DROP INDEX some_agents{on}")


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("columns", ["date", "stage, date"])
def test_an_index_by_date_is_recommended_if_most_leads_are_old(database: TestedDatabase, columns: str) -> None:
    def by_date() -> list[Finding]:
        return [finding for finding in problems(database, "indexes") if "begins with date" in finding.text]

    put_agents_and_leads(database, leads=10)
    assert by_date() == []
    for number in range(100):
        put_lead(database, f"old {number}", day="2020-01-31 08:00:00.000")
    if database.engine == "sqlite":
        # On this engine an index does not speed up the deal.
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
