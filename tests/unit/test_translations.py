"""The catalogues of all languages are whole: each text of the program is translated, and fits where it is put."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from support.catalogues import TRANSLATED, catalogue, extracted, path_of, strings_of

# Values such as %(agent)s, and tags such as <strong>:
VALUES = re.compile(r"%\(\w+\)s|%%")
TAGS = re.compile(r"</?\w+[^>]*>")
# Texts that are the same in one of the languages: names, and words that they share with English.
SAME = {
    "%(amount)s min", "%(count)s lead", "%(count)s link", "%(field)s: %(fault)s", "%(n)s lead", "%(range)s lead",
    "(optional)", "Agent Funnel: %(title)s", "Agent", "Format", "Import %(import_id)s", "Import", "Leads", "Name",
    "Port", "Region", "Status", "leads", "no", "status",
}  # fmt: skip


def _texts(found: Catalog) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each text of a catalogue, in its singular and plural, with its translations."""
    for message in found:
        if message.id:
            yield strings_of(message.id), strings_of(message.string)


def test_each_text_of_the_program_is_in_each_catalogue_and_no_other() -> None:
    wanted = {(message.context, strings_of(message.id)) for message in extracted() if message.id}
    assert len(wanted) > 500
    for language in TRANSLATED:
        found = {(message.context, strings_of(message.id)) for message in catalogue(language) if message.id}
        assert (language, wanted - found, found - wanted) == (language, set(), set()), "run `make translations`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_each_text_is_translated_in_all_its_forms(language: str) -> None:
    found = catalogue(language)
    assert found.locale == Locale.parse(language, sep="-")
    missing = [
        texts
        for texts, translations in _texts(found)
        if not all(translations) or (len(texts) == 2 and len(translations) != found.num_plurals)
    ]
    assert missing == []
    assert [message.id for message in found if message.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_values_and_tags_of_its_text(language: str) -> None:
    wrong = []
    for texts, translations in _texts(catalogue(language)):
        for form, translation in enumerate(translations):
            # A singular may say "one lead"; another form is for all other amounts.
            own = texts[min(form, len(texts) - 1)]
            values, wanted = set(VALUES.findall(translation)), set(VALUES.findall(own))
            tags = sorted(TAGS.findall(translation)) == sorted(TAGS.findall(own))
            # The singular of Portuguese is for 0, too, so that it may have the amount where ours says "one".
            known = set(VALUES.findall(texts[-1])) | wanted
            bare = VALUES.sub("", translation).count("%") == VALUES.sub("", own).count("%")
            ends = [(text[0].isspace(), text[-1].isspace()) for text in (own, translation)]
            if not wanted <= values <= known or not tags or not bare or ends[0] != ends[1]:
                wrong.append((own, translation))
    assert wrong == []


def test_a_length_of_time_in_german_never_ends_a_sentence() -> None:
    """Its units are short for a word, such as “2 Std.”, and end with a full stop of their own."""
    german = [translation for _, translations in _texts(catalogue("de")) for translation in translations]
    assert "%(amount)s Std." in german
    assert [each for each in german if "Std.." in each or "Sek.." in each or "%(span)s." in each] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_left_in_english(language: str) -> None:
    left = {
        texts[0]
        for texts, translations in _texts(catalogue(language))
        if texts[0] == translations[0] and re.search(r"[a-z]{2}", VALUES.sub("", TAGS.sub("", texts[0])))
    }
    assert left - SAME == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_that_of_its_source(language: str) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    assert compiled.getvalue() == path_of(language, "mo").read_bytes(), "run `make translations`"


# Commands, values and columns in a text, and where "run" is a verb:
NO_WORDS = re.compile(
    r"(\brun )?(`[^`]*`|<code>.*?</code>)|command agent-funnel run|^run (?=%)|%\(\w+\)s|FUNNEL_\w+|"
    r"run the installation"
)
# Words of programs, for which pages have others: deal, leads ready to deal, automatic, deleted.
PROGRAM_WORDS = re.compile(r"\b(runs?|pools?|scheduled|purged)\b", re.IGNORECASE)
# A command whose message is known like all others:
OF_A_COMMAND = "nothing was purged."


def test_pages_speak_of_deals() -> None:
    found = [text for texts, _ in _texts(extracted()) for text in texts if PROGRAM_WORDS.search(NO_WORDS.sub("", text))]
    assert [text for text in found if OF_A_COMMAND not in text] == []
