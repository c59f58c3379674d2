"""Uploaded files that wait for a decision: kept for half an hour, for the session or key that uploaded them.

A file is in a temporary file without a name, which ends with the service, whatever happens. Each session or key has one
at a time.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from secrets import token_urlsafe
from threading import Lock, Timer
from typing import IO
from weakref import finalize

from agent_funnel.errors import ImportRefused
from agent_funnel.sentences import sentence
from agent_funnel.web.bounds import Space

# How long a file is kept:
KEEP_SECONDS = 1_800.0
# The bytes of all files that are kept:
KEPT_BYTES = 256_000_000


class _Kept:
    """A file that is kept, its name, and who may use it until when. It is closed when nobody uses it any more."""

    def __init__(self, file: IO[bytes], name: str, owner: Hashable, space: Space, size: int) -> None:
        self.name = name
        self.owner = owner
        self.until = time.monotonic() + KEEP_SECONDS
        self.file = file
        self.in_use = Lock()
        finalize(self, _close, file, space, size)


def _close(file: IO[bytes], space: Space, size: int) -> None:
    file.close()
    space.give_back(size)


class KeptFiles:
    """The files that are kept, each under a secret token."""

    def __init__(self) -> None:
        self._files: dict[str, _Kept] = {}
        self._lock = Lock()
        self._space = Space(KEPT_BYTES)
        self._timer: Timer | None = None

    def keep(self, file: IO[bytes], name: str, owner: Hashable) -> str | None:
        """Keeps a copy of a file in place of the one that its owner had. Returns its token; None without space."""
        self.drop_all_of(owner)
        file.seek(0, 2)
        size = file.tell()
        if not self._space.take(size):
            return None
        copy = tempfile.TemporaryFile()  # noqa: SIM115 it stays open until it is dropped
        kept = _Kept(copy, name, owner, self._space, size)
        file.seek(0)
        shutil.copyfileobj(file, copy, 1 << 20)
        file.seek(0)
        token = token_urlsafe(24)
        with self._lock:
            self._files[token] = kept
        self._drop_old()
        return token

    @contextmanager
    def borrowed(self, token: str, owner: Hashable) -> Iterator[tuple[IO[bytes], str]]:
        """The file of this token, from its beginning, and its name.

        Raises ImportRefused if the owner has no such file, or if it is being used.
        """
        self._drop_old()
        with self._lock:
            kept = self._files.get(token)
        if kept is None or kept.owner != owner:
            raise ImportRefused(sentence("The file is no longer kept; nothing was imported. Choose it again."))
        if not kept.in_use.acquire(blocking=False):
            raise ImportRefused(
                sentence("The file is being read already; nothing more was imported. Wait for that to end.")
            )
        try:
            kept.file.seek(0)
            yield kept.file, kept.name
        finally:
            kept.in_use.release()

    def drop_all_of(self, owner: Hashable) -> None:
        """Drops the file of an owner."""
        with self._lock:
            self._files = {token: kept for token, kept in self._files.items() if kept.owner != owner}

    def _drop_old(self) -> None:
        """Drops files that have been kept long enough, and looks again when the next one has."""
        now = time.monotonic()
        with self._lock:
            self._files = {token: kept for token, kept in self._files.items() if kept.until > now}
            if self._files and self._timer is None:
                self._timer = Timer(KEEP_SECONDS, self._look_again)
                self._timer.daemon = True
                self._timer.start()

    def _look_again(self) -> None:
        with self._lock:
            self._timer = None
        self._drop_old()
