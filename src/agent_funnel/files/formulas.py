"""Texts that a spreadsheet would run as a formula: an export puts an apostrophe before them, and an import takes it."""

from __future__ import annotations

import re

# The places where a spreadsheet may run a text as a formula: at its beginning, and after a semicolon or a tab, which
# some spreadsheets take as separators. Some spreadsheets also accept the full-width forms of the signs.
FORMULA_START = re.compile(r"(^|[;\t][\" ]*)(?=[=+\-@\t\r\n＝＋－＠])")
# The apostrophe that an export puts there:
APOSTROPHE = re.compile(FORMULA_START.pattern.replace("(?=", "'(?=", 1))
# Phone numbers are safe, and have to stay as they are:
PHONE = re.compile(r"\+?[0-9]+")


def without_formula(text: str) -> str:
    """Puts an apostrophe before anything that a spreadsheet may run as a formula."""
    return text if PHONE.fullmatch(text) else FORMULA_START.sub(r"\1'", text)


def with_formula(text: str) -> str:
    """Takes away the apostrophes that an export put before what a spreadsheet may run as a formula."""
    return APOSTROPHE.sub(r"\1", text)
