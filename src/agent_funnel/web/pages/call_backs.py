"""Call-backs to come: by day, with the agent and the reason if a deal does not hand one out."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, render_template, request

from agent_funnel.call_backs import CallBack, count_call_backs, list_call_backs
from agent_funnel.sentences import sentence
from agent_funnel.web.pages.layout import page
from agent_funnel.web.paging import AFTER_CALL_BACK, decode_cursor, encode_cursor
from agent_funnel.web.requester import mask_outcome, today
from agent_funnel.web.services import services

blueprint = Blueprint("call_backs", __name__)

CALL_BACKS_PER_PAGE = 100
# What a call-back waits for, or why no deal hands it out:
STATE_NAMES = {
    "to_come": sentence("to come"),
    "due": sentence("due in the next deal"),
    "passed_over": sentence("not dealt yet: no agent had room"),
    "later": sentence("waits for a later call-back of this number"),
    "do_not_contact": sentence("not dealt: on a do-not-contact list"),
    "wrong_number": sentence("not dealt: wrong number"),
    "won": sentence("not dealt: won meanwhile"),
    "lost": sentence("not dealt: lost meanwhile"),
    "gone": sentence("not dealt: the lead is no longer in the table"),
}


@page(blueprint, "/call-backs", role="viewer")
def show() -> str:
    """The call-backs that no deal has handed out, by their day, perhaps of one agent."""
    database = services().database
    agent = request.args.get("agent", "").strip() or None
    after = decode_cursor(request.args.get("after"), AFTER_CALL_BACK)
    # Their order is that of days and reports, which says nothing of numbers, so that viewers can have pages of it.
    rows = list_call_backs(database, today(), agent=agent, after=after, count=CALL_BACKS_PER_PAGE)
    return render_template(
        "call_backs.html",
        rows=[mask_outcome(row) for row in rows],
        counts=count_call_backs(database, today()),
        agent=agent,
        begins=after is None,
        after=encode_cursor(*rows[-1].place) if len(rows) == CALL_BACKS_PER_PAGE else None,
        alike=alike_columns(rows),
        STATE_NAMES=STATE_NAMES,
    )


def alike_columns(rows: Sequence[CallBack]) -> set[str]:
    """The columns in which several rows have the same value, which is then said once above them."""
    shown: dict[str, set[object]] = {
        "goes_to": {row.same_agent for row in rows},
        "state": {row.state for row in rows},
        "reported": {row.reported_at.replace(second=0, microsecond=0) for row in rows},
    }
    return {name for name, values in shown.items() if len(rows) > 1 and len(values) == 1}
