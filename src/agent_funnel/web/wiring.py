"""What the factory gives to the routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app
from limits.strategies import RateLimiter

from agent_funnel.backends import Backend
from agent_funnel.settings import Settings
from agent_funnel.web.figures import Figures
from agent_funnel.web.probe import Probe


@dataclass(frozen=True)
class Wiring:
    """What the factory gave the app."""

    settings: Settings
    backend: Backend
    now: Callable[[], datetime]
    probe: Probe
    # Seconds since the clock of this process has last shown that it is alive; None without a clock.
    beat_age: Callable[[], float] | None
    limiter: RateLimiter
    figures: Figures


def wiring() -> Wiring:
    return cast(Wiring, current_app.extensions["agent_funnel"])
