"""Imports that pages start. Each runs in a thread of its own, so that a page can show how far a long one is.

A job belongs to the session or key that started it, and its result is kept for half an hour. If the service ends before
the import does, nothing is imported: the rows come in one transaction at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from threading import Event, Lock, Thread
from traceback import clear_frames

from flask import Flask

from agent_funnel.do_not_contact_files import ImportedNumbers
from agent_funnel.files.tables import Glance
from agent_funnel.imports import Imported

# How long a request waits for its import before it leads to the page that shows the progress:
WAIT_SECONDS = 2.0
# How long the result of an import is kept:
KEEP_SECONDS = 1_800.0


@dataclass
class ImportJob:
    """An import of a page, or the check of a file: what was asked for, and how far it is.

    `rows` of the file have been read. When it has `finished`, `imported` is the result, or `error` the reason of its
    end; `glance` is the beginning of the file, if it can be read.
    """

    owner: Hashable
    kind: str
    checked: bool
    kept: str
    form: Mapping[str, str]
    name: str | None = None
    rows: int = 0
    glance: Glance | None = None
    imported: Imported | ImportedNumbers | None = None
    error: Exception | None = None
    token: str = field(default_factory=lambda: token_urlsafe(24))
    started: float = field(default_factory=time.monotonic)
    finished: Event = field(default_factory=Event)

    def count(self, rows: int) -> None:
        """Counts rows that have been read."""
        self.rows += rows

    def run(self, work: Callable[[ImportJob], None]) -> None:
        """Does the work, and keeps its error, if it has one, for the page that shows the result."""
        try:
            work(self)
        except Exception as error:
            self.error = error
            part: BaseException | None = error
            while part is not None:
                # Its frames would keep the file.
                clear_frames(part.__traceback__)
                part = part.__cause__ or part.__context__
        finally:
            self.finished.set()


class ImportJobs:
    """The jobs of a service, each under a secret token."""

    def __init__(self) -> None:
        self._jobs: dict[str, ImportJob] = {}
        self._lock = Lock()

    def start(self, job: ImportJob, work: Callable[[ImportJob], None], app: Flask) -> None:
        """Starts the work of a job. The finished jobs of its owner are gone then, and old ones of everybody."""
        oldest = time.monotonic() - KEEP_SECONDS
        with self._lock:
            self._jobs = {
                token: each
                for token, each in self._jobs.items()
                if not each.finished.is_set() or (each.owner != job.owner and each.started > oldest)
            }
            self._jobs[job.token] = job

        def run() -> None:
            with app.app_context():
                job.run(work)

        # A daemon: the service must not wait for it, and an import that is cut off leaves nothing behind.
        Thread(target=run, name="import", daemon=True).start()

    def find(self, token: str, owner: Hashable) -> ImportJob | None:
        """The job of this token, if it is of this owner."""
        with self._lock:
            job = self._jobs.get(token)
        return job if job is not None and job.owner == owner else None
