"""Years of simulated nights: copies of the service with wrong clocks, and the looks that they make.

The clock and the SQL are the product's own; the time is simulated, and the database is SQLite in memory, so that a
night takes milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

from agent_funnel.database.sqlite import SQLite, add_functions
from agent_funnel.errors import DatabaseUnavailable, NotFound, RunError
from agent_funnel.install import install
from agent_funnel.schedule.calendar import closes_at, current_date, scheduled_at
from agent_funnel.schedule.clock import Clock
from agent_funnel.schedule.skips import skip
from agent_funnel.schedule.store import pause, resume
from agent_funnel.schedule.voids import MOST_EARLY
from agent_funnel.settings import Settings, load
from agent_funnel.values import write_moment

# The files that lock a run lie beside the database, even if that is in memory. Each process of the tests has its own.
DIRECTORY = TemporaryDirectory()


class InMemory(SQLite):
    """SQLite in memory, on one connection; a test can make it unreachable."""

    def __init__(self) -> None:
        super().__init__(load(database_url=f"sqlite:///{DIRECTORY.name}/none.db", lock_wait=timedelta(seconds=1)))
        self.raw = sqlite3.connect(":memory:", isolation_level=None)
        self.raw.row_factory = sqlite3.Row
        add_functions(self.raw)
        self.is_down = False

    def open(self, *, create: bool, own: bool = True) -> Any:
        if self.is_down:
            raise DatabaseUnavailable
        return self.raw

    def put_back(self, connection: Any) -> None:
        pass  # it stays open

    discard = put_back


@dataclass(frozen=True)
class Look:
    """A copy of the service wakes: how long after the run was due, how wrong its clock is, and the trouble it meets."""

    after: timedelta
    wrong: timedelta = timedelta(0)
    database_down: bool = False
    nobody_active: bool = False
    pause: bool | None = None  # whether somebody pauses (True) or resumes (False) the schedule just before
    copy: int = 0
    restarted: bool = False  # the copy has just been started again, and remembers nothing
    server_wrong: timedelta = timedelta(0)  # how far the clock of the server is ahead, if there is a server
    skip: bool = False  # whether somebody skips tonight's run just before, by the true time


@dataclass(frozen=True)
class Spell:
    """For some nights, the clock of one copy is wrong, or the clocks of all copies are."""

    copy: int | None
    nights: range
    wrong: timedelta


@dataclass(frozen=True)
class SimulatedYears:
    settings: Settings
    first: date
    nights: tuple[tuple[Look, ...], ...]
    has_server: bool = False
    spells: tuple[Spell, ...] = ()

    def wrong(self, night: int, look: Look) -> timedelta:
        """How far the clock of the copy is ahead of the true time."""
        spells = (spell for spell in self.spells if night in spell.nights and spell.copy in (None, look.copy))
        return look.wrong + sum((spell.wrong for spell in spells), timedelta(0))


class Simulation:
    """Plays simulated years. `possible` are the dates whose run a right copy could have made: all of them must end so.

    A copy is right if its look goes by the right time: the server's if there is one, otherwise its own. `made` has the
    true instant at which each run was made. `seen` has, by copy, the runs that it saw in their windows, with a clock
    that was about right, since it was started. `in_doubt` are the dates of those that a clock that was behind voided
    later. Without a server, the record looks like that of a clock that was ahead: a copy that saw the run keeps to it,
    and one that did not deals again, so that the date ends as that attempt does.
    """

    def __init__(self, case: SimulatedYears) -> None:
        self.case = case
        self.backend = InMemory()
        install(self.backend)
        self.backend.raw.execute("INSERT INTO agents (agent, status) VALUES ('a', 'active')")
        # Three hours before the first night, the service is installed.
        self.now = scheduled_at(case.first, case.settings) - timedelta(hours=3)
        self.backend.raw.execute("UPDATE agent_funnel_version SET installed_at = ?", (write_moment(self.now),))
        self.copy_time = self.server_time = self.now
        self.copies = {number: self.start(number) for number in range(3)}
        self.possible: set[date] = set()
        self.made: dict[int, datetime] = {}
        self.seen: defaultdict[Clock, set[int]] = defaultdict(set)
        self.in_doubt: set[date] = set()
        self.paused = False
        self.skipped: set[date] = set()

    def start(self, number: int) -> Clock:
        """Starts a copy of the service."""
        has_server = self.case.has_server
        return Clock(
            self.backend,
            self.case.settings,
            lambda: self.copy_time,
            database_now=lambda _: self.server_time if has_server else None,
            monotonic=lambda: self.now.timestamp(),
            name=f"copy {number}",
        )

    def play(self) -> None:
        """Plays all looks in the order of the true time."""
        looks = sorted(
            (
                (scheduled_at(self.case.first + timedelta(days=night), self.case.settings) + look.after, night, number)
                for night, group in enumerate(self.case.nights)
                for number, look in enumerate(group)
            ),
        )
        for instant, night, number in looks:
            look = self.case.nights[night][number]
            self.now = instant
            self.play_look(look, self.case.wrong(night, look))

    def play_look(self, look: Look, wrong: timedelta) -> None:
        """Lets a copy look at the present true time."""
        if look.pause is not None:
            self.change_pause(look.pause)
        if look.skip:
            self.skip_tonight()
        if look.restarted:
            self.copies[look.copy] = self.start(look.copy)
        copy = self.copies[look.copy]
        self.copy_time, self.server_time = self.now + wrong, self.now + look.server_wrong
        able = not look.database_down and not look.nobody_active and not self.paused
        possible = None
        if able and (self.case.has_server or not wrong):
            possible = self.possible_date(self.server_time if self.case.has_server else self.now, self.seen[copy])
        self.backend.is_down = look.database_down
        self.backend.raw.execute("UPDATE agents SET status = ?", ("inactive" if look.nobody_active else "active",))
        copy.look()
        self.backend.is_down = False
        for (run_id,) in self.backend.raw.execute("SELECT run_id FROM assignment_run WHERE status = 'succeeded'"):
            self.made.setdefault(run_id, self.now)
        voided = void_runs(self.backend)
        found = runs(self.backend)
        if not look.database_down and (self.case.has_server or abs(wrong) < MOST_EARLY):
            windows = open_windows(self.server_time if self.case.has_server else self.copy_time, self.case.settings)
            self.seen[copy] |= {run_id for run_id, day in found if day in windows and run_id not in voided}
        ever_seen = set[int]().union(*self.seen.values())
        self.in_doubt |= {day for run_id, day in found if run_id in voided & ever_seen}
        if possible is not None:
            assert possible in {day for run_id, day in found if run_id not in voided}
            self.possible.add(possible)

    def possible_date(self, now: datetime, seen: set[int]) -> date | None:
        """The date that a right copy must deal for now: of two open windows, the first that has no run.

        A run that the copy has seen counts, even if a clock that was behind for a moment has voided it.
        """
        tried = {
            date.fromisoformat(day)
            for (day,) in self.backend.raw.execute("SELECT business_date FROM assignment_failure")
        }
        voided = void_runs(self.backend)
        dealt = {day for run_id, day in runs(self.backend) if run_id not in voided or run_id in seen}
        for day in open_windows(now, self.case.settings):
            if day not in dealt | self.skipped:
                # On a day off nothing is due. After a failure the date may still have to wait.
                return day if day.weekday() in self.case.settings.weekdays and day not in tried else None
        return None

    def skip_tonight(self) -> None:
        """Somebody skips tonight's run, if it is still to come."""
        day = current_date(self.now, self.case.settings)
        try:
            skip(self.backend, self.case.settings, day, now=self.now, actor="test")
        except (NotFound, RunError):
            return
        self.skipped.add(day)

    def change_pause(self, paused: bool) -> None:
        """Somebody pauses or resumes the schedule."""
        if paused:
            pause(self.backend, now=self.now, actor="test", reason=None)
        else:
            resume(self.backend, now=self.now, actor="test")
        self.paused = paused

    def end(self) -> dict[date, list[str]]:
        """Looks once more without trouble, when every window has closed. Returns the ends of all dates."""
        last = self.case.first + timedelta(days=len(self.case.nights) - 1)
        self.now = closes_at(last, self.case.settings) + timedelta(hours=2)
        self.play_look(Look(timedelta(0)), timedelta(0))
        return settled(self.backend)


def open_windows(now: datetime, rules: Settings) -> list[date]:
    """The business dates with an open window, computed apart from the product from the definition of local time."""
    today = now.astimezone(rules.timezone).date()
    days = (today - timedelta(days=1), today)
    return [day for day in days if scheduled_at(day, rules) <= now < closes_at(day, rules)]


def settled(backend: InMemory) -> dict[date, list[str]]:
    """The outcomes of each business date, from all records but those of void runs of dates to come."""
    found: dict[date, list[str]] = {}
    rows = backend.raw.execute(
        """
        SELECT business_date, status FROM assignment_run WHERE "trigger" = 'schedule' AND status <> 'failed'
        UNION ALL SELECT business_date, outcome FROM date_without_run
        """
    )
    for day, outcome in rows:
        found.setdefault(date.fromisoformat(day), []).append(outcome)
    return found


def runs(backend: InMemory) -> list[tuple[int, date]]:
    """The scheduled runs, each with its business date."""
    rows = backend.raw.execute(
        """SELECT run_id, business_date FROM assignment_run WHERE "trigger" = 'schedule' AND status = 'succeeded'"""
    )
    return [(run_id, date.fromisoformat(day)) for run_id, day in rows]


def void_runs(backend: InMemory) -> set[int]:
    """The runs that are void."""
    return {run_id for (run_id,) in backend.raw.execute("SELECT run_id FROM schedule_void")}


def outcomes_on_record(backend: InMemory) -> list[date]:
    """The business dates that are recorded as passed without a scheduled run."""
    return [date.fromisoformat(day) for (day,) in backend.raw.execute("SELECT business_date FROM schedule_outcome")]
