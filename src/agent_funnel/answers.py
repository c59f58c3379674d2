"""The same answer to the same request: what a client that is not sure of an answer gets when it asks again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from agent_funnel.backends import Backend

# How long an answer is kept:
KEPT = timedelta(hours=24)


@dataclass(frozen=True)
class Answer:
    """An answer as it was given: the status and the text of its body."""

    status: int
    text: str


@dataclass(frozen=True)
class Claim:
    """What is on record of a request. `mine`: nothing was, and now this call is to answer it.

    Otherwise `answer` is what it was answered, None while that goes on; `same` is whether the content is the same, too.
    """

    request_hash: str
    mine: bool
    same: bool
    answer: Answer | None


def claim(backend: Backend, *, scope: str, key: str, content: bytes) -> Claim:
    """Begins to answer the request that `key` names within a scope, in any copy of the service but one."""
    request_hash = _hashed(scope.encode(), key.encode())
    content_hash = _hashed(content)
    row = backend.one(
        "claim_request", request_hash=request_hash, content_hash=content_hash, seconds=int(KEPT.total_seconds())
    )
    assert row is not None
    answer = None if row["status"] is None else Answer(row["status"], row["answer"])
    return Claim(request_hash, bool(row["claimed"]), row["content_hash"].strip() == content_hash, answer)


def keep(backend: Backend, claimed: Claim, answer: Answer) -> None:
    """Keeps what a request was answered."""
    backend.one("keep_answer", request_hash=claimed.request_hash, status=answer.status, answer=answer.text)


def release(backend: Backend, claimed: Claim) -> None:
    """Forgets a request that changed nothing, so that it can be made again."""
    backend.one("release_request", request_hash=claimed.request_hash)


def _hashed(*parts: bytes) -> str:
    # Each part by its own hash, so that no two lists of parts are one text.
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()
