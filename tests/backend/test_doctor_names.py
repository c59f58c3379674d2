"""The doctor's checks of names of agents, on both engines."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

import pytest

from agent_funnel.access.links import make_link
from agent_funnel.agents import rename_agent
from agent_funnel.doctor.check import Level
from support.databases import TestedDatabase
from support.doctor import assert_readable, only_problem, problems
from support.nights import TODAY, active_agents, fresh, put_agents, put_leads, put_limits, run_deal

NOW = datetime.combine(TODAY, datetime.min.time())


def test_names_that_differ_in_looks_only_are_a_warning_if_both_are_active(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana", "Bia"))
    assert problems(database, "names") == []
    put_agents(database, [*active_agents("Ana", "Bia"), ("BIA", "inactive")])
    only_problem(database, "names", "note", r"1 group of agents .* \('BIA', 'Bia'\)")
    decomposed = unicodedata.normalize("NFD", "José")
    put_agents(
        database, [*active_agents("José", decomposed, "Ana", "ana", "Aná"), ("BIA", "inactive"), ("Bia", "active")]
    )
    finding = only_problem(database, "names", "warning", r"3 groups of agents .*U\+0301")
    assert "'Ana', 'Aná', 'ana'" in finding.text
    # The group in which only one is active comes last.
    assert finding.text.index("'BIA'") > finding.text.index("U+0301")


def test_assignments_limits_and_links_of_nobody_are_listed(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana", "Bia"))
    put_leads(database, fresh(5))
    run_deal(database)
    make_link(database.backend, "Bia")
    put_limits(database, [("Bia", TODAY, None, 3), ("Bia", TODAY - timedelta(days=9), TODAY - timedelta(days=1), 0)])
    assert problems(database, "holders", now=NOW) == []
    database.execute("DELETE FROM dbo.agents WHERE agent = 'Bia'")
    found = problems(database, "holders", now=NOW)
    assert [finding.level for finding in found] == ["warning"] * 3
    for finding, begin in zip(
        found, ("2 assignments are of an agent", "1 limit is of", "1 personal link in use is of"), strict=True
    ):
        assert finding.text.startswith(begin)
        assert "'Bia' (who got leads before, and was renamed or removed)" in finding.text
        assert finding.remedy
        assert_readable(finding)
    # The row alone was renamed; the rest follows.
    database.execute("INSERT INTO dbo.agents (agent, status) VALUES ('Bianca', 'active')")
    rename_agent(database.backend, "Bia", "Bianca")
    assert problems(database, "holders", now=NOW) == []


@pytest.mark.parametrize(("name", "level"), [("ANA", "warning"), ("Eva", "note")])
def test_a_limit_of_nobody_is_a_warning_if_an_agent_is_probably_meant(
    database: TestedDatabase, name: str, level: Level
) -> None:
    put_agents(database, active_agents("Ana"))
    put_limits(database, [(name, TODAY, TODAY, 0)])
    finding = only_problem(database, "holders", level, "1 limit is of .*, so it holds for nobody", now=NOW)
    assert ("(perhaps 'Ana')" in finding.text) == (name == "ANA")
    assert problems(database, "holders", now=NOW + timedelta(days=1)) == []


def test_numbers_that_nobody_can_dial_are_a_note(bare_database: TestedDatabase) -> None:
    day = datetime(2026, 11, 20)
    good = ["+49 (151) 1234-5678", "5511999990001", "0151/12345678", "12345678", "+123456789012345"]
    put_leads(bare_database, [(number, 1, day) for number in good])
    assert problems(bare_database, "numbers") == []
    bad = ["sem telefone", "5.511E+12", "1234567", "1234567890123456"]
    put_leads(bare_database, [(number, 1, day) for number in bad])
    only_problem(
        bare_database, "numbers", "note", r"4 leads have numbers that nobody can dial \(….{3}, ….{3}, ….{3}, …\)"
    )
