"""Values of cells as people and spreadsheets write them: numbers, stages, statuses, names and days.

Each function returns the value, or a `BadCell` with the reason why there is none. A message shows no number whole: the
caller masks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from agent_funnel.characters import invisible_in
from agent_funnel.files.columns import plain_name
from agent_funnel.files.dates import YEARS, DateOrder, moment_of
from agent_funnel.files.formulas import with_formula
from agent_funnel.numbers import fault_in_listed, fault_in_number, plain_number
from agent_funnel.values import LONGEST_TEXT, text_length

Values = tuple[str, ...]

# The usual words of each status, in English, Portuguese, Spanish, German, French and Italian:
_WORDS = {
    "active": "active activ ativo ativa activo activa aktiv actif attivo attiva true yes y 1 on enabled x "
    "sim s si ja j oui o verdadeiro verdadera verdadero wahr vrai vero habilitado habilitada aktiviert active",
    "inactive": "inactive inativo inativa inactivo inactiva inaktiv inactif inattivo inattiva false no n 0 off "
    "disabled "
    "nao nein non falso falsa falsch faux deactivated desativado desativada desactivado desactivada deaktiviert "
    "desactive desactivee disattivato disattivata desabilitado deshabilitado",
}
STATUS_WORDS = {word: status for status, words in _WORDS.items() for word in words.split()}
# Marks without a width, which are copied along with a value:
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_FORMULA = re.compile(r"=\s*\"([^\"]*)\"|'+(.*)", re.DOTALL)
_STAGE = re.compile(r"0?([1-4])(?:[.,]0+)?")
_DECIMALS = re.compile(r"(\+?\d{8,})[.,]0+|(\d{4,})[.,]0{1,2}")
# A number that a spreadsheet shows with an exponent, as 5.51E+12:
# A number as most people write it, with nothing in it that means more than a pause:
_USUAL_NUMBER = re.compile(r"\+?[0-9][0-9 ()\-]*")
_EXPONENT = re.compile(r"(\d)(?:[.,](\d+))?E\+?(\d{1,2})", re.IGNORECASE)


@dataclass(frozen=True)
class BadCell:
    """The reason why a value is bad."""

    reason: str


def inner_text(text: str) -> str:
    """A cell without blanks and marks around it, and without the form in which a spreadsheet keeps digits as text.

    That form is `="0170123"` or an apostrophe before the text.
    """
    text = text.strip()
    if not text.isascii():
        text = text.strip(_UNSEEN).strip()
    if text[:1] in ("=", "'") and (found := _FORMULA.fullmatch(text)):
        text = (found[1] if found[2] is None else found[2]).strip()
    return text


def number_cell(text: str) -> str | BadCell:
    """A number as the database keeps it: digits, with the + before them if it is there; or an id as it is written."""
    if _USUAL_NUMBER.fullmatch(text) and "(0)" not in text:
        plain = text.replace(" ", "").replace("-", "").replace("(", "").replace(")", "")
        if fault_in_number(plain) is None:
            return plain
    if fault_in_number(text) is None and "E" not in text.upper():
        return text
    text = inner_text(text)
    if (found := _EXPONENT.fullmatch(text)) and (found[2] or "+" in text):
        decimals, exponent = found[2] or "", int(found[3])
        if len(decimals.rstrip("0")) < exponent - 2 or exponent > 19:
            return BadCell(
                f"number {text[:40]!r} was shortened by a spreadsheet, and its last digits are lost; format the column "
                "as text or as a number without decimals, and save the file again"
            )
        # All its digits are there, as in 5.511999990001E+12.
        text = (found[1] + decimals.ljust(exponent, "0"))[: exponent + 1]
    if found := _DECIMALS.fullmatch(text):
        text = found[1] or found[2]
    plain = plain_number(text)
    if fault := fault_in_number(plain):
        return BadCell(fault)
    return plain


def listed_cell(text: str) -> str | BadCell:
    """A number for a do-not-contact list: as it is written if it can be read, else without what spreadsheets add."""
    # A file that was exported can be imported again.
    text = with_formula(text.strip())
    if fault_in_listed(text) is None and not _DECIMALS.fullmatch(text):
        return text
    return number_cell(text)


def stage_cell(text: str) -> str | BadCell:
    """A stage: 1, 2, 3 or 4, also as a spreadsheet writes it."""
    found = _STAGE.fullmatch(inner_text(text))
    return found[1] if found else BadCell(f"stage {text.strip()[:40]!r} is not 1, 2, 3 or 4")


def date_cell(field: str, text: str, order: DateOrder | None, zone: tzinfo) -> datetime | BadCell:
    """A date, local to the sales floor."""
    moment = moment_of(inner_text(text), order, zone)
    if moment is not None and moment.year in YEARS:
        return moment
    shown = text.strip()[:40]
    if moment is None:
        if re.fullmatch(r"\d{5}(?:[.,]\d+)?", shown):
            return BadCell(f"{field} {shown!r} is a spreadsheet's day number of no date from 1954 to 2119")
        return BadCell(f"{field} {shown!r} is not a date such as 2026-01-31, 2026-01-31 20:40:00 or 31/01/2026 20:40")
    return BadCell(f"{field} {shown!r} is not from {YEARS.start} to {YEARS.stop - 1}")


def status_cell(text: str) -> str | BadCell:
    """A status: active or inactive, by the usual words of several languages."""
    status = STATUS_WORDS.get(plain_name(text))
    return status or BadCell(f"status {text.strip()[:40]!r} is not active or inactive")


def name_cell(field: str, text: str, *, least: int = 0) -> str | BadCell:
    """A name or a reason, which the database can hold and people can see."""
    # A file that was exported can be imported again.
    text = with_formula(text.strip())
    length = text_length(text)
    if not least <= length <= LONGEST_TEXT:
        bounds = f"it needs {least} to {LONGEST_TEXT}" if least else f"at most {LONGEST_TEXT} are allowed"
        return BadCell(f"{field} has {length} characters; {bounds}")
    if found := invisible_in(text):
        return BadCell(f"{field} has the character {found}, which does not show")
    return text
