"""Models of requests, for the API and for the forms of pages. The OpenAPI document is made of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from agent_funnel.access.keys import Role
from agent_funnel.web.fields import (
    BusinessDay,
    Count,
    Cursor,
    Day,
    Format,
    RowId,
    RunId,
    SearchText,
    Stage,
    Text,
    WholeNumber,
)


class RequestModel(BaseModel):
    """A request. Fields that its model lacks are refused."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(RequestModel):
    """A page of a list."""

    count: Count = 100
    cursor: Cursor = None


class RunPath(BaseModel):
    """Which run."""

    run_id: RunId


class Rules(RequestModel):
    """The parameters of a deal; the settings apply where one is missing."""

    business_date: BusinessDay | None = Field(None, description="Default: today in the configured time zone.")
    max_per_agent: Annotated[int, Field(ge=1, le=1_000_000), WholeNumber] | None = None
    window_days: Annotated[int, Field(ge=0, le=36_500), WholeNumber] | None = None
    newest_first: bool | None = None


class DealtQuery(PageQuery):
    """Which part of the leads that a run dealt, and in which format."""

    format: Format = Field("json", description="csv and xlsx are the whole run, whatever the page.")


class AssignmentsQuery(PageQuery):
    """Which of the present assignments, and in which format."""

    agent: Text | None = Field(None, description="Only those of this agent; otherwise all.")
    format: Format = Field("json", description="csv and xlsx are all of them, whatever the page.")


class NewAgent(RequestModel):
    """An agent to add."""

    agent: Text
    active: StrictBool = True


class AgentName(RequestModel):
    """Which agent."""

    agent: Text


class NewLimit(RequestModel):
    """A limit to add; a limit of 0 leads is an absence. Both days are inclusive."""

    agent: Text
    starts_on: Day
    ends_on: Day | None = Field(None, description="None: no end date.")
    max_records: Annotated[StrictInt, Field(ge=0, le=1_000_000), WholeNumber] = 0


class LimitPath(BaseModel):
    """Which limit."""

    limit_id: RowId


class LeadsQuery(PageQuery):
    """Which leads. A lead must meet all conditions that are given."""

    number: SearchText | None = Field(None, description="In any common way of writing it.")
    stage: Stage | None = None
    date_from: Day | None = Field(None, description="The first day, inclusive.")
    date_to: Day | None = Field(None, description="The last day, inclusive.")


class NumberQuery(RequestModel):
    """Which number."""

    number: SearchText


class ImportQuery(RequestModel):
    """How to import a file."""

    dry_run: bool = Field(False, description="Check everything, and import nothing.")
    skip_bad: bool = Field(False, description="Import the good rows of a file with bad ones.")


class NewDoNotContact(RequestModel):
    """A number that must not be dealt any longer."""

    number: Text
    reason: Text | None = None


class Number(RequestModel):
    """A number."""

    number: Text


class Reason(RequestModel):
    """A reason."""

    reason: Text | None = None


class NewKey(RequestModel):
    """A key to make."""

    name: Text
    role: Role


class KeyPath(BaseModel):
    """Which key."""

    key_id: RowId
