"""Reports of outcomes, from the API and from the agents' own lists.

A report waits for a deal in progress. Only so many wait at the same time that the other requests find a thread; the
others are refused after a moment, and their clients send them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext
from pydantic import BaseModel

from agent_funnel.masking import last_digits, mask_digits
from agent_funnel.outcomes import (
    OutcomeReport,
    ReportAnswer,
    ReportedOutcome,
    report_outcome,
    report_outcomes,
    take_back_outcome,
)
from agent_funnel.sentences import sentence, shown_as
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.format import REPORTED
from agent_funnel.web.languages import translated
from agent_funnel.web.services import services


class ReportAnswers(BaseModel):
    """The answer to each report, in their order: its outcome, or the refusal with its code. After 50001, a deal was in
    progress all the time: send these reports again."""

    kept: int
    refused: int
    items: list[ReportAnswer]


# What the procedures say of a report that did less than one may expect, in their words:
NOTICES = (
    shown_as(
        "Taken back. The lead's stage did not move: a newer run has dealt it, its run was undone, or somebody changed "
        "the lead.",
        sentence(
            "Taken back. The lead’s number of calls stays the same: a newer deal has dealt it, its deal was undone, or "
            "somebody changed the lead."
        ),
    ),
    sentence("Taken back. The number stays out: another entry of a do-not-contact list has it."),
    shown_as(
        "Kept. The lead's stage did not move: a newer run has dealt it, its run was undone, or somebody changed the "
        "lead.",
        sentence(
            "Kept. The lead’s number of calls stays the same: a newer deal has dealt it, its deal was undone, or "
            "somebody changed the lead."
        ),
    ),
    shown_as(
        "Kept. The number stays on the do-not-contact list until the outcome opted_out is taken back.",
        sentence("Kept. The number stays on the do-not-contact list until “Does not want to be called” is taken back."),
    ),
)
# Another one, which ends with the outcome:
LATER_OUTCOME = "Kept. A later outcome of this lead holds: "
# Requests with reports that are answered at the same time:
REPORTS_AT_ONCE = 4
# How long another one waits for its turn, in seconds; a report takes a few milliseconds:
TURN_SECONDS = 0.25


def notice_in_words(notice: str | None) -> str | None:
    """A notice of a procedure in the language of the page."""
    if notice is None:
        return None
    if notice.startswith(LATER_OUTCOME):
        outcome = translated(REPORTED[notice.removeprefix(LATER_OUTCOME).removesuffix(".")])
        later: str = gettext("Kept. A later outcome of this lead holds: %(outcome)s.", outcome=outcome)
        return later
    return translated(next((each for each in NOTICES if each == notice), notice))


def report_one(reported: OutcomeReport, *, actor: str) -> ReportedOutcome:
    """Keeps an outcome, and sets the target for the audit. Raises TooManyRequests if too many reports wait already."""
    given = services()
    set_audit_target(f"{reported.outcome} {last_digits(reported.number)}")
    with given.reports.take(TURN_SECONDS):
        return report_outcome(given.database, reported, actor=actor, now=given.now(), zone=given.settings.timezone)


def report_all(reports: Sequence[OutcomeReport], *, actor: str) -> ReportAnswers:
    """Keeps several outcomes, and sets the target for the audit. Raises TooManyRequests as above."""
    given = services()
    with given.reports.take(TURN_SECONDS):
        found = report_outcomes(given.database, reports, actor=actor, now=given.now(), zone=given.settings.timezone)
    kept = sum(each.outcome is not None for each in found)
    set_audit_target(f"{kept} of {len(found)} outcomes")
    return ReportAnswers(kept=kept, refused=len(found) - kept, items=found)


def take_back(
    report: str, *, actor: str, agent: str | None = None, taken_back_at: datetime | None = None
) -> ReportedOutcome:
    """Takes an outcome back, and sets the target for the audit. Raises TooManyRequests as above."""
    given = services()
    set_audit_target(mask_digits(report))
    with given.reports.take(TURN_SECONDS):
        found = take_back_outcome(
            given.database, report, actor=actor, now=given.now(), agent=agent, taken_back_at=taken_back_at
        )
    set_audit_target(f"{found.outcome} {last_digits(found.number)}")
    return found
