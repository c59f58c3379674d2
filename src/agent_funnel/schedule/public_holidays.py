"""The public holidays of a country, from the package `holidays`. Nothing here is in the database.

The package is imported only when somebody asks: it takes a moment, and most copies of the service never need it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.sentences import sentence

# The years for which the package has rules that can be relied on:
FIRST_YEAR, LAST_YEAR = 2000, 2100
# The letters of the code of a country:
CODE_LENGTH = 2


@lru_cache(maxsize=1)
def countries() -> Mapping[str, Sequence[str]]:
    """The codes of the countries, two letters each, with the codes of their regions."""
    known: Mapping[str, Sequence[str]] = _package().list_supported_countries(include_aliases=False)
    return {code: tuple(regions) for code, regions in sorted(known.items()) if len(code) == CODE_LENGTH}


def public_holidays(country: str, year: int, region: str | None = None, *, language: str = "en") -> dict[date, str]:
    """The public holidays of a year, the first day first, with their names in a language such as pt-BR.

    Where the package has none in it, the names are in the country's own language.

    Without a region, only those of the whole country. Raises ParameterOutOfRange for one that the package does not
    know.
    """
    if country not in countries():
        raise ParameterOutOfRange(
            sentence(
                "No public holidays are known for the country %(country)s. Nothing was changed.", country=repr(country)
            )
        )
    if region is not None and region not in countries()[country]:
        raise ParameterOutOfRange(
            sentence("%(country)s has no region %(region)s. Nothing was changed.", country=country, region=repr(region))
        )
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ParameterOutOfRange(
            sentence(
                "The year is %(year)s; it must be from %(first_year)s to %(last_year)s. Nothing was changed.",
                year=str(year),
                first_year=str(FIRST_YEAR),
                last_year=str(LAST_YEAR),
            )
        )
    found: Mapping[date, str] = _package().country_holidays(
        country, subdiv=region, years=year, language=_named_in(country, language)
    )
    return {day: found[day] for day in sorted(found) if day.year == year}


def _named_in(country: str, language: str) -> str:
    """The language of the package for the names of a country's holidays: the wanted one, or the country's own."""
    wanted = language.split("-")[0]
    if wanted == "en":
        return "en_US"
    known: Sequence[str] = _package().list_localized_countries(include_aliases=False).get(country, ())
    own: str | None = _package().country_holidays(country).default_language
    return next((each for each in known if each.split("_")[0] == wanted), own or "en_US")


def _package() -> Any:
    return importlib.import_module("holidays")
