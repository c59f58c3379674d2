"""What the API takes and answers, as models: the OpenAPI document is made of them."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NaiveDatetime,
    StrictBool,
    StrictInt,
    TypeAdapter,
)

from agent_funnel.access import AccessKey, Role
from agent_funnel.audit import AuditEntry
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.records import (
    LONGEST,
    AgentRow,
    Assignment,
    BadRow,
    DealtLead,
    DoNotContact,
    Holiday,
    Lead,
    Limit,
    Outcome,
    Pause,
    RunRecord,
    Share,
    length,
)

T = TypeVar("T")

# The most that a page has:
PAGE = 1_000


def _day(value: object) -> object:
    # Nothing but YYYY-MM-DD, which is what the document says; pydantic alone also takes moments and numbers.
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or len(value) != 10:
        raise ValueError("is not a date such as 2026-01-31")
    return value


Day = Annotated[date, BeforeValidator(_day)]
# A business date: the years that the deal takes.
BusinessDay = Annotated[
    Day,
    Field(
        ge=date(2000, 1, 1),
        le=date(9998, 12, 31),
        json_schema_extra={"pattern": r"^([2-8]\d{3}|9[0-8]\d\d|99[0-8]\d|999[0-8])-"},
    ),
]


def _whole(value: object) -> object:
    # In an address digits, as the path wants them; pydantic alone also takes 5.0, 1_000 and blanks around.
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]+", value):
        raise ValueError("is not a whole number such as 5")
    # JSON has one kind of number: 5.0 is 5.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _fits(value: str) -> str:
    if length(value) > LONGEST:
        raise ValueError("has more characters than the tables hold, which count those beyond U+FFFF twice")
    return value


# What Unicode takes for blank, control characters apart; said in full, as not every language of patterns agrees.
BLANK = r"\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# What every table can hold; T-SQL has no character 0, and SQLite no half of a pair.
Text = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST,
        pattern=rf"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f{BLANK}][^\x00-\x1f\x7f]*$",
    ),
    AfterValidator(_fits),
]
# What may be asked for: what stands in a table that others fill, too.
Sought = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00]*$"), AfterValidator(_fits)]
Format = Literal["json", "csv", "xlsx"]
Count = Annotated[int, Field(ge=1, le=PAGE, description="How many at most."), BeforeValidator(_whole)]
Cursor = Annotated[
    str | None, Field(max_length=2_000, description="Where the next page begins: `next` of the one before.")
]
# The largest that every reader of JSON tells from its neighbours:
RunId = Annotated[int, Field(ge=1, le=2**53 - 1)]
RowId = Annotated[int, Field(ge=1, le=2**31 - 1)]
Stage = Annotated[int, Field(ge=-(2**31), le=2**31 - 1), BeforeValidator(_whole)]
# What a cursor holds. Anybody can write one, so each key must be one that the databases can hold, too.
Key = Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00]*$"), AfterValidator(_fits)]
AFTER_ROW = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=2**63 - 1)]])
AFTER_NUMBER = TypeAdapter(tuple[Key])
# That of one who may not see the key, which is a number: how many rows were before.
AFTER_COUNT = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=2**53 - 1)]])
AFTER_COUNT_OF_DEAL = TypeAdapter(tuple[Key, Annotated[int, Field(ge=1, le=2**53 - 1)]])
AFTER_ASSIGNMENT = TypeAdapter(tuple[Key, Key, Key])
AFTER_LEAD = TypeAdapter(tuple[Key, Stage | None, NaiveDatetime | None])


class Asked(BaseModel):
    """A request: what is not in its model is refused."""

    model_config = ConfigDict(extra="forbid")


class Page(Asked):
    """A page of a list."""

    count: Count = 100
    cursor: Cursor = None


class RunPath(BaseModel):
    """Which run."""

    run_id: RunId


class Rules(Asked):
    """The parameters of a deal; without them, the settings."""

    business_date: BusinessDay | None = Field(None, description="Today on the floor, if none is given.")
    max_per_agent: Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_whole)] | None = None
    window_days: Annotated[int, Field(ge=0, le=36_500), BeforeValidator(_whole)] | None = None
    newest_first: bool | None = None


class RunsPage(BaseModel):
    """Runs, the newest first."""

    items: list[RunRecord]
    next: str | None


class RunAnswer(BaseModel):
    """A run, and who got how much."""

    run: RunRecord
    shares: list[Share]


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a list can also be had as, whole:
FILES = ConfigDict(
    openapi_extra={  # type: ignore[typeddict-unknown-key]
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "contentMediaType": XLSX}},
        }
    }
)


class DealtPage(BaseModel):
    """Leads that a run dealt, by number."""

    model_config = FILES

    items: list[DealtLead]
    next: str | None


class DealtQuery(Page):
    """Which part of what a run dealt, and how."""

    format: Format = Field("json", description="csv and xlsx are the whole run, whatever the page.")


class AssignmentsQuery(Page):
    """Which of the present assignments, and how."""

    agent: Text | None = Field(None, description="Those of one agent; otherwise of all.")
    format: Format = Field("json", description="csv and xlsx are all of them, whatever the page.")


class AssignmentsPage(BaseModel):
    """Present assignments, by number. `deal` changes with each run and undo."""

    model_config = FILES

    items: list[Assignment]
    next: str | None
    deal: str


class Agents(BaseModel):
    """All agents, by name."""

    items: list[AgentRow]


class NewAgent(Asked):
    """An agent to add."""

    agent: Text
    active: StrictBool = True


class AgentName(Asked):
    """Which agent."""

    agent: Text


class Limits(BaseModel):
    """All limits and absences."""

    items: list[Limit]


class NewLimit(Asked):
    """A limit to add; 0 leads are an absence. Both days are inclusive."""

    agent: Text
    starts_on: Day
    ends_on: Day | None = Field(None, description="None: until further notice.")
    max_records: Annotated[StrictInt, Field(ge=0, le=1_000_000), BeforeValidator(_whole)] = 0


class LimitAnswer(BaseModel):
    """The limit that was added, and whether there is an agent of that name."""

    limit: Limit
    agent_known: bool


class LimitPath(BaseModel):
    """Which limit."""

    limit_id: RowId


class LeadsQuery(Page):
    """Which leads: all that is given must hold."""

    number: Sought | None = Field(None, description="In any common way of writing it.")
    stage: Stage | None = None
    date_from: Day | None = Field(None, description="The first day, inclusive.")
    date_to: Day | None = Field(None, description="The last day, inclusive.")


class LeadsPage(BaseModel):
    """Leads, by number."""

    items: list[Lead]
    next: str | None


class NumberQuery(Asked):
    """Which number."""

    number: Sought


class ImportQuery(Asked):
    """How to import a file."""

    dry_run: bool = Field(False, description="Check everything, and import nothing.")
    skip_bad: bool = Field(False, description="Import the good rows of a file with bad ones.")


class ImportAnswer(BaseModel):
    """What an import did, or would do: `rows` = `added` + `kept` (there already) + `bad_rows`, of which `bad` has the
    first thousand."""

    dry_run: bool
    rows: int
    added: int
    kept: int
    bad_rows: int
    bad: list[BadRow]


class DoNotContactList(BaseModel):
    """The numbers that are never dealt."""

    items: list[DoNotContact]


class NewDoNotContact(Asked):
    """A number that is not to be dealt any more."""

    number: Text
    reason: Text | None = None


class DoNotContactAnswer(BaseModel):
    """`listed`: it was on the list before; the present assignments and the rows of `wafunnel` that had it."""

    listed: bool
    assignments: int
    leads: int


class Number(Asked):
    """A number."""

    number: Text


class Schedule(BaseModel):
    """When the clock deals next, in its zone, whether it is paused, and what became of the last business dates."""

    next_run: str | None = Field(description="With the offset of the zone; None where no day is ever due.")
    timezone: str
    run_at: str
    pause: Pause | None
    holidays: list[Holiday]
    outcomes: list[Outcome]


class Reason(Asked):
    """Why."""

    reason: Text | None = None


class Changed(BaseModel):
    """Whether that changed anything: it may have been so already."""

    changed: bool


class AuditPage(BaseModel):
    """What was done through the service, the newest first."""

    items: list[AuditEntry]
    next: str | None


class Keys(BaseModel):
    """All keys, the revoked ones too."""

    items: list[AccessKey]


class NewKey(Asked):
    """A key to make."""

    name: Text
    role: Role


class KeyAnswer(BaseModel):
    """The key that was made. `secret` is shown this once; None when the answer is given again."""

    key: AccessKey
    secret: str | None


class KeyPath(BaseModel):
    """Which key."""

    key_id: RowId


class Setting(BaseModel):
    """A setting: its variable, and its value, None for a secret."""

    name: str
    value: str | None
    secret: bool


class SettingsAnswer(BaseModel):
    """The settings of this copy of the service."""

    items: list[Setting]


class Done(BaseModel):
    """It is done."""

    done: Literal[True] = True


def cursor(*keys: Any) -> str:
    """The keys of the last row of a page as a text that is nobody's business."""
    return urlsafe_b64encode(json.dumps(keys, default=lambda moment: moment.isoformat()).encode()).decode().rstrip("=")


def keys_of(text: str | None, kind: TypeAdapter[T]) -> T | None:
    """What a cursor holds; None without one. Raises ParameterOutOfRange for a text that is none of ours."""
    if text is None:
        return None
    try:
        return kind.validate_json(urlsafe_b64decode(text + "=" * (-len(text) % 4)), strict=True)
    except ValueError:
        raise ParameterOutOfRange("cursor is none that this list gave; begin again without one.") from None
