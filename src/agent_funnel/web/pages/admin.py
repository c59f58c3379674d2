"""Settings, the audit and keys: for admins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from flask import Blueprint, render_template, request

from agent_funnel.access import keys
from agent_funnel.access.audit import LARGEST_ENTRY_ID, list_entries
from agent_funnel.access.keys import ROLES, AccessKey, add_key, any_keys, list_keys
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.settings import SECRET_FIELDS, WEEKDAYS, Source, source, variable
from agent_funnel.web.auth import identity, set_audit_target
from agent_funnel.web.format import span
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice
from agent_funnel.web.request_models import KeyPath, NewKey
from agent_funnel.web.services import services

blueprint = Blueprint("admin", __name__)

ENTRIES_PER_PAGE = 100
# What each setting does, in the order of the page; docs/reference/settings.md says more.
GROUPS = {
    "The deal": {
        "max_per_agent": "The most leads that an agent gets in a deal.",
        "window_days": "Older leads, in days, are not dealt.",
        "newest_first": "Within a stage, deals the newest leads first instead of the oldest.",
    },
    "The schedule": {
        "timezone": "The time zone of the schedule, and of today’s date.",
        "run_at": "The time of the daily deal.",
        "catch_up": "How long after that time a deal that could not happen is still made.",
        "weekdays": "The days with a deal.",
        "brake": "Which automatic deals wait for a person.",
        "pool_factor": "The pool is unusual if it is this many times larger or smaller than the last ones.",
    },
    "Notifications": {
        "notify_urls": "Where notifications are sent.",
        "notify_on": "Which events send a notification.",
        "dead_man_url": "An address that is called when the automatic deal starts and ends.",
    },
    "The database": {
        "database_url": "The database that holds everything.",
        "database_schema": "SQL Server: the schema with the tables.",
        "encryption": "SQL Server: whether the connection is encrypted. Default: required, except on this machine.",
        "ca_file": "SQL Server: the authority that must have signed the server’s certificate.",
        "lock_wait": "How long a statement waits for a lock.",
        "call_timeout": "SQL Server: how long a call may take to answer.",
    },
    "The service": {
        "host": "The address on which it listens.",
        "port": "Port.",
        "proxy_hops": "The number of trusted proxies in front of it.",
        "rate_limit": "The most requests of a key, or of an address without a key.",
        "log_format": "The format of the log.",
    },
}
SOURCES = {
    "default": "the default",
    "environment": "from the environment",
    ".env file": "from the .env file",
    "flag": "from a flag",
}


@dataclass(frozen=True)
class Line:
    """A setting on the page; `value` is None if it has no value."""

    variable: str
    meaning: str
    value: str | None
    secret: bool
    source: str


@page(blueprint, "/settings", role="admin")
def show_settings() -> str:
    """The settings of this copy of the service, and where each value comes from."""
    return render_template("settings.html", groups={title: list(_lines(fields)) for title, fields in GROUPS.items()})


def _lines(fields: dict[str, str]) -> Iterator[Line]:
    given = services()
    for field, meaning in fields.items():
        value = getattr(given.settings, field)
        # The name that the database gives itself has no password. The other secrets are not shown.
        text = given.database.name if field == "database_url" else None if field in SECRET_FIELDS else _written(value)
        secret = field in SECRET_FIELDS and field != "database_url" and bool(value)
        origin: Source = source(given.settings, field)
        yield Line(variable(field), meaning, text, secret, SOURCES[origin])


def _written(value: Any) -> str | None:
    """A value as people write it; None for one that is empty."""
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
            return ", ".join(_named(each) for each in sorted(value)) or None
        case _:
            return str(value)


def _named(each: str | int) -> str:
    return WEEKDAYS[each] if isinstance(each, int) else each


@page(blueprint, "/audit", role="admin")
def show_audit() -> str:
    """What was done through the service, or tried, the newest first; `before` is the last entry of the page before."""
    before = request.args.get("before", type=int)
    found = list_entries(
        services().database,
        count=ENTRIES_PER_PAGE,
        before=None if before is None else max(0, min(before, LARGEST_ENTRY_ID)),
    )
    return render_template("audit.html", entries=found, before=before, more=len(found) == ENTRIES_PER_PAGE)


@page(blueprint, "/keys", role="admin")
def show_keys(made: AccessKey | None = None, secret: str | None = None) -> str:
    """The keys, those in use first; `made` and `secret` belong to a key that was just made."""
    found = list_keys(services().database)
    used = [key for key in found if key.revoked_at is None]
    admins = [key for key in used if key.role == "admin"]
    return render_template(
        "keys.html",
        used=used,
        revoked=[key for key in found if key.revoked_at is not None],
        last_admin=admins[0].key_id if len(admins) == 1 else None,
        is_first=not found,
        roles=ROLES,
        made=made,
        secret=secret,
        was_first=made is not None and len(found) == 1,
    )


@form(blueprint, "/keys", role="admin", shows=show_keys)
def make_key() -> str:
    """Makes a key. Its secret is shown only in this response, and stored nowhere."""
    filled_in = read_form(NewKey)
    set_audit_target(filled_in.name)
    database = services().database
    if filled_in.role != "admin" and not any_keys(database):
        raise ParameterOutOfRange(
            "The first key must be an admin’s: from then on everybody needs a key, and only an admin can make more. "
            "No key was made."
        )
    key, secret = add_key(database, filled_in.name, filled_in.role, actor=identity().name)
    return show_keys(key, secret)


@form(blueprint, "/keys/revoke", role="admin", shows=show_keys)
def revoke_key() -> Any:
    """Revokes a key, and ends the sessions that began with it."""
    filled_in = KeyPath.model_validate_strings({"key_id": request.form.get("key_id", "")})
    set_audit_target(f"key {filled_in.key_id}")
    keys.revoke_key(services().database, filled_in.key_id, actor=identity().name)
    return redirect_with_notice(f"Key {filled_in.key_id} is revoked; it no longer works.", "admin.show_keys")
