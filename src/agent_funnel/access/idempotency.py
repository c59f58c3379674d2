"""Stored responses for idempotent requests: a retry with the same key gets the first response."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from agent_funnel.database import Database

# How long a response is stored:
STORED_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class StoredResponse:
    """A response as it was sent: its status and the text of its body."""

    status: int
    text: str


@dataclass(frozen=True)
class Claim:
    """The result of claiming a request. `mine` is whether the request is new, so that this call has to answer it.

    Otherwise `response` is the stored response, None while the first call is still in progress; `same` is whether the
    content is the same as that of the first call.
    """

    request_hash: str
    mine: bool
    same: bool
    response: StoredResponse | None


def claim_request(database: Database, *, scope: str, key: str, content: Iterable[bytes]) -> Claim:
    """Claims the request that `key` names within a scope. Only one call gets it, in all copies of the service.

    The content comes in parts, so that a large one need not be in memory.
    """
    request_hash = _hashed((scope.encode(),), (key.encode(),))
    content_hash = _hashed(content)
    row = database.one(
        "claim_request", request_hash=request_hash, content_hash=content_hash, seconds=int(STORED_FOR.total_seconds())
    )
    assert row is not None
    response = None if row["status"] is None else StoredResponse(row["status"], row["answer"])
    return Claim(request_hash, bool(row["claimed"]), row["content_hash"].strip() == content_hash, response)


def store_response(database: Database, claimed: Claim, response: StoredResponse) -> None:
    """Stores the response to a request."""
    database.one("keep_answer", request_hash=claimed.request_hash, status=response.status, answer=response.text)


def release_request(database: Database, claimed: Claim) -> None:
    """Deletes the record of a request that changed nothing, so that it can be made again."""
    database.one("release_request", request_hash=claimed.request_hash)


def _hashed(*texts: Iterable[bytes]) -> str:
    # Each text is hashed first, so that different lists of texts never give the same hash.
    return sha256(b"".join(_digest(text) for text in texts)).hexdigest()


def _digest(parts: Iterable[bytes]) -> bytes:
    found = sha256()
    for part in parts:
        found.update(part)
    return found.digest()
