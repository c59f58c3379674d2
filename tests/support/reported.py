"""Outcomes for the tests of the deal: reports of what a run dealt, and their rows, written without the product."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from agent_funnel.values import write_moment
from support.databases import TestedDatabase
from support.oracle_outcomes import Reported

COLUMNS = (
    "report", "run_id", "agent", "number", "date", "stage", "outcome", "call_back_on", "same_agent", "reported_at",
    "reported_on", "stands", "stage_back",
)  # fmt: skip

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Report(NamedTuple):
    """A report of one of the leads that a run dealt."""

    which: int  # counts round and round through the leads of the run
    outcome: str
    days: int = 1  # from the business date to that of a call-back, or to the day of the report
    same_agent: bool = False


def reported_of(
    reports: Iterable[Report], run_id: int, business_date: date, history: Sequence[tuple[str, str, datetime, int]]
) -> list[Reported]:
    """The outcomes that these reports make of the history of a run: agent, number, date and stage of each lead."""
    found: dict[str, Reported] = {}
    for report in reports if history else ():
        agent, number, created, stage = history[report.which % len(history)]
        later = business_date + timedelta(days=report.days)
        asked = report.outcome == "call_back"
        found[number] = Reported(
            run_id=run_id,
            business_date=business_date,
            agent=agent,
            number=number,
            created=created,
            outcome=report.outcome,
            reported_on=business_date if asked else later,
            call_back_on=later if asked else None,
            same_agent=asked and report.same_agent,
            stage=stage,
        )
    return list(found.values())


def put_outcomes(database: TestedDatabase, outcomes: Iterable[Reported], reported_at: datetime = LONG_AGO) -> None:
    """Adds outcomes that stand."""
    rows = [
        (
            one.report, one.run_id, one.agent, one.number, one.created, one.stage, one.outcome,
            None if one.call_back_on is None else str(one.call_back_on), int(one.same_agent),
            write_moment(reported_at), str(one.reported_on), 1, 0,
        )
        for one in outcomes
    ]  # fmt: skip
    database.insert("assignment_outcome", COLUMNS, rows)


def handed_out(database: TestedDatabase, run_id: int) -> list[tuple[int, str]]:
    """The run and the number of each call-back that a run handed out, sorted."""
    return sorted(
        database.execute(
            "SELECT o.run_id, o.number FROM dbo.assignment_call_back AS c "
            "INNER JOIN dbo.assignment_outcome AS o ON c.outcome_id = o.outcome_id WHERE c.run_id = %s",
            run_id,
        )
    )
