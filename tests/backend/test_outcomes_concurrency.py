"""Outcomes that are reported while a deal runs: they wait for it, and none is lost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from agent_funnel.errors import DatabaseBusy, ParameterOutOfRange, RunInProgress
from agent_funnel.outcomes import OutcomeReport, ReportedOutcome, report_outcome, report_outcomes
from support import LONG
from support.calls import Connected
from support.databases import TestedDatabase, snapshot
from support.locks import take_lock
from support.nights import numbers_by_agent, stored_assignments, stored_history
from support.outcomes import ANAS, BRUNOS, ZONE, deal_again, now, put_floor, tell

# The agents, and the threads by which the service answers them:
CROWD = 200 if LONG else 8
WORKERS = 16 if LONG else 4


def test_a_crowd_reports_while_a_deal_runs_and_no_outcome_is_lost(database: TestedDatabase) -> None:
    """Each agent reports two leads during the deal, and two after it: one tapped before it, one tapped too late."""
    agents = [f"agent {index:03}" for index in range(CROWD)]
    first = put_floor(database, *(f"+4930{index:07}" for index in range(4 * CROWD)), agents=tuple(agents))
    had = numbers_by_agent(database)
    tapped = now()
    begin = Barrier(WORKERS + 1)

    def during(worker: int) -> list[ReportedOutcome | str]:
        begin.wait(timeout=60)
        mine = agents[worker::WORKERS]
        from_lists = [
            OutcomeReport(had[agent][0], "no_answer", report=f"{agent} 0", run_id=first, agent=agent) for agent in mine
        ]
        of_now = [OutcomeReport(had[agent][1], "no_answer", report=f"{agent} 1") for agent in mine]
        return [send(database, report) for pair in zip(from_lists, of_now, strict=True) for report in pair]

    def late(worker: int) -> list[ReportedOutcome | str]:
        told: list[ReportedOutcome | str] = []
        for agent in agents[worker::WORKERS]:
            seen = OutcomeReport(had[agent][2], "talked", report=f"{agent} 2", run_id=first, agent=agent)
            told.append(send(database, replace(seen, reported_at=tapped)))
            told.append(send(database, replace(seen, number=had[agent][3], report=f"{agent} 3")))
        return told

    with ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(during, worker) for worker in range(WORKERS)]
        begin.wait(timeout=60)
        second = deal_again(database)
        answers = [one for future in futures for one in future.result(timeout=600)]
        answers += [one for found in pool.map(late, range(WORKERS)) for one in found]
    told = [one for one in answers if isinstance(one, ReportedOutcome)]
    refusals = [one for one in answers if isinstance(one, str)]
    kept = database.execute("SELECT report, number, run_id, reported_at, stands FROM dbo.assignment_outcome")
    ((ended,),) = database.execute("SELECT finished_at FROM dbo.assignment_run WHERE run_id = %s", second)
    assert sorted(row[:3] for row in kept) == sorted((one.report, one.number, one.run_id) for one in told)
    assert all(stands and run == (first if at < ended else second) for *_, run, at, stands in kept)
    # Those of the moment and those tapped before the deal are all kept; those of a list that the deal has replaced not.
    assert {f"{agent} {which}" for agent in agents for which in (1, 2)} <= {one.report for one in told}
    assert {one.report for one in told}.isdisjoint(f"{agent} 3" for agent in agents)
    assert len(told) + len(refusals) == 4 * CROWD
    assert all(one.startswith(f"A newer run has replaced run {first}, ") for one in refusals)
    # The deal is whole: each agent has an equal share, of leads that are on record, and each lead is dealt once.
    dealt = Counter((agent, number) for agent, number, *_ in stored_history(database, second).elements())
    assert stored_assignments(database) == dealt
    assert max(Counter(number for _, number in dealt.elements()).values()) == 1
    shares = Counter(agent for agent, _ in dealt.elements())
    assert sorted(shares) == agents
    assert max(shares.values()) - min(shares.values()) <= 1


def send(database: TestedDatabase, report: OutcomeReport) -> ReportedOutcome | str:
    """Sends a report as a client does: until it is answered, and once more, as if the first answer had been lost."""

    def answered() -> ReportedOutcome | str:
        for _ in range(20):
            try:
                return report_outcome(database.backend, report, actor=report.agent or "CRM", now=now(), zone=ZONE)
            except ParameterOutOfRange as refusal:
                return str(refusal)
            except (DatabaseBusy, RunInProgress):
                continue
        raise AssertionError(f"No answer to {report}.")

    told = answered()
    assert answered() == told
    return told


def test_a_wait_for_a_deal_is_bounded_and_keeps_nothing(
    database: TestedDatabase, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[str] = []

    def counted(*arguments: Any, **named: Any) -> Any:
        waits.append("a wait")
        return report_outcome(*arguments, **named)

    monkeypatch.setattr("agent_funnel.outcomes.report_outcome", counted)
    run_id = put_floor(database)
    backend = connected(database, lock_wait=timedelta(seconds=1))
    reports = [OutcomeReport(number, "won", run_id=run_id) for number in (ANAS, BRUNOS, ANAS)]
    before = snapshot(database)
    with closing(TestedDatabase(database.url, database.schema)) as other:
        if database.engine == "sqlite":
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseBusy, match="busy"):
                report_outcome(backend, reports[0], actor="Eva", now=now(), zone=ZONE)
            other.execute("ROLLBACK")
        else:
            other.execute("BEGIN TRANSACTION")
            take_lock(other, "records")
            answers = report_outcomes(backend, reports, actor="Eva", now=now(), zone=ZONE)
            assert [answer.code for answer in answers] == [RunInProgress.number] * 3
            assert waits == ["a wait"]
            assert "Send the report again" in (answers[2].refusal or "")
            other.execute("ROLLBACK TRANSACTION")
    assert snapshot(database) == before
    assert tell(database, ANAS, "won").run_id == run_id
