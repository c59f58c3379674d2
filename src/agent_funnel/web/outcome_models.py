"""Models of requests about outcomes, for the API and for the forms of pages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool

from agent_funnel.outcomes import MOST_REPORTS, OutcomeReport
from agent_funnel.web.fields import (
    Day,
    Format,
    Moment,
    NoteText,
    NumberText,
    OutcomeName,
    ReportText,
    RunId,
    SearchText,
    WholeNumber,
)
from agent_funnel.web.request_models import PageQuery, RequestModel


class NewOwnOutcome(RequestModel):
    """An outcome to report, of a lead that a run dealt."""

    number: NumberText
    outcome: OutcomeName
    report: ReportText | None = Field(
        None, description="Your own id of this report: the same report again is one outcome. Default: a new one."
    )
    run_id: RunId | None = Field(None, description="Default: the run whose leads the agents had at that time.")
    call_back_on: Day | None = Field(None, description="Of a call_back: the day, at most 90 days ahead.")
    same_agent: StrictBool = Field(False, description="Of a call_back: to the same agent if possible.")
    note: NoteText | None = None
    reported_at: Moment | None = Field(None, description="At most 7 days ago. Default: now.")

    def reported(self, agent: str | None) -> OutcomeReport:
        """The report, of a lead of an agent, or of any agent's."""
        return OutcomeReport(**{**self.model_dump(), "agent": agent})


class NewOutcome(NewOwnOutcome):
    """An outcome to report, of a lead that a run dealt to any agent."""

    agent: SearchText | None = Field(None, description="Refuse the leads of other agents.")


class NewOwnOutcomes(RequestModel):
    """Outcomes to report, of an agent's own leads."""

    reports: Annotated[list[NewOwnOutcome], Field(min_length=1, max_length=MOST_REPORTS)]


class NewOutcomes(RequestModel):
    """Outcomes to report."""

    reports: Annotated[list[NewOutcome], Field(min_length=1, max_length=MOST_REPORTS)]


class OutcomeToTakeBack(RequestModel):
    """An outcome to take back, by the id of its report."""

    report: ReportText
    taken_back_at: Moment | None = Field(None, description="Default: now.")


class OutcomesQuery(PageQuery):
    """A page of the outcomes, or all of them as a file."""

    run_id: Annotated[RunId, WholeNumber] | None = Field(None, description="Only those of this run.")
    agent: SearchText | None = Field(None, description="Only those of this agent's leads.")
    number: SearchText | None = Field(None, description="Only those of this number, in any spelling (for operators).")
    standing: bool = Field(False, description="Only those that hold.")
    format: Format = Field("json", description="csv and xlsx have all that hold, without pages.")
