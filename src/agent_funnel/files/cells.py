"""Values of cells as people and spreadsheets write them: numbers, stages, statuses, names and days.

Each function returns the value, or a `BadCell` with the reason why there is none. A message shows no number whole: the
caller masks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from agent_funnel.characters import invisible_in
from agent_funnel.files.columns import field_word, plain_name
from agent_funnel.files.dates import YEARS, DateOrder, moment_of
from agent_funnel.files.formulas import with_formula
from agent_funnel.numbers import fault_in_listed, fault_in_number, plain_number
from agent_funnel.sentences import sentence
from agent_funnel.settings import LARGEST_SHARE
from agent_funnel.values import LONGEST_TEXT, text_length

Values = tuple[str, ...]

# The usual words of each status, in English, Portuguese, Spanish, German, French and Italian:
_WORDS = {
    "active": "active activ ativo ativa activo activa aktiv actif attivo attiva true yes y 1 on enabled x "
    "sim s si ja j oui o v verdadeiro verdadera verdadero wahr vrai vero habilitado habilitada aktiviert active "
    "employed contratado contratada efetivo efetiva trabalhando disponivel disponible verfugbar available working",
    "inactive": "inactive inativo inativa inactivo inactiva inaktiv inactif inattivo inattiva false no n 0 off "
    "disabled "
    "nao nein non falso falsa falsch faux deactivated desativado desativada desactivado desactivada deaktiviert "
    "desactive desactivee disattivato disattivata desabilitado deshabilitado f terminated dismissed resigned former "
    "onleave away absent unavailable suspended blocked afastado afastada ausente demitido demitida desligado desligada "
    "deferias ferias bloqueado bloqueada indisponivel debaja baja despedido despedida devacaciones vacaciones "
    "nodisponible ausgeschieden gekundigt imurlaub urlaub abwesend gesperrt enconge conge absente licencie licenciee "
    "inferie ferie assente dimesso dimessa licenziato licenziata",
}
STATUS_WORDS = {word: status for status, words in _WORDS.items() for word in words.split()}
# Marks without a width, which are copied along with a value:
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_FORMULA = re.compile(r"=\s*\"([^\"]*)\"|'+(.*)", re.DOTALL)
_STAGE = re.compile(r"0?([1-4])(?:[.,]0+)?")
# An amount, perhaps with separators of thousands or with decimals of zeros; three zeros are thousands:
_AMOUNT = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{3})+|[0-9]{1,9})(?:[.,]0{1,2})?")
_DECIMALS = re.compile(r"(\+?\d{8,})[.,]0+|(\d{4,})[.,]0{1,2}")
# A number as most people write it, with nothing in it that means more than a pause:
_USUAL_NUMBER = re.compile(r"\+?[0-9][0-9 ()\-]*")
# What people write around a number: a label before it, a remark behind it.
_LABEL = re.compile(
    r"(?:tel|telefone?|telefono|t[eé]l[eé]phone|phone|fone|cel|cell|celular|mobile?|movil|whats(?:app)?|wpp|zap|handy)"
    r"(?:\s*[.:]\s*|\s+)(?=[+(0-9])(.*)",
    re.IGNORECASE | re.DOTALL,
)
_REMARK = re.compile(r"(.*[0-9])\s*\([^()0-9]*\)")
# What Google's contacts put between the numbers of a cell:
_GOOGLE = " ::: "
_SEVERAL = re.compile(r"[0-9](?:[^0-9+]{0,3}[0-9]){6,}[^0-9+]*[/;,|][\s+(]*[0-9](?:[^0-9]{0,3}[0-9]){6,}")
_EXTENSION = re.compile(
    r".*[0-9].*?[\s,;]+(?:extension|ext|ramal|x|durchwahl|poste|interno)[.:]?\s*[0-9]{1,6}", re.IGNORECASE
)
# The longest text that is looked through for a number:
LONGEST_REMARK = 200
# A number that a spreadsheet shows with an exponent, as 5.51E+12:
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
                sentence(
                    "number %(text)s was shortened by a spreadsheet, and its last digits are lost; format the "
                    "column as text or as a number without decimals, and save the file again",
                    text=repr(text[:40]),
                )
            )
        # All its digits are there, as in 5.511999990001E+12.
        text = (found[1] + decimals.ljust(exponent, "0"))[: exponent + 1]
    if found := _DECIMALS.fullmatch(text):
        text = found[1] or found[2]
    plain = plain_number(text)
    if fault := fault_in_number(plain):
        without = _without_remarks(text)
        if isinstance(without, str) and fault_in_number(plain_number(without)) is None:
            return plain_number(without)
        return without if isinstance(without, BadCell) else BadCell(fault)
    return plain


def _without_remarks(text: str) -> str | BadCell:
    """A text that is no number, without what people write around one; or a plainer reason why it is none."""
    if not text:
        return BadCell(sentence("number is missing"))
    if len(text) > LONGEST_REMARK:
        return text
    text = text.partition(_GOOGLE)[0].strip()
    if _SEVERAL.search(text):
        return BadCell(sentence("number has several numbers in one cell; keep one of them"))
    if _EXTENSION.fullmatch(text):
        return BadCell(sentence("number has an extension, which a lead cannot have; remove it"))
    if found := _LABEL.fullmatch(text):
        text = found[1]
    if found := _REMARK.fullmatch(text):
        text = found[1]
    return text


def listed_cell(text: str) -> str | BadCell:
    """A number for a do-not-contact list: as it is written if it can be read, else without what spreadsheets add."""
    # A file that was exported can be imported again.
    text = with_formula(text.strip())
    if fault_in_listed(text) is None and not _DECIMALS.fullmatch(text):
        return text
    return number_cell(text)


def stage_cell(text: str) -> str | BadCell:
    """A stage: 1, 2, 3 or 4, also as a spreadsheet writes it."""
    if not text.strip():
        return BadCell(sentence("stage is missing"))
    found = _STAGE.fullmatch(inner_text(text))
    return (
        found[1] if found else BadCell(sentence("stage %(value)s is not 1, 2, 3 or 4", value=repr(text.strip()[:40])))
    )


def amount_cell(field: str, text: str) -> str | BadCell:
    """A number of leads a night, also as a spreadsheet writes it; 0 is an absence."""
    found = _AMOUNT.fullmatch(inner_text(text))
    if not text.strip():
        return BadCell(sentence("%(field)s is missing", field=field_word(field)))
    if found and (amount := int(found[1].replace(".", "").replace(",", ""))) <= LARGEST_SHARE:
        return str(amount)
    # In digits, the limit would be masked like a phone number.
    return BadCell(
        sentence(
            "%(field)s %(value)s is not a whole number from 0 (away) to %(millions)s million",
            field=field_word(field),
            value=repr(text.strip()[:40]),
            millions=str(LARGEST_SHARE // 1_000_000),
        )
    )


def date_cell(field: str, text: str, order: DateOrder | None, zone: tzinfo) -> datetime | BadCell:
    """A date, local to the sales floor."""
    if not text.strip():
        return BadCell(sentence("%(field)s is missing", field=field_word(field)))
    moment = moment_of(inner_text(text), order, zone)
    if moment is not None and moment.year in YEARS:
        return moment
    shown = text.strip()[:40]
    if moment is None:
        if re.fullmatch(r"\d{5}(?:[.,]\d+)?", shown):
            return BadCell(
                sentence(
                    "%(field)s %(shown)s is a spreadsheet's day number of no date from 1954 to 2119",
                    field=field_word(field),
                    shown=repr(shown),
                )
            )
        return BadCell(
            sentence(
                "%(field)s %(shown)s is not a date such as 2026-01-31, 2026-01-31 20:40:00 or 31/01/2026 20:40",
                field=field_word(field),
                shown=repr(shown),
            )
        )
    return BadCell(
        sentence(
            "%(field)s %(shown)s is not from %(first)s to %(last)s",
            field=field_word(field),
            shown=repr(shown),
            first=str(YEARS.start),
            last=str(YEARS.stop - 1),
        )
    )


def status_cell(text: str) -> str | BadCell:
    """A status: active or inactive, by the usual words of several languages."""
    if not text.strip():
        return BadCell(sentence("status is missing"))
    status = STATUS_WORDS.get(plain_name(text))
    return status or BadCell(sentence("status %(value)s is not active or inactive", value=repr(text.strip()[:40])))


def name_cell(field: str, text: str, *, least: int = 0) -> str | BadCell:
    """A name or a reason, which the database can hold and people can see."""
    # A file that was exported can be imported again.
    text = with_formula(text.strip())
    length = text_length(text)
    if length < least:
        return BadCell(sentence("%(field)s is missing", field=field_word(field)))
    if length > LONGEST_TEXT:
        return BadCell(
            sentence(
                "%(field)s has %(length)s characters; at most %(longest_text)s are allowed",
                field=field_word(field),
                length=str(length),
                longest_text=str(LONGEST_TEXT),
            )
        )
    if found := invisible_in(text):
        return BadCell(
            sentence("%(field)s has the character %(found)s, which does not show", field=field_word(field), found=found)
        )
    return text
