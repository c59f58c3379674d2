"""The objects that the app factory makes for the routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app
from limits.strategies import RateLimiter

from agent_funnel.database import Database
from agent_funnel.schedule.clock import Clock
from agent_funnel.settings import Settings
from agent_funnel.web.bounds import Places, Space
from agent_funnel.web.counts import BackgroundCounts
from agent_funnel.web.import_jobs import ImportJobs
from agent_funnel.web.kept_files import KeptFiles
from agent_funnel.web.readiness import ReadinessProbe


@dataclass(frozen=True)
class Services:
    """Everything that the routes need. The app factory makes it once."""

    settings: Settings
    database: Database
    now: Callable[[], datetime]
    readiness: ReadinessProbe
    # Seconds since the clock thread of this process last showed that it is alive; None without a clock.
    beat_age: Callable[[], float] | None
    # The schedule of this process; None without one.
    schedule: Clock | None
    limiter: RateLimiter
    counts: BackgroundCounts
    # The bounds on long work, and on complete exports that clients have not yet taken:
    exports: Places
    imports: Places
    previews: Places
    reports: Places
    downloads: Space
    # Uploaded files that were checked, and can be imported:
    kept_files: KeptFiles
    import_jobs: ImportJobs


def services() -> Services:
    """The services of the current app."""
    return cast(Services, current_app.extensions["agent_funnel"])
