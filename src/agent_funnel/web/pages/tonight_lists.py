"""What agents have now, on Tonight: how far the lists of the last deal are, and who has most and fewest to call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent_funnel.agents import LeadsInHand
from agent_funnel.hand_backs import HandedBackByAgent
from agent_funnel.names import by_name
from agent_funnel.runs import Run
from agent_funnel.web.counts import LeadsInHandOfAll
from agent_funnel.web.ends import RangeEnd, ends_of


@dataclass(frozen=True)
class ListsNow:
    """How far the lists of the last deal are.

    Agents have `to_call` leads without an outcome, and `done` with one. `handed_back` leads wait for the next deal, and
    `taken_off` ones are on nobody's list any longer, since their number went on a do-not-contact list. `most` and
    `fewest` are the agents with most and fewest to call, None unless two have leads. `not_begun` are those whose whole
    list is still to call, by name; nobody if no lead is done.
    """

    to_call: int
    done: int
    handed_back: int
    taken_off: int
    most: RangeEnd | None
    fewest: RangeEnd | None
    not_begun: Sequence[str]

    @property
    def gone(self) -> int:
        """The leads of the deal that no agent has now."""
        return self.handed_back + self.taken_off


def lists_now(run: Run, held: LeadsInHandOfAll, handed_back: Sequence[HandedBackByAgent]) -> ListsNow:
    """How far the lists of a run are, if agents have these leads and have handed back those."""
    lists = list(held.agents.values())
    leads, to_call = sum(each.leads for each in lists), sum(each.to_call for each in lists)
    back = sum(each.leads for each in handed_back)
    not_begun = [each.agent for each in lists if each.to_call == each.leads]
    most, fewest = ends_of([(each.to_call, each.agent, each.leads) for each in lists])
    return ListsNow(
        to_call=to_call,
        done=leads - to_call,
        handed_back=back,
        # Another program may have added assignments.
        taken_off=max(0, run.assigned - leads - back),
        most=most,
        fewest=fewest,
        not_begun=sorted(not_begun, key=by_name) if leads > to_call else [],
    )


def list_of_each(held: LeadsInHandOfAll, shares: Iterable[str]) -> list[LeadsInHand]:
    """What each agent has who has leads, or got some in the last deal, by name."""
    everybody = sorted({*held.agents, *shares}, key=by_name)
    return [held.agents.get(name) or LeadsInHand(agent=name, leads=0, to_call=0) for name in everybody]
