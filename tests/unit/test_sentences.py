"""Sentences: English texts that keep what a translation needs."""

from __future__ import annotations

from datetime import date
from io import BytesIO

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.support import Translations

from agent_funnel.sentences import counted, joined, sentence, translate

GERMAN = Locale("de")


def _catalogue() -> Translations:
    texts = Catalog(locale=GERMAN)
    texts.add("%(agent)s is away until %(day)s.", "%(agent)s fehlt bis %(day)s.")
    texts.add(("%(count)s lead", "%(count)s leads"), ("%(count)s Kontakt", "%(count)s Kontakte"))
    texts.add("Dealt: %(what)s (%(names)s).", "Verteilt: %(what)s (%(names)s).")
    file = BytesIO()
    write_mo(file, texts)
    file.seek(0)
    return Translations(file)


def test_a_sentence_is_its_english_text() -> None:
    made = sentence("%(agent)s is away until %(day)s.", agent="Zoë", day=date(2026, 12, 24))
    assert made == "Zoë is away until 2026-12-24."
    assert str(ValueError(made)) == "Zoë is away until 2026-12-24."
    assert [counted("%(count)s lead", "%(count)s leads", count) for count in (0, 1, 2601)] == [
        "0 leads", "1 lead", "2,601 leads",
    ]  # fmt: skip
    assert sentence("100% of it") == "100% of it"


def test_a_translation_writes_values_as_its_readers_do() -> None:
    away = sentence("%(agent)s is away until %(day)s.", agent="100%(count)s", day=date(2026, 12, 24))
    dealt = sentence(
        "Dealt: %(what)s (%(names)s).", what=counted("%(count)s lead", "%(count)s leads", 2601), names=("A", 7)
    )
    assert translate(joined(dealt, away), GERMAN, _catalogue()) == (
        "Verteilt: 2.601 Kontakte (A, 7). 100%(count)s fehlt bis 24.12.2026."
    )
    assert translate("Dealt", GERMAN, _catalogue()) == "Dealt"
    assert translate(sentence("Unknown %(what)s.", what=1), GERMAN, _catalogue()) == "Unknown 1."
