"""The requester: their name for the records, the current date, and whether they see whole numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import TypeVar

from agent_funnel.leads import LeadHistory
from agent_funnel.masking import last_digits
from agent_funnel.web.auth import identity
from agent_funnel.web.services import services

T = TypeVar("T")


def today() -> date:
    """The current date in the configured time zone."""
    return services().now().astimezone(services().settings.timezone).date()


def actor() -> str:
    """The requester's name, for the record of a run."""
    return f"http: {identity().name}"


def sees_numbers() -> bool:
    """Whether the requester sees whole numbers. Viewers see the last three digits."""
    return identity().may("operator")


def mask_for_requester(records: Iterable[T]) -> list[T]:
    """Records with a `number`, which is masked for viewers."""
    if sees_numbers():
        return list(records)
    return [replace(record, number=last_digits(record.number)) for record in records]  # type: ignore[type-var, attr-defined]


def mask_history_for_requester(found: LeadHistory) -> LeadHistory:
    """The history of a number, in which the number is masked for viewers wherever it occurs."""
    listed = found.do_not_contact
    [masked] = mask_for_requester([found])
    return replace(
        masked,
        records=tuple(mask_for_requester(found.records)),
        do_not_contact=None if listed is None else mask_for_requester([listed])[0],
    )
