"""Fills a database with realistic sample leads and agents. The same seed, size and day give the same data."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType

from agent_funnel.database import Database
from agent_funnel.errors import NotEmpty, ParameterOutOfRange
from agent_funnel.files.cells import Values
from agent_funnel.imports import load_rows
from agent_funnel.leads import count_rows

# The countries below have valid numbers for this many leads:
MOST_LEADS = 5_000_000
# The age of the oldest leads, in days:
DAYS = 90
# The share of each stage, in percent. As in a funnel, most leads are fresh and few are finished:
STAGE_SHARES = {"1": 46, "2": 27, "3": 16, "4": 11}
# The countries of the leads, and the share of each, in percent:
COUNTRIES = {"BR": 30, "MX": 14, "CO": 10, "ES": 9, "DE": 9, "GB": 8, "US": 7, "IN": 5, "ZA": 4, "PL": 4}
ACTIVE = [
    "Ana",
    "Bruno",
    "Carla",
    "Diego",
    "Elena",
    "Felipe",
    "Gabriela",
    "Hugo",
    "Isabel",
    "João",
    "Karin",
    "Lucas",
    "Marta",
    "Nuno",
    "Olga",
    "Pedro",
    "Quitéria",
    "Rafael",
    "Sofia",
    "Tiago",
    "Valéria",
]
INACTIVE = ["Úrsula", "Walter", "Ximena", "Yara"]


def fill(
    database: Database,
    *,
    leads: int,
    seed: int,
    today: date,
    progress: Callable[[int], None] | None = None,
) -> tuple[int, int]:
    """Fills an empty database that has the tables; returns how many leads and agents it made.

    Raises NotEmpty if there are leads or agents already, and ParameterOutOfRange for a number of leads that it cannot
    make.
    """
    if not 1 <= leads <= MOST_LEADS:
        raise ParameterOutOfRange(f"The demo makes 1 to {MOST_LEADS} leads, not {leads}; nothing was changed.")
    found = count_rows(database)
    if found.leads or found.agents:
        raise NotEmpty(
            f"{database.name} has {found.leads} leads and {found.agents} agents; "
            "the demo fills an empty database only. Nothing was changed."
        )
    made_agents = load_rows(
        database, "agents", [*((name, "active") for name in ACTIVE), *((name, "inactive") for name in INACTIVE)]
    )
    made_leads = load_rows(database, "leads", _leads(leads, seed, today), progress=progress)
    return made_leads, made_agents


def _leads(count: int, seed: int, today: date) -> Iterator[Values]:
    chance = random.Random(seed)  # noqa: S311 - a demo needs repeatable data, not secrets
    countries = list(COUNTRIES)
    drawn = chance.choices(countries, COUNTRIES.values(), k=count)  # type: ignore[arg-type]
    numbers = {country: _numbers(country, chance) for country in countries}
    stages = chance.choices(list(STAGE_SHARES), STAGE_SHARES.values(), k=count)  # type: ignore[arg-type]
    midnight = datetime.combine(today, time())
    for country, stage in zip(drawn, stages, strict=True):
        # People answer advertisements by day, within the last 90 days:
        moment = midnight - timedelta(
            days=chance.randrange(1, DAYS + 1), seconds=-round(chance.triangular(7, 23, 19) * 3600)
        )
        yield next(numbers[country]), stage, moment.isoformat(" ", "milliseconds")


def _numbers(country: str, chance: random.Random) -> Iterator[str]:
    """Valid mobile numbers of a country, each once: the country's example number with other last digits."""
    example = phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)
    metadata = PhoneMetadata.metadata_for_region(country)
    assert example is not None
    assert metadata is not None
    assert metadata.mobile is not None
    valid = re.compile(str(metadata.mobile.national_number_pattern))
    national = str(example.national_number)
    kept, space = national[:-7], 10**7
    # A step that shares no factor with the space visits every number once, in a scattered order.
    at, step = chance.randrange(space), chance.randrange(space // 3, space // 2) * 10 + 1
    for _ in range(space):
        at = (at + step) % space
        number = f"{kept}{at:07d}"
        if valid.fullmatch(number):
            yield f"+{example.country_code}{number}"
