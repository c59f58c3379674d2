"""The terms of the schedule (time, zone, weekdays, catch-up), and the copies of the service that go by them.

The newest terms on record hold for all copies. A copy with other terms records its own, unless a copy that disagrees
with it is running: then the recorded terms hold, and the copies that differ do not deal.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from agent_funnel.database import Database
from agent_funnel.sentences import Sentence, localized, sentence
from agent_funnel.settings import Settings
from agent_funnel.settings_types import WEEKDAYS
from agent_funnel.spans import span
from agent_funnel.values import Row, read_moment, shortened, write_moment

if TYPE_CHECKING:
    from babel import Locale

# A copy is running if it has looked within this time. A copy looks every half minute.
RUNNING = timedelta(minutes=5)
# Copies that have not looked for this long are removed from the record:
FORGOTTEN = timedelta(days=1)
# Clocks that differ by more than this are reported:
MOST_DIFFERENCE = timedelta(minutes=2)


@dataclass(frozen=True)
class Terms:
    """The settings that decide which business date is due, and when."""

    run_at: time
    timezone: str
    weekdays: frozenset[int]
    catch_up: timedelta

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The terms of these settings."""
        return cls(settings.run_at, str(settings.timezone), settings.weekdays, settings.catch_up)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """The terms in a row."""
        return cls(
            time.fromisoformat(row["run_at"]),
            row["timezone"],
            frozenset(WEEKDAYS.index(day) for day in row["weekdays"].split(",")),
            timedelta(seconds=row["catch_up"]),
        )

    def to_row(self) -> dict[str, Any]:
        """The terms as columns."""
        return {
            "run_at": self.run_at.isoformat("seconds"),
            "timezone": self.timezone,
            "weekdays": ",".join(WEEKDAYS[day] for day in sorted(self.weekdays)),
            "catch_up": int(self.catch_up.total_seconds()),
        }

    def applied_to(self, settings: Settings) -> Settings:
        """These settings, with the terms in place of their own."""
        update = {
            "run_at": self.run_at,
            "timezone": ZoneInfo(self.timezone),
            "weekdays": self.weekdays,
            "catch_up": self.catch_up,
        }
        return settings.model_copy(update=update)

    @property
    def text(self) -> Sentence:
        """The terms in words, such as `20:40:00 (Europe/Berlin), every day, catch-up 3:00:00`."""
        days: str = sentence("every day")
        if len(self.weekdays) < len(WEEKDAYS):
            days = localized(self.to_row()["weekdays"], partial(_write_weekdays, self.weekdays))
        return sentence(
            "%(time)s (%(zone)s), %(days)s, catch-up %(catch_up)s",
            time=str(self.run_at),
            zone=self.timezone,
            days=days,
            catch_up=str(self.catch_up),
        )

    def __str__(self) -> str:
        return str(self.text)


def _write_weekdays(weekdays: frozenset[int], locale: Locale) -> str:
    names = locale.days["stand-alone"]["abbreviated"]
    return ", ".join(names[day] for day in sorted(weekdays))


@dataclass(frozen=True)
class RecordedTerms:
    """Terms on record, and who recorded them: a copy of the service, or a person. Moments are in UTC."""

    terms: Terms
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True)
class ServiceCopy:
    """A copy of the service on record. `clock_difference`: how far its clock is ahead of the database's."""

    name: str
    terms: Terms
    clock_difference: timedelta
    looked_at: datetime

    def is_running(self, now: datetime) -> bool:
        """Whether it has looked lately."""
        return abs(now - self.looked_at) <= RUNNING


def copy_name(settings: Settings) -> str:
    """The name of this copy of the service. Started again on the same address, it has the same name."""
    process = f" (process {os.getpid()})" if settings.port == 0 else ""
    return shortened(f"{socket.gethostname()}, {settings.host}:{settings.port}{process}")


def database_now(database: Database) -> datetime | None:
    """The time by the database's clock; None on SQLite, which has no clock of its own."""
    row = database.one("database_now")
    return None if row is None or row["now"] is None else read_moment(row["now"])


def record_copy(database: Database, name: str, terms: Terms, difference: timedelta, *, now: datetime) -> None:
    """Records that a copy of the service looks now. Does not wait for another writer."""
    database.sets(
        "record_copy", copy=name, clock_difference=difference.total_seconds(), now=write_moment(now), **terms.to_row()
    )


def list_copies(database: Database) -> list[ServiceCopy]:
    """The copies of the service on record, by name."""
    return [
        ServiceCopy(
            row["name"],
            Terms.from_row(row),
            timedelta(seconds=row["clock_difference"]),
            read_moment(row["looked_at"]),
        )
        for row in database.all("copies")
    ]


def remove_copy(database: Database, name: str) -> None:
    """Removes a copy that stops, or that is long gone. Does not wait for another writer."""
    database.sets("remove_copy", copy=name)


def list_terms(database: Database) -> list[RecordedTerms]:
    """The terms on record, newest first: those that hold, and some that held before."""
    return [
        RecordedTerms(Terms.from_row(row), read_moment(row["recorded_at"]), row["recorded_by"])
        for row in database.all("terms")
    ]


def record_terms(database: Database, terms: Terms, *, now: datetime, actor: str) -> None:
    """Records terms, which hold from now on."""
    database.sets("record_terms", now=write_moment(now), actor=shortened(actor), **terms.to_row())


def may_adopt(own: Terms, others: Sequence[ServiceCopy], *, now: datetime) -> bool:
    """Whether a copy may record its own terms: no other copy that is running disagrees with it."""
    return all(other.terms == own for other in others if other.is_running(now))


def holding(database: Database, settings: Settings) -> Settings:
    """These settings with the recorded terms, which hold for all copies; unchanged if none are on record."""
    recorded = list_terms(database)
    return recorded[0].terms.applied_to(settings) if recorded else settings


def adopt(database: Database, settings: Settings, *, now: datetime, actor: str) -> bool:
    """Records the terms of these settings, which hold at once, for a person; False if they hold already."""
    own, recorded = Terms.of(settings), list_terms(database)
    if recorded and recorded[0].terms == own:
        return False
    record_terms(database, own, now=database_now(database) or now, actor=actor)
    return True


def known_differences(database: Database, *, now: datetime) -> list[str]:
    """Sentences about the differences between the copies that are running."""
    recorded = list_terms(database)
    now = database_now(database) or now
    return list(disagreements(recorded[0], list_copies(database), now=now).values()) if recorded else []


def disagreements(recorded: RecordedTerms, copies: Sequence[ServiceCopy], *, now: datetime) -> dict[str, str]:
    """Sentences about copies that are running with other terms than the recorded ones, or with another time of day.

    Each has a key, `terms of …` or `clock of …`, with the name of the copy.
    """
    found: dict[str, str] = {}
    for copy in copies:
        ahead = copy.clock_difference
        if copy.looked_at - now > MOST_DIFFERENCE:
            # On SQLite, a copy's record shows its own clock.
            ahead = copy.looked_at - now
        elif not copy.is_running(now):
            continue
        if abs(ahead) > MOST_DIFFERENCE:
            found[f"clock of {copy.name}"] = sentence(
                "The clock of the copy %(copy)s of the service is %(span)s ahead. Set it right. Until then, the "
                "schedule goes by the clock of SQL Server; with SQLite, each copy goes by its own.",
                copy=copy.name, span=span(ahead),
            ) if ahead > timedelta(0) else sentence(
                "The clock of the copy %(copy)s of the service is %(span)s behind. Set it right. Until then, the "
                "schedule goes by the clock of SQL Server; with SQLite, each copy goes by its own.",
                copy=copy.name, span=span(-ahead),
            )  # fmt: skip
        if copy.is_running(now) and copy.terms != recorded.terms:
            found[f"terms of {copy.name}"] = sentence(
                "The copy %(copy)s of the service has the terms %(terms)s. It does not deal: the terms %(recorded)s "
                "hold, recorded by %(actor)s. Give all copies the same settings. To decide at once, run `agent-funnel "
                "schedule adopt` with the settings that are right.",
                copy=copy.name,
                terms=copy.terms.text,
                recorded=recorded.terms.text,
                actor=recorded.recorded_by,
            )
    return found
