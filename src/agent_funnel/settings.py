"""The settings: environment variables `FUNNEL_…`, a `.env` file, and flags, which win.

This is the only reader of the environment.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, PrivateAttr, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, NoDecode, SettingsConfigDict

from agent_funnel.errors import SettingsError

# What no message may repeat:
SECRET = {"database_url", "notify_urls", "dead_man_url"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NOTICES = ("finished", "failed", "missed", "recovered", "warning", "refused")


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a time zone; write an IANA name such as Europe/Berlin") from None


def _clock_time(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", value):
        raise ValueError("is not a time of day; write HH:MM, from 00:00 to 23:59")
    return time.fromisoformat(value)


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"(\d{1,6})(s|m|h|)", value.strip())
    if not found or (not found[2] and found[1].strip("0")):
        raise ValueError("is not a duration; write for example 3h, 90m, 45s or 0")
    duration = timedelta(seconds=int(found[1]) * {"": 0, "s": 1, "m": 60, "h": 3600}[found[2]])
    # A longer window would reach into the next evening.
    if duration >= timedelta(hours=24):
        raise ValueError("is not shorter than 24h")
    return duration


def _weekdays(value: object) -> object:
    """`mon-fri` or `mon,wed,sat` as the numbers that Python gives weekdays, Monday being 0."""
    if not isinstance(value, str):
        return value
    found: set[int] = set()
    for part in value.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            raise ValueError("is not a list of weekdays; write for example mon-fri or mon,wed,sat")
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def _words(*allowed: str) -> BeforeValidator:
    """A list of words, separated by commas, of which each must be allowed."""

    def check(value: object) -> object:
        if not isinstance(value, str):
            return value
        words = [word.strip().lower() for word in value.split(",") if word.strip()]
        if unknown := sorted(set(words) - set(allowed)):
            raise ValueError(f"has the unknown word {unknown[0]}; allowed are {', '.join(allowed)}")
        return frozenset(words)

    return BeforeValidator(check)


def _urls(value: object) -> object:
    return tuple(url for url in value.split() if url) if isinstance(value, str) else value


Zone = Annotated[ZoneInfo, BeforeValidator(_zone), PlainSerializer(str)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
# The lists are texts of ours, not the JSON that pydantic-settings would take them for.
Weekdays = Annotated[frozenset[int], NoDecode, BeforeValidator(_weekdays)]
Brakes = Annotated[frozenset[str], NoDecode, _words("pool", "procedure")]
Notices = Annotated[frozenset[str], NoDecode, _words(*NOTICES)]
Urls = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_urls)]
# Where a value comes from; each wins over those after it.
Source = Literal["flag", "environment", ".env file", "default"]


class Settings(BaseSettings):
    """All settings, each named `FUNNEL_` and its name here in capitals (docs/reference/settings.md)."""

    model_config = SettingsConfigDict(
        env_prefix="FUNNEL_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    database_url: str = "sqlite:///funnel.db"
    # `schema` is a name that pydantic keeps for itself:
    database_schema: str = Field(
        default="dbo", validation_alias="FUNNEL_SCHEMA", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
    )
    timezone: Zone = ZoneInfo("UTC")
    run_at: ClockTime = time(20, 40)
    catch_up: Duration = timedelta(hours=3)
    weekdays: Weekdays = frozenset(range(7))
    brake: Brakes = frozenset()
    pool_factor: float = Field(default=5.0, gt=1.0, le=1_000_000.0)
    notify_urls: Urls = ()
    notify_on: Notices = frozenset(NOTICES) - {"finished"}
    dead_man_url: str | None = Field(default=None, pattern=r"^https?://")
    log_format: Literal["console", "json"] = "console"
    max_per_agent: int = Field(default=450, ge=1, le=1_000_000)
    window_days: int = Field(default=45, ge=0, le=36_500)
    newest_first: bool = False
    lock_wait: Duration = timedelta(seconds=30)
    call_timeout: Duration = timedelta(minutes=15)
    # None: required, except on this machine.
    encryption: Literal["require", "request", "off"] | None = None
    ca_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=5000, ge=0, le=65_535)
    proxy_hops: int = Field(default=0, ge=0, le=10)
    rate_limit: str = Field(default="1200 per minute", pattern=r"^[1-9]\d{0,8} per (second|minute|hour|day)$")
    # Noted when the settings were loaded: the file may change afterwards, and these do not.
    _sources: dict[str, Source] = PrivateAttr(default_factory=dict)

    @field_validator("lock_wait")
    @classmethod
    def _lock_wait_is_bounded(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(hours=1):
            raise ValueError("is not from 1s to 1h")
        return value

    @field_validator("call_timeout")
    @classmethod
    def _call_timeout_lets_something_happen(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=1):
            raise ValueError("is not from 1s to 24h")
        return value

    @field_validator("ca_file")
    @classmethod
    def _ca_file_holds_a_certificate(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        try:
            # By hand first: the library says of a directory that it is a file without a certificate.
            value.read_bytes()
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
        except ssl.SSLError:
            raise ValueError("holds no certificate in PEM format") from None
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from None
        return value.absolute()

    @field_validator("host")
    @classmethod
    def _host_is_named(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("is empty; write an address, for example 127.0.0.1")
        return value


def load(**flags: Any) -> Settings:
    """The settings, with those flags that are not None on top.

    Raises SettingsError, which names the variable, its value (unless it is a secret) and what is allowed.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(problem, given) for problem in error.errors())) from None
    # The library's own readers say what they find, so that both agree on spelling and case.
    found: tuple[tuple[Source, Iterable[str]], ...] = (
        (".env file", DotEnvSettingsSource(Settings)()),
        ("environment", EnvSettingsSource(Settings)()),
        ("flag", given),
    )
    for place, names in found:
        settings._sources.update({name: place for name in Settings.model_fields if {name, variable(name)} & {*names}})
    return settings


def source(settings: Settings, field: str) -> Source:
    """Where the value of a field comes from."""
    return settings._sources.get(field, "default")


def variable(field: str) -> str:
    """The environment variable of a field."""
    alias = Settings.model_fields[field].validation_alias if field in Settings.model_fields else None
    return alias if isinstance(alias, str) else f"FUNNEL_{field.upper()}"


def _sentence(problem: Any, given: dict[str, Any]) -> str:
    field = str(problem["loc"][0]) if problem["loc"] else "settings"
    name = field if field.startswith("FUNNEL_") else variable(field)
    reason = str(problem["msg"]).removeprefix("Value error, ")
    value = "" if field in SECRET else f" {problem.get('input', given.get(field))!r}"
    return f"{name}{value}: {reason[0].lower()}{reason[1:]}"
