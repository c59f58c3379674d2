"""The small mistakes that `make mutants` plants, each with the tests that find it."""

from __future__ import annotations

from mistakes import (
    access,
    bounds,
    deal_sqlite,
    deal_sqlserver,
    do_not_contact,
    files,
    import_records,
    lists,
    locks,
    match_keys,
    names,
    numbers,
    outcomes,
    person,
    python,
    rules,
    schedule,
    schedule_copies,
    secrecy,
    settings,
    skips,
    sqlserver,
    tonight,
    voice,
    web,
)
from mistakes.places import Mistake

__all__ = ["MISTAKES", "Mistake"]

MISTAKES: tuple[Mistake, ...] = (
    *deal_sqlite.MISTAKES,
    *deal_sqlserver.MISTAKES,
    *do_not_contact.MISTAKES,
    *files.MISTAKES,
    *import_records.MISTAKES,
    *locks.MISTAKES,
    *lists.MISTAKES,
    *match_keys.MISTAKES,
    *names.MISTAKES,
    *numbers.MISTAKES,
    *outcomes.MISTAKES,
    *person.MISTAKES,
    *schedule.MISTAKES,
    *schedule_copies.MISTAKES,
    *access.MISTAKES,
    *python.MISTAKES,
    *rules.MISTAKES,
    *settings.MISTAKES,
    *skips.MISTAKES,
    *sqlserver.MISTAKES,
    *tonight.MISTAKES,
    *voice.MISTAKES,
    *web.MISTAKES,
    *secrecy.MISTAKES,
    *bounds.MISTAKES,
)
