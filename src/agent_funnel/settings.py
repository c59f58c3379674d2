"""The settings: from environment variables `FUNNEL_…`, a `.env` file, and flags, which win over both.

Only this module reads the environment. Each field of `Settings` has a description; the settings page and
docs/reference/settings.md are made from these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field, JsonValue, PrivateAttr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from agent_funnel.errors import SettingsError
from agent_funnel.settings_file import ENCODING, FILE, check_file
from agent_funnel.settings_types import (
    COUNTRIES,
    NO_COUNTRY,
    NOTICES,
    Brakes,
    Certificates,
    ClockTime,
    Country,
    Duration,
    Host,
    Language,
    Message,
    Notices,
    Text,
    Urls,
    Voice,
    Weekdays,
    Zone,
    message,
    written,
)

# The beginning of the variables of all settings, and that of variables for the tests of this program:
PREFIX = "FUNNEL_"
TEST_PREFIX = "FUNNEL_TEST_"

# The rules of the deal, with the values that hold if a rule is neither set nor recorded in the database:
DEFAULT_RULES: dict[str, str | int | bool] = {
    "country": NO_COUNTRY,
    "max_per_agent": 450,
    "window_days": 45,
    "newest_first": False,
    "voice": "fresh",
}
# Fields whose values no message and no page may show:
SECRET_FIELDS = {"database_url", "notify_urls", "dead_man_url"}
# The highest value of `max_per_agent`, and of the limit of a single agent:
LARGEST_SHARE = 1_000_000
# The highest value of `window_days`:
LONGEST_WINDOW_DAYS = 36_500

# The group of a field: a heading on the settings page and in the reference.
THE_DATABASE: dict[str, JsonValue] = {"group": "The database"}
THE_SCHEDULE: dict[str, JsonValue] = {"group": "The schedule"}
THE_DEAL: dict[str, JsonValue] = {"group": "The deal"}
NOTIFICATIONS: dict[str, JsonValue] = {"group": "Notices"}
THE_SERVICE: dict[str, JsonValue] = {"group": "The service"}

# In the description of a rule, before its default:
IN_THE_DATABASE = "Without a value, the recorded rule holds (`agent-funnel rules`), else"


# The sources of a value; each wins over those after it:
Source = Literal["flag", "environment", ".env file", "default"]


class Settings(BaseSettings):
    """All settings. The variable of a field is `FUNNEL_` and the field's name in capitals.

    A description is plain text with `code` in backticks. The settings page shows only its first sentence.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=FILE,
        env_file_encoding=ENCODING,
        extra="ignore",
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    database_url: Text = Field(
        default="sqlite:///funnel.db",
        repr=False,
        description="The database that holds your three tables and the system's own. The default is an SQLite file in "
        "the working directory. On SQL Server, write `mssql+pymssql://user:password@host:1433/database`, with "
        "characters such as `@` in the password as in any URL (`%40`). See also `FUNNEL_ENCRYPTION`.",
        json_schema_extra=THE_DATABASE,
    )
    database_password_file: Path | None = Field(
        default=None,
        description="A file that holds the password for SQL Server, and nothing else: UTF-8 text, written as it is, "
        "without `%40` and the like. `FUNNEL_DATABASE_URL` then has no password: "
        "`mssql+pymssql://user@host:1433/database`. Container platforms keep secrets in such files. It is read at each "
        "new connection, so a new password needs no restart.",
        json_schema_extra=THE_DATABASE,
    )
    # It is not called `schema`, because pydantic uses that name itself.
    database_schema: str = Field(
        default="dbo",
        validation_alias="FUNNEL_SCHEMA",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
        description="The schema, on SQL Server, of your three tables and the system's own. The installer writes it "
        "into the procedures, so install again after a change.",
        json_schema_extra=THE_DATABASE,
    )
    encryption: Literal["require", "request", "off"] | None = Field(
        default=None,
        description="Whether the connection to SQL Server is encrypted. Without a value, encryption is required, "
        "except where the host is `localhost`, `127.0.0.1` or `::1`. `require` requires it there too. `request` "
        "encrypts at least the login where the server can, and connects without encryption where it cannot. `off` asks "
        "for no encryption, for a server without TLS in a network where nobody can listen in: the password is readable "
        "there. A server that insists on encryption gets it in any case.",
        json_schema_extra=THE_DATABASE,
    )
    ca_file: Certificates | None = Field(
        default=None,
        description="A file, in PEM format, with the certificates of the authorities that may sign SQL Server's. With "
        "it, the server must show a certificate that one of them signed, for exactly the host in "
        "`FUNNEL_DATABASE_URL`, on this machine too. Without it, the connection is encrypted, but anybody could be at "
        "the other end. The file is read at the start, so restart the service when it changes. It works with "
        "`FUNNEL_ENCRYPTION` unset or `require` only. The check uses a FreeTDS configuration for the whole process; "
        "a configuration of your own (`FREETDSCONF`, `~/.freetds.conf`) is then not read.",
        json_schema_extra=THE_DATABASE,
    )
    lock_wait: Duration = Field(
        default=timedelta(seconds=30),
        description="How long a statement waits for a lock that another session holds, from `1s` to `1h`. A deal that "
        "waits says so in the log. It is tried four times in all, and then ends with an error that changed nothing.",
        json_schema_extra=THE_DATABASE,
    )
    call_timeout: Duration = Field(
        default=timedelta(minutes=15),
        description="How long a call to SQL Server may take before its connection counts as broken. From `1s` to less "
        "than `24h`; it must exceed `FUNNEL_LOCK_WAIT` and your longest deal or import. The service then finds "
        "out whether the deal happened, and deals only if it did not.",
        json_schema_extra=THE_DATABASE,
    )
    timezone: Zone = Field(
        default=ZoneInfo("UTC"),
        description="The zone, such as `Europe/Berlin`, that decides when it is 20:40 and which date is today. The "
        "zone of the machine does not count: a copy of the service can be anywhere. If this is not set and the machine "
        "has another zone than UTC, the service, `status` and `doctor` warn.",
        json_schema_extra=THE_SCHEDULE,
    )
    run_at: ClockTime = Field(
        default=time(20, 40),
        description="The time of the automatic deal. `HH:MM` or `HH:MM:SS`. A time that daylight saving time skips "
        "counts when the gap ends; of a time that comes twice, the first one counts.",
        json_schema_extra=THE_SCHEDULE,
    )
    catch_up: Duration = Field(
        default=timedelta(hours=3),
        description="How long after its time an automatic deal may still start, if none could be made before. For "
        "example `3h`, `90m` or `0`; less than `24h`.",
        json_schema_extra=THE_SCHEDULE,
    )
    warn_before: Duration = Field(
        default=timedelta(hours=2),
        description="How long before an automatic deal the service checks whether it would work. If it would fail, "
        "be held by a brake or find no lead, a `warning` is sent. For example `2h` or `90m`, less than `24h`; `0` "
        "turns it off.",
        json_schema_extra=THE_SCHEDULE,
    )
    runway_nights: int = Field(
        default=3,
        ge=0,
        le=14,
        description="For how many more deals the leads must last. If they last for fewer, with few new leads, the page "
        "*Tonight* says so, and a `warning` is sent once a day. From 0 to 14; `0` turns it off.",
        json_schema_extra=THE_SCHEDULE,
    )
    weekdays: Weekdays = Field(
        default=frozenset(range(7)),
        description="The weekdays that have an automatic deal. For example `mon-fri` or `mon,wed,sat`. For single days "
        "off, see `agent-funnel holidays`.",
        json_schema_extra=THE_SCHEDULE,
    )
    brake: Brakes = Field(
        default=frozenset(),
        description="Reasons for an automatic deal to wait for a person instead of going ahead with a warning. `pool`: "
        "far more or fewer leads than usual are ready to deal (`FUNNEL_POOL_FACTOR`). `procedure`: the installed "
        "procedures are not those of this version. `pool,procedure`: both. A person makes the deal on the page *Deal "
        "now*, or with `agent-funnel run --scheduled`.",
        json_schema_extra=THE_SCHEDULE,
    )
    pool_factor: float = Field(
        default=5.0,
        gt=1.0,
        le=1_000_000.0,
        description="How many times more or fewer leads than usual must be ready to deal to count as unusual. Above "
        "`1`, at most 1,000,000. Usual is the median of the last 14 deals: at `5`, more than five times the median, or "
        "less than a fifth of it, is unusual.",
        json_schema_extra=THE_SCHEDULE,
    )
    country: Country | None = Field(
        default=None,
        description=f"The country of numbers that are written without one: `BR`, for example, or `{NO_COUNTRY}`. One "
        f"of `{'`, `'.join(COUNTRIES)}`. {IN_THE_DATABASE} `{NO_COUNTRY}`.",
        json_schema_extra=THE_DEAL,
    )
    max_per_agent: int | None = Field(
        default=None,
        ge=1,
        le=LARGEST_SHARE,
        description=f"The most leads that an agent gets in a deal, from 1 to {LARGEST_SHARE:,}. "
        f"{IN_THE_DATABASE} `450`.",
        json_schema_extra=THE_DEAL,
    )
    window_days: int | None = Field(
        default=None,
        ge=0,
        le=LONGEST_WINDOW_DAYS,
        description="How many days old a lead may be, counted from midnight of the date of the deal. From 0 to "
        f"{LONGEST_WINDOW_DAYS:,}; older leads are not dealt. {IN_THE_DATABASE} `45`.",
        json_schema_extra=THE_DEAL,
    )
    newest_first: bool | None = Field(
        default=None,
        description="Whether, of leads with the same number of calls, the newest are dealt first instead of the "
        f"oldest. {IN_THE_DATABASE} `false`.",
        json_schema_extra=THE_DEAL,
    )
    voice: Voice | None = Field(
        default=None,
        description="Whether a lead that was dealt before meets another agent, as far as possible: `fresh`, or "
        f"`as-dealt` to leave it to the order of the deal. {IN_THE_DATABASE} `fresh`.",
        json_schema_extra=THE_DEAL,
    )
    notify_urls: Urls = Field(
        default=(),
        repr=False,
        description="The addresses that get notices: apprise URLs (https://github.com/caronc/apprise), separated by "
        "spaces. Needs the extra `notify`: `pip install 'agent-funnel[notify]'`. A notice never shows a lead's number.",
        json_schema_extra=NOTIFICATIONS,
    )
    notify_on: Notices = Field(
        default=frozenset(NOTICES) - {"finished"},
        description=f"The notices that are sent, separated by commas. Any of `{'`, `'.join(NOTICES)}`.",
        json_schema_extra=NOTIFICATIONS,
    )
    dead_man_url: str | None = Field(
        default=None,
        repr=False,
        pattern=r"^https?://",
        description="A URL that is called when the automatic deal starts (with `/start` added), succeeds, or fails "
        "(with `/fail` added). A service such as healthchecks.io then warns you when the calls stop.",
        json_schema_extra=NOTIFICATIONS,
    )
    language: Language | None = Field(
        default=None,
        description="The language of notices, letters and pages. Without it, notices are English, and each page is in "
        "its browser’s language. A reader can choose another one at the foot of a page.",
        json_schema_extra=NOTIFICATIONS,
    )
    public_url: Text | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        description="The address at which people open the dashboard, such as `https://funnel.example.com`. Letters "
        "link to it; without it they name the page.",
        json_schema_extra=NOTIFICATIONS,
    )
    host: Host = Field(
        default="127.0.0.1",
        description="The address that the service listens on. The service starts on an address that other machines can "
        "reach only if there is a key; see `agent-funnel keys`.",
        json_schema_extra=THE_SERVICE,
    )
    port: int = Field(
        default=5000,
        ge=0,
        le=65_535,
        description="The port that the service listens on. `0` takes any free port.",
        json_schema_extra=THE_SERVICE,
    )
    proxy_hops: int = Field(
        default=0,
        ge=0,
        le=10,
        description="How many proxies in front of the service to trust, from 0 to 10. A trusted proxy says where a "
        "request comes from (`X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`).",
        json_schema_extra=THE_SERVICE,
    )
    rate_limit: str = Field(
        default="1200 per minute",
        pattern=r"^[1-9]\d{0,8} per (second|minute|hour|day)$",
        description="How many requests a key may make, or an address without a key. A number per `second`, `minute`, "
        "`hour` or `day`. Each copy of the service counts for itself.",
        json_schema_extra=THE_SERVICE,
    )
    log_format: Literal["console", "json"] = Field(
        default="console",
        description="How the log is written: `console` for people, `json` for programs. Phone numbers in it keep their "
        "last three digits only.",
        json_schema_extra=THE_SERVICE,
    )
    message_call_back: Message = message("a call-back")
    message_first: Message = message("a first call")
    message_second: Message = message("a second call")
    message_third: Message = message("a third call")
    # Recorded when the settings are loaded, because the `.env` file may change afterwards:
    _sources: dict[str, Source] = PrivateAttr(default_factory=dict)
    _unknown: dict[str, Source] = PrivateAttr(default_factory=dict)

    @field_validator("lock_wait", "call_timeout")
    @classmethod
    def _wait_is_bounded(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        longest = timedelta(hours=1 if info.field_name == "lock_wait" else 24)
        if not timedelta(seconds=1) <= value <= longest:
            raise ValueError(f"is not from 1s to {written(longest)}")
        return value


def load(**flags: Any) -> Settings:
    """Loads the settings. A flag that is not None wins over the other sources.

    Raises SettingsError, which names the variable, its value (unless it is a secret) and the allowed values.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    check_file()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(problem, given) for problem in error.errors())) from None
    # Ask pydantic's own readers, so that they and we agree on spelling and case:
    file, environment = DotEnvSettingsSource(Settings), EnvSettingsSource(Settings)
    found: tuple[tuple[Source, Iterable[str]], ...] = (
        (".env file", file()),
        ("environment", environment()),
        ("flag", given),
    )
    for origin, names in found:
        settings._sources.update({name: origin for name in Settings.model_fields if {name, variable(name)} & {*names}})
    settings._unknown.update(_unknown(file.env_vars, ".env file") | _unknown(environment.env_vars, "environment"))
    return settings


def _unknown(variables: Iterable[str], origin: Source) -> dict[str, Source]:
    """The variables that look like settings and are none, each with its source."""
    known = {variable(field) for field in Settings.model_fields}
    names = {name.upper() for name in variables}
    return {
        name: origin for name in sorted(names - known) if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)
    }


def unknown_names(settings: Settings) -> Mapping[str, Source]:
    """The variables that looked like settings and were none when the settings were loaded, each with its source."""
    return settings._unknown


def source(settings: Settings, field: str) -> Source:
    """The source of a field's value."""
    return settings._sources.get(field, "default")


def variable(field: str) -> str:
    """The environment variable of a field."""
    alias = Settings.model_fields[field].validation_alias if field in Settings.model_fields else None
    return alias if isinstance(alias, str) else f"FUNNEL_{field.upper()}"


class Description(NamedTuple):
    """The description of a field; `default` is None if the setting is empty by default."""

    group: str
    variable: str
    description: str
    default: str | None


def describe(field: str) -> Description:
    """Describes a field for the settings page and the reference."""
    info = Settings.model_fields[field]
    assert isinstance(info.json_schema_extra, dict)
    assert info.description is not None
    return Description(str(info.json_schema_extra["group"]), variable(field), info.description, written(info.default))


def _sentence(problem: Any, given: dict[str, Any]) -> str:
    field = str(problem["loc"][0]) if problem["loc"] else "settings"
    name = field if field.startswith("FUNNEL_") else variable(field)
    reason = str(problem["msg"]).removeprefix("Value error, ")
    value = "" if field in SECRET_FIELDS else f" {problem.get('input', given.get(field))!r}"
    return f"{name}{value}: {reason[0].lower()}{reason[1:]}"
