"""What a run leaves on record: the version of the deal, and the leads that it dealt; on both engines."""

from __future__ import annotations

import pytest

from agent_funnel.errors import NotFound
from agent_funnel.runs import DealtLead, deal_version, dealt_leads
from support.databases import TestedDatabase
from support.nights import (
    RECENT,
    actives,
    fresh,
    put_agents,
    put_leads,
    run_deal,
    undo,
)
from support.paging import all_pages


def test_a_run_and_an_undo_change_the_version_of_the_deal(database: TestedDatabase) -> None:
    put_agents(database, actives("Al"))
    put_leads(database, fresh(2))
    seen = [deal_version(database.backend)]
    assert deal_version(database.backend) == seen[0]
    for act in (run_deal, run_deal, undo, run_deal, undo, undo):
        act(database)
        seen.append(deal_version(database.backend))
    assert len(set(seen)) == len(seen)


def test_what_a_run_dealt_stays_on_record_in_pages(database: TestedDatabase) -> None:
    put_agents(database, actives("Al", "Bo"))
    put_leads(database, fresh(5))
    run_id = run_deal(database).run_id
    run_deal(database)
    whole = dealt_leads(database.backend, run_id, count=100)
    assert whole[:2] == [DealtLead("Al", "000001", RECENT, 1), DealtLead("Bo", "000002", RECENT, 1)]
    assert len(whole) == 5
    assert whole == all_pages(
        lambda after: dealt_leads(database.backend, run_id, after=after, count=2), lambda last: last.number
    )
    with pytest.raises(NotFound):
        dealt_leads(database.backend, run_id + 100, count=1)
