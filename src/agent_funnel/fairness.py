"""The verdict on a deal: what agents got, who got less by a limit of their own, and who was away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent_funnel.agents import roster
from agent_funnel.database import Database
from agent_funnel.deal import Preview
from agent_funnel.names import by_name
from agent_funnel.runs import Run, RunRecord, Share, run_limits
from agent_funnel.sentences import Sentence, amount, counted, joined, sentence

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


def verdict(fairness: Fairness, *, would: bool = False) -> Sentence:
    """The verdict as a sentence: "Fair: 22 agents got 273 or 274; Kauã (60) and Otávio (100) by limit; Natália away."

    `would` is for a deal that is still to come.
    """
    parts: list[str] = [_shared(fairness, _each(fairness), would=would)]
    if limited := fairness.limited:
        parts.append(_limited(limited))
    if away := fairness.away:
        count = len(away)
        if count <= MOST_NAMES:
            # English has one form; other languages write "away" of several in another one.
            parts.append(counted("%(names)s away", "%(names)s away", count, names=_listed(away)))
        else:
            parts.append(counted("%(count)s away", "%(count)s away", count))
    return joined(joined(*parts, by="; "), ".", by="")


def in_short(fairness: Fairness, leads: int, told: Fairness | None) -> Sentence | None:
    """A fair deal to come, as a part of a sentence: "1,114 leads, 47 or 48 each, with the same exceptions".

    `told` is the verdict that is read just before. None unless the same agents are limited to the same amounts, and the
    same are away; a deal without exceptions is short as it is.
    """
    exceptions = fairness.limited, fairness.away
    if not told or not fairness.is_fair or not any(exceptions) or exceptions != (told.limited, told.away):
        return None
    return counted(
        "%(count)s lead, %(each)s each, with the same exceptions",
        "%(count)s leads, %(each)s each, with the same exceptions",
        leads,
        each=_each(fairness),
    )


def _each(fairness: Fairness) -> Sentence:
    """How many leads each agent got: 274, 273 or 274, 250 to 274."""
    smallest, largest = fairness.smallest, fairness.largest
    if smallest == largest:
        return amount(largest)
    if fairness.is_fair:
        return sentence("%(smallest)s or %(largest)s", smallest=smallest, largest=largest)
    return sentence("%(smallest)s to %(largest)s", smallest=smallest, largest=largest)


def _shared(fairness: Fairness, leads: Sentence, *, would: bool) -> Sentence:
    """The first part, whose first word a page shows in bold, with the colon."""
    count = fairness.agents
    if fairness.is_fair and would:
        return counted(
            "Fair: %(count)s agent gets %(leads)s", "Fair: %(count)s agents get %(leads)s", count, leads=leads
        )
    if fairness.is_fair:
        return counted(
            "Fair: %(count)s agent got %(leads)s", "Fair: %(count)s agents got %(leads)s", count, leads=leads
        )
    if would:
        return counted(
            "Uneven: %(count)s agent gets %(leads)s", "Uneven: %(count)s agents get %(leads)s", count, leads=leads
        )
    return counted(
        "Uneven: %(count)s agent got %(leads)s", "Uneven: %(count)s agents got %(leads)s", count, leads=leads
    )


def _limited(limited: Mapping[str, int]) -> Sentence:
    """The agents who got less by a limit of their own, with their leads; of many, only the range."""
    if len(limited) <= MOST_NAMES:
        # In parentheses, since a name may end with a number of its own: agent 1 (5).
        names = [joined(name, joined("(", amount(leads), ")", by="")) for name, leads in limited.items()]
        return sentence("%(names)s by limit", names=_listed(names))
    fewest, most = min(limited.values()), max(limited.values())
    leads = sentence("%(smallest)s to %(largest)s", smallest=fewest, largest=most)
    return counted(
        "%(count)s other (%(leads)s) by limit",
        "%(count)s others (%(leads)s) by limit",
        len(limited),
        leads=amount(most) if fewest == most else leads,
    )


def _listed(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return sentence("%(names)s and %(last)s", names=names[:-1], last=names[-1])
