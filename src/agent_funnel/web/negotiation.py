"""Content negotiation: page or JSON, the reader's locale, and responses that a client may have already."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from flask import Response, g, request

# Locale if the browser names none we know:
DEFAULT_LOCALE = Locale("en", "GB")


def prefers_html() -> bool:
    """Whether a browser asks for a page. A program that sends no Accept header gets JSON."""
    return request.accept_mimetypes.best_match(["application/json", "text/html"], "application/json") == "text/html"


def locale() -> Locale:
    """The locale for numbers and dates, as the browser names it. The text stays English."""
    if "locale" not in g:
        g.locale = _requested_locale()
    found: Locale = g.locale
    return found


def _requested_locale() -> Locale:
    for wanted in request.accept_languages.values():
        try:
            return _parsed(wanted)
        except (ValueError, UnknownLocaleError):
            # A star, or an unknown language.
            continue
    return DEFAULT_LOCALE


@lru_cache(maxsize=1_000)
def _parsed(wanted: str) -> Locale:
    # One object for all requests: caches with the locale in their key then need no slow comparison of locales.
    return Locale.parse(wanted, sep="-")


def conditional(response: Response) -> Response:
    """Adds an ETag to a polled response, and turns it into a 304 if the client has this version already."""
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
