"""Models of requests, for the API and for the forms of pages. The OpenAPI document is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Self

from flask import request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

from agent_funnel.access.keys import Role
from agent_funnel.agents import MOST_DEALS
from agent_funnel.do_not_contact import LONGEST_BOUND_DAYS, MOST_AT_ONCE, OWN_REQUESTS, USUAL_BOUND_DAYS
from agent_funnel.settings import DEFAULT_RULES, LARGEST_SHARE, LONGEST_WINDOW_DAYS
from agent_funnel.web.fields import (
    BusinessDay,
    Count,
    CountryText,
    Cursor,
    Day,
    ExportedList,
    FileFormat,
    Format,
    NumberText,
    RowId,
    RunId,
    SearchText,
    Stage,
    Text,
    VoiceText,
    WholeNumber,
)


class RequestModel(BaseModel):
    """A request. Fields that its model lacks are refused."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(RequestModel):
    """A page of a list."""

    count: Count = 100
    cursor: Cursor = None


class RunRequest(RequestModel):
    """A run to make. The body may be missing."""

    model_config = ConfigDict(openapi_extra={"required": False})  # type: ignore[typeddict-unknown-key]

    again: StrictBool = Field(
        False,
        description="Deal even just after another run, just before the scheduled one, or with an empty pool. Without "
        "it, such a run is refused (50008).",
    )
    skip_scheduled: StrictBool = Field(
        False,
        description="Skip the scheduled deal that is still to come tonight, since this one is made instead. An undo of "
        "this run ends that.",
    )

    @model_validator(mode="before")
    @classmethod
    def _allow_no_body(cls, value: Any) -> Any:
        return {} if value is None and not request.get_data() else value


class RunPath(BaseModel):
    """A run, by its number."""

    run_id: RunId


class ExportPath(BaseModel):
    """A list that can be exported."""

    what: ExportedList


class ExportQuery(RequestModel):
    """The format of an export."""

    format: FileFormat = Field("csv", description="csv is for programs; excel-csv and xlsx are for people.")


class PreviewQuery(RequestModel):
    """The parameters of a deal; where a rule is missing, the one that holds applies."""

    business_date: BusinessDay | None = Field(None, description="Default: today in the configured time zone.")
    max_per_agent: Annotated[int, Field(ge=1, le=LARGEST_SHARE), WholeNumber] | None = None
    window_days: Annotated[int, Field(ge=0, le=LONGEST_WINDOW_DAYS), WholeNumber] | None = None
    newest_first: bool | None = None
    country: CountryText | None = None
    voice: VoiceText | None = None


class NewRules(RequestModel):
    """Rules of the deal to record, at least one. They hold at once, for every deal that names no value."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [name]} for name in DEFAULT_RULES]})

    country: CountryText | None = Field(None, description="Two letters, or none, in any case.")
    max_per_agent: Annotated[StrictInt, Field(ge=1, le=LARGEST_SHARE), WholeNumber] | None = None
    window_days: Annotated[StrictInt, Field(ge=0, le=LONGEST_WINDOW_DAYS), WholeNumber] | None = None
    newest_first: StrictBool | None = None
    voice: VoiceText | None = Field(None, description="In any case.")
    confirm: StrictBool = Field(False, description="Change the country although people are forgotten.")

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        if not self.model_fields_set - {"confirm"}:
            raise ValueError("has no rule")
        return self


class DealtQuery(PageQuery):
    """A page of the leads that a run dealt, or all of them as a file."""

    format: Format = Field("json", description="csv and xlsx have the whole run, without pages.")


class AssignmentsQuery(PageQuery):
    """A page of the present assignments, or all of them as a file."""

    agent: SearchText | None = Field(None, description="Only the assignments of this agent. Default: of all agents.")
    format: Format = Field("json", description="csv and xlsx have all of them, without pages.")


class CallBacksQuery(PageQuery):
    """A page of the call-backs, or all of them as a file."""

    agent: SearchText | None = Field(None, description="Only those that this agent reported.")
    format: Format = Field("json", description="csv and xlsx have all of them, without pages.")


class ResultsQuery(RequestModel):
    """The business dates whose results are counted. Without dates, the last four weeks."""

    date_from: BusinessDay | None = Field(
        None, description="The first date, inclusive. Default: four weeks up to the last one."
    )
    date_to: BusinessDay | None = Field(None, description="The last date, inclusive. Default: today.")
    format: Format = Field(
        "json", description="csv and xlsx have a row for each agent, stage, class, night and import."
    )


class NewAgent(RequestModel):
    """An agent to add."""

    agent: Text
    active: StrictBool = True


class AgentName(RequestModel):
    """An agent, by name."""

    agent: SearchText


class ActivationQuery(RequestModel):
    """Whom to activate."""

    recent: bool = Field(
        False, description="Only those who got leads in one of the last thirty deals, for example after a mistake."
    )
    deals: int = Field(
        MOST_DEALS, ge=1, le=MOST_DEALS, description="With `recent`: in one of the last this many deals instead."
    )


class InactiveAgents(RequestModel):
    """How many agents were inactive on the page that asked whether to activate them: all, or those with leads of late.

    These got leads in one of the newest `deals`.
    """

    inactive: RowId
    deals: int | None = Field(None, ge=1, le=MOST_DEALS)


class NewName(RequestModel):
    """An agent, and the new name."""

    agent: Text
    new_name: Text


class NewLimit(RequestModel):
    """A limit to add; a limit of 0 leads is an absence. Both days are inclusive."""

    agent: Text
    starts_on: Day
    ends_on: Day | None = Field(None, description="None: no end date.")
    max_records: Annotated[StrictInt, Field(ge=0, le=LARGEST_SHARE), WholeNumber] = 0
    new_agent: StrictBool = Field(False, description="The agent is yet to come: take a name that no agent has now.")


class NewHoliday(RequestModel):
    """A holiday to add, or several days in a row. Both days are inclusive."""

    starts_on: BusinessDay
    ends_on: BusinessDay | None = Field(None, description="None: one day.")
    name: Text | None = None


class LimitPath(BaseModel):
    """A limit, by its id."""

    limit_id: RowId


class ImportPath(BaseModel):
    """An import, by its id."""

    import_id: RowId


class UndoImportQuery(RequestModel):
    """The undo of an import."""

    dry_run: bool = Field(False, description="Only say what the undo would do.")


class LeadsQuery(PageQuery):
    """The conditions of a search. A lead must meet all that are given."""

    number: SearchText | None = Field(None, description="In any common way of writing it.")
    stage: Stage | None = None
    date_from: Day | None = Field(None, description="The first day, inclusive.")
    date_to: Day | None = Field(None, description="The last day, inclusive.")
    import_id: Annotated[RowId, WholeNumber] | None = Field(
        None, description="Only leads that this import added or changed; not together with a number."
    )


class NumberQuery(RequestModel):
    """A number to look up."""

    number: SearchText


class DoNotContactQuery(PageQuery):
    """A page of the numbers that are never dealt."""

    list_name: Text | None = Field(None, description="Only the numbers of this list. Default: of all lists.")
    format: Format = Field("json", description="csv and xlsx have all of them, without pages.")


class NewNumberList(RequestModel):
    """A do-not-contact list to create."""

    name: Text
    reason: Text | None = None
    source: Text | None = Field(None, description="Where its numbers come from.")
    bound_days: Annotated[StrictInt, Field(ge=1, le=LONGEST_BOUND_DAYS), WholeNumber] | None = Field(
        USUAL_BOUND_DAYS, description="The greatest age of the last import, before people are warned. null: none."
    )


class ListedNumber(RequestModel):
    """A number on a do-not-contact list."""

    number: NumberText
    list_name: Text = Field(OWN_REQUESTS, description="The do-not-contact list.")


class Numbers(RequestModel):
    """Numbers to look up."""

    numbers: Annotated[list[NumberText], Field(min_length=1, max_length=MOST_AT_ONCE)]


class OneNumber(RequestModel):
    """A number of a person, in any spelling."""

    number: NumberText


class NumberToForget(OneNumber):
    """A number of a person to forget."""

    dry_run: bool = Field(False, description="Only say what would go.")


class ListedNumbers(Numbers):
    """Numbers on a do-not-contact list."""

    list_name: Text = Field(OWN_REQUESTS, description="The do-not-contact list.")


class NewListedNumbers(ListedNumbers):
    """Numbers for a do-not-contact list."""

    reason: Text | None = None


class NewDoNotContact(ListedNumber):
    """A number for a do-not-contact list."""

    reason: Text | None = None


class Reason(RequestModel):
    """A reason."""

    reason: Text | None = None


class DateToReopen(RequestModel):
    """A business date whose record is taken back."""

    business_date: BusinessDay


class DateToSkip(RequestModel):
    """A business date whose scheduled deal is skipped."""

    business_date: BusinessDay


class NewKey(RequestModel):
    """A key to make."""

    name: Text
    role: Role


class KeyPath(BaseModel):
    """A key, by its id."""

    key_id: RowId
