"""doctor: it finds nothing wrong with a healthy database; it finds each problem, and its remedy solves the problem.

Each test examines the database, causes a problem, examines it again, follows the remedy and examines it once more.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_funnel.deal import undo
from agent_funnel.doctor import examine
from agent_funnel.doctor.check import Finding
from agent_funnel.doctor.numbers import DEEP_CHECKS
from agent_funnel.errors import DatabaseUnavailable
from agent_funnel.masking import mask_quoted_numbers
from agent_funnel.sql import queries
from support.databases import TestedDatabase, connect_to, snapshot, sqlite_database
from support.doctor import (
    DEEP,
    IN_DBO,
    SURROUNDINGS,
    assert_readable,
    examination,
    put_agents_and_leads,
    put_lead,
    run_remedy,
)
from support.faketds import HANG_UP, FakeServer, error
from support.nights import deal_today


@pytest.mark.parametrize(
    "deep", [pytest.param(False, marks=pytest.mark.sqlserver_if_long, id=""), pytest.param(True, id="deep")]
)
def test_a_healthy_database_has_no_problems(database: TestedDatabase, deep: bool) -> None:
    put_agents_and_leads(database)
    deal_today(database)
    deal_today(database)
    undo(database.backend)
    before = snapshot(database)
    found = examine(database.unrefused, now=datetime.now(UTC), deep=deep)
    assert snapshot(database) == before
    checks = {
        "engine", "tables", "writing", "emptying", "indexes", "missing values", "duplicates", "stages", "dates",
        "numbers", "spellings", "do not contact", "list ages", "statuses", "names", "holders", "copies",
        "records ahead",
    }  # fmt: skip
    if database.engine == "sqlserver":
        checks |= {"driver", "encryption", "clock", "schemas", "procedures", "rights", "readers", "addresses"}
    else:
        checks |= {"place", "contents"}
    if deep:
        checks |= {*DEEP, *DEEP_CHECKS}
        assert [finding.check for finding in found][-len(DEEP) :] == list(DEEP)
    assert {finding.check for finding in found} == checks
    odd = {finding.check for finding in found if finding.level != "ok"} - SURROUNDINGS
    # On SQLite the installer's tables have no index by agent.
    assert odd == ({"indexes"} if database.engine == "sqlite" else set())
    assert {finding.level for finding in found if finding.check == "indexes"} == {"note" if odd else "ok"}
    assert all(finding.remedy is None for finding in found if finding.level == "ok")
    for finding in found:
        assert_readable(finding)


@pytest.mark.sqlserver_if_long
def test_a_database_around_existing_tables_has_no_problems(bare_database: TestedDatabase) -> None:
    put_agents_and_leads(bare_database)
    deal_today(bare_database)
    found = examine(bare_database.unrefused, now=datetime.now(UTC), deep=True)
    assert {finding.check for finding in found if finding.level in ("warning", "error")} <= SURROUNDINGS
    assert {finding.check for finding in found if finding.level == "note"} - SURROUNDINGS == {"indexes"}


@pytest.mark.sqlserver_if_long
def test_an_empty_database_has_no_problems(database: TestedDatabase) -> None:
    found = examine(database.unrefused, now=datetime.now(UTC), deep=True)
    assert {finding.check for finding in found if finding.level in ("warning", "error")} <= SURROUNDINGS


# The test of a healthy database, above, compares all tables.
@pytest.mark.sqlserver_if_long
def test_the_examination_changes_nothing(database: TestedDatabase) -> None:
    put_agents_and_leads(database)
    put_lead(database, "+49300009", stage=4)
    deal_today(database)
    before = {
        table: sorted(database.execute(f"SELECT * FROM dbo.{table}"), key=repr) for table in ("wafunnel", "agents")
    }
    examine(database.backend, now=datetime.now(UTC), deep=True)
    assert before == {
        table: sorted(database.execute(f"SELECT * FROM dbo.{table}"), key=repr) for table in ("wafunnel", "agents")
    }


def test_a_missing_database_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        examine(connect_to(f"sqlite:///{tmp_path / 'none.db'}"), now=datetime.now(UTC))
    with FakeServer() as nobody:
        url = nobody.url()
    with pytest.raises(DatabaseUnavailable):
        examine(connect_to(url), now=datetime.now(UTC))


# ---- Errors, masks and remedies


def test_a_busy_database_is_a_note_and_a_lost_one_an_error(tmp_path: Path) -> None:
    with sqlite_database(tmp_path, "funnel") as database:
        hasty = connect_to(database.url, lock_wait=timedelta(seconds=1))
        database.raw.execute("BEGIN IMMEDIATE")
        found = {finding.check: finding for finding in examine(hasty, now=datetime.now(UTC))}
        assert found["writing"].level == "note"
        assert "busy" in found["writing"].text
        assert found["stages"].level == "ok"
        database.raw.execute("ROLLBACK")
    answers = {**IN_DBO, "sys.databases": [error(229, "The SELECT permission was denied.", 14)]}
    with FakeServer(answers) as listening:
        found = {finding.check: finding for finding in examine(connect_to(listening.url()), now=datetime.now(UTC))}
        assert found["engine"].level == "note"
        assert "SELECT permission" in found["engine"].text
    with FakeServer({**answers, "dm_exec_connections": [HANG_UP]}) as listening:
        with pytest.raises(DatabaseUnavailable):
            examine(connect_to(listening.url()), now=datetime.now(UTC))


@pytest.mark.parametrize("text", ["the varchar value '+4930000177' overflowed", 'bad "4930000177"'])
def test_messages_of_the_server_are_shown_without_whole_numbers(text: str) -> None:
    assert re.search(r"['\"]…177['\"]", mask_quoted_numbers(text))
    assert "4930000" not in mask_quoted_numbers(text)


@pytest.mark.parametrize("name", sorted(name for name in queries("sqlserver") if name.startswith("remedy_")))
def test_every_remedy_can_be_run_as_it_is_shown(bare_database: TestedDatabase, name: str) -> None:
    # The compatibility level belongs to the database that all tests share.
    if name == "remedy_compatibility" or name not in queries(bare_database.backend.dialect):
        pytest.skip("this remedy is for another engine, or changes the whole database")
    put_agents_and_leads(bare_database)
    schema = None if bare_database.engine == "sqlite" else "bare"
    shown = examination(bare_database.backend, schema=schema).remedy(name.removeprefix("remedy_"))
    assert "--" not in shown
    run_remedy(bare_database, Finding("remedy", "note", "It is shown.", shown))
    if index := re.match(r"CREATE INDEX (\w+) ON ([\w.]+)", shown):
        bare_database.execute(f"DROP INDEX {index[1]}" + ("" if schema is None else f" ON {index[2]}"))
