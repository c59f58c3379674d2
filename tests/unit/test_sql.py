"""The loader of the SQL files: text in, text out."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.dialects.mssql import base as mssql_base

from agent_funnel.sql import (
    INCLUDE,
    LOCKS,
    TRAITS,
    batches,
    catalog,
    grants,
    in_schema,
    parameterised,
    parse,
    procedures,
    queries,
    queries_with,
    reads,
    routines,
    scripts,
    sources,
    statements,
    tables,
    version,
    views,
)
from agent_funnel.sql.reserved import RESERVED_WORDS

DIALECTS = pytest.mark.parametrize("dialect", ["sqlite", "sqlserver"])


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
    assert in_schema("SELECT a.b FROM dbo.t AS a;", "Order") == "SELECT a.b FROM [Order].t AS a;"


def test_the_reserved_words_are_those_that_other_clients_know() -> None:
    assert RESERVED_WORDS == mssql_base.RESERVED_WORDS


# Queries about things that only a server has or needs: sessions that block each other, connections that can be
# intercepted, its own clock, logins with rights, several schemas, stored procedures, compatibility levels, a lock of
# runs that can be looked up, an index on dates, and sessions with a number.
SERVER_ONLY = {
    "blocker", "doctor_encryption", "doctor_clock", "doctor_login", "doctor_right", "doctor_schemas", "definitions",
    "checksums", "record_checksum", "remedy_compatibility", "remedy_index_wafunnel_date", "run_in_progress", "session",
    "session_and_version", "server",
}  # fmt: skip

# Queries about things that only a file has: its structure, and texts in place of dates.
FILE_ONLY = {"doctor_contents", "remedy_bad_limits", "remedy_bad_holidays"}


def test_both_dialects_have_the_same_queries() -> None:
    assert set(queries("sqlite")) - FILE_ONLY == set(queries("sqlserver")) - SERVER_ONLY
    assert set(queries("sqlite")) >= FILE_ONLY
    assert set(queries("sqlserver")) >= SERVER_ONLY
    assert "assign" in queries("sqlite")


def test_a_query_has_the_same_subject_and_traits_in_both_dialects() -> None:
    server = catalog("sqlserver")
    for name, query in catalog("sqlite").items():
        if name in FILE_ONLY:
            continue
        assert (query.subject, query.traits) == (server[name].subject, server[name].traits), name


def test_a_file_with_named_queries_is_loaded_by_query_and_any_other_as_a_script() -> None:
    assert {"runs", "doctor_engine", "remedy_stages"} <= set(queries("sqlite"))
    assert "doctor" not in queries("sqlite")
    assert "tables-1-deal" not in queries("sqlite")
    assert set(scripts("sqlite")) == {
        "tables-1-deal", "tables-2-undo", "tables-3-schedule", "tables-4-access", "tables-5-links",
        "tables-6-schedule", "tables-7-numbers", "tables-8-do-not-contact", "tables-9-rules", "tables-10-notices",
        "tables-11-person", "tables-12-voice", "tables-13-rules", "tables-14-outcomes",
        "tables-15-imports", "tables-16-mappings", "tables-17-limits", "tables-18-skips",
        "tables-19-hand-backs", "tables-20-imports", "tables-21-call-backs", "tables-22-own-list",
        "vw_date_without_run", "vw_floor_country", "vw_suppressed_number",
    }  # fmt: skip


def test_the_scripts_show_which_objects_they_make_and_which_rights_they_grant() -> None:
    assert tables("sqlserver") - tables("sqlite") == {"agent_funnel_checksum"}
    assert {"agents", "assignment_purge"} <= tables("sqlite")
    assert version("sqlite") == version("sqlserver") == 22
    assert set(procedures("sqlserver")) == {
        "sp_assign_wafunnel_to_agents",
        "sp_undo_wafunnel_assignment",
        "sp_rename_agent",
        "sp_forget_number",
        "sp_report_outcome",
        "sp_hand_back_leads",
        "sp_undo_import",
        "sp_update_leads",
    }
    assert set(routines("sqlserver")) == {"fn_match_key", *procedures("sqlserver")}
    assert views("sqlserver") == views("sqlite") == {"date_without_run", "floor_country", "suppressed_number"}
    assert routines("sqlite") == {}
    granted = {(right, name): statement for statement, right, name in grants("sqlserver")}
    assert granted["SELECT", "agents"] == "GRANT SELECT ON dbo.agents TO agent_funnel_service;"
    # Rights in dynamic SQL are found, too:
    assert ("DELETE", "agent_wafunnel_assignment") in granted
    # Whoever may alter a table can add a trigger to it, which runs with the rights of whoever deals.
    assert {right for right, _ in granted} == {"SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "VIEW DEFINITION"}
    assert ("VIEW DEFINITION", "sp_undo_wafunnel_assignment") in granted
    assert grants("sqlite") == []


@DIALECTS
def test_every_query_begins_with_a_sentence_about_it(dialect: str) -> None:
    for name, text in queries(dialect).items():
        assert text.startswith("-- "), name
        assert statements(text) if dialect == "sqlite" else text.strip(), name


@DIALECTS
def test_every_file_begins_with_a_map_of_what_is_in_it(dialect: str) -> None:
    for path, text in sources(dialect).items():
        assert text.startswith(("/*\n", "-- ")), path
        assert not text.startswith("-- name: "), path


@DIALECTS
def test_every_snippet_is_included_somewhere_and_no_include_is_left_in_a_query(dialect: str) -> None:
    texts = sources(dialect).values()
    snippets = {name for text in texts for name in re.findall(r"^-- name: (_\w+)$", text, re.MULTILINE)}
    included = {name for text in texts for _, name in INCLUDE.findall(text)}
    # Queries get the frame of the locks by a header instead.
    assert snippets == included | ({"_lock"} if dialect == "sqlserver" else set())
    for name, text in queries(dialect).items():
        assert "include:" not in text, name


@DIALECTS
def test_every_trait_is_in_use(dialect: str) -> None:
    assert {trait for query in catalog(dialect).values() for trait in query.traits} == set(TRAITS)
    assert queries_with(dialect, "run") == {"assign", "undo"}


def test_every_lock_is_in_use_and_its_frame_has_the_query_in_a_transaction() -> None:
    locked = {query.lock: query.text for query in catalog("sqlserver").values() if query.lock}
    assert set(locked) == set(LOCKS)
    for lock, text in locked.items():
        assert f"CONCAT(@resource, N'{LOCKS[lock]}')" in text
        written = re.search(r"(INSERT INTO|UPDATE) dbo\.", text)
        assert written
        assert text.index("sp_getapplock") < written.start() < text.index("COMMIT TRANSACTION;")
        for slot in ("<lock>", "<busy>", "-- body"):
            assert slot not in text


FRAME = "-- name: _lock\n-- A frame.\nBEGIN N'<lock>' N'<busy>';\n    -- body\nEND;\n"


def test_a_query_has_headers_a_sentence_and_a_body_and_includes_parts_of_other_files() -> None:
    found = parse(
        {
            "runs": "-- A map.\n\n-- name: run\n-- traits: polled, read-only\n-- One: a run.\n"
            "-- include: _from\nWHERE 1;\n",
            "deal/parts": "-- name: _from\n-- Left out.\nSELECT\n    -- include: _columns\nFROM r\n\n"
            "-- name: _columns\n-- Left out.\na,\nb\n",
        }
    )
    assert set(found) == {"run"}
    assert found["run"].text == "-- One: a run.\nSELECT\n    a,\n    b\nFROM r\nWHERE 1;\n"
    assert (found["run"].subject, found["run"].lock) == ("runs", None)
    assert found["run"].traits == {"polled", "read-only"}


def test_a_query_with_declared_parameters_is_sent_as_a_text_and_its_values() -> None:
    query = "-- name: one\n-- parameters: @agent NVARCHAR(255), @count INT\n-- One.\nSELECT 'a', @agent, @count;\n"
    (found,) = parse({"runs": query}).values()
    assert found.parameters == "@agent NVARCHAR(255), @count INT"
    assert parameterised(found.text, found.parameters) == (
        "EXECUTE sp_executesql N'-- One.\nSELECT ''a'', @agent, @count;\n', N'@agent NVARCHAR(255), @count INT', "
        "@agent = %(agent)s, @count = %(count)s;"
    )


def test_a_lock_puts_the_body_into_the_frame() -> None:
    query = "-- name: add\n-- lock: records\n-- busy: Can't now.\n-- Adds.\nINSERT a;\n\nSELECT 1;\n"
    (found,) = parse({"database": FRAME, "deal/add": query}).values()
    assert found.text == ("-- Adds.\nBEGIN N':records' N'Can''t now.';\n    INSERT a;\n\n    SELECT 1;\nEND;\n")
    assert (found.subject, found.lock) == ("deal", "records")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- name: a\n-- traits: fast\n-- A.\nSELECT 1;\n", "a has unknown traits: fast"),
        ("-- name: a\n-- speed: high\n-- A.\nSELECT 1;\n", "a has unknown headers: speed"),
        ("-- name: _a\n-- traits: run\n-- A.\nSELECT 1;\n", "_a has unknown headers: traits"),
        ("-- name: a\n-- lock: doors\n-- busy: Wait.\n-- A.\nSELECT 1;\n", "a needs a known lock"),
        ("-- name: a\n-- lock: records\n-- A.\nSELECT 1;\n", "a needs a known lock and a message"),
        ("-- name: a\n-- lock: records\n-- busy: Wait.\n-- A.\nSELECT 1;\n", "this dialect has no frame"),
        ("-- name: a\n-- A.\n-- include: _b\n", "a cannot include _b"),
        ("-- name: a\n-- A.\n-- include: b\n\n-- name: b\n-- B.\nSELECT 1;\n", "a cannot include b"),
        (
            "-- name: a\n-- A.\n-- include: _b\n\n-- name: _b\n-- B.\n-- include: _c\n\n"
            "-- name: _c\n-- C.\n-- include: _b\n",
            "_c cannot include _b",
        ),
        ("-- name: a\n-- A.\nSELECT 1;\n\n-- name: a\n-- A.\nSELECT 2;\n", "the name a is taken by runs"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_header_or_an_include_is_an_error_at_load(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^runs: .*{message}"):
        parse({"runs": text})


def test_the_procedures_have_no_t_sql_that_babelfish_lacks() -> None:
    for stem, text in scripts("sqlserver").items():
        if stem.startswith("sp_"):
            # The engine may ignore these hints: its readers wait for nobody.
            body = re.sub(r"WITH \(TABLOCKX(, HOLDLOCK)?\)", "", text.split("AS\nBEGIN", 1)[1])
            for word in ("CREATE OR ALTER", "MERGE ", "EXECUTE (", "EXECUTE AS", "WAITFOR", " WITH ("):
                assert word not in body, f"{word} in {stem}"


@DIALECTS
def test_the_queries_that_only_read_are_known(dialect: str) -> None:
    found = reads(dialect)
    assert {"ping", "runs", "last_run", "deal_version", "assignments", "preview"} <= found
    writing = {"assign", "undo", "run_of_request", "pause", "add_holiday", "purge_history", "claim_request"}
    assert not found & writing


# The columns that may have a number, whole or masked, in a table that is kept:
COLUMNS_WITH_NUMBERS = re.compile(r"^ +(number|target|detail|answer|message) ", re.MULTILINE)


@DIALECTS
def test_an_erasure_clears_every_table_that_may_have_a_number(dialect: str) -> None:
    texts = "".join(text for stem, text in scripts(dialect).items() if stem.startswith("tables-"))
    made = re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(?:dbo\.)?(\w+) \((.*?)\n *\)", texts, re.DOTALL)
    with_numbers = {name for name, columns in made if COLUMNS_WITH_NUMBERS.search(columns)}
    assert {"wafunnel", "assignment_history", "number_key", "audit_entry", "request_answer"} <= with_numbers
    erases = queries("sqlite")["forget"] if dialect == "sqlite" else procedures(dialect)["sp_forget_number"]
    cleared = set(re.findall(r"(?:DELETE FROM|DELETE r\s+FROM|UPDATE) (?:dbo\.)?(\w+)", erases))
    assert with_numbers - cleared == set()


def test_the_role_of_the_service_has_no_right_to_the_salt() -> None:
    rights = {(right, name) for _, right, name in grants("sqlserver")}
    assert ("SELECT", "forgotten_number") in rights
    assert "forgotten_salt" not in {name for _, name in rights}
