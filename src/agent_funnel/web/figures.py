"""What takes long to count, kept in memory: the shares of runs, which never change, and the funnel, which may be a
little old.

Who looks at a page does not wait for what a whole table has to be read for; a thread counts it, and the page that is
asked for next has it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock, Thread

import structlog

from agent_funnel import floor, service
from agent_funnel.backends import Backend
from agent_funnel.errors import FunnelError
from agent_funnel.records import Share

log = structlog.get_logger(__name__)

# Runs whose shares are kept, and how old the funnel may be before it is counted again, in seconds:
KEPT_RUNS = 100
FUNNEL_AGE = 20.0
# How long a page waits all the same, in seconds: most floors are small.
MOMENT = 0.05


@dataclass(frozen=True)
class Funnel:
    """How many records there were of each stage, None being no stage, at a moment (UTC)."""

    stages: Mapping[int | None, int]
    at: datetime


class Figures:
    """What was counted so far. Nothing is asked of the database before somebody looks."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._shares: OrderedDict[int, dict[str, Share]] = OrderedDict()
        self._funnel: Funnel | None = None
        self._counted = 0.0
        self._counting: set[str] = set()
        self._lock = Lock()

    def known_shares(self, run_ids: Iterable[int]) -> dict[int, dict[str, Share]]:
        """Who got how much in those runs that were counted so far, by agent; the others are counted meanwhile."""
        wanted = list(run_ids)
        if missing := [run_id for run_id in wanted if run_id not in self._shares]:
            self._later("shares", lambda: self._count_shares(missing))
        with self._lock:
            return {run_id: self._shares[run_id] for run_id in wanted if run_id in self._shares}

    def _count_shares(self, run_ids: Iterable[int]) -> None:
        for run_id in run_ids:
            found = {share.agent: share for share in service.shares(self._backend, run_id)}
            with self._lock:
                self._shares[run_id] = found
                while len(self._shares) > KEPT_RUNS:
                    self._shares.popitem(last=False)

    def funnel(self) -> Funnel | None:
        """The records by stage, None before they were counted for the first time."""
        if self._funnel is None or time.monotonic() - self._counted > FUNNEL_AGE:
            self._later("funnel", self._count_funnel)
        return self._funnel

    def _count_funnel(self) -> None:
        self._funnel = Funnel(floor.funnel(self._backend), datetime.now(UTC))
        self._counted = time.monotonic()

    def _later(self, what: str, work: Callable[[], object]) -> None:
        with self._lock:
            if what in self._counting:
                return
            self._counting.add(what)

        def count() -> None:
            try:
                work()
            except FunnelError as error:
                log.warning("could not count", what=what, reason=str(error))
            finally:
                with self._lock:
                    self._counting.discard(what)

        thread = Thread(target=count, name=f"counting {what}", daemon=True)
        thread.start()
        thread.join(MOMENT)
