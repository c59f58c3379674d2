"""Who reads an answer: a person's browser or a program, and how that person writes numbers and dates."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from flask import g, request

# What is written for who does not say:
ELSE = Locale("en", "GB")


def prefers_html() -> bool:
    """Whether a browser asks for a page; a program that says nothing gets what programs read."""
    return request.accept_mimetypes.best_match(["application/json", "text/html"], "application/json") == "text/html"


def locale() -> Locale:
    """How the reader writes numbers and dates, by what the browser says; the words stay English."""
    if "locale" not in g:
        g.locale = _locale()
    found: Locale = g.locale
    return found


def _locale() -> Locale:
    for wanted in request.accept_languages.values():
        try:
            return _parsed(wanted)
        except (ValueError, UnknownLocaleError):
            # A star, or a language that nobody has heard of.
            continue
    return ELSE


@lru_cache(maxsize=1_000)
def _parsed(wanted: str) -> Locale:
    # One object for all requests: what is kept by locale is found without a comparison of locales, a slow thing.
    return Locale.parse(wanted, sep="-")
