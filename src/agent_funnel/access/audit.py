"""The audit: a record of every change through the service, and of every attempt at one."""

from __future__ import annotations

from dataclasses import dataclass

from agent_funnel.database import Database
from agent_funnel.values import Moment, Record, shortened

# The widths of the columns, in characters:
WIDTHS = {"actor": 255, "operation": 100, "target": 255, "address": 100, "detail": 1000}
# No entry has a number as large as this:
LARGEST_ENTRY_ID = 2**63 - 1


@dataclass(frozen=True)
class AuditEntry(Record):
    """One request: its `actor` with the key `key_id`, the `operation`, its `target`, the time (UTC) and the address.

    `status` is the HTTP status of the response; `detail` is the reason of a refusal, None if there was no refusal.
    """

    entry_id: int
    recorded_at: Moment
    actor: str
    key_id: int | None
    operation: str
    target: str | None
    address: str
    status: int
    detail: str | None


def record_entry(
    database: Database,
    *,
    actor: str,
    key_id: int | None,
    operation: str,
    target: str | None,
    address: str,
    status: int,
    detail: str | None,
) -> None:
    """Records a request. A text longer than its column is cut."""
    texts = {"actor": actor, "operation": operation, "target": target, "address": address, "detail": detail}
    cut = {name: None if text is None else shortened(text, WIDTHS[name]) for name, text in texts.items()}
    database.one("add_audit_entry", key_id=key_id, status=status, **cut)


def list_entries(database: Database, *, count: int, before: int | None = None) -> list[AuditEntry]:
    """The newest entries, newest first. With `before`, only entries with smaller numbers."""
    rows = database.all("audit_entries", count=count, before=LARGEST_ENTRY_ID if before is None else before)
    return [AuditEntry.from_row(row) for row in rows]
