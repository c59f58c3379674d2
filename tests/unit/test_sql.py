"""Text in, text out."""

from __future__ import annotations

import pytest

from agent_funnel.sql import (
    batches,
    grants,
    in_schema,
    procedures,
    queries,
    scripts,
    statements,
    tables,
    version,
)


def test_batches_end_at_lines_with_nothing_but_go() -> None:
    assert batches("SELECT 1;\nGO\n\nSELECT 'GO';\n go \nGO\n") == ["SELECT 1;", "SELECT 'GO';"]


def test_statements_end_at_semicolons_outside_of_texts_and_comments() -> None:
    script = "-- first; not this\nSELECT ';' AS a\n-- nor; this\n;\n\n-- then\nSELECT 2;\n"
    assert statements(script) == ["SELECT ';' AS a\n-- nor; this\n;", "SELECT 2;"]


def test_a_script_that_ends_within_a_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="ends within a statement"):
        statements("SELECT 1;\nSELECT 'open")


def test_a_schema_takes_the_place_of_dbo_and_of_nothing_else() -> None:
    assert in_schema("SELECT a.b FROM dbo.t AS a, xdbo.t;", "sales") == "SELECT a.b FROM sales.t AS a, xdbo.t;"


# What only a server has, or needs: sessions that block each other, connections that can be listened to, a clock of its
# own, logins with rights, several schemas, stored procedures; levels of compatibility, a lock of runs to ask about, and
# a use for an index on dates.
SERVER_ONLY = {
    "blocker", "doctor_encryption", "doctor_clock", "doctor_login", "doctor_right", "doctor_schemas", "definition",
    "checksums", "record_checksum", "remedy_compatibility", "remedy_index_wafunnel_date", "run_in_progress",
}  # fmt: skip


def test_both_dialects_have_the_same_queries() -> None:
    assert set(queries("sqlite")) == set(queries("sqlserver")) - SERVER_ONLY
    assert set(queries("sqlserver")) >= SERVER_ONLY
    assert "assign" in queries("sqlite")


def test_every_file_with_names_in_it_holds_queries() -> None:
    assert {"runs", "doctor_engine", "remedy_stages"} <= set(queries("sqlite"))
    assert "doctor" not in queries("sqlite")
    assert "tables-1" not in queries("sqlite")


def test_the_scripts_tell_what_they_make_and_grant() -> None:
    assert tables("sqlserver") - tables("sqlite") == {"agent_funnel_checksum"}
    assert {"agents", "assignment_purge"} <= tables("sqlite")
    assert version("sqlite") == version("sqlserver") == 5
    assert set(procedures("sqlserver")) == {"sp_assign_wafunnel_to_agents", "sp_undo_wafunnel_assignment"}
    assert procedures("sqlite") == {}
    granted = {(right, name): statement for statement, right, name in grants("sqlserver")}
    assert granted["SELECT", "agents"] == "GRANT SELECT ON dbo.agents TO agent_funnel_service;"
    # Those that are dynamic, too:
    assert ("ALTER", "agent_wafunnel_assignment") in granted
    assert ("VIEW DEFINITION", "sp_undo_wafunnel_assignment") in granted
    assert grants("sqlite") == []


@pytest.mark.parametrize("dialect", ["sqlite", "sqlserver"])
def test_every_query_begins_with_a_sentence_about_it(dialect: str) -> None:
    for name, text in queries(dialect).items():
        assert text.startswith("-- "), name
        assert statements(text) if dialect == "sqlite" else text.strip(), name


def test_no_t_sql_that_babelfish_lacks_is_in_the_procedures() -> None:
    for stem, text in scripts("sqlserver").items():
        if stem.startswith("sp_"):
            body = text.split("AS\nBEGIN", 1)[1]
            for word in ("CREATE OR ALTER", "MERGE ", "EXECUTE (", "EXECUTE AS", "WAITFOR", " WITH ("):
                assert word not in body, f"{word} in {stem}"
