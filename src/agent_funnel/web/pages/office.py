"""Settings, the audit and keys: for admins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from flask import Blueprint, render_template, request

from agent_funnel import access
from agent_funnel import audit as trail
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.settings import SECRET, WEEKDAYS, Source, source, variable
from agent_funnel.web.access import about, identity
from agent_funnel.web.api import shapes
from agent_funnel.web.format import span
from agent_funnel.web.pages.shell import done, form, page, sent
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("office", __name__)

# Entries of the audit on a page:
COUNT = 100
# What each setting is for, in the order of the page; docs/reference/settings.md says more.
GROUPS = {
    "The deal": {
        "max_per_agent": "Nobody gets more in a run.",
        "window_days": "Leads that are older, in days, stay out.",
        "newest_first": "Within a stage, the newest leads go first instead of the oldest.",
    },
    "The clock": {
        "timezone": "When it is evening, and which date is today.",
        "run_at": "When the pool is dealt.",
        "catch_up": "How long after that a run that could not happen is still made.",
        "weekdays": "On which days.",
        "brake": "What has a scheduled run wait for a person.",
        "pool_factor": "A pool is unusual if it is more than so many times as large, or as small, as the last ones.",
    },
    "Notices": {
        "notify_urls": "Where they go.",
        "notify_on": "Of what there are any.",
        "dead_man_url": "What is called when the scheduled run starts and ends.",
    },
    "The database": {
        "database_url": "Where everything is kept.",
        "database_schema": "SQL Server: where the tables are.",
        "encryption": "SQL Server: whether the connection is encrypted; if none, it must be, except on this machine.",
        "ca_file": "SQL Server: who must have signed its certificate.",
        "lock_wait": "How long a statement waits for a lock that somebody else holds.",
        "call_timeout": "SQL Server: how long a call may go without an answer.",
    },
    "The service": {
        "host": "The address that it listens on.",
        "port": "And the port.",
        "proxy_hops": "How many proxies in front of it are believed.",
        "rate_limit": "How many requests a key may make, or an address without one.",
        "log_format": "How the log is written.",
    },
}


@dataclass(frozen=True)
class Line:
    """A setting as the page has it; `value` is None where there is none."""

    variable: str
    what: str
    value: str | None
    secret: bool
    source: Source


@page(blueprint, "/settings", role="admin")
def settings() -> str:
    """What this copy of the service was started with, and where each value comes from."""
    return render_template("settings.html", groups={title: list(_lines(fields)) for title, fields in GROUPS.items()})


def _lines(fields: dict[str, str]) -> Iterator[Line]:
    given = wiring()
    for field, what in fields.items():
        value = getattr(given.settings, field)
        # The database's own name of itself has no password; of the other secrets nothing is told.
        text = given.backend.name if field == "database_url" else None if field in SECRET else _written(value)
        secret = field in SECRET and field != "database_url" and bool(value)
        yield Line(variable(field), what, text, secret, source(given.settings, field))


def _written(value: Any) -> str | None:
    """A value as people write it; None for what is left open, or empty."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return span(value)
        case time():
            return value.isoformat("auto" if value.second else "minutes")
        case float():
            return f"{value:g}"
        case frozenset():
            return ", ".join(_word(each) for each in sorted(value)) or None
        case _:
            return str(value)


def _word(each: str | int) -> str:
    return WEEKDAYS[each] if isinstance(each, int) else each


@page(blueprint, "/audit", role="admin")
def audit() -> str:
    """What was done through the service, or tried, the newest first; `before` is the last entry of the page before."""
    before = request.args.get("before", type=int)
    found = trail.entries(
        wiring().backend, count=COUNT, before=None if before is None else max(0, min(before, trail.NEWEST))
    )
    return render_template("audit.html", entries=found, before=before, more=len(found) == COUNT)


@page(blueprint, "/keys", role="admin")
def keys(made: access.AccessKey | None = None, secret: str | None = None) -> str:
    """The keys, those in use first; `made` and `secret` are those of a key that was made just now."""
    found = access.keys(wiring().backend)
    used = [key for key in found if key.revoked_at is None]
    admins = [key for key in used if key.role == "admin"]
    return render_template(
        "keys.html",
        used=used,
        revoked=[key for key in found if key.revoked_at is not None],
        last_admin=admins[0].key_id if len(admins) == 1 else None,
        is_first=not found,
        roles=access.ROLES,
        made=made,
        secret=secret,
        was_first=made is not None and len(found) == 1,
    )


@form(blueprint, "/keys", role="admin", shows=keys)
def make_key() -> str:
    """Makes a key, and shows its secret this once: it is on this answer, and nowhere else."""
    given = sent(shapes.NewKey)
    about(given.name)
    backend = wiring().backend
    if given.role != "admin" and not access.any_keys(backend):
        raise ParameterOutOfRange(
            "The first key must be an admin’s: from then on nobody gets in without a key, and only an admin makes "
            "more. No key was made."
        )
    key, secret = access.add_key(backend, given.name, given.role, actor=identity().name)
    return keys(key, secret)


@form(blueprint, "/keys/revoke", role="admin", shows=keys)
def revoke_key() -> Any:
    """Revokes a key, and ends the sessions that began with it."""
    given = shapes.KeyPath.model_validate_strings({"key_id": request.form.get("key_id", "")})
    about(f"key {given.key_id}")
    access.revoke_key(wiring().backend, given.key_id, actor=identity().name)
    return done(f"Key {given.key_id} is revoked; nobody gets in with it any more.", "office.keys")
