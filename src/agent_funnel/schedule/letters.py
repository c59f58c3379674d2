"""Sends the letters about deals and failed nights: each once, by the copy of the service that notes it first."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import structlog

from agent_funnel.database import Database
from agent_funnel.errors import FunnelError
from agent_funnel.notify import Notifier
from agent_funnel.schedule.letter import letter_of_night, letter_of_run
from agent_funnel.schedule.nights import deals_since
from agent_funnel.schedule.store import note_notice
from agent_funnel.settings import Settings

log = structlog.get_logger(__name__)

# A letter about a deal that was made longer ago is no news:
LONGEST_AGO = timedelta(hours=6)


class Letters:
    """The letters of one copy of the service. They are written after the deal, so that they never hold it up."""

    def __init__(self, database: Database, notifier: Notifier, name: str) -> None:
        self._database = database
        self._notifier = notifier
        self._name = name
        # The deals whose letters were sent, by this copy or by another one:
        self._done: set[int] = set()

    def send_of_deals(self, rules: Settings, now: datetime) -> None:
        """Sends the letters of the latest deals, however these were made. A failure is tried again at the next look."""
        if not self._notifier.sends("letter"):
            return
        deals = deals_since(self._database, now - LONGEST_AGO)
        for deal in deals:
            if deal.run_id in self._done or deal.finished_at > now:
                continue
            try:
                letter = letter_of_run(self._database, rules, deal.run_id, now=now)
                noted = note_notice(
                    self._database, deal.business_date, f"letter {deal.run_id}", now=now, actor=self._name
                )
            except FunnelError as error:
                log.warning("a letter could not be written; the next look tries again", error=str(error))
                return
            self._done.add(deal.run_id)
            if noted:
                self._notifier.letter(letter)
        self._done &= {deal.run_id for deal in deals}

    def send_of_night(self, rules: Settings, business_date: date, now: datetime) -> bool:
        """Sends the letter of a night without its deal, which this copy has recorded; False if it could not."""
        if not self._notifier.sends("letter"):
            return False
        try:
            letter = letter_of_night(self._database, rules, business_date, now=now)
            noted = note_notice(self._database, business_date, "letter", now=now, actor=self._name)
        except FunnelError as error:
            log.warning("a letter could not be written", error=str(error))
            return False
        if noted:
            self._notifier.letter(letter)
        return True
