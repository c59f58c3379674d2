"""Deals and undos whose connection breaks: finding what became of the call, sending the call again, and giving up."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy.engine import make_url

from agent_funnel import deal
from agent_funnel.errors import ConnectionLost, DatabaseError
from agent_funnel.settings import load
from support.databases import TestedDatabase, connect_to, disconnect
from support.faketds import DONE, HANG_UP, Answer, FakeServer, error, rows
from support.nights import TODAY, active_agents, fresh, put_agents, put_leads, run_deal, stages, undo
from support.proxy import Proxy
from support.waits import wait_until_somebody_waits

# Texts that distinguish the calls: the last run, an undo, whether a run is in progress, and whether the undo happened.
LAST, UNDO = "MAX(r.run_id) AS run_id", "EXECUTE dbo.sp_undo_wafunnel_assignment"
RUN_OF_REQUEST, UNDONE = "INTO dbo.assignment_request", "FROM dbo.assignment_undo AS u"
STILL_GOING = error(50001, "A run is still in progress.")
UNDONE_ROW = rows(
    {
        "run_id": 7, "business_date": "2026-11-23", "undone_at": "2026-11-23 20:45:00.000", "actor": "tests",
        "restored": 3, "changed_since": 0, "assignments": 3, "suppressed": 0,
    }
)  # fmt: skip


def test_the_outcome_of_a_lost_undo_is_asked_only_when_no_run_is_in_progress() -> None:
    answers: dict[str, list[Answer]] = {
        LAST: [rows({"run_id": 7})],
        UNDO: [HANG_UP],
        RUN_OF_REQUEST: [STILL_GOING, DONE],
        UNDONE: [UNDONE_ROW],
    }
    with FakeServer(answers=answers) as server:
        undone = deal.undo(connect_to(server.url()))
        assert undone.run_id == 7
        calls = [
            name
            for batch in server.batches
            for name, text in (("undo", UNDO), ("run_of_request", RUN_OF_REQUEST), ("undone", UNDONE))
            if text in batch
        ]
    assert calls == ["undo", "run_of_request", "run_of_request", "undone"]


def test_an_undo_of_unknown_outcome_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.deal.ATTEMPTS", 2)
    with FakeServer(answers={LAST: [rows({"run_id": 7})], UNDO: [HANG_UP], RUN_OF_REQUEST: [STILL_GOING]}) as server:
        with pytest.raises(ConnectionLost, match="cannot be found out now whether the change was made"):
            deal.undo(connect_to(server.url()))
        assert (server.count(UNDO), server.count(RUN_OF_REQUEST), server.count(UNDONE)) == (1, 2, 0)


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_an_undo_whose_caller_is_cut_off_while_it_waits_for_a_lock_undoes_that_run_once(
    database: TestedDatabase,
) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    first = run_deal(database).run_id
    before = stages(database)
    second = run_deal(database).run_id
    url = make_url(database.url)
    proxy = Proxy(url.host or "", url.port or 1433)
    backend = connect_to(
        url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False), database.schema
    )
    with closing(TestedDatabase(database.url, database.schema)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN TRANSACTION")
        try:
            other.execute("UPDATE dbo.wafunnel SET stage = stage WHERE number = '000002'")
            undoing = pool.submit(deal.undo, backend)
            wait_until_somebody_waits(database, undoing)
            proxy.stop()
            proxy.start()
            # Long enough for a new session to ask what became of it, and to send the undo again if it did not wait.
            time.sleep(5)
            assert not undoing.done()
        finally:
            other.execute("ROLLBACK TRANSACTION")
        assert undoing.result(timeout=60).run_id == second
    disconnect(backend)
    proxy.stop()
    assert stages(database) == before
    assert database.execute("SELECT run_id FROM dbo.assignment_undo") == [(second,)]
    assert undo(database).run_id == first


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_deal_is_given_up_after_four_attempts(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def lost(name: str, **_: object) -> None:
        asked.append(name)
        if name == "assign":
            raise ConnectionLost

    monkeypatch.setattr(database.backend, "one", lost)
    with pytest.raises(DatabaseError, match="broke each time; nothing was changed"):
        deal.deal(database.backend, load(), business_date=TODAY)
    assert asked == ["assign", "run_of_request"] * 4
