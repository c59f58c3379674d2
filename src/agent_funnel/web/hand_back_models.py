"""Models of requests about hand-backs, for the API and for the forms of pages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agent_funnel.web.fields import RowId, RunId, SearchText, WholeNumber
from agent_funnel.web.request_models import RequestModel


class ListToHandBack(RequestModel):
    """The run of a list whose leads without an outcome go back, as the page showed it."""

    run_id: RunId


class NewHandBack(RequestModel):
    """An agent whose leads without an outcome go back."""

    agent: SearchText
    run_id: RunId | None = Field(None, description="Refuse the leads of any other run. Default: those of the last run.")


class HandBackToUndo(RequestModel):
    """A hand-back to undo."""

    hand_back_id: RowId


class HandBacksQuery(RequestModel):
    """The newest hand-backs."""

    run_id: Annotated[RunId, WholeNumber] | None = Field(None, description="Only those of this run.")
    agent: SearchText | None = Field(None, description="Only those of this agent.")
    count: Annotated[int, Field(ge=1, le=1_000), WholeNumber] = Field(100, description="The most to return.")
