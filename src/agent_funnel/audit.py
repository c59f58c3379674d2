"""Who changed something through the service, or tried to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from agent_funnel.backends import Backend
from agent_funnel.records import Row, moment

# The widths of the columns, in characters:
WIDTHS = {"actor": 255, "operation": 100, "target": 255, "address": 100, "detail": 1000}
NEWEST = 2**63 - 1


@dataclass(frozen=True)
class AuditEntry:
    """Who (`actor`, by the key `key_id`) asked for which `operation`, on what, when (UTC) and from where.

    `status` is the one of the answer in HTTP; `detail` says why it was refused, if it was.
    """

    entry_id: int
    recorded_at: datetime
    actor: str
    key_id: int | None
    operation: str
    target: str | None
    address: str
    status: int
    detail: str | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        values["recorded_at"] = moment(row["recorded_at"])
        return cls(**values)


def record(
    backend: Backend,
    *,
    actor: str,
    key_id: int | None,
    operation: str,
    target: str | None,
    address: str,
    status: int,
    detail: str | None,
) -> None:
    """Records what somebody did or tried. What is longer than its column is cut."""
    texts = {"actor": actor, "operation": operation, "target": target, "address": address, "detail": detail}
    cut = {name: None if text is None else text[: WIDTHS[name]] for name, text in texts.items()}
    backend.one("add_audit_entry", key_id=key_id, status=status, **cut)


def entries(backend: Backend, *, count: int, before: int | None = None) -> list[AuditEntry]:
    """The newest entries, those before an entry's number if one is given."""
    rows = backend.all("audit_entries", count=count, before=NEWEST if before is None else before)
    return [AuditEntry.from_row(row) for row in rows]
