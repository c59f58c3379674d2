"""Pages of lists: cursors, and the order of the lists that viewers see.

A cursor holds the key of the last row of a page. For viewers that key would reveal a number, so theirs holds the count
of the rows before the page instead. The order of the numbers would reveal them, too: masked rows are sorted by the
values that they show. Why: docs/decisions/0018-masked-lists.md.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import Field, NaiveDatetime, TypeAdapter

from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.web.fields import KeyText, Stage
from agent_funnel.web.requester import mask_for_requester, sees_numbers

T = TypeVar("T")
K = TypeVar("K")

# The longest list that a viewer can page through; each page reads and sorts the whole list:
LONGEST_MASKED_LIST = 10_000

_RowCount = Annotated[int, Field(ge=1, le=2**53 - 1)]
# What the cursors of each list hold:
AFTER_ROW_ID = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=2**63 - 1)]])
AFTER_NUMBER = TypeAdapter(tuple[KeyText])
AFTER_LISTED = TypeAdapter(tuple[KeyText, KeyText])
AFTER_LEAD = TypeAdapter(tuple[KeyText, Stage | None, NaiveDatetime | None])
# The day and the id of the outcome:
AFTER_CALL_BACK = TypeAdapter(tuple[date, Annotated[int, Field(ge=1, le=2**63 - 1)]])
# The version of the deal, the number and the agent:
AFTER_ASSIGNMENT = TypeAdapter(tuple[KeyText, KeyText, KeyText])
# And those of the same lists for viewers:
AFTER_COUNT = TypeAdapter(tuple[_RowCount])
AFTER_COUNT_OF_DEAL = TypeAdapter(tuple[KeyText, _RowCount])


def encode_cursor(*keys: Any) -> str:
    """Encodes the last row's key as an opaque cursor."""
    return urlsafe_b64encode(json.dumps(keys, default=lambda moment: moment.isoformat()).encode()).decode().rstrip("=")


def decode_cursor(text: str | None, kind: TypeAdapter[T]) -> T | None:
    """Decodes a cursor, None for the first page. Raises ParameterOutOfRange for a text that is not such a cursor."""
    if text is None:
        return None
    try:
        return kind.validate_json(urlsafe_b64decode(text + "=" * (-len(text) % 4)), strict=True)
    except ValueError:
        raise ParameterOutOfRange("cursor does not come from this list; begin again without one.") from None


def decode_requester_cursor(text: str | None, kind: TypeAdapter[Any], viewer_kind: TypeAdapter[Any]) -> Any:
    """Decodes a cursor of a list by number: `viewer_kind` is the kind for viewers."""
    return decode_cursor(text, kind if sees_numbers() else viewer_kind)


class TooManyMasked(ParameterOutOfRange):
    """The list is too long for a key that does not see numbers."""

    def __init__(self) -> None:
        super().__init__(
            f"The list has more than {LONGEST_MASKED_LIST} rows, the most that a key that does not see numbers can "
            "page through; narrow it down, or download it as a file if there is one."
        )


def fetch_page(
    after: Any, count: int, fetch: Callable[[Any, int], list[T]], key: Callable[[T], K]
) -> tuple[list[T], Any]:
    """Fetches a page of a list by number, masked for viewers, and the position after it, None if the list ends there.

    `after` is the position before the page. `fetch` reads rows after the key of a row; `key` is the key of a row.
    Raises TooManyMasked if the list is too long for a viewer.
    """
    if sees_numbers():
        rows = fetch(after, count)
        return rows, key(rows[-1]) if len(rows) == count else None
    rows = fetch(None, LONGEST_MASKED_LIST + 1)
    if len(rows) > LONGEST_MASKED_LIST:
        # The first ones by number would reveal something of their numbers.
        raise TooManyMasked
    masked = mask_for_requester(rows)
    end = (after[0] if after else 0) + count
    return masked[end - count : end], (end,) if end < len(masked) else None
