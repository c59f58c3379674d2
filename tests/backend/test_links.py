"""Personal links of agents, on each engine."""

from __future__ import annotations

import io
from datetime import datetime

import pytest

from agent_funnel import access, links, service
from agent_funnel.errors import NotFound
from agent_funnel.export import export
from agent_funnel.settings import load
from support.databases import TestedDatabase, small_floor


def rows_of_links(database: TestedDatabase) -> str:
    return repr(database.execute("SELECT * FROM dbo.agent_link"))


def test_a_link_opens_for_its_agent_alone_and_its_secret_is_kept_nowhere(database: TestedDatabase) -> None:
    backend = database.backend
    small_floor(database)
    link, secret = links.make(backend, "agent 1", actor="test")
    assert secret.startswith("mine_")
    assert len(secret) > 40
    assert secret not in rows_of_links(database)
    assert secret.removeprefix("mine_") not in rows_of_links(database)
    assert (link.agent, link.created_by, link.last_used_at) == ("agent 1", "test", None)
    assert links.opened(backend, secret) == links.Opened(link, any_keys=False)
    assert links.of_agent(backend, "agent 1") == link
    assert links.of_agent(backend, "agent 2") is None
    access.add_key(backend, "Ana", "viewer")
    for wrong in ("", "mine_", secret[:-1], secret.swapcase(), secret + "x"):
        assert links.opened(backend, wrong) == links.Opened(None, any_keys=True)
    # It is no key, and a key is no link.
    assert access.holder_of_key(backend, secret).holder is None
    links.note_use(backend, link.link_id)
    noted = links.of_agent(backend, "agent 1")
    assert noted is not None
    assert noted.last_used_at is not None


def test_a_new_link_revokes_the_one_before_and_revoking_is_for_good(database: TestedDatabase) -> None:
    backend = database.backend
    small_floor(database)
    _, other = links.make(backend, "agent 2")
    _, first = links.make(backend, "agent 1", actor="first")
    _, second = links.make(backend, "agent 1", actor="second")
    assert links.opened(backend, first).link is None
    assert links.opened(backend, second).link is not None
    links.revoke(backend, "agent 1", actor="test")
    assert links.opened(backend, second).link is None
    assert links.opened(backend, other).link is not None
    assert database.execute("SELECT revoked_by FROM dbo.agent_link ORDER BY link_id") == [
        (None,),
        ("second",),
        ("test",),
    ]
    with pytest.raises(NotFound, match="'agent 1' has no link in use"):
        links.revoke(backend, "agent 1")


def test_there_is_no_link_for_nobody(database: TestedDatabase) -> None:
    small_floor(database)
    for nobody in ("agent", "AGENT 1"):
        with pytest.raises(NotFound, match="There is no agent"):
            links.make(database.backend, nobody)
    assert rows_of_links(database) == "[]"


def test_what_an_agent_has_is_counted_and_exported_alone(bare_database: TestedDatabase) -> None:
    database = bare_database
    small_floor(database)
    service.assign(database.backend, load(), business_date=datetime.now().date())
    mine = database.execute("SELECT number FROM dbo.agent_wafunnel_assignment WHERE agent = 'agent 1'")
    assert 0 < len(mine) < 7
    # A table without a key may give a number twice to one.
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("agent 1", mine[0][0])])
    assert links.count(database.backend, "agent 1") == len(mine)
    assert links.count(database.backend, "nobody") == 0
    file = io.BytesIO()
    assert export(database.backend, "assignments", file, "csv", agent="agent 1") == len(mine)
    lines = file.getvalue().decode().splitlines()[1:]
    assert {line.split(",")[0] for line in lines} == {"agent 1"}
    assert {line.split(",")[1] for line in lines} == {number for (number,) in mine}
