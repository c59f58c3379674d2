"""Sentences of the notices about deals, and about dates without one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from agent_funnel.runs import Run
from agent_funnel.schedule.store import outcome_name
from agent_funnel.schedule.voids import End
from agent_funnel.sentences import Sentence, counted, joined, sentence

HOW_TO_DEAL = sentence("To deal now, open the dashboard and press Deal now, or use the command agent-funnel run.")
# The same while a deal would be refused, because nobody would get leads:
HOW_TO_ACTIVATE = sentence(
    "No agent is active, so a deal would be refused. Open the dashboard, press Activate agents there, and then Preview "
    "and deal now."
)
HOW_TO_END_ABSENCES = sentence(
    "All active agents are away, so a deal would be refused. Open the dashboard and press See who is away, end the "
    "absences of those who are there, and then press Deal now."
)


def dealt(run: Run) -> Sentence:
    """A scheduled deal with its amounts."""
    return counted(
        "Deal %(run)s of %(date)s: %(count)s of %(pool)s leads to %(agents)s.",
        "Deal %(run)s of %(date)s: %(count)s of %(pool)s leads to %(agents)s.",
        run.assigned,
        run=str(run.run_id),
        date=run.business_date,
        pool=run.pool,
        agents=counted("%(count)s agent", "%(count)s agents", run.agents),
    )


def found_nothing(run: Run) -> Sentence:
    """A deal whose pool was empty."""
    return sentence(
        "Deal %(run)s of %(date)s found no lead to deal.", run=str(run.run_id), date=run.business_date
    )  # fmt: skip


def about(run: Run, warning: str) -> Sentence:
    """A deal with a warning, which is a sentence."""
    return sentence(
        "Deal %(run)s of %(date)s: %(warning)s", run=str(run.run_id), date=run.business_date, warning=warning
    )


def void_records(early: Sequence[End]) -> Sentence:
    """Records that are void because they were made before their time."""
    days = sorted(end.business_date for end in early)
    return counted(
        "The schedule's record of %(first)s (%(outcomes)s) is void: it was made before its time. A clock was ahead, or "
        "the time of the deal was moved. The deals are made in their time.",
        "The schedule's record of %(count)s dates from %(first)s to %(last)s (%(outcomes)s) is void: it was made "
        "before its time. A clock was ahead, or the time of the deal was moved. The deals are made in their time.",
        len(days),
        first=days[0],
        last=days[-1],
        outcomes=[outcome_name(outcome) for outcome in sorted({end.outcome for end in early})],
    )


def lost_dates(days: Sequence[date]) -> Sentence:
    """Many dates, in order, whose deals were missed or failed."""
    lost = counted(
        "The deal of %(first)s was missed or failed.",
        "The deals of %(count)s dates from %(first)s to %(last)s were missed or failed.",
        len(days),
        first=days[0],
        last=days[-1],
    )
    return joined(lost, HOW_TO_DEAL)


def lost_date(day: date, outcome: str, *, was_held: bool) -> Sentence:
    """A date whose deal was `missed`, failed each time, or was held by a brake."""
    if outcome == "missed":
        lost = sentence(
            "The deal of %(day)s was missed: the service or its database was down while it was due.", day=day
        )
        return joined(lost, HOW_TO_DEAL)
    if was_held:
        held = sentence("A brake held the deal of %(day)s, and nobody approved it. No leads moved.", day=day)
        return joined(held, HOW_TO_DEAL)
    return sentence("The deal of %(day)s failed each time, and will not be tried again.", day=day)
