"""Outcomes: what agents report of the leads that they were dealt, and how a report is taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from agent_funnel.database import Database
from agent_funnel.errors import ParameterOutOfRange, RunError, RunInProgress
from agent_funnel.numbers import match_key
from agent_funnel.runs import LARGEST_RUN_ID
from agent_funnel.sentences import sentence, shown_as
from agent_funnel.values import (
    Day,
    Flag,
    Moment,
    Record,
    check_characters,
    check_length,
    check_text,
    shortened,
    text_length,
    write_moment,
)

# What can be reported of a lead, in the order in which people look for it:
OUTCOMES = ("talked", "no_answer", "won", "lost", "call_back", "wrong_number", "opted_out", "not_worked")
# The most reports in one call:
MOST_REPORTS = 1_000
# Outcomes that an export reads at a time:
PAGE = 5_000
# How far ahead the day of a call-back may be; the procedure has the same limit:
LONGEST_CALL_BACK = timedelta(days=90)
# The longest id of a report, and the longest note, in characters:
LONGEST_REPORT = 64
LONGEST_NOTE = 1_000


@dataclass(frozen=True)
class OutcomeReport:
    """An outcome as somebody reports it, of a lead that a run dealt, by its number in any spelling.

    `report` is an id that the reporter chooses, so that a report that is sent twice is one outcome; None makes a new
    one. `run_id` is None for the run whose leads the agents had at `reported_at`, which is None for now. With `agent`,
    leads of other agents are refused. `call_back_on` and `same_agent` are of a call-back only.
    """

    number: str
    outcome: str
    report: str | None = None
    run_id: int | None = None
    agent: str | None = None
    call_back_on: date | None = None
    same_agent: bool = False
    note: str | None = None
    reported_at: datetime | None = None


@dataclass(frozen=True)
class Outcome(Record):
    """An outcome on record, of a lead that the run dealt to `agent` under this `number`. Moments are in UTC.

    `reported_on` is the date in the zone of the
    sales floor. `stands` is whether it is the newest outcome of the lead in that run that was not taken back, and
    `stage_back` whether it has the lead's stage put back to that of before the run.
    """

    outcome_id: int
    report: str
    run_id: int
    business_date: Day
    agent: str
    number: str
    outcome: str
    call_back_on: Day | None
    same_agent: Flag
    note: str | None
    reported_at: Moment
    reported_on: Day
    reported_by: str | None
    taken_back_at: Moment | None
    taken_back_by: str | None
    stands: Flag
    stage_back: Flag


@dataclass(frozen=True)
class ReportedOutcome(Outcome):
    """An outcome after it was reported or taken back. `notice` says if it did less, or more, than one may expect."""

    notice: str | None


@dataclass(frozen=True)
class ReportAnswer:
    """The answer to one of several reports: its outcome, or why it was refused.

    `code` is the SQL number of the refusal. With 50001, a deal was in progress all the time: send the report again.
    """

    report: str | None
    outcome: ReportedOutcome | None
    refusal: str | None = None
    code: int | None = None


@dataclass(frozen=True)
class PromisedCall(Record):
    """A call-back that a run handed out: its day, the agent who promised it, and the note of the report."""

    number: str
    call_back_on: Day
    agent: str
    note: str | None


def report_outcome(
    database: Database, reported: OutcomeReport, *, actor: str, now: datetime, zone: ZoneInfo
) -> ReportedOutcome:
    """Keeps an outcome, with its effects. A report that is sent again changes nothing and has the same answer.

    Waits for a deal in progress; the report is of the moment before the wait. Raises ParameterOutOfRange for a report
    that is refused, and RunInProgress if the wait was too long: then nothing was kept.
    """
    _check(reported)
    # A report of long ago is refused. The date of a moment at the beginning of the calendar may not exist on the floor.
    at = max(min(reported.reported_at or now, now), now - timedelta(days=8))
    row = database.one(
        "report_outcome",
        report=reported.report or str(uuid.uuid4()),
        number=reported.number,
        outcome=reported.outcome,
        run_id=None if reported.run_id is None else min(reported.run_id, LARGEST_RUN_ID),
        agent=reported.agent,
        call_back_on=None if reported.call_back_on is None else reported.call_back_on.isoformat(),
        same_agent=int(reported.same_agent),
        note=_note(reported.note),
        reported_at=write_moment(reported.reported_at),
        reported_on=at.astimezone(zone).date().isoformat(),
        now=write_moment(now),
        actor=shortened(actor),
    )
    assert row is not None
    return ReportedOutcome.from_row(row)


def report_outcomes(
    database: Database,
    reports: Sequence[OutcomeReport],
    *,
    actor: str,
    now: datetime,
    zone: ZoneInfo,
    progress: Callable[[int], None] | None = None,
) -> list[ReportAnswer]:
    """Keeps up to a thousand outcomes. Returns the answer to each report, in their order.

    Each is a transaction of its own: a refused one stops no other, a deal that is due waits for one only, and after a
    broken connection all can be sent again. When a deal takes too long, the rest is refused without another wait.
    """
    if not 0 < len(reports) <= MOST_REPORTS:
        raise ParameterOutOfRange(
            sentence(
                "There are %(count)s reports; 1 to %(most_reports)s are possible at once. Nothing was kept.",
                count=len(reports),
                most_reports=MOST_REPORTS,
            )
        )
    answers: list[ReportAnswer] = []
    busy: RunInProgress | None = None
    for reported in reports:
        try:
            if busy:
                raise busy
            answers.append(
                ReportAnswer(reported.report, report_outcome(database, reported, actor=actor, now=now, zone=zone))
            )
        except RunError as error:
            busy = error if isinstance(error, RunInProgress) else None
            answers.append(ReportAnswer(reported.report, None, str(error), error.number))
        if progress:
            progress(1)
    return answers


def take_back_outcome(
    database: Database,
    report: str,
    *,
    actor: str,
    now: datetime,
    agent: str | None = None,
    taken_back_at: datetime | None = None,
) -> ReportedOutcome:
    """Takes an outcome back, by the id of its report, so that the one before it holds. A second time changes nothing.

    With `agent`, it must be an outcome of theirs, and the run must still have been the newest at `taken_back_at`, which
    is None for now. Waits for a deal in progress. Raises ParameterOutOfRange if it is refused.
    """
    _check_report(report)
    row = database.one(
        "take_back_outcome",
        report=report,
        agent=agent,
        taken_back_at=write_moment(taken_back_at),
        now=write_moment(now),
        actor=shortened(actor),
    )
    assert row is not None
    return ReportedOutcome.from_row(row)


def list_outcomes(
    database: Database,
    *,
    run_id: int | None = None,
    agent: str | None = None,
    number: str | None = None,
    standing: bool = False,
    before: int | None = None,
    count: int,
) -> list[Outcome]:
    """The newest outcomes, newest first: of a run, of an agent, or of a number in any spelling.

    With `standing`, only those that hold; with `before`, only those before the outcome with that `outcome_id`.
    """
    chosen: dict[str, object] = {
        "run_id": None if run_id is None else min(run_id, LARGEST_RUN_ID),
        "agent": agent,
        "standing": int(standing),
        "before": before,
        "count": count,
    }
    if number is None:
        rows = database.all("reported_outcomes", **chosen)
    else:
        rows = database.all("outcomes_of_number", number=number, match_key=match_key(database, number), **chosen)
    return [Outcome.from_row(row) for row in rows]


def outcomes_of_list(database: Database, run_id: int, agent: str) -> dict[str, Outcome]:
    """The newest outcome that holds of each lead that a run dealt to an agent, by the number.

    The run is the last one that is not undone. A lead that was reported won, lost or to be called back after a later
    run is on the list again when that run is undone, but no deal hands it out: it has this outcome, too.
    """
    found = map(Outcome.from_row, database.all("outcomes_of_list", run_id=run_id, agent=agent))
    return {each.number: each for each in sorted(found, key=attrgetter("reported_at", "outcome_id"))}


def call_backs_of_list(database: Database, run_id: int, agent: str) -> list[PromisedCall]:
    """The call-backs that a run handed out to an agent."""
    return [PromisedCall.from_row(row) for row in database.all("call_backs_of_list", run_id=run_id, agent=agent)]


def stream_outcomes(
    database: Database, *, run_id: int | None = None, agent: str | None = None, standing: bool = False
) -> Generator[Outcome]:
    """All such outcomes, newest first, read in pages."""
    before = None
    while page := list_outcomes(database, run_id=run_id, agent=agent, standing=standing, before=before, count=PAGE):
        yield from page
        before = page[-1].outcome_id


def _check(reported: OutcomeReport) -> None:
    """Raises ParameterOutOfRange for a report that no column can hold, or that contradicts itself."""
    # Not check_text: numbers that were copied from WhatsApp have marks of the direction of text around them.
    check_length("number", reported.number)
    if reported.report is not None:
        _check_report(reported.report)
    if reported.agent is not None:
        check_length("agent", reported.agent)
    if reported.outcome not in OUTCOMES:
        raise ParameterOutOfRange(
            sentence(
                "outcome is %(outcome)s; it must be one of %(choices)s. Nothing was kept.",
                outcome=repr(reported.outcome[:40]),
                choices=", ".join(OUTCOMES),
            )
        )
    if reported.outcome == "call_back" and reported.call_back_on is None:
        raise ParameterOutOfRange(
            shown_as(
                "A call_back needs call_back_on, its day. Nothing was kept.",
                sentence("A call-back needs its day. Nothing was kept."),
            )
        )
    if reported.outcome != "call_back" and (reported.call_back_on is not None or reported.same_agent):
        raise ParameterOutOfRange(
            shown_as(
                "Only a call_back has call_back_on and same_agent. Nothing was kept.",
                sentence("Only a call-back has a day. Nothing was kept."),
            )
        )
    if (note := _note(reported.note)) is not None:
        if text_length(note) > LONGEST_NOTE:
            raise ParameterOutOfRange(
                sentence(
                    "note has %(length)s characters; it must have at most %(longest_note)s. Nothing was kept.",
                    length=str(text_length(note)),
                    longest_note=str(LONGEST_NOTE),
                )
            )
        check_characters("note", note)


def _check_report(report: str) -> None:
    check_text("report", report)
    if text_length(report) > LONGEST_REPORT or report != report.strip():
        raise ParameterOutOfRange(
            sentence(
                "report has %(length)s characters; it must have 1 to %(longest_report)s, and no blanks around them. "
                "Nothing was changed.",
                length=str(text_length(report)),
                longest_report=str(LONGEST_REPORT),
            )
        )


def _note(note: str | None) -> str | None:
    return (note or "").strip() or None
