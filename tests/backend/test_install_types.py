"""The types of your columns: those that cannot work are refused by name, and those that work do so in every call."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from agent_funnel.access.links import link_of_agent, make_link
from agent_funnel.agents import add_agent, assignments, count_assignments, list_agents, roster, set_agent_status
from agent_funnel.call_backs import list_call_backs
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import AlreadyExists, DatabaseError, NotFound, ParameterOutOfRange
from agent_funnel.hand_backs import hand_back_leads, leads_to_hand_back, undo_hand_back
from agent_funnel.imports import import_file
from agent_funnel.install import install
from agent_funnel.leads import lead_history, pool_report, search_leads
from agent_funnel.runs import holders
from agent_funnel.settings import load
from support import LONG
from support.column_types import SHAPES, ShapedDatabase, fitted
from support.databases import TestedDatabase
from support.doctor import problems
from support.nights import RECENT, TODAY, Case, active_agents, compare_with_oracle, put_agents, put_leads, run_deal
from support.outcomes import ZONE, now, take_back, tell
from support.properties import may_refuse, property_test
from support.strategies import cases

YOURS = ("agents", "wafunnel", "agent_wafunnel_assignment")
TEXT = {"agent": "VARCHAR(50)", "status": "VARCHAR(20)", "number": "VARCHAR(50)", "stage": "INT", "date": "DATETIME"}
ON_SQLITE = [
    ("wafunnel", "number", "FLOAT", "SQLite would store +4930 and 04930 as the number 4930"),
    ("wafunnel", "number", "BIGINT", "SQLite would store +4930 and 04930 as the number 4930"),
    ("wafunnel", "number", "DECIMAL(18, 0)", "SQLite would store +4930 and 04930 as the number 4930"),
    ("agents", "agent", "INTEGER", "SQLite would store names that look like numbers as numbers"),
    ("agents", "status", "INT", "must be VARCHAR"),
    ("wafunnel", "stage", "REAL", "must be TINYINT"),
    ("wafunnel", "stage", "TEXT", "must be TINYINT"),
    ("agent_wafunnel_assignment", "number", "BIGINT", "SQLite would store +4930 and 04930 as the number 4930"),
]
ON_A_SERVER = [
    ("wafunnel", "number", "FLOAT", "different phone numbers would become one"),
    ("wafunnel", "number", "REAL", "different phone numbers would become one"),
    ("wafunnel", "number", "DECIMAL(18, 0)", "not compared with text"),
    ("agents", "agent", "FLOAT", "must be VARCHAR"),
    ("agents", "status", "INT", "must be VARCHAR"),
    ("wafunnel", "stage", "FLOAT", "must be TINYINT"),
    ("wafunnel", "stage", "VARCHAR(5)", "must be TINYINT"),
    ("agent_wafunnel_assignment", "number", "BIGINT", "cannot hold every number"),
    ("agent_wafunnel_assignment", "agent", "INT", "cannot hold every agent"),
    ("wafunnel", "number", "NUMERIC(20, 0)", "not compared with text"),
    ("wafunnel", "number", "MONEY", "not compared with text"),
    ("wafunnel", "number", "SMALLINT", "must be VARCHAR"),
    ("wafunnel", "number", "UNIQUEIDENTIFIER", "must be VARCHAR"),
    ("wafunnel", "number", "XML", "must be VARCHAR"),
    ("agents", "status", "BIT", "must be VARCHAR"),
    ("wafunnel", "stage", "DECIMAL(1, 0)", "must be TINYINT"),
    ("wafunnel", "stage", "BIT", "must be TINYINT"),
    ("wafunnel", "date", "DATETIMEOFFSET", "compared in UTC"),
    ("wafunnel", "date", "VARCHAR(30)", "by each language"),
    ("wafunnel", "date", "FLOAT", "must be DATE"),
]


@pytest.fixture(params=["sqlite", "sqlserver"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestedDatabase]:
    """A place without any tables: a file, or a schema."""
    if request.param == "sqlite":
        with closing(TestedDatabase(f"sqlite:///{tmp_path / 'funnel.db'}")) as database:
            yield database
        return
    with closing(TestedDatabase(request.getfixturevalue("sqlserver"), "types")) as database:
        if database.execute("SELECT SCHEMA_ID('types')") == [(None,)]:
            database.execute("CREATE SCHEMA types")
        yield database
        for table in YOURS:
            database.execute(f"DROP TABLE IF EXISTS dbo.{table}")


def create(database: TestedDatabase, table: str, **types: str) -> None:
    """Creates one of your three tables, with some columns of another type than text."""
    columns = {"agents": ("agent", "status"), "wafunnel": ("number", "stage", "date")}.get(table, ("agent", "number"))
    listed = ", ".join(f"{column} {({**TEXT, **types})[column]}" for column in columns)
    database.execute(f"CREATE TABLE dbo.{table} ({listed})")


def tables(database: TestedDatabase) -> set[str]:
    """The names of the tables that are there."""
    found = (
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
        if database.engine == "sqlite"
        else "SELECT name FROM sys.tables WHERE schema_id = SCHEMA_ID('types')"
    )
    return {name for (name,) in database.execute(found)}


@pytest.mark.sqlserver_if_long
def test_a_type_that_cannot_work_is_named_with_its_column_and_nothing_is_installed(empty: TestedDatabase) -> None:
    for table, column, declared, why in ON_A_SERVER if empty.engine == "sqlserver" else ON_SQLITE:
        create(empty, table, **{column: declared})
        with pytest.raises(DatabaseError) as refusal:
            install(empty.backend)
        said = str(refusal.value)
        name = declared.split("(")[0]
        assert said.startswith(f"The column {table}.{column} has the type {name}"), said
        assert why in said
        assert "Nothing was installed. Change the column to " in said
        assert tables(empty) == {table}
        empty.execute(f"DROP TABLE dbo.{table}")


def test_the_doctor_names_every_column_whose_type_cannot_work(empty: TestedDatabase) -> None:
    create(empty, "agents", status="INT")
    create(empty, "wafunnel", number="FLOAT", stage="VARCHAR(5)")
    found = [each for each in problems(empty, "tables") if each.text.startswith("The column ")]
    assert [re.findall(r"\w+\.\w+", each.text)[0] for each in found] == [
        "agents.status", "wafunnel.number", "wafunnel.stage"
    ]  # fmt: skip
    assert {each.level for each in found} == {"error"}
    assert all((each.remedy or "").startswith("Change the column to ") for each in found)


def test_a_whole_number_that_is_too_narrow_for_the_numbers_of_wafunnel_is_refused(empty: TestedDatabase) -> None:
    if empty.engine == "sqlite":
        pytest.skip("SQLite has one size of whole numbers")
    create(empty, "wafunnel", number="BIGINT")
    create(empty, "agent_wafunnel_assignment", number="INT")
    with pytest.raises(DatabaseError, match=r"assignment\.number has the type INT.*Change the column to BIGINT"):
        install(empty.backend)


# SQLite has no columns that hold whole numbers only.
# On a T-SQL engine, the short version has each family of types once: texts of a fixed width, and whole numbers.
IF_LONG = ("nvarchar, smallint, smalldatetime", "bigint, int, datetime2")
PLACES = [
    pytest.param(
        (name, engine), marks=[pytest.mark.sqlserver_if_long] if name in IF_LONG else [], id=f"{name}-{engine}"
    )
    for name, shape in SHAPES.items()
    for engine in ("sqlite", "sqlserver")
    if engine == "sqlserver" or not shape.whole
]


TURNS = itertools.count()


@pytest.fixture(scope="module", params=PLACES)
def _shaped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShapedDatabase]:
    name, engine = request.param
    # In a random order of tests, a shape may have its turn more than once.
    shape, schema = SHAPES[name], f"shape_{list(SHAPES).index(name)}_{next(TURNS)}"
    if engine == "sqlite":
        database = ShapedDatabase(f"sqlite:///{tmp_path_factory.mktemp(schema) / 'funnel.db'}", "dbo", shape)
    else:
        database = ShapedDatabase(request.getfixturevalue("sqlserver"), schema, shape)
        database.execute(f"CREATE SCHEMA {schema}")
    for statement in shape.statements(engine):
        database.execute(statement)
    install(database.backend)
    yield database
    database.close()


@pytest.fixture
def shaped(_shaped: ShapedDatabase) -> ShapedDatabase:
    """An installed, empty database around your three tables with other types; for each shape, on each engine."""
    _shaped.clear()
    return _shaped


@property_test(cases(bare=True, most_nights=2), share=0.15)
def test_every_run_equals_the_oracle_on_each_type_that_works(shaped: ShapedDatabase, case: Case) -> None:
    compare_with_oracle(shaped, fitted(case, shaped.shape), bare=True, refusals=may_refuse(shaped))


def test_every_call_works_on_each_type_that_works(shaped: ShapedDatabase) -> None:
    agent, number = shaped.shape.key_of({}), shaped.shape.key_of({})
    ana, ben, one, two = agent("Ana") or "", agent("Ben") or "", number("1234") or "", number("5678") or ""
    put_agents(shaped, active_agents(ana))
    put_leads(shaped, [(one, 1, shaped.shape.date_of(RECENT)), (two, 2, shaped.shape.date_of(RECENT))])
    backend = shaped.backend
    assert problems(shaped, "tables") == []
    add_agent(backend, ben)
    with pytest.raises(AlreadyExists):
        add_agent(backend, ben)
    set_agent_status(backend, ben, active=False)
    # No column of whole numbers can hold this name or number, but a person may ask for it.
    with pytest.raises(NotFound):
        set_agent_status(backend, "Nobody", active=False)
    assert roster(backend, TODAY, "Nobody") == []
    assert assignments(backend, agent="Nobody", count=9) == []
    assert count_assignments(backend, "Nobody") == 0
    with pytest.raises(NotFound):
        make_link(backend, "Nobody")
    for nowhere in ("(030) 1-2", "99999999999999999999"):
        assert search_leads(backend, number=nowhere, count=9) == []
        assert add_do_not_contact(backend, nowhere) == {"listed": 0, "assignments": 0, "leads": 0}

    run_deal(shaped)
    assert [each.agent for each in roster(backend, TODAY)] == sorted([ana, ben])
    assert [(each.agent, each.active, each.leads) for each in list_agents(backend, TODAY)] == [
        (name, name == ana, 2 if name == ana else 0) for name in sorted([ana, ben])
    ]
    held = [(each.agent, each.number, each.stage) for each in assignments(backend, agent=ana, count=9)]
    assert held == sorted([(ana, one, 2), (ana, two, 3)])
    assert [each.number for each in assignments(backend, agent=ana, after=(held[0][1], ana), count=9)] == [held[1][1]]
    assert [(each.agent, each.number, each.stage) for each in assignments(backend, count=9)] == held
    assert count_assignments(backend, ana) == 2
    make_link(backend, ana)
    link = link_of_agent(backend, ana)
    assert link is not None
    assert link.agent == ana

    found = search_leads(backend, count=9)
    assert [(each.number, each.stage, each.date, each.agent) for each in found] == [
        (text, stage, shaped.shape.date_of(RECENT), ana) for _, text, stage in held
    ]
    assert found[1:] == search_leads(backend, after=(found[0].number, found[0].stage, found[0].date), count=9)
    assert search_leads(backend, number=one, count=9) == [each for each in found if each.number == one]
    history = lead_history(backend, one)
    assert (history.agent, [each.stage for each in history.records]) == (ana, [2])
    assert [each.agent for each in holders(backend, one)] == [ana]
    # A new schema takes seconds to compile these procedures, and other tests call them with columns of text.
    if shaped.shape.whole or LONG:
        hand_back_and_report(shaped, ana, one, two)
    assert add_do_not_contact(backend, one) == {"listed": 0, "assignments": 1, "leads": 1}
    report = pool_report(backend, load(), TODAY)
    assert (report.dealt, report.do_not_contact, report.total) == (1, 1, 2)
    assert [each.number for each in assignments(backend, count=9)] == [two]


def hand_back_and_report(shaped: ShapedDatabase, agent: str, one: str, two: str) -> None:
    """Hands back the two leads of an agent and reports them; everything is as before in the end."""
    backend = shaped.backend
    for nobody in ("Nobody", agent):
        assert leads_to_hand_back(backend, nobody).leads == (2 if nobody == agent else 0)
    done = hand_back_leads(backend, agent, actor="tests", now=now(), zone=ZONE)
    assert (done.leads, done.put_back, count_assignments(backend, agent)) == (2, 2, 0)
    assert undo_hand_back(backend, actor="tests", now=now(), agent=agent).returned == 2
    for outcome, held in (("call_back", 2), ("opted_out", 1)):
        ahead = {"call_back_on": now().date() + timedelta(days=2)} if outcome == "call_back" else {}
        told = tell(shaped, one, outcome, agent=agent, **ahead)
        assert (told.number, count_assignments(backend, agent)) == (one, held)
        assert [each.state for each in list_call_backs(backend, TODAY, count=9)] == ["to_come"] * len(ahead)
        take_back(shaped, told)
    with pytest.raises(ParameterOutOfRange, match="dealt Nobody no lead"):
        tell(shaped, two, "talked", agent="Nobody")
    assert count_assignments(backend, agent) == 2


def test_a_column_of_whole_numbers_takes_no_id(shaped: ShapedDatabase, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("number,stage,date\na1234,1,2026-11-20\n", "utf-8")
    done = import_file(shaped.backend, "leads", path, skip_bad=True)
    reasons = ["number has letters; the tables hold whole numbers only"]
    assert [row.reason for row in done.bad] == (reasons if shaped.shape.whole else [])
