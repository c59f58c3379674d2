"""Every kind of caller of the service: one of each role, and those without a valid key."""

from __future__ import annotations

from typing import NamedTuple

from flask import Flask
from flask.testing import FlaskClient

from agent_funnel.access.keys import PREFIX, ROLES, add_key, revoke_key
from agent_funnel.settings import load
from agent_funnel.web import create_app
from support.databases import TestedDatabase, seed_tables

# Callers without a valid key:
NOBODY = ("no key", "a key of another database", "a revoked key", "a key in lower case")


class Place(NamedTuple):
    """The service, and the header of each caller."""

    app: Flask
    keys: dict[str, dict[str, str]]

    def client(self) -> FlaskClient:
        """A new client each time, so that no cookie is left over."""
        return self.app.test_client()


def place_with_callers(database: TestedDatabase) -> Place:
    """The service on a floor that has dealt, with a key of each role and keys that are not valid."""
    seed_tables(database)
    app = create_app(load(rate_limit="1000000 per second"), database.backend)
    app.test_client().post("/run-now")
    secrets: dict[str, str] = {role: add_key(database.backend, role, role)[1] for role in ROLES}
    key, revoked = add_key(database.backend, "revoked", "admin")
    revoke_key(database.backend, key.key_id)
    secrets |= {
        "a key of another database": PREFIX + "x" * 43,
        "a revoked key": revoked,
        "a key in lower case": secrets["admin"].lower(),
    }
    headers = {who: {"Authorization": f"Bearer {secret}"} for who, secret in secrets.items()}
    return Place(app, {"no key": {}, **headers})
