"""Who may use the service: keys, roles, and the sessions of browsers that signed in with a key."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal, Self, cast, get_args

from agent_funnel.backends import Backend
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from agent_funnel.records import Row, moment
from agent_funnel.service import check_text

Role = Literal["viewer", "operator", "admin"]
# From the one who may least to the one who may most; each may what those before it may.
ROLES: tuple[Role, ...] = get_args(Role)
# How a key begins, so that one that leaks is known for what it is:
PREFIX = "funnel_"
# A working day and a night: who signs in in the morning is still there when the deal is done.
SESSION = timedelta(hours=16)


def includes(role: Role, needed: Role) -> bool:
    """Whether who has a role may what the other one may."""
    return ROLES.index(role) >= ROLES.index(needed)


@dataclass(frozen=True)
class AccessKey:
    """A key as it is kept: without its secret. It is in use while `revoked_at` is None. Moments are in UTC."""

    key_id: int
    name: str
    role: Role
    created_at: datetime
    created_by: str | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        values["created_at"] = moment(row["created_at"])
        for name in ("last_used_at", "revoked_at"):
            values[name] = None if row[name] is None else moment(row[name])
        return cls(**values)


@dataclass(frozen=True)
class Holder:
    """Who asks: the name and the role of a key in use."""

    key_id: int
    name: str
    role: Role
    last_used_at: datetime | None


@dataclass(frozen=True)
class Asked:
    """What asking for a holder found: nobody, for want of a right secret; and whether there have ever been keys."""

    holder: Holder | None
    any_keys: bool


def add_key(backend: Backend, name: str, role: str, *, actor: str | None = None) -> tuple[AccessKey, str]:
    """Makes a key; answers with it and with its secret, which is kept nowhere and can not be shown again.

    Raises AlreadyExists if a key of this name is in use, ParameterOutOfRange for a role or a name that is none.
    """
    check_text("name", name)
    if role not in ROLES:
        raise ParameterOutOfRange(f"role is {role[:40]!r}; it must be {', '.join(ROLES[:-1])} or {ROLES[-1]}.")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = backend.one("add_key", label=name, role=role, secret_hash=hashed(secret), actor=actor)
    if row is None:
        raise AlreadyExists(f"A key named {name!r} is in use; revoke it first, or take another name.")
    return AccessKey.from_row(row), secret


def keys(backend: Backend) -> list[AccessKey]:
    """All keys, the revoked ones too, in the order in which they were made."""
    return [AccessKey.from_row(row) for row in backend.all("access_keys")]


def revoke_key(backend: Backend, key_id: int, *, actor: str | None = None) -> None:
    """Revokes a key, at once and for good, and ends its sessions. Raises NotFound if none of this number is in use."""
    row = backend.one("revoke_key", key_id=key_id, actor=actor)
    if not row or not row["revoked"]:
        raise NotFound(f"There is no key {key_id} in use; `agent-funnel keys list` shows all.")


def holder_of_key(backend: Backend, secret: str) -> Asked:
    """The holder of a key."""
    return _asked(backend, "key_of_secret", secret)


def holder_of_session(backend: Backend, token: str) -> Asked:
    """The holder of a key, by the token of a session that it began."""
    return _asked(backend, "key_of_session", token)


def _asked(backend: Backend, query: str, secret: str) -> Asked:
    wanted = hashed(secret)
    row = backend.one(query, secret_hash=wanted)
    assert row is not None
    # The database has found it by an index; what decides takes the same time wherever two hashes differ.
    if row["key_id"] is None or not hmac.compare_digest(str(row["secret_hash"]).strip(), wanted):
        return Asked(None, bool(row["keys"]))
    used = None if row["last_used_at"] is None else moment(row["last_used_at"])
    return Asked(Holder(row["key_id"], row["name"], cast(Role, row["role"]), used), True)


def any_keys(backend: Backend) -> bool:
    """Whether there has ever been a key, and so only who has one may use the service."""
    return holder_of_key(backend, "").any_keys


def note_use(backend: Backend, key_id: int) -> None:
    """Notes that a key was used just now."""
    backend.one("note_key_use", key_id=key_id)


def begin_session(backend: Backend, key_id: int) -> str:
    """Begins a session; answers with its token, which is kept nowhere."""
    token = secrets.token_urlsafe(32)
    backend.one("add_session", token_hash=hashed(token), key_id=key_id, seconds=int(SESSION.total_seconds()))
    return token


def end_session(backend: Backend, token: str) -> None:
    """Ends a session, if there is one."""
    backend.one("end_session", token_hash=hashed(token))


def hashed(secret: str) -> str:
    """What is kept of a secret. It is random and long, so that a fast hash tells nothing of it."""
    return sha256(secret.encode()).hexdigest()
