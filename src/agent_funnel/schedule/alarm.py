"""Tells people that the schedule cannot look or deal, once for each trouble, and keeps the trouble for `/readyz`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal

import structlog

from agent_funnel.errors import BrakeApplied, CheckFailed, DatabaseUnavailable, FunnelError, RunError
from agent_funnel.notify import Notifier
from agent_funnel.sentences import joined, sentence, text_in
from agent_funnel.stored_sentences import with_sentence

log = structlog.get_logger(__name__)

# A database that does not answer for less than this is no reason for a notice, unless a deal is due:
SHORT_OUTAGE = timedelta(minutes=10)


class Alarm:
    """Sends notices and dead-man signals about the schedule's trouble."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        # Business dates with a failure that a notice was sent about:
        self._dates: set[date] = set()
        # The moment of the first of the looks that fail now, and whether people were told of it and how:
        self._failing_since: datetime | None = None
        self._told: Literal["no", "for a date", "in general"] = "no"
        self._look_problem: str | None = None
        self._deal_problem: str | None = None
        # The sentences about copies that differ, by key:
        self.notes: Mapping[str, str] = {}

    @property
    def problem(self) -> str | None:
        """Why the schedule cannot look or deal; None if it can. It is a code, because the whole text may name paths."""
        return self._look_problem or self._deal_problem

    def attempt_failed(self, business_date: date, error: Exception, until: str) -> None:
        """An attempt at a deal failed: tells people once for each date."""
        is_held = isinstance(error, BrakeApplied)
        if not is_held:
            log.error("the scheduled deal failed", business_date=str(business_date), error=text_of(error))
        if not (is_held or isinstance(error, RunError)):
            self._deal_problem = f"could not deal: {type(error).__name__}"
        if business_date in self._dates:
            return
        self._dates.add(business_date)
        if is_held:
            held = sentence("A brake holds the deal of %(date)s: %(reason)s", date=business_date, reason=text_of(error))
            self._notifier.notice("held", held)
            return
        told = sentence("The deal of %(date)s failed: %(reason)s", date=business_date, reason=text_of(error))
        more = sentence("It will be tried again until %(time)s.", time=until)
        self._notifier.notice("failed", told if isinstance(error, CheckFailed) else joined(told, more))

    def look_failed(self, error: Exception, *, now: datetime, business_date: date | None, until: str) -> None:
        """The schedule could not look. Tells people if a deal is due, and otherwise unless it is a short outage."""
        self._failing_since = self._failing_since or now
        short = isinstance(error, DatabaseUnavailable) and abs(now - self._failing_since) < SHORT_OUTAGE
        if not short or business_date is not None:
            self._look_problem = f"could not look: {type(error).__name__}"
        if business_date is not None:
            if business_date not in self._dates:
                self._notifier.signal("fail", text_of(error))
            self.attempt_failed(business_date, error, until)
            self._told = "for a date"
            return
        log.error("the schedule could not be checked", error=text_of(error))
        if self._told == "no" and not short:
            self._told = "in general"
            self._notifier.signal("fail", text_of(error))
            reason = text_of(error)
            self._notifier.notice(
                "failed", sentence("The schedule cannot find out which deal is due: %(reason)s", reason=reason)
            )

    def look_worked(self) -> None:
        """The schedule could look. Tells people if they were told that it cannot."""
        if self._told == "in general":
            self._notifier.notice("recovered", sentence("The schedule can find out again which deal is due."))
        self._failing_since, self._told, self._look_problem = None, "no", None

    def deal_ended(self, business_date: date) -> bool:
        """A deal was made. Returns whether people were told of a failure of its date."""
        self._deal_problem = None
        return business_date in self._dates

    def nothing_is_due(self) -> None:
        """No deal is due, so no failed attempt counts any more."""
        self._deal_problem = None

    def copies_differ(self, found: Mapping[str, str]) -> None:
        """Copies differ in their clocks or terms: logs each difference and tells people once, while it lasts."""
        for key, text in found.items():
            if key not in self.notes:
                self._notifier.notice("warning", text)
        self.notes = dict(found)

    def will_not_deal(self, text: str) -> None:
        """As things stand, the next run would not deal."""
        self._notifier.notice("warning", text)

    def leads_fall_short(self, text: str) -> None:
        """Leads fall short soon."""
        self._notifier.notice("warning", text)

    def list_is_old(self, text: str) -> None:
        """A do-not-contact list is older than its bound."""
        self._notifier.notice("warning", text)


def text_of(error: Exception) -> str:
    """The text of an error of ours; only the type of another one, whose text may have data in it."""
    if isinstance(error, FunnelError):
        return with_sentence(text_in(error))
    return sentence("%(error)s; the log has the details.", error=type(error).__name__)
