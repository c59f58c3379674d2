"""The forecast: the scheduled run that a business date would get as things stand, and whether it would go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from agent_funnel.agents import roster
from agent_funnel.database import Database
from agent_funnel.deal import preview
from agent_funnel.errors import RunError
from agent_funnel.runs import Run
from agent_funnel.schedule.brakes import changed_procedure, unusual_pool
from agent_funnel.settings import Settings

Trouble = Literal["fails", "held", "empties", "unusual"]


# With one of these troubles, agents would not get leads:
SERIOUS: tuple[Trouble, ...] = ("fails", "held", "empties")


@dataclass(frozen=True)
class Forecast:
    """The scheduled run that `business_date` would get.

    `run` has its amounts, and is None if the run would be refused. `trouble` is None if all is well. Otherwise the run
    "fails", a brake holds it ("held"), no lead is ready to deal ("empties"), or its pool is "unusual"; `reason` is then
    a sentence, and `error_number` the number of a refusal. `active` agents are active, and those `away` have no room.
    `call_backs` of its leads are call-backs that are due.
    """

    business_date: date
    run: Run | None
    trouble: Trouble | None
    reason: str | None
    error_number: int | None
    active: int
    away: tuple[str, ...]
    call_backs: int = 0

    @property
    def warning(self) -> str | None:
        """A sentence for people if agents would not get leads."""
        if self.trouble not in SERIOUS:
            return None
        which, reason = f"the deal of {self.business_date}", (self.reason or "").replace("; nothing was changed", "")
        if self.trouble == "fails":
            return f"As things stand, {which} will fail. {reason}"
        if self.trouble == "held":
            return f"As things stand, FUNNEL_BRAKE will hold {which} until a person makes it. {reason}"
        return f"As things stand, {which} will find no lead to deal, and remove the present assignments. Import leads."


def forecast(database: Database, settings: Settings, business_date: date, *, now: datetime) -> Forecast:
    """Computes the scheduled run of a business date by the rule of the deal, and changes nothing.

    Reads all leads. Raises DatabaseError if the database failed.
    """
    active = [agent for agent in roster(database, business_date) if agent.active]
    away = tuple(agent.agent for agent in active if agent.room == 0)
    try:
        seen = preview(database, settings, business_date=business_date)
    except RunError as error:
        return Forecast(business_date, None, "fails", str(error), error.number, len(active), away)
    run: Run = seen.run
    trouble, reason = _trouble(database, settings, run, now)
    call_backs = sum(share.call_backs for share in seen.shares)
    return Forecast(business_date, run, trouble, reason, None, len(active), away, call_backs)


def _trouble(database: Database, settings: Settings, run: Run, now: datetime) -> tuple[Trouble | None, str | None]:
    if "procedure" in settings.brake and (warning := changed_procedure(database, now=now)):
        return "held", warning
    unusual = unusual_pool(database, settings, run.pool)
    if "pool" in settings.brake and unusual:
        return "held", unusual
    if run.pool == 0:
        return "empties", "No lead is ready to deal."
    return ("unusual", unusual) if unusual else (None, None)
