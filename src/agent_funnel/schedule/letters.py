"""Sends the letters about deals and failed nights: each once, by the copy of the service that notes it first.

A copy may die between its note and the sending. So it notes, too, when nothing more will be tried; where that note does
not come, another copy sends the letter again, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Event

import structlog

from agent_funnel.database import Database
from agent_funnel.errors import FunnelError
from agent_funnel.notify import Letter, Notifier
from agent_funnel.schedule.letter import letter_of_night, letter_of_run
from agent_funnel.schedule.nights import deals_since
from agent_funnel.schedule.store import note_notice, notices_since
from agent_funnel.settings import Settings

log = structlog.get_logger(__name__)

# A letter about a deal that was made longer ago is no news:
LONGEST_AGO = timedelta(hours=6)
# A letter that is not sent so long after its note is sent again. The attempts of a copy that lives take less:
SENT_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Key:
    """A letter: the business date, and the run that it is about; None: about a night without its deal."""

    business_date: date
    run_id: int | None = None

    def kind(self, word: str) -> str:
        """The kind of a note about this letter: `letter`, `sent` or `again`, with the run."""
        return word if self.run_id is None else f"{word} {self.run_id}"


class Letters:
    """The letters of one copy of the service. They are written after the deal, so that they never hold it up."""

    def __init__(self, database: Database, notifier: Notifier, name: str) -> None:
        self._database = database
        self._notifier = notifier
        self._name = name
        # The deals whose letters were noted, by this copy or by another one:
        self._done: set[int] = set()
        # The letters that this copy is sending; the notifier's thread sets the event, and asks no database:
        self._sending: dict[Key, Event] = {}

    def send_of_deals(self, rules: Settings, now: datetime) -> None:
        """Sends the letters of the latest deals, however these were made, and those that other copies left unsent.

        A failure is tried again at the next look.
        """
        if not self._notifier.sends("letter"):
            return
        deals = deals_since(self._database, now - LONGEST_AGO)
        try:
            self.note_sent(now)
            for deal in deals:
                if deal.run_id not in self._done and deal.finished_at <= now:
                    self._send(Key(deal.business_date, deal.run_id), "letter", rules, now)
                    self._done.add(deal.run_id)
            self._send_again(rules, now)
        except FunnelError as error:
            log.warning("a letter could not be written; the next look tries again", error=str(error))
        self._done &= {deal.run_id for deal in deals}

    def send_of_night(self, rules: Settings, business_date: date, now: datetime) -> bool:
        """Sends the letter of a night without its deal, which this copy has recorded; False if it could not."""
        if not self._notifier.sends("letter"):
            return False
        try:
            self._send(Key(business_date), "letter", rules, now)
        except FunnelError as error:
            log.warning("a letter could not be written", error=str(error))
            return False
        return True

    def note_sent(self, now: datetime) -> None:
        """Notes the letters of this copy of which nothing more will be tried."""
        for key in [key for key, ended in self._sending.items() if ended.is_set()]:
            self._note(key, "sent", now)
            del self._sending[key]

    def _send_again(self, rules: Settings, now: datetime) -> None:
        """Sends the letters that were noted a while ago, by a copy that has not noted that it sent them."""
        notes = notices_since(self._database, now - LONGEST_AGO)
        kinds = {(each.business_date, each.kind) for each in notes}
        for each in notes:
            word, _, run_id = each.kind.partition(" ")
            key = Key(each.business_date, int(run_id) if run_id else None)
            if word != "letter" or now - each.noted_at < SENT_WITHIN or key in self._sending:
                continue
            if not kinds & {(key.business_date, key.kind("sent")), (key.business_date, key.kind("again"))}:
                log.warning("a letter was not sent; it is sent again", business_date=str(key.business_date))
                self._send(key, "again", rules, now)

    def _send(self, key: Key, word: str, rules: Settings, now: datetime) -> None:
        """Writes a letter, and sends it unless another copy has noted the same."""
        letter = self._written(key, rules, now)
        if self._note(key, word, now):
            self._sending[key] = Event()
            self._notifier.letter(letter, self._sending[key].set)

    def _written(self, key: Key, rules: Settings, now: datetime) -> Letter:
        if key.run_id is None:
            return letter_of_night(self._database, rules, key.business_date, now=now)
        return letter_of_run(self._database, rules, key.run_id, now=now)

    def _note(self, key: Key, word: str, now: datetime) -> bool:
        return note_notice(self._database, key.business_date, key.kind(word), now=now, actor=self._name)
