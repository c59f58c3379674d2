"""The requester: their name for the records, the current date, and whether they see whole numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import date
from functools import cache
from typing import Any, TypeVar

from agent_funnel.import_records import ImportRecord
from agent_funnel.masking import last_digits, mask_digits
from agent_funnel.results import Results
from agent_funnel.web.auth import identity
from agent_funnel.web.services import services

T = TypeVar("T")

# Texts in records that people write, and that may have a number in them; and the ending of fields with a person's name:
FREE_TEXTS = ("reason", "name", "list_name", "source", "message", "actor", "note", "report")
BY_A_PERSON = "_by"


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
    """Records with a `number`; for viewers the numbers are masked, and the records sorted by the values that they show.

    Their order as it comes from the database is that of the whole numbers, from which a viewer could work these out.
    """
    if sees_numbers():
        return list(records)
    return sorted(map(_masked, records), key=_shown_order)


def _masked(record: T) -> T:
    """A record with a `number` as viewers see it. A poll has hundreds, so each is copied once."""
    number = last_digits(record.number)  # type: ignore[attr-defined]
    return replace(record, number=number, **_masked_texts(record))  # type: ignore[type-var]


def mask_texts(record: T) -> T:
    """A record in whose free texts the numbers are masked for viewers."""
    if sees_numbers():
        return record
    texts = _masked_texts(record)
    return replace(record, **texts) if texts else record  # type: ignore[type-var]


def _masked_texts(record: Any) -> dict[str, str]:
    """The free texts of a record, by field, with the numbers in them masked."""
    names = _free_texts(type(record))  # type: ignore[arg-type] # mypy doubts the hash of a class
    return {name: mask_digits(text) for name in names if (text := getattr(record, name))}


@cache
def _free_texts(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a type of record that may have a number in them."""
    return tuple(field.name for field in fields(kind) if field.name in FREE_TEXTS or field.name.endswith(BY_A_PERSON))


def mask_import(record: ImportRecord) -> ImportRecord:
    """An import on record; for viewers without the address, and with the numbers in its texts masked.

    Nor do they get the hash of the file: from that of a short one, its numbers can be worked out by trying.
    """
    if sees_numbers():
        return record
    return replace(mask_texts(record), address=None, sha256=None, file_name=mask_digits(record.file_name))


def mask_results(results: Results) -> Results:
    """Results; for viewers, the numbers in the names of imported files are masked."""
    if sees_numbers():
        return results
    return replace(
        results, imports=tuple(replace(each, label=each.label and mask_digits(each.label)) for each in results.imports)
    )


def mask_outcome(record: T) -> T:
    """An outcome, or another record with a `number` whose order says nothing; for viewers the number is masked."""
    if sees_numbers():
        return record
    return _masked(record)


def free_text(text: str | None) -> str | None:
    """A text that a person wrote; for viewers, the numbers in it are masked."""
    return None if text is None else masked_text(text)


def masked_text(text: str) -> str:
    """A text that has parts by people, such as a sentence; for viewers, the numbers in it are masked."""
    return text if sees_numbers() else mask_digits(text)


def _shown_order(record: Any) -> tuple[Any, ...]:
    """The place of a masked record in a list: by its other values, then by the digits left of its number.

    Records of the same place are equal, so that a list of masked records tells no more than the records themselves.
    """
    others = [(value is not None, str(value)) for name, value in vars(record).items() if name != "number"]
    return (*others, record.number)
