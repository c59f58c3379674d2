"""The marks of an agent, such as a limit or an absence, and a chart of their leads in the last deals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from babel import Locale
from flask_babel import gettext, ngettext
from markupsafe import Markup

from agent_funnel.agents import Limit, RosterEntry
from agent_funnel.runs import RunRecord, Share, list_runs
from agent_funnel.sentences import sentence
from agent_funnel.web.format import NOTHING, day, number, sparkline
from agent_funnel.web.languages import locale
from agent_funnel.web.requester import today
from agent_funnel.web.services import services

# A chart shows this many deals, out of this many runs: some failed, some were undone.
DEALS_SHOWN = 30
RUNS_SEARCHED = 120
# The kinds of marks, in the order of the filter: the symbol, and the name in the filter.
KINDS = {
    "active": ("", sentence("active")),
    "full": ("▲", sentence("at the cap")),
    "limited": ("▼", sentence("with a limit today")),
    "away": ("◐", sentence("away today")),
    "never": ("!", sentence("active, but without leads")),
    "inactive": ("○", sentence("inactive")),
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


def kinds_of(entry: RosterEntry, leads: int, deals: Deals) -> tuple[str, ...]:
    """The kinds of the marks of an agent, who got these leads in the newest deal."""
    if not entry.active:
        return ("inactive",)
    kinds = []
    if entry.room is not None:
        kinds.append("limited" if entry.room else "away")
    cap = deals.runs[0].max_per_agent if deals.runs else None
    if cap is not None and leads >= cap:
        kinds.append("full")
    if entry.room != 0 and deals.runs and not leads and set(deals.amounts_of(entry.agent)) == {0}:
        kinds.append("never")
    return tuple(kinds)


def marks_of(entry: RosterEntry, leads: int, limit: Limit | None, deals: Deals, held: int) -> tuple[Mark, ...]:
    """The marks of an agent, who got these leads in the newest deal, and has `held` leads now."""
    texts = {"limited": _limited, "away": _away, "full": _full, "never": _never, "inactive": _inactive}
    facts = _Facts(entry, leads, limit, deals, held)
    return tuple(Mark(kind, texts[kind](facts)) for kind in kinds_of(entry, leads, deals))


class _Facts(NamedTuple):
    """The facts that the texts of marks need."""

    entry: RosterEntry
    leads: int
    limit: Limit | None
    deals: Deals
    held: int


def _limited(facts: _Facts) -> str:
    room = number(facts.entry.room, locale())
    is_reached = facts.leads >= (facts.entry.room or 0)
    return _until(
        facts.limit, gettext("limit %(n)s (reached)", n=room) if is_reached else gettext("limit %(n)s", n=room)
    )


def _away(facts: _Facts) -> str:
    return _until(facts.limit, gettext("away"))


def _full(facts: _Facts) -> str:
    return str(gettext("at the cap of %(n)s", n=number(facts.deals.runs[0].max_per_agent, locale())))


def _never(facts: _Facts) -> str:
    deals = facts.deals
    return str(gettext("never got leads")) if deals.are_all else _nothing_in(len(deals.runs))


def _inactive(facts: _Facts) -> str:
    if not facts.held:
        return str(gettext("inactive"))
    return str(gettext("inactive, still has %(n)s until the next deal", n=number(facts.held, locale())))


def _until(limit: Limit | None, mark: str) -> str:
    """The text of a mark with the end of the limit: limit 40 until 24 Dec, and the year if it is another one."""
    if limit is None:
        return mark
    if limit.ends_on is None:
        return str(gettext("%(mark)s, no end date", mark=mark))
    form = "d MMM" if limit.ends_on.year == today().year else "medium"
    return str(gettext("%(mark)s until %(day)s", mark=mark, day=day(limit.ends_on, locale(), form)))


def _nothing_in(deals: int) -> str:
    text = ngettext("nothing in the last deal", "nothing in the last %(n)s deals", deals, n=number(deals, locale()))
    return str(text)


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
    deals = len(amounts)
    values = {"n": number(deals, locale), "known": number(len(known), locale)}
    if not known:
        return str(
            ngettext(
                "last deal: deleted, or not counted yet",
                "last %(n)s deals: deleted, or not counted yet",
                deals,
                **values,
            )
        )
    low, high = number(min(known), locale), number(max(known), locale)
    values["leads"] = low if low == high else gettext("%(first)s to %(last)s", first=low, last=high)
    if len(known) == deals:
        return str(ngettext("last deal: %(leads)s", "last %(n)s deals: %(leads)s", deals, **values))
    return str(gettext("last %(n)s deals, of which %(known)s are known: %(leads)s", **values))
