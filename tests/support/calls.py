"""Calls of the service on a backend with its own settings: how they are tried again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from agent_funnel.database import Database
from agent_funnel.deal import deal
from agent_funnel.runs import Run
from agent_funnel.settings import load
from support.nights import TODAY

# How often the product tries a call; tests change it.

# Makes a backend for a database under test, with settings; see the fixture `connected`:
Connected = Callable[..., Database]


def deal_by(backend: Database) -> Run:
    """Runs tonight's deal by this backend, and says again."""
    return deal(backend, load(), business_date=TODAY, again=True)


def pauses(log: pytest.LogCaptureFixture) -> list[float]:
    """The pauses between the attempts, from the log."""
    return [float(pause) for pause in re.findall(r"Trying again in ([\d.]+) s", log.text)]
