"""Calls of the service on a backend of the test's own: how they are tried again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from agent_funnel import service
from agent_funnel.backends import Backend
from agent_funnel.records import Run
from agent_funnel.settings import load
from support.nights import TODAY

# How often the product tries a call; tests change it.
ATTEMPTS = service.ATTEMPTS

# Makes a backend for a database under test, with settings; see the fixture `connected`:
Connected = Callable[..., Backend]


def deal_by(backend: Backend) -> Run:
    """Runs tonight's deal by this backend."""
    return service.assign(backend, load(), business_date=TODAY)


def pauses(log: pytest.LogCaptureFixture) -> list[float]:
    """The pauses between the attempts, as the log has them."""
    return [float(pause) for pause in re.findall(r"Trying again in ([\d.]+) s", log.text)]
