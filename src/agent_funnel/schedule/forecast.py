"""The forecast: the scheduled run that a business date would get as things stand, and whether it would go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Literal

from agent_funnel.agents import RosterEntry, roster
from agent_funnel.database import Database
from agent_funnel.deal import preview
from agent_funnel.errors import RunError
from agent_funnel.fairness import Fairness, fairness_of_preview
from agent_funnel.runs import Run
from agent_funnel.schedule.brakes import last_pools, reason_to_hold, unusual_pool
from agent_funnel.sentences import catalogue_of, localized, sentence, text_in, translate
from agent_funnel.settings import Settings
from agent_funnel.stored_sentences import with_sentence

if TYPE_CHECKING:
    from babel import Locale

Trouble = Literal["fails", "held", "empties", "unusual"]


# With one of these troubles, agents would not get leads:
SERIOUS: tuple[Trouble, ...] = ("fails", "held", "empties")


@dataclass(frozen=True)
class Forecast:
    """The scheduled run that `business_date` would get.

    `run` has its amounts, and is None if the run would be refused. `trouble` is None if all is well. Otherwise the run
    "fails", a brake holds it ("held"), no lead is ready to deal ("empties"), or its pool is "unusual"; `reason` is then
    a sentence, and `error_number` the number of a refusal. `active` agents are active, and those `away` have no room.
    `call_backs` of its leads are call-backs that are due. `fairness` is the verdict on its shares, None if nobody would
    get a lead. `is_smaller` says that the trouble is a pool that is smaller than usual, not larger. `inactive` agents
    are counted if the run would be refused.
    """

    business_date: date
    run: Run | None
    trouble: Trouble | None
    reason: str | None
    error_number: int | None
    active: int
    away: tuple[str, ...]
    call_backs: int = 0
    fairness: Fairness | None = None
    is_smaller: bool = False
    inactive: int = 0

    @property
    def warning(self) -> str | None:
        """A sentence for people if agents would not get leads."""
        if self.trouble not in SERIOUS:
            return None
        day, reason = self.business_date, self.reason or ""
        if self.trouble == "fails":
            # A refusal says that nothing was changed, which goes without saying of a deal to come.
            shown = localized(reason.replace("; nothing was changed", ""), partial(_write, reason))
            return sentence("As things stand, the deal of %(date)s will fail. %(reason)s", date=day, reason=shown)
        if self.trouble == "held":
            return sentence(
                "As things stand, FUNNEL_BRAKE will hold the deal of %(date)s until a person makes it. %(reason)s",
                date=day,
                reason=reason,
            )
        return sentence(
            "As things stand, the deal of %(date)s will find no lead to deal, and empty all lists. Import leads.",
            date=day,
        )


def _write(text: str, locale: Locale) -> str:
    return translate(text, locale, catalogue_of(locale))


def forecast(database: Database, settings: Settings, business_date: date, *, now: datetime) -> Forecast:
    """Computes the scheduled run of a business date by the rule of the deal, and changes nothing.

    Reads all leads. Raises DatabaseError if the database failed.
    """
    everybody = roster(database, business_date)
    try:
        seen = preview(database, settings, business_date=business_date)
    except RunError as error:
        return refused(error, everybody, business_date)
    run: Run = seen.run
    unusual = unusual_pool(database, settings, run.pool)
    trouble, why = _trouble(run, reason_to_hold(database, settings, lambda: unusual, now=now), unusual)
    call_backs = sum(share.call_backs for share in seen.shares)
    fairness = fairness_of_preview(database, seen)
    active, away = _active(everybody), _away(everybody)
    is_smaller = why is not None and why == unusual and run.pool < median(last_pools(database))
    return Forecast(business_date, run, trouble, why, None, active, away, call_backs, fairness, is_smaller)


def refused(error: RunError, everybody: Sequence[RosterEntry], business_date: date) -> Forecast:
    """The forecast of a run that was refused with this error, if these are all agents."""
    active = _active(everybody)
    reason, inactive = with_sentence(text_in(error)), len(everybody) - active
    return Forecast(business_date, None, "fails", reason, error.number, active, _away(everybody), inactive=inactive)


def _active(everybody: Sequence[RosterEntry]) -> int:
    return sum(agent.active for agent in everybody)


def _away(everybody: Sequence[RosterEntry]) -> tuple[str, ...]:
    return tuple(agent.agent for agent in everybody if agent.active and agent.room == 0)


def _trouble(run: Run, held: str | None, unusual: str | None) -> tuple[Trouble | None, str | None]:
    if held:
        return "held", held
    if run.pool == 0:
        return "empties", sentence("No lead is ready to deal.")
    return ("unusual", unusual) if unusual else (None, None)
