"""Sentences for people that can be translated later: by a page, for its reader, or by a notice.

The program speaks English: its commands, its logs, the API and the audit. A `Sentence` is its English text, and keeps
what a translation needs: its template, which is the key in the catalogues of `translations/`, and its values. The
templates are found by the names of the functions here, so each must be a literal in their call:

    raise NotFound(sentence("There is no agent %(agent)s; nothing was changed.", agent=name))
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from babel import Locale
    from babel.support import NullTranslations

# The catalogues, by the names of their locales:
CATALOGUES = Path(__file__).parent / "translations"


class Sentence(str):
    """An English text that keeps its template, its values, and the plural of the template with its amount."""

    template: str
    values: dict[str, object]
    plural: str | None
    amount: int

    __slots__ = ("amount", "plural", "template", "values")


class Localized(str):
    """A value such as a length of time, as English text, and how another locale writes it."""

    write: Callable[[Locale], str]

    __slots__ = ("write",)


def localized(text: str, write: Callable[[Locale], str]) -> Localized:
    """A value with its English text, and a function that writes it for the readers of another language."""
    made = Localized(text)
    made.write = write
    return made


def sentence(template: str, /, **values: object) -> Sentence:
    """A sentence from a template such as `There is no agent %(agent)s.`

    Values are texts, other sentences, whole numbers, dates, or sequences of these, which are joined by commas. A
    translation writes numbers and dates as its readers do.
    """
    return _made(template, None, 0, values)


def counted(singular: str, plural: str, count: int, /, **values: object) -> Sentence:
    """A sentence about an amount, which both templates know as `%(count)s`."""
    return _made(singular, plural, count, {"count": count, **values})


def shown_as(text: str, shown: Sentence) -> Sentence:
    """An English text that pages show as another sentence: without the commands and options that it names."""
    made = Sentence(text)
    made.template, made.plural, made.amount, made.values = shown.template, shown.plural, shown.amount, shown.values
    return made


def with_hint(shown: Sentence, hint: str) -> Sentence:
    """A sentence that goes on with a hint at a command, which is no help on a page, so that pages leave it out."""
    return shown_as(f"{shown.removesuffix('.')}; {hint}", shown)


def with_values(template: str, values: dict[str, object], plural: str | None = None, count: int = 0) -> Sentence:
    """A sentence of a template that some call of `sentence` or `counted` has, with other values."""
    return _made(template, plural, count, values)


def amount(count: int) -> Sentence:
    """A number alone, as a part of a sentence."""
    return _made("%(amount)s", None, 0, {"amount": count})


def joined(*parts: str, by: str = " ") -> Sentence:
    """Some sentences after each other."""
    names = [f"part_{place}" for place in range(len(parts))]
    return _made(by.join(f"%({name})s" for name in names), None, 0, dict(zip(names, parts, strict=True)))


def joined_amounts(*parts: Sentence) -> Sentence:
    """Some sentences after each other, without those about an amount of zero."""
    return joined(*(each for each in parts if each.plural is None or each.amount))


def changed(text: str, change: Callable[[str], str]) -> str:
    """A text after a change such as masking; a sentence with its values changed, if that changes all of it."""
    plain = change(str(text))
    if not isinstance(text, Sentence):
        return plain
    values = {name: _changed_value(value, change) for name, value in text.values.items()}
    made = _made(text.template, text.plural, text.amount, values)
    return shown_as(plain, made) if change(str(made)) == made else plain


def _changed_value(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return changed(value, change)
    return [_changed_value(each, change) for each in value] if isinstance(value, (list, tuple)) else value


def text_in(error: Exception) -> str:
    """The text of an error; if the error has a sentence, that one, which can be translated."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, Sentence) else str(error)


def _made(template: str, plural: str | None, count: int, values: dict[str, object]) -> Sentence:
    chosen = template if plural is None or count == 1 else plural
    text = chosen % {name: _in_english(value) for name, value in values.items()} if values else chosen
    made = Sentence(text)
    made.template, made.plural, made.amount, made.values = template, plural, count, values
    return made


def _in_english(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_in_english, value))
    return str(value)


def translate(text: str, locale: Locale, catalogue: NullTranslations) -> str:
    """A sentence in another language; a text that is no sentence, as it is."""
    if isinstance(text, Localized):
        return str(text) if locale.language == "en" else text.write(locale)
    if not isinstance(text, Sentence):
        return text
    if text.plural is None:
        template = catalogue.gettext(text.template)
    else:
        template = catalogue.ngettext(text.template, text.plural, text.amount)
    if not text.values:
        return template
    values = {name: _for_reader(value, locale, catalogue) for name, value in text.values.items()}
    for name, value in values.items():
        if value.endswith("."):
            # As after "a.m." in Mexico: the full stop of the value ends the sentence, too.
            template = template.replace(f"%({name})s.", f"%({name})s")
    return template % values


def _for_reader(value: object, locale: Locale, catalogue: NullTranslations) -> str:
    from babel.dates import format_date
    from babel.numbers import format_decimal

    if isinstance(value, str):
        return translate(value, locale, catalogue)
    if isinstance(value, (list, tuple)):
        return ", ".join(_for_reader(each, locale, catalogue) for each in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(format_decimal(value, locale=locale))
    if isinstance(value, date):
        return str(format_date(value, locale=locale))
    return str(value)


@lru_cache(maxsize=32)
def catalogue_of(locale: Locale) -> Any:
    """The catalogue of a locale, or of its language; without one, a catalogue that leaves all sentences English."""
    from babel.support import Translations

    return Translations.load(CATALOGUES, [str(locale)])
