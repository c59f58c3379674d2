"""Counts that take long, kept in memory: the shares of runs, which change only when an agent is renamed, the leads by
stage, what each agent has now, the forecast of the next scheduled run, the runway, and the results.

A thread makes the counts, since each scans a whole table. A page waits for it only briefly; if the count is not ready
by then, the next page has it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import inf
from threading import Lock, Thread
from typing import Generic, TypeVar

import structlog

from agent_funnel.agents import LeadsInHand, leads_in_hand
from agent_funnel.database import Database
from agent_funnel.errors import FunnelError
from agent_funnel.leads import count_by_stage
from agent_funnel.results import Results, count_results
from agent_funnel.runs import DEALT_STAGES, Share, shares
from agent_funnel.schedule.calendar import current_date
from agent_funnel.schedule.forecast import Forecast, forecast
from agent_funnel.schedule.runway import Runway, runway
from agent_funnel.settings import Settings
from agent_funnel.web.background import BackgroundTask

Value = TypeVar("Value")

log = structlog.get_logger(__name__)

# Number of runs whose shares are kept:
KEPT_RUNS = 100
# After this many seconds the shares are counted again, since another copy of the service may have renamed an agent:
SHARES_AGE_SECONDS = 3600.0
# After this many seconds the leads are counted again:
STAGES_AGE_SECONDS = 20.0
# The same for the leads that each agent has now. A list of agents is sorted by them, and says when they were counted:
LEADS_IN_HAND_AGE_SECONDS = 10.0
# After this many seconds the forecast is counted again, but not before this many times the seconds that it took. After
# a change through this service it is counted again at once:
FORECAST_AGE_SECONDS = 20.0
RESTING_FACTOR = 20.0
# The same for the runway, which changes slowly:
RUNWAY_AGE_SECONDS = 300.0
# And for the results, which grow all day:
RESULTS_AGE_SECONDS = 60.0
# Number of spans whose results are kept, so that people who look at different spans do not wait for one another's:
KEPT_SPANS = 8
# A run that no page has looked for during this time may have ended, and another one begun:
LONGEST_UNSEEN = timedelta(minutes=1)
# How long a page waits for a count; in most databases it is ready by then:
PAGE_WAIT_SECONDS = 0.05


@dataclass(frozen=True)
class StageCounts:
    """The number of leads by stage at a moment (UTC). The stage None counts the values that are not a stage."""

    stages: Mapping[int | None, int]
    at: datetime

    @property
    def ahead(self) -> dict[int, int]:
        """The leads with calls ahead of them, by each stage."""
        return {stage: self.stages.get(stage, 0) for stage in DEALT_STAGES}


@dataclass(frozen=True)
class LeadsInHandOfAll:
    """What each agent had at a moment (UTC), by name. Agents without leads are left out."""

    agents: Mapping[str, LeadsInHand]
    at: datetime


class Pending(Generic[Value]):
    """A value that is perhaps still being counted. A page asks for it last, so that it waits only once for all."""

    def __init__(self, known: Callable[[], Value | None], thread: Thread | None) -> None:
        self._known = known
        self._thread = thread
        self._deadline = time.monotonic() + PAGE_WAIT_SECONDS

    def get(self) -> Value | None:
        """The value; None if it is still being counted."""
        if self._thread is not None:
            self._thread.join(max(0.0, self._deadline - time.monotonic()))
        return self._known()


class _KeptValues(Generic[Value]):
    """The values of the last `kept` questions. A thread counts them; each holds for at least `age` seconds."""

    def __init__(self, name: str, *, age: float, kept: int = 1) -> None:
        self._age = age
        self._kept = kept
        self._task = BackgroundTask(name)
        self._lock = Lock()
        # The answer to each question, and when to count again (by the monotonic clock); the one used last comes last:
        self._known: OrderedDict[tuple[object, ...], tuple[Value, float]] = OrderedDict()

    def start(self, question: tuple[object, ...], count: Callable[[], Value]) -> Pending[Value]:
        """Has the value counted in the background, unless it is known."""

        def work() -> None:
            began = time.monotonic()
            found = count()
            ended = time.monotonic()
            with self._lock:
                self._known[question] = (found, ended + max(self._age, RESTING_FACTOR * (ended - began)))
                self._known.move_to_end(question)
                while len(self._known) > self._kept:
                    self._known.popitem(last=False)

        def answer() -> Value | None:
            with self._lock:
                known = self._known.get(question)
                if known is not None:
                    self._known.move_to_end(question)
            return None if known is None else known[0]

        with self._lock:
            known, thread = self._known.get(question), None
        if known is None or time.monotonic() > known[1]:
            thread = self._task.start(_logged(work))
        return Pending(answer, thread)


class BackgroundCounts:
    """The counts so far. It queries the database only after somebody opens a page."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._shares: OrderedDict[int, dict[str, Share]] = OrderedDict()
        # When the shares of each run were counted:
        self._shares_at: dict[int, float] = {}
        self._lock = Lock()
        self._stages: StageCounts | None = None
        self._counted_at = 0.0
        # The version of the deal for which the stages were counted:
        self._counted_version: str | None = None
        self._counting_shares = BackgroundTask("counting shares")
        self._counting_stages = BackgroundTask("counting stages")
        self._leads_in_hand: _KeptValues[LeadsInHandOfAll] = _KeptValues(
            "counting the leads of agents", age=LEADS_IN_HAND_AGE_SECONDS
        )
        self._forecast: _KeptValues[Forecast] = _KeptValues("forecasting", age=FORECAST_AGE_SECONDS)
        self._runway: _KeptValues[Runway] = _KeptValues("computing the runway", age=RUNWAY_AGE_SECONDS)
        self._results: _KeptValues[Results] = _KeptValues("counting results", age=RESULTS_AGE_SECONDS, kept=KEPT_SPANS)
        # Since when a run has been in progress, and when a page last saw it:
        self._running: tuple[datetime, datetime] | None = None
        # It grows with each change through this service:
        self._changes = 0

    def known_shares(self, run_ids: Iterable[int]) -> dict[int, dict[str, Share]]:
        """The shares of those runs that are counted, by agent. The others are counted in the background."""
        wanted, oldest = list(run_ids), time.monotonic() - SHARES_AGE_SECONDS
        if missing := [run_id for run_id in wanted if self._shares_at.get(run_id, -inf) < oldest]:
            _count(self._counting_shares, lambda: self._count_shares(missing))
        with self._lock:
            return {run_id: self._shares[run_id] for run_id in wanted if run_id in self._shares}

    def _count_shares(self, run_ids: Iterable[int]) -> None:
        for run_id in run_ids:
            found = {share.agent: share for share in shares(self._database, run_id)}
            with self._lock:
                self._shares[run_id] = found
                self._shares_at[run_id] = time.monotonic()
                while len(self._shares) > KEPT_RUNS:
                    oldest, _ = self._shares.popitem(last=False)
                    del self._shares_at[oldest]

    def forget_shares(self) -> None:
        """Has the shares counted again, because the names in them have changed."""
        with self._lock:
            self._shares.clear()
            self._shares_at.clear()

    def stage_counts(self, version: str) -> StageCounts | None:
        """The leads by stage; None until the first count has ended. `version` is that of the deal, which moves them."""
        if version != self._counted_version or time.monotonic() - self._counted_at > STAGES_AGE_SECONDS:
            _count(self._counting_stages, lambda: self._count_stages(version))
        return self._stages

    def _count_stages(self, version: str) -> None:
        self._stages = StageCounts(count_by_stage(self._database), datetime.now(UTC))
        self._counted_at, self._counted_version = time.monotonic(), version

    def start_leads_in_hand(self, version: str) -> Pending[LeadsInHandOfAll]:
        """Has the leads of all agents counted in the background. `version` is that of the deal."""

        def count() -> LeadsInHandOfAll:
            now = datetime.now(UTC)
            return LeadsInHandOfAll(leads_in_hand(self._database), now)

        return self._leads_in_hand.start((version,), count)

    def start_forecast(self, business_date: date, last_run: int | None) -> Pending[Forecast]:
        """Has the scheduled run of a business date forecast in the background. `last_run` is the newest run."""
        return self._forecast.start(
            (business_date, last_run, self._changes),
            lambda: forecast(self._database, self._settings, business_date, now=datetime.now(UTC)),
        )

    def start_runway(self, now: datetime, last_run: int | None) -> Pending[Runway]:
        """Has the deals of the next two weeks computed in the background. `last_run` is the newest run."""
        return self._runway.start(
            (current_date(now, self._settings), last_run, self._changes),
            lambda: runway(self._database, self._settings, now=now),
        )

    def start_results(self, date_from: date, date_to: date, version: str) -> Pending[Results]:
        """Has the results of these business dates counted in the background. `version` is that of the deal."""
        return self._results.start(
            (date_from, date_to, version), lambda: count_results(self._database, date_from, date_to)
        )

    def running_since(self, is_running: bool, now: datetime) -> datetime | None:
        """The moment since which pages have seen a run in progress without a break; None if none is in progress.

        If no page looked for a while, it may be another run.
        """
        if not is_running:
            self._running = None
            return None
        since, seen = self._running or (now, now)
        self._running = (since if now - seen <= LONGEST_UNSEEN else now, now)
        return self._running[0]

    def forget_forecast(self) -> None:
        """Has the forecast and the runway counted again, because something was changed."""
        self._changes += 1


def _count(task: BackgroundTask, work: Callable[[], None]) -> None:
    task.run(_logged(work), wait=PAGE_WAIT_SECONDS)


def _logged(work: Callable[[], None]) -> Callable[[], None]:
    """The work, with an error in the log instead of in the thread."""

    def try_to_count() -> None:
        try:
            work()
        except FunnelError as error:
            log.warning("could not count", reason=str(error))

    return try_to_count
