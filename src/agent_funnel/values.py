"""Rows of the database, the types of their values, and `Record`, which reads a row by the types of its fields.

Databases keep moments in UTC without a zone, and SQLite keeps dates as text; records have `datetime` and `date`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from types import NoneType
from typing import Annotated, Any, Self, get_args, get_type_hints

from agent_funnel.characters import invisible_in
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.sentences import sentence

Row = Mapping[str, Any]

# The longest name, number or reason that every table can hold, in characters:
LONGEST_TEXT = 255
# As the `count` of a query, this means all rows; it is the highest count that a query takes:
NO_LIMIT = 2**31 - 1


@dataclass(frozen=True, eq=False)
class _ReadBy:
    """In an annotated type: the function that reads a column of this type.

    `schema` replaces the JSON Schema of the type, where the usual one would be wrong.
    """

    read: Callable[[Any], Any]
    schema: Mapping[str, Any] | None = None

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], dict[str, Any]]) -> Any:
        return handler(core_schema) if self.schema is None else dict(self.schema)


def read_moment(value: datetime | str) -> datetime:
    """Reads a moment. Databases keep it in UTC, without a zone."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC)


def read_date(value: date | str) -> date:
    """Reads a date."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def read_lead_date(value: Any) -> datetime | None:
    """Reads a lead's date, to the millisecond; None if the text is not a date, since SQLite keeps any text."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def write_moment(moment: datetime | None) -> str | None:
    """Writes a moment as databases keep it: in UTC, to the millisecond, without a zone."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "milliseconds")


Moment = Annotated[datetime, _ReadBy(read_moment)]
Day = Annotated[date, _ReadBy(read_date)]
# A lead's date is local to the sales floor and has no zone, so it is not a date-time of JSON Schema:
LeadDate = Annotated[
    datetime,
    _ReadBy(read_lead_date, {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3,6})?$"}),
]
# A number or a name. Your own table may keep numbers in an INT column.
Text = Annotated[str, _ReadBy(str)]
Flag = Annotated[bool, _ReadBy(bool)]
# An object of JSON, which the database keeps as a text:
JsonObject = Annotated[dict[str, Any], _ReadBy(json.loads)]


class Record:
    """A dataclass whose fields are columns of a row."""

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Makes the record of a row. Each column is read by the type of its field; NULL becomes None."""
        return cls(
            **{
                name: value if (value := row[name]) is None or read is None else read(value)
                for name, read in _readers(cls)  # type: ignore[arg-type] # mypy doubts the hash of a class
            }
        )


@cache
def _readers(cls: type[Any]) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    hints = get_type_hints(cls, include_extras=True)
    return tuple((name, _reader(hints[name])) for name in cls.__dataclass_fields__)


def _reader(hint: Any) -> Callable[[Any], Any] | None:
    """The function that reads a value of an annotated type, optional or not; None if the type has none."""
    for part in (hint, *(each for each in get_args(hint) if each is not NoneType)):
        for note in getattr(part, "__metadata__", ()):
            if isinstance(note, _ReadBy):
                return note.read
    return None


def text_length(text: str) -> int:
    """The length of a text as T-SQL counts it: a character beyond the first 65536 code points counts twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(text: str, longest: int = LONGEST_TEXT) -> str:
    """The beginning of a text, as long as a column of T-SQL holds, which counts as `text_length` does."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * longest].decode("utf-16-le", "ignore")


def check_text(name: str, value: str) -> None:
    """Raises ParameterOutOfRange for a text that no column can hold, or that acts on a terminal or a page."""
    check_length(name, value)
    check_characters(name, value)


def check_length(name: str, value: str) -> None:
    """Raises ParameterOutOfRange for a text that is blank or longer than a column."""
    if not value.strip() or text_length(value) > LONGEST_TEXT:
        raise ParameterOutOfRange(
            sentence(
                "%(name)s has %(length)s characters; it must have 1 to %(longest_text)s, and not only blanks.",
                name=name,
                length=str(text_length(value)),
                longest_text=str(LONGEST_TEXT),
            )
        )


def check_characters(name: str, value: str | None) -> None:
    """Raises ParameterOutOfRange for a text with a character that acts on a terminal or a page instead of showing."""
    if value is not None and (found := invisible_in(value)):
        raise ParameterOutOfRange(
            sentence(
                "%(name)s has the character %(found)s, which does not show. Nothing was changed.",
                name=name,
                found=found,
            )
        )
