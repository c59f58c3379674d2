"""Reports of outcomes, from the API and from the agents' own lists.

A report waits for a deal in progress. Only so many wait at the same time that the other requests find a thread; the
others are refused after a moment, and their clients send them again.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent_funnel.outcomes import OutcomeReport, ReportAnswer, ReportedOutcome, report_outcome, report_outcomes
from agent_funnel.web.services import services

# Requests with reports that are answered at the same time:
REPORTS_AT_ONCE = 4
# How long another one waits for its turn, in seconds; a report takes a few milliseconds:
TURN_SECONDS = 0.25


def report_one(reported: OutcomeReport, *, actor: str) -> ReportedOutcome:
    """Keeps an outcome. Raises TooManyRequests if too many reports wait already."""
    given = services()
    with given.reports.take(TURN_SECONDS):
        return report_outcome(given.database, reported, actor=actor, now=given.now(), zone=given.settings.timezone)


def report_all(reports: Sequence[OutcomeReport], *, actor: str) -> list[ReportAnswer]:
    """Keeps several outcomes. Raises TooManyRequests if too many reports wait already."""
    given = services()
    with given.reports.take(TURN_SECONDS):
        return report_outcomes(given.database, reports, actor=actor, now=given.now(), zone=given.settings.timezone)
