"""The marks of an agent, such as a limit or an absence, and a chart of their leads in the last deals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from babel import Locale
from markupsafe import Markup

from agent_funnel.agents import Limit, RosterEntry
from agent_funnel.runs import RunRecord, Share, list_runs
from agent_funnel.web.format import NOTHING, day, number, sparkline
from agent_funnel.web.languages import locale
from agent_funnel.web.services import services

# A chart shows this many deals, out of this many runs: some failed, some were undone.
DEALS_SHOWN = 30
RUNS_SEARCHED = 120
# The kinds of marks, in the order of the filter: the symbol, and the name in the filter.
KINDS = {
    "active": ("", "active"),
    "full": ("▲", "at the cap"),
    "limited": ("▼", "with a limit today"),
    "away": ("◐", "away today"),
    "never": ("!", "active, but without leads"),
    "inactive": ("○", "inactive"),
}


class Mark(NamedTuple):
    """A fact that distinguishes an agent, such as a limit."""

    kind: str
    text: str

    @property
    def symbol(self) -> str:
        return KINDS[self.kind][0]


@dataclass(frozen=True)
class Deals:
    """The last deals, the newest first, and the shares of those that are counted so far."""

    runs: Sequence[RunRecord]
    shares: Mapping[int, Mapping[str, Share]]
    # Whether these are all deals that there ever were.
    are_all: bool

    def amounts_of(self, agent: str) -> tuple[int | None, ...]:
        """What an agent got in each deal, the oldest first; None if it is not known."""
        return tuple(
            [
                None if shares is None else share.leads if (share := shares.get(agent)) else 0
                for shares in self._oldest_first
            ]
        )

    @cached_property
    def _oldest_first(self) -> list[Mapping[str, Share] | None]:
        return [self.shares.get(run.run_id) for run in reversed(self.runs)]

    @property
    def newest(self) -> Mapping[str, Share] | None:
        """The shares of the newest deal; None if there is none, or if it is not counted yet."""
        return self.shares.get(self.runs[0].run_id) if self.runs else None

    @cached_property
    def largest(self) -> int:
        """The largest share of all these deals."""
        return max((share.leads for shares in self.shares.values() for share in shares.values()), default=0)

    def last_of(self, agent: str) -> RunRecord | None:
        """The newest deal in which the agent got leads."""
        return next((run for run in self.runs if agent in self.shares.get(run.run_id, ())), None)


def last_deals() -> Deals:
    """The last deals that are not undone. Their shares are counted in the background."""
    given = services()
    searched = list_runs(given.database, count=RUNS_SEARCHED)
    dealt = [run for run in searched if run.status == "succeeded"]
    shown = dealt[:DEALS_SHOWN]
    with_history = [run.run_id for run in shown if run.purged_at is None]
    return Deals(
        shown,
        given.counts.known_shares(with_history),
        are_all=len(searched) < RUNS_SEARCHED and len(dealt) <= DEALS_SHOWN,
    )


def marks_of(
    entry: RosterEntry, leads: int, limit: Limit | None, deals: Deals, amounts: Sequence[int | None]
) -> tuple[Mark, ...]:
    """The marks of an agent. `amounts` is what they got in the last deals, `leads` in the newest one."""
    until = _until(limit)
    if not entry.active:
        still = f", still has {number(leads, locale())} until the next deal" if leads else ""
        return (Mark("inactive", f"inactive{still}"),)
    marks = []
    if entry.room == 0:
        marks.append(Mark("away", f"away{until}"))
    elif entry.room is not None:
        reached = " (reached)" if leads >= entry.room else ""
        marks.append(Mark("limited", f"limit {number(entry.room, locale())}{reached}{until}"))
    cap = deals.runs[0].max_per_agent if deals.runs else None
    if cap is not None and leads >= cap:
        marks.append(Mark("full", f"at the cap of {number(cap, locale())}"))
    if entry.room != 0 and deals.runs and not leads and set(amounts) == {0}:
        marks.append(
            Mark("never", "never got leads" if deals.are_all else f"nothing in the last {len(deals.runs)} deals")
        )
    return tuple(marks)


def _until(limit: Limit | None) -> str:
    if limit is None:
        return ""
    return ", no end date" if limit.ends_on is None else f" until {day(limit.ends_on, locale())}"


@lru_cache(maxsize=4_000)
def chart(amounts: tuple[int | None, ...], largest: int, locale: Locale) -> Markup:
    """A sparkline, and the same in words for screen readers. The cache serves many: a deal is even.

    All agents have the same scale, up to the `largest` share.
    """
    if not amounts:
        return Markup(NOTHING)  # noqa: S704 a constant
    # The newest deal is at the right edge, even if there were only a few.
    columns = sparkline((None,) * (DEALS_SHOWN - len(amounts)) + amounts, largest)
    return columns + Markup('<span class="hidden">{}</span>').format(in_words(amounts, locale))


def in_words(amounts: Sequence[int | None], locale: Locale) -> str:
    """A sparkline in words: last 30 deals: 412 to 420."""
    known = [leads for leads in amounts if leads is not None]
    begin = f"last {len(amounts)} deals" if len(amounts) > 1 else "last deal"
    if not known:
        return f"{begin}: deleted, or not counted yet"
    low, high = number(min(known), locale), number(max(known), locale)
    of = "" if len(known) == len(amounts) else f", of which {len(known)} are known"
    return f"{begin}{of}: {low if low == high else f'{low} to {high}'}"
