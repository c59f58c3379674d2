"""Mistakes in the letters: numbers in them, letters that come twice, and letters that are lost."""

from __future__ import annotations

from mistakes.places import ON_LETTERS, ON_NOTIFY, P_LETTER, P_LETTERS, P_NOTIFY, Mistake

MISTAKES = (
    Mistake(
        "letter: numbers in names are not masked",
        P_LETTER,
        "if isinstance(names, Mapping) else mask_digits(name)",
        "if isinstance(names, Mapping) else name",
        ON_LETTERS,
        "no_letter_has_a_number",
        "sqlite",
    ),
    Mistake(
        "letter: numbers in the verdict are not masked",
        P_LETTER,
        "limited={mask_digits(name): leads",
        "limited={name: leads",
        ON_LETTERS,
        "no_letter_has_a_number",
        "sqlite",
    ),
    Mistake(
        "letter: numbers in the reasons of failures are not masked",
        P_LETTER,
        "reason=mask_digits(with_sentence(each.message))",
        "reason=with_sentence(each.message)",
        ON_LETTERS,
        "no_letter_has_a_number",
        "sqlite",
    ),
    Mistake(
        "letter: numbers in the names of holidays are not masked",
        P_LETTER,
        "name = mask_digits(holiday)",
        "name = holiday",
        ON_LETTERS,
        "no_letter_has_a_number",
        "sqlite",
    ),
    Mistake(
        "letter: numbers in the names of lists are not masked",
        P_LETTER,
        "return tuple(mask_digits(each.text) for each in old_lists",
        "return tuple(each.text for each in old_lists",
        ON_LETTERS,
        "no_letter_has_a_number",
        "sqlite",
    ),
    Mistake(
        "letters: each copy sends one",
        P_LETTERS,
        "            if noted:\n                self._notifier.letter(letter)",
        "            if noted or True:\n                self._notifier.letter(letter)",
        ON_LETTERS,
        "one_letter_from_one_copy",
        "sqlite",
    ),
    Mistake(
        "letters: a letter about a deal of yesterday is sent",
        P_LETTERS,
        "LONGEST_AGO = timedelta(hours=6)",
        "LONGEST_AGO = timedelta(hours=60)",
        ON_LETTERS,
        "an_old_one_has_none",
        "sqlite",
    ),
    Mistake(
        "letters: one that cannot be written takes the notice of a missed night",
        P_LETTERS,
        'log.warning("a letter could not be written", error=str(error))\n            return False',
        'log.warning("a letter could not be written", error=str(error))\n            return True',
        ON_LETTERS,
        "holds_no_deal_up",
        "sqlite",
    ),
    Mistake(
        "letter: a name with a tag is HTML",
        P_NOTIFY,
        "<li>{escape(line)}</li>",
        "<li>{line}</li>",
        ON_NOTIFY,
        "each_address_in_its_form",
    ),
)
