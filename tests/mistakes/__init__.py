"""The small mistakes that `make mutants` plants, each with the tests that find it."""

from __future__ import annotations

from mistakes import (
    access,
    bounds,
    deal_sqlite,
    deal_sqlserver,
    lists,
    locks,
    names,
    python,
    rules,
    schedule,
    schedule_copies,
    secrecy,
    settings,
    sqlserver,
    web,
)
from mistakes.places import Mistake

__all__ = ["MISTAKES", "Mistake"]

MISTAKES: tuple[Mistake, ...] = (
    *deal_sqlite.MISTAKES,
    *deal_sqlserver.MISTAKES,
    *locks.MISTAKES,
    *lists.MISTAKES,
    *names.MISTAKES,
    *schedule.MISTAKES,
    *schedule_copies.MISTAKES,
    *access.MISTAKES,
    *python.MISTAKES,
    *rules.MISTAKES,
    *settings.MISTAKES,
    *sqlserver.MISTAKES,
    *web.MISTAKES,
    *secrecy.MISTAKES,
    *bounds.MISTAKES,
)
