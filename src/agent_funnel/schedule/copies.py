"""The agreement of the copies of the service about the terms of the schedule, from the view of one copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from agent_funnel.database import Database
from agent_funnel.errors import DatabaseBusy
from agent_funnel.notify import Notifier
from agent_funnel.schedule import terms
from agent_funnel.schedule.calendar import Period
from agent_funnel.schedule.terms import RecordedTerms, ServiceCopy, Terms
from agent_funnel.sentences import sentence
from agent_funnel.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Agreement:
    """The terms that hold and held before, newest first; whether this copy deals; and how the copies differ."""

    periods: list[Period]
    deals: bool
    differences: Mapping[str, str]


class Copies:
    """All copies of the service, as the copy `name` sees them."""

    def __init__(self, database: Database, settings: Settings, notifier: Notifier, name: str) -> None:
        self._database = database
        self._settings = settings
        self._notifier = notifier
        self._name = name

    def agree(self, now: datetime, difference: timedelta) -> Agreement:
        """Records this copy, whose clock is ahead by `difference`, and its terms if it may; returns what holds."""
        own = Terms.of(self._settings)
        # This copy is on record before it looks for others: of two that begin together, at least one sees the other.
        joined = self._join(own, now, difference)
        others = [copy for copy in terms.list_copies(self._database) if copy.name != self._name]
        recorded = terms.list_terms(self._database)
        if not recorded or (recorded[0].terms != own and joined and terms.may_adopt(own, others, now=now)):
            self._adopt(own, recorded, now)
            recorded = terms.list_terms(self._database)
        for copy in others:
            if abs(now - copy.looked_at) > terms.FORGOTTEN:
                self._forget(copy)
        holds = recorded[0].terms
        # If no copy that is running has the terms that hold, the others deal by them: better than not at all.
        deals = own == holds or not any(copy.terms == holds for copy in others if copy.is_running(now))
        copies = [*others, ServiceCopy(self._name, own, difference, now)]
        return Agreement(self._periods(recorded, now), deals, terms.disagreements(recorded[0], copies, now=now))

    def _join(self, own: Terms, now: datetime, difference: timedelta) -> bool:
        """Records this copy; False if another program is writing, since the next look can record it as well."""
        try:
            terms.record_copy(self._database, self._name, own, difference, now=now)
        except DatabaseBusy:
            return False
        return True

    def _forget(self, copy: ServiceCopy) -> None:
        try:
            terms.remove_copy(self._database, copy.name)
        except DatabaseBusy:
            log.debug("a copy that is gone was not removed", copy=copy.name)

    def _adopt(self, own: Terms, recorded: Sequence[RecordedTerms], now: datetime) -> None:
        terms.record_terms(self._database, own, now=now, actor=self._name)
        if recorded:
            text = sentence(
                "The terms of the schedule are now %(own)s; they were %(before)s. %(copy)s changed them.",
                own=own.text,
                before=recorded[0].terms.text,
                copy=self._name,
            )
            self._notifier.notice("warning", text)
        else:
            log.info("the terms of the schedule are on record", terms=str(own))

    def _periods(self, recorded: Sequence[RecordedTerms], now: datetime) -> list[Period]:
        """The recorded terms, each with the time for which it held. The oldest held from the beginning."""
        found: list[Period] = []
        until: datetime | None = None
        for number, each in enumerate(recorded, start=1):
            # A clock that was ahead may have recorded them; then they hold since the terms before them.
            since = None if number == len(recorded) or each.recorded_at > now else each.recorded_at
            found.append(Period(each.terms.applied_to(self._settings), since, until))
            until = since if since is not None else until
        return found
