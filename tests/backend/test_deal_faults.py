"""An error after any statement of the deal, the preview or the undo leaves every table as it was, on both engines.

The errors come from test builds of the scripts, which are made here from their texts. On SQLite a build has an error
after one statement. On SQL Server, where a session takes seconds to parse a procedure, there is one build of each, with
an error after every statement, of which the caller asks for one: in a parameter that is only recorded, so the
statements themselves are those of the product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from agent_funnel.database.sqlserver import SQLServer
from agent_funnel.errors import CheckFailed, DatabaseError
from agent_funnel.sql import batches, in_schema, queries, scripts, statements
from support import LONG
from support.databases import TestedDatabase, bare_tables, sqlserver_schema
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    fresh,
    put_agents,
    put_do_not_contact,
    put_leads,
    put_limits,
    run_deal,
    stored_assignments,
    stored_leads,
    undo,
)
from support.oracle_outcomes import Reported
from support.reported import put_outcomes

# The parameters of a call by the service:
DEAL: dict[str, Any] = {
    "business_date": TODAY.isoformat(), "max_per_agent": 450, "window_days": 45, "newest_first": 0, "country": None,
    "voice": None, "skip_date": None, "skip_until": None,
    "trigger": "manual", "actor": "tests", "again": 1,
}  # fmt: skip
PREVIEW = {name: value for name, value in DEAL.items() if name not in ("actor", "again")}
UNDO = {"run_id": None, "actor": "tests"}


def fill(database: TestedDatabase) -> None:
    """Makes two deals, with edits of all kinds after each, so that every statement has something to do."""
    put_agents(database, active_agents("A", "B", "C"))
    put_limits(database, [("C", TODAY, None, 1)])
    put_leads(database, [*fresh(7), ("000001", 1, RECENT), ("000002", 1, RECENT + timedelta(days=1))])
    put_leads(database, [("listed", 1, RECENT)])
    put_do_not_contact(database, ["listed"])
    for night in range(2):
        run_deal(database)
        pairs = [("A", f"put there {night}"), ("twice", "new"), ("twice", "new"), (None, None)]
        database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs)
        database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE number = '000003'")
    put_do_not_contact(database, ["put there 0"])
    # Agents reported of three leads: one stays with its agent, and two are to be called back today, one of them by the
    # same agent. Another number is wrong.
    last = max(run_id for (run_id,) in database.execute("SELECT run_id FROM dbo.assignment_run"))
    history = sorted(
        (number, agent) for number, agent in database.execute(
            "SELECT number, agent FROM dbo.assignment_history WHERE run_id = %s", last
        )
    )  # fmt: skip
    told = [("talked", False), ("call_back", True), ("call_back", False)]
    put_leads(database, [("wrong", 1, RECENT)])
    put_outcomes(
        database,
        [
            Reported(
                run_id=last, business_date=TODAY, agent=agent, number=number, created=RECENT, stage=2, outcome=outcome,
                reported_on=TODAY, call_back_on=TODAY if outcome == "call_back" else None, same_agent=same_agent,
            )
            for (number, agent), (outcome, same_agent) in zip(
                [*history[2:5], ("wrong", "A")], [*told, ("wrong_number", False)], strict=True
            )
        ],
    )  # fmt: skip
    # Another number is of a forgotten person, and A had all leads last.
    database.backend.one("forget", number="forgotten", actor="tests")
    database.execute("UPDATE dbo.assignment_history SET agent = 'A'")


def image(database: TestedDatabase) -> list[str]:
    """Every row of every table in the database, not only of the product's tables."""
    if database.engine == "sqlite":
        return list(database.raw.iterdump())
    tables = database.execute(
        "SELECT t.name FROM sys.tables AS t WHERE t.schema_id = SCHEMA_ID(%s) ORDER BY t.name", database.schema
    )
    return sorted(f"{table}: {row!r}" for (table,) in tables for row in database.execute(f"SELECT * FROM dbo.{table}"))


def check_points(database: TestedDatabase, kind: str, points: list[int], fail: Callable[[int], Any]) -> None:
    """Makes the call fail at each of these points, compares all tables, and then makes the call succeed."""
    database.clear()
    fill(database)
    floor = stored_leads(database, bare=True), stored_assignments(database)
    if kind == "undo":
        run_deal(database)
    for point in points:
        before = image(database)
        with pytest.raises((CheckFailed, DatabaseError), match=f"injected {point}$"):
            fail(point)
        assert image(database) == before, f"point {point}"
        if kind == "undo":
            assert undo(database).restored == 7
            assert (stored_leads(database, bare=True), stored_assignments(database)) == floor
            assert run_deal(database).assigned == 7
        else:
            assert run_deal(database).assigned == 7
            assert stored_assignments(database).total() == 7
            undo(database)
            assert (stored_leads(database, bare=True), stored_assignments(database)) == floor


# ---- SQLite: a build for each point


@pytest.mark.parametrize(
    ("kind", "name", "parameters", "at_least"),
    [
        ("deal", "assign", {**DEAL, "request": "a request"}, 45),
        ("deal", "preview", PREVIEW, 33),
        ("undo", "undo", UNDO, 13),
    ],
    ids=["deal", "preview", "undo"],
)
@pytest.mark.parametrize("bare_database", ["sqlite"], indirect=True)
def test_on_sqlite_an_error_after_any_statement_changes_nothing_and_the_next_call_works(
    bare_database: TestedDatabase,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    parameters: dict[str, Any],
    at_least: int,
) -> None:
    parts = statements(queries("sqlite")[name])
    assert len(parts) >= at_least

    def fail(point: int) -> None:
        fault = f"SELECT 59999 AS throw, 'injected {point}' AS message;"
        build = {**queries("sqlite"), name: "\n".join([*parts[:point], fault, *parts[point:]])}
        with monkeypatch.context() as patch:
            patch.setattr("agent_funnel.database.sqlite.queries", lambda dialect: build)
            bare_database.backend.sets(name, **parameters)

    points = list(range(1, len(parts) + 1))
    check_points(bare_database, kind, points if LONG else points[name == "preview" :: 2], fail)


# ---- SQL Server: a build with all points

TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|N?'(?:[^']|'')*'|\[[^\]]*\]|[@#]*\w+|\S", re.DOTALL)


class Point(NamedTuple):
    """A place after a statement: its position in the text, and the conditions of the blocks around it."""

    place: int
    conditions: tuple[str, ...]


def points_of(text: str) -> list[Point]:
    """The places after all statements of the TRY block of a procedure, as our scripts are written.

    A statement ends at a semicolon. Four places are left out: after THROW and RETURN, which cannot be reached; before
    ELSE, where no statement may stand; in a block that ends with THROW, which is an error already; and after COMMIT,
    where nothing is left to roll back.
    """
    found: list[Point] = []
    # The open blocks, each with its condition and the index in `found` of its first point.
    blocks: list[tuple[str, int]] = []
    within = False
    parentheses = cases = 0
    words: list[str] = []
    tokens = [token for token in TOKEN.finditer(text) if not token[0].startswith(("--", "/*"))]
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        word, next_word = token[0].upper(), following[0].upper() if following else ""
        if word in ("BEGIN", "END") and next_word in ("TRY", "CATCH"):
            within = word == "BEGIN" and next_word == "TRY"
            words = []
            continue
        if not within or (word == "TRY" and not words):
            continue
        words.append(word)
        parentheses += {"(": 1, ")": -1}.get(word, 0)
        if word == "CASE":
            cases += 1
        elif word == "END" and cases:
            cases -= 1
        elif word == "BEGIN" and next_word != "TRANSACTION":
            blocks.append((" ".join(words[:-1]), len(found)))
            words = []
        elif word == "END":
            blocks.pop()
        elif word == ";":
            assert (parentheses, cases) == (0, 0)
            if words[0] == "THROW":
                # Every point in this block leads to this error.
                del found[blocks[-1][1] :]
            elif words[0] == "COMMIT":
                assert not blocks
                break
            elif words[0] != "RETURN" and next_word != "ELSE":
                found.append(Point(token.end(), tuple(condition for condition, _ in blocks)))
            words = []
    assert not blocks
    return found


def with_faults(text: str, parameter: str) -> str:
    """A build that raises an error at the point whose number a parameter gives."""
    pieces: list[str] = []
    points = points_of(text)
    ends = [point.place for point in points]
    for number, (start, end) in enumerate(zip([0, *ends], [*ends, len(text)], strict=True)):
        piece = text[start:end]
        if number:
            # An IF sets the count of rows to 0, so the build saves it for the statement that reads it next.
            first, semicolon, rest = piece.partition(";")
            if "@@ROWCOUNT" in first:
                pieces.append(f"\nDECLARE @rows_{number} INT = @@ROWCOUNT;")
                piece = first.replace("@@ROWCOUNT", f"@rows_{number}") + semicolon + rest
            # An error number of ours keeps the session, and the next call must work in it.
            pieces.append(f"\nIF {parameter} = N'fault {number}' THROW 50007, N'injected {number}', 1;")
        pieces.append(piece)
    return "".join(pieces)


def test_points_are_found_after_every_statement_that_can_be_reached() -> None:
    text = """
        SET outside = 1;
        BEGIN TRY
            SET @a = 'not; here'; -- nor; here
            SELECT CASE WHEN (1 = 1) THEN N';' END AS [a;b] /* nor; here */ FROM t;
            BEGIN TRANSACTION;
            IF @a = 1
                THROW 50000, N'x', 1;
            IF @b = 1
                BEGIN
                    SET @message = N'x';
                    THROW 50000, @message, 1;
                END;
            WHILE @c = 1
                BEGIN
                    UPDATE t SET d = 1;
                    IF @e = 1
                        BEGIN
                            SET @f = 1;
                            RETURN;
                        END;
                END;
            IF @g = 1
                SET @h = 1;
            ELSE
                SET @h = 2;
            COMMIT TRANSACTION;
        END TRY
        BEGIN CATCH
            THROW;
        END CATCH;
        SELECT after;"""
    found = points_of(text)
    assert [text[: point.place].splitlines()[-1].strip() for point in found] == [
        "SET @a = 'not; here';",
        "SELECT CASE WHEN (1 = 1) THEN N';' END AS [a;b] /* nor; here */ FROM t;",
        "BEGIN TRANSACTION;",
        "THROW 50000, N'x', 1;",
        "END;",
        "UPDATE t SET d = 1;",
        "SET @f = 1;",
        "END;",
        "END;",
        "SET @h = 2;",
    ]
    assert [point.conditions for point in found][5:7] == [("WHILE @C = 1",), ("WHILE @C = 1", "IF @E = 1")]
    build = with_faults("BEGIN TRY UPDATE t; SET @n = @n + @@ROWCOUNT; COMMIT; END TRY", "@parameter")
    assert build == (
        "BEGIN TRY UPDATE t;\nDECLARE @rows_1 INT = @@ROWCOUNT;"
        "\nIF @parameter = N'fault 1' THROW 50007, N'injected 1', 1; SET @n = @n + @rows_1;"
        "\nIF @parameter = N'fault 2' THROW 50007, N'injected 2', 1; COMMIT; END TRY"
    )


@pytest.fixture(scope="module")
def faulty(sqlserver: str) -> Iterator[TestedDatabase]:
    """A schema that also has test builds of both procedures, and queries that call these builds."""
    with sqlserver_schema(sqlserver, "faults", tables=bare_tables()) as database:
        assert isinstance(database.backend, SQLServer)
        known = database.backend._queries
        for procedure, build, parameter in (
            ("sp_assign_wafunnel_to_agents", "faulty_deal", "@request"),
            ("sp_undo_wafunnel_assignment", "faulty_undo", "@actor"),
        ):
            text = with_faults(batches(scripts("sqlserver")[procedure])[-1], parameter)
            text = text.replace(f"ALTER PROCEDURE dbo.{procedure}", f"CREATE PROCEDURE dbo.{build}")
            database.execute(in_schema(text, database.schema))
            for name, query in queries("sqlserver").items():
                if procedure in query:
                    faulty_query = in_schema(query, database.schema).replace(procedure, build)
                    # A preview makes no run, so it needs no request.
                    known[f"faulty {name}"] = faulty_query.replace(
                        "@preview = 1", f"@preview = 1, {parameter} = %(request)s"
                    )
        yield database


@pytest.mark.parametrize(
    ("kind", "name", "at_least"), [("deal", "assign", 50), ("deal", "preview", 28), ("undo", "undo", 27)],
    ids=["deal", "preview", "undo"],
)  # fmt: skip
def test_on_sql_server_an_error_after_any_statement_changes_nothing_and_the_next_call_works(
    faulty: TestedDatabase, kind: str, name: str, at_least: int
) -> None:
    procedure = "sp_undo_wafunnel_assignment" if kind == "undo" else "sp_assign_wafunnel_to_agents"
    found = [point.conditions for point in points_of(batches(scripts("sqlserver")[procedure])[-1])]
    points = [point for point in range(1, 1 + len(found)) if "IF @HELP = 1" not in found[point - 1]]
    if name == "assign":
        points = [point for point in points if "IF @PREVIEW = 1" not in found[point - 1]]
    if name == "preview":
        # A preview ends with its block of the procedure.
        last = max(point for point in points if "IF @PREVIEW = 1" in found[point - 1])
        points = [point for point in points if point <= last and "IF @PREVIEW = 0" not in found[point - 1]]
    assert len(points) >= at_least
    if not LONG:
        # A deal and its preview have most statements in common, so each takes others of them.
        points = points[4::8] if name == "preview" else points[::8]

    def fail(point: int) -> None:
        fault = f"fault {point}"
        known = {"assign": {**DEAL, "request": fault}, "preview": {**PREVIEW, "request": fault}}
        faulty.backend.sets(f"faulty {name}", **known.get(name, {"run_id": None, "actor": fault}))

    check_points(faulty, kind, points, fail)
