"""Keys to the service, their roles, and the sessions of browsers that signed in with a key."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal, cast, get_args

from agent_funnel.database import Database
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from agent_funnel.sentences import sentence, with_hint
from agent_funnel.values import Moment, Record, check_text, read_moment

Role = Literal["viewer", "operator", "admin"]
# Each role may do everything that the roles before it may:
ROLES: tuple[Role, ...] = get_args(Role)
# Every key begins with this, so that people and scanners recognise a leaked key:
PREFIX = "funnel_"
# The duration of a session: one that begins in the morning lasts until after the deal of the evening.
SESSION_DURATION = timedelta(hours=16)


def includes(role: Role, needed: Role) -> bool:
    """Whether a role may do everything that the role `needed` may do."""
    return ROLES.index(role) >= ROLES.index(needed)


@dataclass(frozen=True)
class AccessKey(Record):
    """A key on record, without its secret. It is in use while `revoked_at` is None. Moments are in UTC."""

    key_id: int
    name: str
    role: Role
    created_at: Moment
    created_by: str | None
    last_used_at: Moment | None
    revoked_at: Moment | None
    revoked_by: str | None


@dataclass(frozen=True)
class KeyHolder:
    """The holder of a key in use: the key's name, its role and its last use (UTC)."""

    key_id: int
    name: str
    role: Role
    last_used_at: datetime | None


@dataclass(frozen=True)
class KeyLookup:
    """The result of looking up a secret. `holder` is None if the secret matches no key in use.

    `any_keys` is whether a key was ever made.
    """

    holder: KeyHolder | None
    any_keys: bool


def add_key(database: Database, name: str, role: str, *, actor: str | None = None) -> tuple[AccessKey, str]:
    """Makes a key; returns it and its secret, which is stored nowhere and cannot be shown again.

    Raises AlreadyExists if a key of this name is in use, ParameterOutOfRange for an unknown role or a bad name.
    """
    check_text("name", name)
    if role not in ROLES:
        raise ParameterOutOfRange(
            sentence(
                "role is %(role)s; it must be %(others)s or %(last)s.",
                role=repr(role[:40]),
                others=ROLES[:-1],
                last=ROLES[-1],
            )
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    row = database.one("add_key", label=name, role=role, secret_hash=hashed(secret), actor=actor)
    if row is None:
        raise AlreadyExists(
            sentence("A key named %(name)s is in use; revoke it first, or choose another name.", name=repr(name))
        )
    return AccessKey.from_row(row), secret


def list_keys(database: Database) -> list[AccessKey]:
    """All keys, including revoked ones, in the order in which they were made."""
    return [AccessKey.from_row(row) for row in database.all("access_keys")]


def revoke_key(database: Database, key_id: int, *, actor: str | None = None) -> None:
    """Revokes a key, at once and for good, and ends its sessions. Raises NotFound if no key in use has this number."""
    row = database.one("revoke_key", key_id=key_id, actor=actor)
    if not row or not row["revoked"]:
        raise NotFound(
            with_hint(
                sentence("There is no key %(key_id)s in use.", key_id=str(key_id)),
                "`agent-funnel keys list` shows all.",
            )
        )


def holder_of_key(database: Database, secret: str) -> KeyLookup:
    """Looks up the holder of a key by its secret."""
    return _look_up(database, "key_of_secret", secret)


def holder_of_session(database: Database, token: str) -> KeyLookup:
    """Looks up the holder of a key by the token of a session that was begun with the key."""
    return _look_up(database, "key_of_session", token)


def _look_up(database: Database, query: str, secret: str) -> KeyLookup:
    wanted = hashed(secret)
    row = database.one(query, secret_hash=wanted)
    assert row is not None
    # The database found the key by an index. This comparison takes the same time wherever two hashes differ.
    if row["key_id"] is None or not hmac.compare_digest(str(row["secret_hash"]).strip(), wanted):
        return KeyLookup(None, bool(row["keys"]))
    used = None if row["last_used_at"] is None else read_moment(row["last_used_at"])
    return KeyLookup(KeyHolder(row["key_id"], row["name"], cast(Role, row["role"]), used), True)


def any_keys(database: Database) -> bool:
    """Whether a key was ever made. From then on, the service can only be used with a key."""
    return holder_of_key(database, "").any_keys


def note_key_use(database: Database, key_id: int) -> None:
    """Notes that a key was used just now."""
    database.one("note_key_use", key_id=key_id)


def begin_session(database: Database, key_id: int) -> str:
    """Begins a session; returns its token, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    database.one("add_session", token_hash=hashed(token), key_id=key_id, seconds=int(SESSION_DURATION.total_seconds()))
    return token


def end_session(database: Database, token: str) -> None:
    """Ends a session, if there is one."""
    database.one("end_session", token_hash=hashed(token))


def hashed(secret: str) -> str:
    """The hash of a secret, as it is stored. Secrets are long and random, so even a fast hash does not reveal them."""
    return sha256(secret.encode()).hexdigest()
