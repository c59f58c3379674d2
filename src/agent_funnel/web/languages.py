"""Languages of the pages: the choice of the reader, else the setting, else the language of the browser.

One locale holds for a whole page: its texts, its numbers, and its dates. It is of the language of the texts, with the
reader's region where that is known: a page in Spanish for somebody in Mexico has the numbers of Mexico.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from flask import Blueprint, Flask, g, redirect, request
from flask_babel import Babel
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from werkzeug.wrappers import Response

from agent_funnel.sentences import CATALOGUES, Localized, Sentence, catalogue_of, translate
from agent_funnel.settings_types import LANGUAGES
from agent_funnel.stored_sentences import as_sentence
from agent_funnel.web.proxies import base_path
from agent_funnel.web.routing import PUBLIC, route
from agent_funnel.web.services import services

blueprint = Blueprint("languages", __name__)

# The cookie that keeps the reader's choice, and for how long, in seconds:
LANGUAGE_COOKIE = "agent_funnel_language"
KEPT_SECONDS = 365 * 24 * 3600
# The name of each language in itself:
NAMES = {"en": "English", "pt-BR": "Português (Brasil)", "es": "Español", "de": "Deutsch"}
# Locale if the browser names none that we have:
DEFAULT_LOCALE = Locale("en", "GB")


@blueprint.post("/language")
@route(PUBLIC)
def choose() -> Response:
    """Keeps the language that a reader chose, and shows the page again."""
    page = request.form.get("page", "")
    # An address of this service only; a browser reads two slashes, or a slash and a backslash, as another host.
    own = page.startswith("/") and page[1:2] not in ("/", "\\") and page.isprintable()
    response = redirect(page if own else f"{base_path().rstrip('/')}/", 303)
    language = request.form.get("language")
    if language in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=KEPT_SECONDS,
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
            path=base_path(),
        )
    return response


def translate_pages(app: Flask) -> None:
    """Gives the templates `_`, `ngettext` and `trans`, and the filter `translated` for sentences of lower layers."""
    Babel(app, default_translation_directories=str(CATALOGUES), locale_selector=locale)
    # Texts of templates may be broken into lines; their keys have single blanks.
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.filters["translated"] = translated
    names = app.jinja_env.globals
    names.update({name: _with_visible_values(names[name]) for name in ("gettext", "ngettext", "pgettext", "npgettext")})
    app.context_processor(_context)


def _with_visible_values(function: Any) -> Callable[..., str]:
    """A function of the templates that shows values in a text as templates show them elsewhere."""

    @pass_context
    def shown(context: Context, *texts: str | int, **values: Any) -> str:
        # The text is markup, which no template looks through again.
        finalize = context.environment.finalize or (lambda value: value)
        found: str = function(context, *texts, **{name: finalize(value) for name, value in values.items()})
        # As after "a.m." in Mexico: the full stop of a time ends the sentence, too.
        return found.replace(Markup(".</time>."), Markup(".</time>"))

    return shown


def translated(text: str) -> str:
    """A sentence of a lower layer in the language of the page, also if the database has it as a text."""
    found = text if isinstance(text, Sentence | Localized) else as_sentence(text)
    return translate(found, locale(), catalogue_of(locale()))


def locale() -> Locale:
    """The locale of the page: its language, with the reader's region where the browser names it."""
    if "locale" not in g:
        g.locale = _chosen_locale()
    found: Locale = g.locale
    return found


def language() -> str:
    """The language of the page, as one of `LANGUAGES`."""
    return _language_of(locale()) or "en"


def _chosen_locale() -> Locale:
    wanted = [found for name in request.accept_languages.values() if (found := _parsed(name)) is not None]
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen not in LANGUAGES:
        chosen = services().settings.language or next(filter(None, map(_language_of, wanted)), None)
    if chosen is None:
        return DEFAULT_LOCALE
    # Brazilian texts with the formats of Portugal would be two languages on a page.
    regional = next((each for each in wanted if _language_of(each) == chosen and "-" not in chosen), None)
    return regional or _parsed(chosen) or DEFAULT_LOCALE


def _language_of(locale: Locale) -> str | None:
    return next((name for name in LANGUAGES if name.split("-")[0] == locale.language), None)


@lru_cache(maxsize=1_000)
def _parsed(wanted: str) -> Locale | None:
    """The locale of a name, or None if it is a star or unknown."""
    # One object for all requests: caches with the locale in their key then need no slow comparison of locales.
    try:
        return Locale.parse(wanted, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def _context() -> dict[str, Any]:
    return {"language": language(), "language_tag": str(locale()).replace("_", "-"), "languages": NAMES}
