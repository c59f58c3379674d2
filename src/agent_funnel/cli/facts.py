"""The numbers of a run with their meanings, after a run and in a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent_funnel.cli.output import print_table, say
from agent_funnel.deal import PreviewShare
from agent_funnel.fairness import Fairness, verdict
from agent_funnel.runs import DEALT_STAGES, Run, RunRecord, Share

# The most agents that a table shows one by one:
MOST_AGENTS = 60
# With more agents, it shows this many at the beginning and at the end:
FIRST_AGENTS, LAST_AGENTS = 20, 5


class Fact(NamedTuple):
    """A number of a run, or a range of two, by its fields; with its meaning after the run and in a preview."""

    fields: tuple[str, ...]
    past: str
    conditional: str


FACTS = (
    Fact(("agents",), "agents were active and had room", "agents are active and have room"),
    Fact(("pool",), "leads were in the pool", "leads are in the pool"),
    Fact(
        ("assigned",),
        "leads were assigned, and moved on by one stage",
        "leads would be assigned, and move on by one stage",
    ),
    Fact(("left_over",), "leads were left over for another night", "leads would be left over for another night"),
    Fact(
        ("per_agent",),
        "leads were the even share, before individual limits",
        "leads would be the even share, before individual limits",
    ),
    Fact(("smallest_share", "largest_share"), "leads went to each agent", "leads would go to each agent"),
    Fact(
        ("duplicates",),
        "leads waited behind another lead with the same number",
        "leads would wait behind another lead with the same number",
    ),
    Fact(
        ("suppressed",),
        "leads were kept out by the do-not-contact list",
        "leads would be kept out by the do-not-contact list",
    ),
    Fact(
        ("kept_out",),
        "leads were kept out by what agents reported of them",
        "leads would be kept out by what agents reported of them",
    ),
    Fact(
        ("came_round",),
        "leads came round: they had been dealt before",
        "leads would come round: they were dealt before",
    ),
    Fact(
        ("same_agent",), "of these met the agent who had them last", "of these would meet the agent who had them last"
    ),
    Fact(
        ("stayed",),
        "leads stayed with the agent who talked to them or is to call back",
        "leads would stay with the agent who talked to them or is to call back",
    ),
)


def facts_of(run: Run | RunRecord, *, preview: bool = False) -> list[tuple[str, str]]:
    """Returns the facts of a run or of a preview. A run that failed early has none of the numbers."""
    return [
        (" to ".join(str(getattr(run, field)) for field in fact.fields), fact.conditional if preview else fact.past)
        for fact in FACTS
        if all(getattr(run, field) is not None for field in fact.fields)
    ]


def share_cells(share: Share | PreviewShare) -> dict[str, object]:
    """Returns an agent's share as cells: the agent, the number of leads, and the number of each stage."""
    return {
        "Agent": share.agent,
        "Leads": share.leads,
        **{f"Stage {stage}": share.by_stage.get(stage, 0) for stage in DEALT_STAGES},
    }


def print_verdict(fairness: Fairness | None, *, would: bool = False) -> None:
    """Prints the verdict on a deal, if there is one."""
    if fairness is not None:
        say(verdict(fairness, would=would))


def print_shares(rows: Sequence[Mapping[str, object]]) -> None:
    """Prints the agents' shares. A long table shows only its first and last agents."""
    if not rows:
        return
    shown = rows if len(rows) <= MOST_AGENTS else [*rows[:FIRST_AGENTS], *rows[-LAST_AGENTS:]]
    print_table(shown)
    if hidden := len(rows) - len(shown):
        say(f"{hidden} agents in between are not shown.")
