"""Pages of lists: cursors, also for viewers, who must not see the numbers that a list is sorted by.

A cursor holds the key of the last row of a page. For viewers that key would reveal a number, so theirs holds the count
of the rows before the page instead.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import Field, NaiveDatetime, TypeAdapter

from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.web.fields import LARGEST_PAGE, KeyText, Stage
from agent_funnel.web.requester import sees_numbers

T = TypeVar("T")
K = TypeVar("K")

# How many rows a viewer may page through; each page reads all rows before it again:
VIEWER_PAGING_LIMIT = 10_000

_RowCount = Annotated[int, Field(ge=1, le=2**53 - 1)]
# What the cursors of each list hold:
AFTER_ROW_ID = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=2**63 - 1)]])
AFTER_NUMBER = TypeAdapter(tuple[KeyText])
AFTER_LEAD = TypeAdapter(tuple[KeyText, Stage | None, NaiveDatetime | None])
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


def fetch_page(
    after: Any, count: int, fetch: Callable[[Any, int], list[T]], key: Callable[[T], K]
) -> tuple[list[T], Any]:
    """Fetches a page of a list by number, and the position after it, None if the list ends there.

    `after` is the position before the page. `fetch` reads rows after the key of a row; `key` is the key of a row.
    """
    if sees_numbers():
        rows = fetch(after, count)
        return rows, key(rows[-1]) if len(rows) == count else None
    skipped = after[0] if after else 0
    if skipped > VIEWER_PAGING_LIMIT:
        raise ParameterOutOfRange(
            f"A key that does not see numbers can page through {VIEWER_PAGING_LIMIT} rows; narrow the search, or "
            "download the list as a file."
        )
    position, left = None, skipped
    while left:
        passed = fetch(position, min(left, LARGEST_PAGE))
        if not passed:
            return [], None
        position, left = key(passed[-1]), left - len(passed)
    rows = fetch(position, count)
    return rows, (skipped + count,) if len(rows) == count else None
