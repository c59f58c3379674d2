"""Sentences: English texts that keep what a translation needs."""

from __future__ import annotations

from datetime import date
from io import BytesIO

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.support import Translations

from agent_funnel.errors import FunnelError
from agent_funnel.masking import mask_digits
from agent_funnel.sentences import counted, joined, localized, sentence, text_in, translate

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


def test_a_sentence_with_masked_values_can_be_translated() -> None:
    away = sentence("%(agent)s is away until %(day)s.", agent="Zoë 5511987654321", day=date(2026, 12, 24))
    masked = mask_digits(joined(away, away))
    assert masked == "Zoë …321 is away until 2026-12-24. Zoë …321 is away until 2026-12-24."
    assert translate(masked, GERMAN, _catalogue()).startswith("Zoë …321 fehlt bis 24.12.2026. ")


def test_a_number_across_two_values_is_masked() -> None:
    split = mask_digits(
        sentence("%(agent)s is away until %(day)s.", agent=sentence("%(one)s %(two)s", one="1234", two="5678"), day=1)
    )
    assert split == "…678 is away until 1."
    assert translate(split, GERMAN, _catalogue()) == "…678 fehlt bis 1."


def test_a_value_in_another_form_is_written_by_its_own_function() -> None:
    noon = localized("noon", lambda locale: f"Mittag ({locale})")
    assert translate(sentence("%(agent)s is away until %(day)s.", agent="A", day=noon), GERMAN, _catalogue()) == (
        "A fehlt bis Mittag (de)."
    )
    assert (translate(noon, Locale("en", "GB"), _catalogue()), translate(noon, GERMAN, _catalogue())) == (
        "noon", "Mittag (de)",
    )  # fmt: skip


def test_a_value_that_ends_with_a_full_stop_ends_the_sentence() -> None:
    noon = localized("noon", lambda locale: "12 p.m.")
    assert translate(sentence("%(agent)s is away until %(day)s.", agent="A", day=noon), GERMAN, _catalogue()) == (
        "A fehlt bis 12 p.m."
    )


def test_an_error_keeps_its_sentence() -> None:
    away = sentence("%(agent)s is away until %(day)s.", agent="A", day=1)
    assert translate(text_in(FunnelError(away)), GERMAN, _catalogue()) == "A fehlt bis 1."
    assert (text_in(FunnelError("plain")), text_in(ValueError(7)), text_in(ValueError())) == ("plain", "7", "")
