"""Work in a background thread, with a bounded wait for its end."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread


class BackgroundTask:
    """Work that runs in a thread of its own, never more than once at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running = Lock()

    def run(self, work: Callable[[], object], *, wait: float) -> bool:
        """Starts the work, and waits at most `wait` seconds for its end.

        Returns False, and starts nothing, if the work that was started before has not ended yet.
        """
        thread = self.start(work)
        if thread is None:
            return False
        thread.join(wait)
        return True

    def start(self, work: Callable[[], object]) -> Thread | None:
        """Starts the work and returns its thread; None if the work that was started before has not ended yet."""
        if not self._running.acquire(blocking=False):
            return None

        def run() -> None:
            try:
                work()
            finally:
                self._running.release()

        thread = Thread(target=run, name=self._name, daemon=True)
        thread.start()
        return thread
