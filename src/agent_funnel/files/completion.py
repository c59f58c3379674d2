"""Values of a row that other columns complete: numbers by area codes, names by last names, dates by their zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from agent_funnel.files.columns import FIELDS

# A name of a column that says that its dates are in UTC, and a time without a zone:
_IN_UTC = re.compile(r"[(\[]\s*(?:UTC|GMT)\s*[)\]]", re.IGNORECASE)
_WITHOUT_ZONE = re.compile(r":\d\d(?:[.,]\d+)?(?:\s*[AP]M)?$", re.IGNORECASE)
# The most digits of a number without its area code, and of an area code:
LONGEST_LOCAL, LONGEST_AREA = 9, 5

Completion = Callable[[Sequence[str], list[str | None]], None]


def completion(
    kind: str,
    header: Sequence[str],
    columns: Mapping[str, int],
    instead: Sequence[int],
    partner: tuple[int, bool] | None,
) -> Completion | None:
    """A function that completes the values of a row, given with all its fields; None if there is nothing to complete.

    Rows whose first value is missing have it in one of the columns `instead`. `partner` is the column that belongs to
    the first value, and whether its part comes first.
    """
    in_utc = _place_in_utc(kind, header, columns)
    if not instead and partner is None and in_utc is None:
        return None

    def complete(fields: Sequence[str], given: list[str | None]) -> None:
        first = (given[0] or "").strip()
        for index in instead:
            if not first and index < len(fields):
                first = fields[index].strip()
        if partner and first and partner[0] < len(fields) and (other := fields[partner[0]].strip()):
            first = _joined(kind, first, other, comes_before=partner[1])
        given[0] = first
        if in_utc is not None and _WITHOUT_ZONE.search(text := (given[in_utc] or "").strip()):
            given[in_utc] = f"{text} UTC"

    return complete


def _place_in_utc(kind: str, header: Sequence[str], columns: Mapping[str, int]) -> int | None:
    """The place of the date among the fields, if the name of its column says that it is in UTC."""
    index = columns.get("date")
    return FIELDS[kind].index("date") if index is not None and _IN_UTC.search(header[index]) else None


def _joined(kind: str, text: str, other: str, *, comes_before: bool) -> str:
    """A value with that of the column that belongs to it. A number that has its area code or country stays as it is."""
    if FIELDS[kind][0] != "number":
        return f"{other} {text}" if comes_before else f"{text} {other}"
    area, digits = "".join(filter(str.isdigit, other)), "".join(filter(str.isdigit, text))
    is_local = 4 <= len(digits) <= LONGEST_LOCAL and not text.startswith(("+", "00", "(", "="))
    return f"{area}{text}" if is_local and 2 <= len(area) <= LONGEST_AREA else text
