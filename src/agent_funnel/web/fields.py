"""Annotated types of the fields of requests. They accept exactly what the OpenAPI document says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from agent_funnel.characters import CONTROLS, DIRECTIONS
from agent_funnel.outcomes import LONGEST_NOTE, LONGEST_REPORT
from agent_funnel.settings_types import COUNTRIES, NO_COUNTRY, VOICES, country, voice
from agent_funnel.values import LONGEST_TEXT, text_length

# The largest number of rows on a page of a list:
LARGEST_PAGE = 1_000


def _day(value: object) -> object:
    # Only YYYY-MM-DD, as the document says; pydantic alone also takes moments and numbers.
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or len(value) != 10:
        raise ValueError("is not a date such as 2026-01-31")
    return value


Day = Annotated[date, BeforeValidator(_day)]
# A business date, within the years that the deal accepts:
BusinessDay = Annotated[
    Day,
    Field(
        ge=date(2000, 1, 1),
        le=date(9998, 12, 31),
        json_schema_extra={"pattern": r"^([2-8]\d{3}|9[0-8]\d\d|99[0-8]\d|999[0-8])-"},
    ),
]


def _whole(value: object) -> object:
    # In an address only digits, as in a path; pydantic alone also takes 5.0, 1_000 and surrounding blanks.
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]+", value):
        raise ValueError("is not a whole number such as 5")
    # JSON has one kind of number: 5.0 is 5.
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = BeforeValidator(_whole)


def _fits(value: str) -> str:
    if text_length(value) > LONGEST_TEXT:
        raise ValueError("has more characters than the tables hold, which count those beyond U+FFFF twice")
    return value


def _fits_report(value: str) -> str:
    if text_length(value) > LONGEST_REPORT:
        raise ValueError("has more characters than the tables hold, which count those beyond U+FFFF twice")
    return value


def _fits_note(value: str) -> str:
    if text_length(value) > LONGEST_NOTE:
        raise ValueError("has more characters than the tables hold, which count those beyond U+FFFF twice")
    return value


def _moment(value: object) -> object:
    # pydantic alone also takes numbers.
    if not isinstance(value, str) or len(value) < len("2026-01-31T00:00Z"):
        raise ValueError("is not a moment with its zone such as 2026-01-31T18:00:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is before the first moment of the calendar in UTC, or after the last one") from None


def _in_any_case(word: str) -> str:
    """A pattern of a word; regex dialects differ on how to ignore the case."""
    return "".join(f"[{letter.upper()}{letter.lower()}]" for letter in word)


# Unicode whitespace except control characters, spelled out because regex dialects differ on `\s`:
BLANK = r"\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# A new name or reason, which every table can hold: T-SQL has no character 0, and SQLite no lone surrogate. It has no
# character that acts on a terminal or a page, either.
Text = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_TEXT,
        pattern=rf"^[^{CONTROLS}{DIRECTIONS}]*[^{CONTROLS}{DIRECTIONS}{BLANK}][^{CONTROLS}{DIRECTIONS}]*$",
    ),
    AfterValidator(_fits),
]
# A number. Those that were copied from WhatsApp have marks of the direction of text around them.
NumberText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_TEXT,
        pattern=rf"^[^{CONTROLS}]*[^{CONTROLS}{BLANK}][^{CONTROLS}]*$",
    ),
    AfterValidator(_fits),
]
# The id of a report, which the reporter chooses; it has no blanks around it.
ReportText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_REPORT,
        pattern=rf"^[^{CONTROLS}{DIRECTIONS}{BLANK}]([^{CONTROLS}{DIRECTIONS}]*[^{CONTROLS}{DIRECTIONS}{BLANK}])?$",
    ),
    AfterValidator(_fits_report),
]
# A note:
NoteText = Annotated[
    str, Field(max_length=LONGEST_NOTE, pattern=rf"^[^{CONTROLS}{DIRECTIONS}]*$"), AfterValidator(_fits_note)
]
# A moment with its zone, as JSON has it:
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_in_utc)]
# A text to search for. It accepts more than Text, since other systems fill the tables, too.
SearchText = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$"), AfterValidator(_fits)]
# A country, or none, in any case:
CountryText = Annotated[
    str, Field(pattern=f"^({'|'.join(map(_in_any_case, (NO_COUNTRY, *COUNTRIES)))})$"), AfterValidator(country)
]
# Whether leads that come round meet another agent, in any case:
VoiceText = Annotated[str, Field(pattern=f"^({'|'.join(map(_in_any_case, VOICES))})$"), AfterValidator(voice)]
OutcomeName = Literal["talked", "no_answer", "won", "lost", "call_back", "wrong_number", "opted_out", "not_worked"]
Format = Literal["json", "csv", "xlsx"]
FileFormat = Literal["csv", "excel-csv", "xlsx"]
# The lists that are exported as they are, without a choice of a part:
ExportedList = Literal[
    "leads", "pool", "agents", "limits", "holidays", "do-not-contact", "assignments", "runs", "history",
]  # fmt: skip
Delimiter = Literal["comma", "semicolon", "tab", "bar"]
Count = Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="The most items on the page."), WholeNumber]
Cursor = Annotated[
    str | None, Field(max_length=2_000, description="The place where the page begins: `next` of the page before.")
]
# Up to the largest integer that every JSON parser reads exactly:
RunId = Annotated[int, Field(ge=1, le=2**53 - 1)]
RowId = Annotated[int, Field(ge=1, le=2**31 - 1)]
Stage = Annotated[int, Field(ge=-(2**31), le=2**31 - 1), WholeNumber]
# A text in a cursor. Anybody can write a cursor, so its texts must fit the tables:
KeyText = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$"), AfterValidator(_fits)]
