"""Personal links: what an agent opens the own list with, without a key to the service."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from agent_funnel.access import hashed
from agent_funnel.backends import Backend
from agent_funnel.errors import NotFound
from agent_funnel.records import Row, moment

# How the secret of a link begins, so that one that leaks is known for what it is, and is never taken for a key:
PREFIX = "mine_"


@dataclass(frozen=True)
class Link:
    """A link in use, as it is kept: without its secret. Moments are in UTC."""

    link_id: int
    agent: str
    created_at: datetime
    created_by: str | None
    last_used_at: datetime | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        used = row["last_used_at"]
        return cls(
            link_id=row["link_id"],
            agent=row["agent"],
            created_at=moment(row["created_at"]),
            created_by=row["created_by"],
            last_used_at=None if used is None else moment(used),
        )


@dataclass(frozen=True)
class Opened:
    """What a secret opened: no link, where it is wrong or revoked; and whether there have ever been keys."""

    link: Link | None
    any_keys: bool


def make(backend: Backend, agent: str, *, actor: str | None = None) -> tuple[Link, str]:
    """Makes a link, and revokes the one in use; answers with it and with its secret, which can not be shown again.

    Raises NotFound if there is no such agent.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    row = backend.one("add_link", agent=agent, secret_hash=hashed(secret), actor=actor)
    if row is None:
        raise NotFound(f"There is no agent {agent!r}.")
    return Link.from_row(row), secret


def of_agent(backend: Backend, agent: str) -> Link | None:
    """The link of an agent, None if none is in use."""
    row = backend.one("link_of_agent", agent=agent)
    return None if row is None else Link.from_row(row)


def revoke(backend: Backend, agent: str, *, actor: str | None = None) -> None:
    """Revokes an agent's link, at once and for good. Raises NotFound if none is in use."""
    row = backend.one("revoke_link", agent=agent, actor=actor)
    if not row or not row["revoked"]:
        raise NotFound(f"The agent {agent!r} has no link in use.")


def opened(backend: Backend, secret: str) -> Opened:
    """What a secret opens."""
    wanted = hashed(secret)
    row = backend.one("link_of_secret", secret_hash=wanted)
    assert row is not None
    # As with keys: found by an index, decided in the same time wherever two hashes differ.
    if row["link_id"] is None or not hmac.compare_digest(str(row["secret_hash"]).strip(), wanted):
        return Opened(None, bool(row["keys"]))
    return Opened(Link.from_row(row), bool(row["keys"]))


def note_use(backend: Backend, link_id: int) -> None:
    """Notes that a link was used just now."""
    backend.one("note_link_use", link_id=link_id)


def count(backend: Backend, agent: str) -> int:
    """How many numbers an agent has now."""
    row = backend.one("count_of_agent", agent=agent)
    assert row is not None
    return int(row["leads"])
