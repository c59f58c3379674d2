"""Outcomes that are reported while a deal runs: they wait for it, and none is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier

import pytest

from agent_funnel.errors import DatabaseBusy, RunInProgress
from agent_funnel.outcomes import OutcomeReport, report_outcome, report_outcomes
from support.calls import Connected
from support.databases import TestedDatabase, snapshot
from support.locks import take_lock
from support.outcomes import ANAS, BRUNOS, ZONE, deal_again, now, put_floor, tell

THREADS = 4
NUMBERS = [f"+4930000{n:04}" for n in range(24)]


def test_reports_during_a_deal_are_all_kept_for_the_run_whose_leads_the_agents_had(database: TestedDatabase) -> None:
    first = put_floor(database, *NUMBERS)
    begin = Barrier(THREADS + 1)

    def report(numbers: list[str]) -> list[int]:
        begin.wait(timeout=60)
        return [tell(database, number, "talked", report=f"during {number}").run_id for number in numbers]

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(report, NUMBERS[thread::THREADS]) for thread in range(THREADS)]
        begin.wait(timeout=60)
        second = deal_again(database)
        runs = [run for future in futures for run in future.result(timeout=120)]
    kept = database.execute("SELECT number, run_id, reported_at FROM dbo.assignment_outcome WHERE stands = 1")
    ((ended,),) = database.execute("SELECT finished_at FROM dbo.assignment_run WHERE run_id = %s", second)
    assert sorted(number for number, *_ in kept) == NUMBERS
    assert sorted(run for _, run, _ in kept) == sorted(runs)
    assert all(run == (first if at < ended else second) for _, run, at in kept)


def test_a_wait_for_a_deal_is_bounded_and_keeps_nothing(database: TestedDatabase, connected: Connected) -> None:
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
            assert "Send the report again" in (answers[2].refusal or "")
            other.execute("ROLLBACK TRANSACTION")
    assert snapshot(database) == before
    assert tell(database, ANAS, "won").run_id == run_id
