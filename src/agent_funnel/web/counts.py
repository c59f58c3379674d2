"""Counts that take long, kept in memory: the shares of runs, which change only when an agent is renamed, the leads by
stage, and the forecast of the next scheduled run.

A thread makes the counts, since each scans a whole table. A page waits for it only briefly; if the count is not ready
by then, the next page has it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import inf
from threading import Lock, Thread

import structlog

from agent_funnel.database import Database
from agent_funnel.errors import FunnelError
from agent_funnel.leads import count_by_stage
from agent_funnel.runs import Share, shares
from agent_funnel.schedule.forecast import Forecast, forecast
from agent_funnel.settings import Settings
from agent_funnel.web.background import BackgroundTask

log = structlog.get_logger(__name__)

# Number of runs whose shares are kept:
KEPT_RUNS = 100
# After this many seconds the shares are counted again, since another copy of the service may have renamed an agent:
SHARES_AGE_SECONDS = 3600.0
# After this many seconds the leads are counted again:
STAGES_AGE_SECONDS = 20.0
# After this many seconds the forecast is counted again, but not before this many times the seconds that it took. After
# a change through this service it is counted again at once:
FORECAST_AGE_SECONDS = 20.0
FORECAST_REST = 20.0
# How long a page waits for a count; in most databases it is ready by then:
PAGE_WAIT_SECONDS = 0.05


@dataclass(frozen=True)
class StageCounts:
    """The number of leads by stage at a moment (UTC). The stage None counts the values that are not a stage."""

    stages: Mapping[int | None, int]
    at: datetime


@dataclass(frozen=True)
class _CountedForecast:
    """A forecast, what it was asked for, and when to count again (by the monotonic clock)."""

    key: tuple[object, ...]
    forecast: Forecast
    good_until: float


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
        self._counting_shares = BackgroundTask("counting shares")
        self._counting_stages = BackgroundTask("counting stages")
        self._forecast: _CountedForecast | None = None
        self._running_since: datetime | None = None
        # It grows with each change through this service:
        self._changes = 0
        self._forecasting = BackgroundTask("forecasting")

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

    def stage_counts(self) -> StageCounts | None:
        """The leads by stage; None until the first count has ended."""
        if self._stages is None or time.monotonic() - self._counted_at > STAGES_AGE_SECONDS:
            _count(self._counting_stages, self._count_stages)
        return self._stages

    def _count_stages(self) -> None:
        self._stages = StageCounts(count_by_stage(self._database), datetime.now(UTC))
        self._counted_at = time.monotonic()

    def start_forecast(self, business_date: date, last_run: int | None) -> PendingForecast:
        """Has the scheduled run of a business date forecast in the background. `last_run` is the newest run."""
        key = (business_date, last_run, self._changes)
        known, thread = self._forecast, None
        if known is None or known.key != key or time.monotonic() > known.good_until:
            thread = self._forecasting.start(_logged(lambda: self._count_forecast(key, business_date)))
        return PendingForecast(lambda: self._known_forecast(key), thread)

    def running_since(self, is_running: bool, now: datetime) -> datetime | None:
        """The moment since which a page has seen a run in progress without a break; None if none is in progress."""
        self._running_since = (self._running_since or now) if is_running else None
        return self._running_since

    def forget_forecast(self) -> None:
        """Has the forecast counted again, because something was changed."""
        self._changes += 1

    def _known_forecast(self, key: tuple[object, ...]) -> Forecast | None:
        known = self._forecast
        return known.forecast if known is not None and known.key == key else None

    def _count_forecast(self, key: tuple[object, ...], business_date: date) -> None:
        began = time.monotonic()
        found = forecast(self._database, self._settings, business_date, now=datetime.now(UTC))
        ended = time.monotonic()
        rest = max(FORECAST_AGE_SECONDS, FORECAST_REST * (ended - began))
        self._forecast = _CountedForecast(key, found, ended + rest)


class PendingForecast:
    """A forecast that is perhaps still being counted. A page asks for it last, so that it waits only once for all."""

    def __init__(self, known: Callable[[], Forecast | None], thread: Thread | None) -> None:
        self._known = known
        self._thread = thread
        self._deadline = time.monotonic() + PAGE_WAIT_SECONDS

    def get(self) -> Forecast | None:
        """The forecast; None if it is still being counted."""
        if self._thread is not None:
            self._thread.join(max(0.0, self._deadline - time.monotonic()))
        return self._known()


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
