"""The verdict on a deal: what agents got, who got less by a limit of their own, and who was away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent_funnel.agents import roster
from agent_funnel.database import Database
from agent_funnel.deal import Preview
from agent_funnel.names import by_name
from agent_funnel.runs import Run, RunRecord, Share, run_limits

# The most names in a sentence:
MOST_NAMES = 5


@dataclass(frozen=True)
class Fairness:
    """How evenly a deal shared the leads.

    `agents` got from `smallest` to `largest` leads. Those of `limited`, with their leads, got fewer than the largest
    share, because they were full. Those `away` had a limit of 0. A deal `is_fair` if its agents, those of `limited`
    aside, got the same number of leads, or one more.
    """

    agents: int
    smallest: int
    largest: int
    limited: Mapping[str, int]
    away: tuple[str, ...]
    is_fair: bool


def judge(shares: Mapping[str, int], agents: int, rooms: Mapping[str, int]) -> Fairness | None:
    """Judges the leads that each agent got. None if nobody got any.

    `agents` is how many took part; those without a lead need not be among the `shares`. `rooms` are the limits of
    single agents, and 0 for those who were away.
    """
    largest = max(shares.values(), default=0)
    if not largest:
        return None
    limited = {name: leads for name, leads in shares.items() if rooms.get(name, largest) <= leads < largest}
    others = [leads for name, leads in shares.items() if name not in limited]
    smallest = 0 if agents > len(shares) else min(others)
    return Fairness(
        agents=agents - len(limited),
        smallest=smallest,
        largest=largest,
        limited=dict(sorted(limited.items(), key=lambda item: (item[1], by_name(item[0])))),
        away=tuple(sorted((name for name, room in rooms.items() if room <= 0), key=by_name)),
        is_fair=largest - smallest <= 1,
    )


def fairness_of_run(database: Database, run: Run | RunRecord, shares: Sequence[Share]) -> Fairness | None:
    """The verdict on a run; None if nobody got a lead, or the history that tells the shares was deleted."""
    if not shares or run.agents is None:
        return None
    return judge({share.agent: share.leads for share in shares}, run.agents, run_limits(database, run.run_id))


def fairness_of_preview(database: Database, preview: Preview) -> Fairness | None:
    """The verdict on the deal of a preview; None if nobody would get a lead."""
    rooms = {share.agent: share.room for share in preview.shares}
    away = {each.agent: 0 for each in roster(database, preview.run.business_date) if each.active and each.room == 0}
    return judge({share.agent: share.leads for share in preview.shares}, preview.run.agents, {**rooms, **away})


def verdict(fairness: Fairness, *, number: Callable[[int], str] = str, would: bool = False) -> str:
    """The verdict as a sentence: "Fair: 22 agents got 273 or 274; Kauã 60 and Otávio 100 by limit; Natália away."

    `number` writes a number, and `would` is for a deal that is still to come.
    """
    smallest, largest = number(fairness.smallest), number(fairness.largest)
    between = "or" if fairness.is_fair else "to"
    each = largest if fairness.smallest == fairness.largest else f"{smallest} {between} {largest}"
    one, verb = fairness.agents == 1, "get" if would else "got"
    parts = [f"{number(fairness.agents)} agent{'' if one else 's'} {'gets' if one and would else verb} {each}"]
    if limited := fairness.limited:
        if len(limited) <= MOST_NAMES:
            names = _listed([f"{name} {number(leads)}" for name, leads in limited.items()])
        else:
            fewest, most = number(min(limited.values())), number(max(limited.values()))
            names = f"{number(len(limited))} others {fewest if fewest == most else f'{fewest} to {most}'}"
        parts.append(f"{names} by limit")
    if away := fairness.away:
        parts.append(f"{_listed(away) if len(away) <= MOST_NAMES else number(len(away))} away")
    return f"{'Fair' if fairness.is_fair else 'Uneven'}: {'; '.join(parts)}."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
