"""Bounds on what all requests together take of the service: places for long work, and bytes in files.

A request that finds no place is refused at once, with 429: if it waited, it would take a thread from everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from werkzeug.exceptions import TooManyRequests

# When a client that found no place may try again, in seconds:
RETRY_SECONDS = 10


class Places:
    """Places for one kind of long work, and the message for a client that finds none."""

    def __init__(self, count: int, message: str) -> None:
        self._free = BoundedSemaphore(count)
        self._message = message

    @contextmanager
    def take(self, wait: float = 0) -> Iterator[None]:
        """Takes a place until the end of the block. Raises TooManyRequests if none gets free in `wait` seconds."""
        if not self._free.acquire(timeout=wait):
            raise TooManyRequests(self._message, retry_after=RETRY_SECONDS)
        try:
            yield
        finally:
            self._free.release()


class Space:
    """Space for a sum of bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        self._lock = Lock()

    @property
    def used(self) -> int:
        """The number of bytes that are taken."""
        return self._used

    def take(self, size: int) -> bool:
        """Takes space for so many bytes; returns False, and takes nothing, if there is not enough left.

        Anything may be taken while nothing else is, so that one large file always has space.
        """
        with self._lock:
            if self._used and self._used + size > self._size:
                return False
            self._used += size
            return True

    def give_back(self, size: int) -> None:
        """Gives back what was taken."""
        with self._lock:
            self._used -= size
