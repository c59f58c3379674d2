"""Personal links: with one, an agent opens their own list without a key to the service."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from agent_funnel.access.keys import hashed
from agent_funnel.agents import no_such_agent
from agent_funnel.database import Database
from agent_funnel.errors import NotFound
from agent_funnel.sentences import sentence
from agent_funnel.values import Moment, Record

# The secret of every link begins with this, so that a leaked one is recognised, and is never mistaken for a key:
PREFIX = "mine_"


@dataclass(frozen=True)
class Link(Record):
    """A link in use, without its secret. Moments are in UTC."""

    link_id: int
    agent: str
    created_at: Moment
    created_by: str | None
    last_used_at: Moment | None


@dataclass(frozen=True)
class LinkLookup:
    """The result of looking up a secret. `link` is None if the secret matches no link in use of an active agent.

    `any_keys` is whether a key was ever made.
    """

    link: Link | None
    any_keys: bool


def make_link(database: Database, agent: str, *, actor: str | None = None) -> tuple[Link, str]:
    """Makes a link and revokes the agent's present one. Returns it and its secret, which cannot be shown again.

    Raises NotFound if there is no such agent.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    row = database.one("add_link", agent=agent, secret_hash=hashed(secret), actor=actor)
    if row is None:
        raise no_such_agent(database, agent)
    return Link.from_row(row), secret


def link_of_agent(database: Database, agent: str) -> Link | None:
    """The link of an agent; None if the agent has no link in use."""
    row = database.one("link_of_agent", agent=agent)
    return None if row is None else Link.from_row(row)


def list_links(database: Database) -> dict[str, Link]:
    """The links in use, by their agents."""
    return {link.agent: link for link in map(Link.from_row, database.all("links"))}


def revoke_link(database: Database, agent: str, *, actor: str | None = None) -> None:
    """Revokes an agent's link, at once and for good. Raises NotFound if none is in use."""
    row = database.one("revoke_link", agent=agent, actor=actor)
    if not row or not row["revoked"]:
        raise NotFound(sentence("The agent %(agent)s has no link in use.", agent=repr(agent)))


def look_up_link(database: Database, secret: str) -> LinkLookup:
    """Looks up a link by its secret. The link of an agent is found only while the agent is active."""
    wanted = hashed(secret)
    row = database.one("link_of_secret", secret_hash=wanted)
    assert row is not None
    # The same comparison as for keys: it takes the same time wherever two hashes differ.
    if row["link_id"] is None or not hmac.compare_digest(str(row["secret_hash"]).strip(), wanted):
        return LinkLookup(None, bool(row["keys"]))
    return LinkLookup(Link.from_row(row), bool(row["keys"]))


def note_link_use(database: Database, link_id: int) -> None:
    """Notes that a link was used just now."""
    database.one("note_link_use", link_id=link_id)
