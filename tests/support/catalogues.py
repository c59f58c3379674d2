"""The catalogues of translations: reads the texts of the program, and brings them into the catalogue of each language.

`python -m support.catalogues` does that for all languages; `make translations` calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from agent_funnel.sentences import CATALOGUES
from agent_funnel.settings import Settings
from agent_funnel.settings_types import LANGUAGES
from agent_funnel.stored_sentences import STORED, as_pages_say
from agent_funnel.web.setting_words import meaning

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "agent_funnel"
# The functions whose first arguments are texts to translate; `counted` has a singular and a plural:
KEYWORDS = {**DEFAULT_KEYWORDS, "sentence": None, "counted": (1, 2)}
TRANSLATED = [language for language in LANGUAGES if language != "en"]


def extracted() -> Catalog:
    """All texts of the program that are translated, with the files in which they are."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel has no types here
    found = Catalog(project="Agent Funnel", charset="utf-8")
    for path, _, text, _, context in extract_from_dir(SOURCES, methods, options, KEYWORDS):
        found.add(text, locations=[(path, 0)], context=context)
    # The settings page shows what the field of each setting says.
    for field in Settings.model_fields:
        found.add(meaning(field), locations=[("settings.py", 0)])
    for text in STORED:
        found.add(as_pages_say(text), locations=[("stored_sentences.py", 0)])
    return found


def path_of(language: str, kind: str = "po") -> Path:
    """The file of the catalogue of a language: `po`, which people edit, or `mo`, which the program reads."""
    return CATALOGUES / language.replace("-", "_") / "LC_MESSAGES" / f"messages.{kind}"


def catalogue(language: str) -> Catalog:
    """The catalogue of a language; an empty one if it has none yet."""
    path, locale = path_of(language), Locale.parse(language, sep="-")
    if not path.exists():
        header = "# Agent Funnel: texts of the pages and notices"
        return Catalog(locale=locale, header_comment=header, project="Agent Funnel", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def updated() -> Iterator[tuple[str, int, int]]:
    """Brings the texts of the program into each catalogue. Yields languages with texts, and those not translated."""
    texts = extracted()
    for language in TRANSLATED:
        found = catalogue(language)
        # A guess from a similar text would be a mistake that looks like a translation.
        found.update(texts, no_fuzzy_matching=True, update_creation_date=False)
        found.obsolete.clear()
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, found, width=100, sort_by_file=True, include_lineno=False, omit_header=False)
        with path_of(language, "mo").open("wb") as file:
            write_mo(file, found)
        texts_of = [message for message in found if message.id]
        yield language, len(texts_of), sum(not all(strings_of(message.string)) for message in texts_of)


def strings_of(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """The translations of a message: one, or one for each plural form."""
    return tuple(string) if isinstance(string, (tuple, list)) else (string or "",)


if __name__ == "__main__":
    for each, texts, missing in updated():
        print(f"{each}: {texts} texts, {missing} not translated")
