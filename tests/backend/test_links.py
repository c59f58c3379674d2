"""Personal links of agents, on each engine."""

from __future__ import annotations

import io
from datetime import datetime

import pytest

from agent_funnel.access.keys import add_key, holder_of_key
from agent_funnel.access.links import LinkLookup, link_of_agent, look_up_link, make_link, note_link_use, revoke_link
from agent_funnel.agents import count_assignments
from agent_funnel.deal import deal
from agent_funnel.errors import NotFound
from agent_funnel.exports import export
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables


def rows_of_links(database: TestedDatabase) -> str:
    return repr(database.execute("SELECT * FROM dbo.agent_link"))


def test_a_link_gives_access_as_its_agent_only_and_its_secret_is_stored_nowhere(database: TestedDatabase) -> None:
    backend = database.backend
    seed_tables(database)
    link, secret = make_link(backend, "agent 1", actor="test")
    assert secret.startswith("mine_")
    assert len(secret) > 40
    assert secret not in rows_of_links(database)
    assert secret.removeprefix("mine_") not in rows_of_links(database)
    assert (link.agent, link.created_by, link.last_used_at) == ("agent 1", "test", None)
    assert look_up_link(backend, secret) == LinkLookup(link, any_keys=False)
    assert link_of_agent(backend, "agent 1") == link
    assert link_of_agent(backend, "agent 2") is None
    add_key(backend, "Ana", "viewer")
    for wrong in ("", "mine_", secret[:-1], secret.swapcase(), secret + "x"):
        assert look_up_link(backend, wrong) == LinkLookup(None, any_keys=True)
    # A link does not work as a key, nor a key as a link.
    assert holder_of_key(backend, secret).holder is None
    note_link_use(backend, link.link_id)
    noted = link_of_agent(backend, "agent 1")
    assert noted is not None
    assert noted.last_used_at is not None


def test_a_new_link_revokes_the_one_before_and_a_revoked_link_stays_revoked(database: TestedDatabase) -> None:
    backend = database.backend
    seed_tables(database)
    _, other = make_link(backend, "agent 2")
    _, first = make_link(backend, "agent 1", actor="first")
    _, second = make_link(backend, "agent 1", actor="second")
    assert look_up_link(backend, first).link is None
    assert look_up_link(backend, second).link is not None
    revoke_link(backend, "agent 1", actor="test")
    assert look_up_link(backend, second).link is None
    assert look_up_link(backend, other).link is not None
    assert database.execute("SELECT revoked_by FROM dbo.agent_link ORDER BY link_id") == [
        (None,),
        ("second",),
        ("test",),
    ]
    with pytest.raises(NotFound, match="'agent 1' has no link in use"):
        revoke_link(backend, "agent 1")


def test_a_link_needs_an_existing_agent(database: TestedDatabase) -> None:
    seed_tables(database)
    for nobody in ("agent", "AGENT 1"):
        with pytest.raises(NotFound, match="There is no agent"):
            make_link(database.backend, nobody)
    assert rows_of_links(database) == "[]"


def test_the_leads_of_one_agent_are_counted_and_exported_without_those_of_others(bare_database: TestedDatabase) -> None:
    database = bare_database
    seed_tables(database)
    deal(database.backend, load(), business_date=datetime.now().date())
    mine = database.execute("SELECT number FROM dbo.agent_wafunnel_assignment WHERE agent = 'agent 1'")
    assert 0 < len(mine) < 7
    # A table without a key may assign a number twice to an agent.
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("agent 1", mine[0][0])])
    assert count_assignments(database.backend, "agent 1") == len(mine)
    assert count_assignments(database.backend, "nobody") == 0
    file = io.BytesIO()
    assert export(database.backend, "assignments", file, "csv", agent="agent 1") == len(mine)
    lines = file.getvalue().decode().splitlines()[1:]
    assert {line.split(",")[0] for line in lines} == {"agent 1"}
    assert {line.split(",")[1] for line in lines} == {number for (number,) in mine}


@pytest.mark.parametrize("gone", ["UPDATE dbo.agents SET status = 'inactive'", "DELETE FROM dbo.agents"])
def test_the_link_of_an_agent_who_is_inactive_or_gone_opens_again_once_the_agent_is_active(
    database: TestedDatabase, gone: str
) -> None:
    backend = database.backend
    seed_tables(database)
    link, secret = make_link(backend, "agent 1")
    _, other = make_link(backend, "agent 2")
    database.execute(f"{gone} WHERE agent = 'agent 1'")
    assert look_up_link(backend, secret).link is None
    assert look_up_link(backend, other).link is not None
    # The link itself is still there, for the page of the agent.
    assert link_of_agent(backend, "agent 1") == link
    database.execute("DELETE FROM dbo.agents WHERE agent = 'agent 1'")
    database.insert("agents", ("agent", "status"), [("agent 1", "active")])
    assert look_up_link(backend, secret).link == link


def test_a_link_opens_for_an_agent_whose_status_has_other_letters_or_one_active_row(
    bare_database: TestedDatabase,
) -> None:
    backend = bare_database.backend
    bare_database.insert("agents", ("agent", "status"), [("A", "inactive"), ("A", " Active "), ("B", "inactive")])
    assert look_up_link(backend, make_link(backend, "A")[1]).link is not None
    assert look_up_link(backend, make_link(backend, "B")[1]).link is None
