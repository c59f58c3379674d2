"""Hand-backs, from the API, the pages of operators and the agents' own lists.

A hand-back waits for a deal in progress, as a report does; only so many of both wait at the same time.
"""

from __future__ import annotations

from agent_funnel.hand_backs import HandBack, hand_back_leads, undo_hand_back
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.outcomes import TURN_SECONDS
from agent_funnel.web.services import services


def hand_back_and_note(agent: str, *, run_id: int | None, actor: str) -> HandBack:
    """Hands the rest of a list back, and sets the target for the audit. Raises TooManyRequests if too many wait."""
    given = services()
    set_audit_target(agent)
    with given.reports.take(TURN_SECONDS):
        done = hand_back_leads(
            given.database, agent, actor=actor, now=given.now(), zone=given.settings.timezone, run_id=run_id
        )
    set_audit_target(f"{done.leads} of {agent}, run {done.run_id}")
    return done


def undo_and_note(*, actor: str, agent: str | None = None, hand_back_id: int | None = None) -> HandBack:
    """Undoes a hand-back, and sets the target for the audit. Raises TooManyRequests as above."""
    given = services()
    set_audit_target(f"hand-back {hand_back_id}")
    with given.reports.take(TURN_SECONDS):
        done = undo_hand_back(given.database, actor=actor, now=given.now(), agent=agent, hand_back_id=hand_back_id)
    set_audit_target(f"{done.leads} of {done.agent}, run {done.run_id}")
    return done
