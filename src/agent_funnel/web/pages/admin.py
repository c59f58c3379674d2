"""Settings, the audit and keys: for admins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from agent_funnel.access import keys
from agent_funnel.access.audit import LARGEST_ENTRY_ID, list_entries
from agent_funnel.access.keys import ROLES, AccessKey, add_key, any_keys, list_keys
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.rules import SOURCE_WORDS, count_forgotten, list_rules, rule_problems
from agent_funnel.sentences import sentence
from agent_funnel.settings import (
    DEFAULT_RULES,
    LARGEST_SHARE,
    LONGEST_WINDOW_DAYS,
    SECRET_FIELDS,
    Settings,
    describe,
    source,
)
from agent_funnel.settings_types import COUNTRIES, NO_COUNTRY
from agent_funnel.web.audit_words import deed
from agent_funnel.web.auth import identity, set_audit_target
from agent_funnel.web.languages import locale, translated
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice
from agent_funnel.web.request_models import KeyPath, NewKey
from agent_funnel.web.services import services
from agent_funnel.web.setting_words import GROUPS, TITLES, meaning, setting_in_words

blueprint = Blueprint("admin", __name__)

ENTRIES_PER_PAGE = 100
# Where a value comes from, in words:
SOURCES = {
    "default": sentence("the default"),
    "environment": sentence("from the environment"),
    ".env file": sentence("from the .env file"),
    "flag": sentence("from a flag"),
}
# The same of a rule that is not set:
IN_THE_RULES = sentence("the rule above holds")


@dataclass(frozen=True)
class Line:
    """A setting on the page; `value` is None if it is a secret."""

    variable: str
    title: str
    # Text and code in turn:
    meaning: list[str]
    value: str | None
    is_secret: bool
    source: str


@page(blueprint, "/settings", role="admin")
def show_settings() -> str:
    """The rules of the deal, and the settings of this copy of the service, and where each value comes from."""
    groups = [
        (GROUPS.get(title, title), [_line(field) for field in fields])
        for title, fields in groupby(Settings.model_fields, key=lambda field: describe(field).group)
    ]
    rules = list_rules(services().database, services().settings)
    return render_template(
        "settings.html",
        groups=groups,
        rules=rules,
        rule_problems=rule_problems(rules),
        SOURCE_WORDS=SOURCE_WORDS,
        forgotten=count_forgotten(services().database),
        countries=(NO_COUNTRY, *COUNTRIES),
        largest_share=LARGEST_SHARE,
        longest_window_days=LONGEST_WINDOW_DAYS,
    )


def _line(field: str) -> Line:
    given, description = services(), describe(field)
    value = getattr(given.settings, field)
    is_secret = field in SECRET_FIELDS and field != "database_url" and bool(value)
    # The database's own name has no password.
    text = given.database.name if field == "database_url" else setting_in_words(field, value)
    return Line(
        description.variable,
        TITLES[field],
        translated(meaning(field)).split("`"),
        None if is_secret else text,
        is_secret,
        IN_THE_RULES if field in DEFAULT_RULES and value is None else SOURCES[source(given.settings, field)],
    )


@page(blueprint, "/audit", role="admin")
def show_audit() -> str:
    """The entries of the audit, the newest first; `before` is the last entry of the page before."""
    before = request.args.get("before", type=int)
    found = list_entries(
        services().database,
        count=ENTRIES_PER_PAGE,
        before=None if before is None else max(0, min(before, LARGEST_ENTRY_ID)),
    )
    entries = [(entry, deed(entry, locale())) for entry in found]
    return render_template("audit.html", entries=entries, before=before, more=len(found) == ENTRIES_PER_PAGE)


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
            sentence(
                "The first key must be an admin’s: from then on everybody needs a key, and only an admin can make "
                "more. No key was made."
            )
        )
    key, secret = add_key(database, filled_in.name, filled_in.role, actor=identity().name)
    return show_keys(key, secret)


@form(blueprint, "/keys/revoke", role="admin", shows=show_keys)
def revoke_key() -> Any:
    """Revokes a key, and ends the sessions that began with it."""
    filled_in = KeyPath.model_validate_strings({"key_id": request.form.get("key_id", "")})
    set_audit_target(f"key {filled_in.key_id}")
    keys.revoke_key(services().database, filled_in.key_id, actor=identity().name)
    return redirect_with_notice(
        gettext("Key %(key_id)s is revoked; it no longer works.", key_id=filled_in.key_id), "admin.show_keys"
    )
