"""The settings: environment variables `FUNNEL_…`, a `.env` file, and flags, which win.

This is the only reader of the environment.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent_funnel.errors import SettingsError

# What no message may repeat:
SECRET = {"database_url"}


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


Zone = Annotated[ZoneInfo, BeforeValidator(_zone), PlainSerializer(str)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]


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
    max_per_agent: int = Field(default=450, ge=1, le=1_000_000)
    window_days: int = Field(default=45, ge=0, le=36_500)
    newest_first: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=5000, ge=0, le=65_535)

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
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(problem, given) for problem in error.errors())) from None


def _sentence(problem: Any, given: dict[str, Any]) -> str:
    field = str(problem["loc"][0]) if problem["loc"] else "settings"
    name = field if field.startswith("FUNNEL_") else f"FUNNEL_{field.upper()}"
    reason = str(problem["msg"]).removeprefix("Value error, ")
    value = "" if field in SECRET else f" {problem.get('input', given.get(field))!r}"
    return f"{name}{value}: {reason[0].lower()}{reason[1:]}"
