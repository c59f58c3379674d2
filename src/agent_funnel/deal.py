"""The deal: made, previewed and undone, and tried again where that helps.

Every function raises errors of the tree in `errors`, and changes nothing when it raises.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from agent_funnel import runs
from agent_funnel.database import Database
from agent_funnel.errors import (
    ConnectionLost,
    DatabaseBusy,
    DatabaseError,
    DatabaseUnavailable,
    PoolChanged,
    RunInProgress,
)
from agent_funnel.leads import DEALT_STAGES
from agent_funnel.runs import Run
from agent_funnel.settings import Settings
from agent_funnel.values import Day, Moment, Record, Row

if TYPE_CHECKING:
    from tenacity import RetryCallState

log = logging.getLogger(__name__)

# How often a deal is tried in all when the pool changed, the database was busy, or the connection broke before anything
# was done:
ATTEMPTS = 4
AGES = ("0_to_7", "8_to_30", "31_and_more")


@dataclass(frozen=True)
class PreviewShare:
    """The share that one agent would get: `by_stage` and `by_age` (whole days before the business date) count leads.

    `room` is the most that the agent may get.
    """

    agent: str
    room: int
    leads: int
    by_stage: Mapping[int, int]
    by_age: Mapping[str, int]

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """The share of a row with a column for each stage and each age."""
        return cls(
            agent=row["agent"],
            room=row["room"],
            leads=row["leads"],
            by_stage={stage: row[f"stage_{stage}"] for stage in DEALT_STAGES},
            by_age={age: row[f"days_{age}"] for age in AGES},
        )


@dataclass(frozen=True)
class Preview:
    """The deal that would be made. Leads would `stay` with their agent, `change_hands`, `come` (no agent has them now)
    or `leave`."""

    run: Run
    shares: tuple[PreviewShare, ...]
    stay: int
    change_hands: int
    come: int
    leave: int


@dataclass(frozen=True)
class Undone(Record):
    """An undo, and the run that it took back.

    `restored` leads went back by one stage; `changed_since` were left, because somebody had changed their stage.
    `assignments` came back; `suppressed` ones did not, because their number is on the do-not-contact list now.
    """

    run_id: int
    business_date: Day
    undone_at: Moment
    actor: str | None
    restored: int
    changed_since: int
    assignments: int
    suppressed: int


def deal(
    database: Database,
    settings: Settings,
    *,
    business_date: date,
    trigger: str = "manual",
    actor: str | None = None,
) -> Run:
    """Deals the pool out and returns the run.

    Tries up to four times when the pool changed, when a lock or a deadlock stood in the way, and when the connection
    broke before anything was done. Raises a RunError when the deal refuses and DatabaseError when the database does;
    ConnectionLost only if the database stays away, so that it is unknown whether the deal happened.
    """
    parameters = {**_rules(settings, business_date, trigger), "actor": actor}
    return Run.from_row(_retried(lambda: _deal_once(database, parameters)))


def _deal_once(database: Database, parameters: dict[str, Any]) -> Row:
    # The mark by which this very call is found again.
    request = uuid4().hex
    try:
        row = database.one("assign", request=request, **parameters)
    except ConnectionLost as error:
        log.warning("%s Finding out whether the deal happened.", str(error))
        row = _after_loss(lambda: database.one("settle", request=request))
        if row is None:
            raise _NothingDone() from error
        log.warning("The deal had happened: run %d.", row["run_id"])
    if row is None:
        raise DatabaseError("The deal returned no summary; `agent-funnel runs` shows whether it happened.")
    return row


def preview(database: Database, settings: Settings, *, business_date: date) -> Preview:
    """The deal that would be made now; changes nothing.

    Raises a RunError where the deal would be refused for its parameters or for a lack of agents.
    """
    shares, changes, summary = database.sets("preview", **_rules(settings, business_date, "manual"))
    return Preview(Run.from_row(summary[0]), tuple(PreviewShare.from_row(row) for row in shares), **changes[0])


def undo(database: Database, run_id: int | None = None, *, actor: str | None = None) -> Undone:
    """Takes back the last run that is not undone; with `run_id`, only if it is that one.

    Raises NothingToUndo, which says which run could be undone. Tries again as `deal` does.
    """
    # With a number, an undo that is sent twice cannot take back two runs.
    last = runs.last_run(database) if run_id is None else None
    target = last.run_id if last else run_id
    return Undone.from_row(_retried(lambda: _undo_once(database, target, actor)))


def _undo_once(database: Database, run_id: int | None, actor: str | None) -> Row:
    try:
        row = database.one("undo", run_id=run_id, actor=actor)
    except ConnectionLost as error:
        log.warning("%s Finding out whether the undo happened.", str(error))
        # Settling a request that was never made waits until no deal and no undo is in progress.
        _after_loss(lambda: database.one("settle", request="undo"))
        row = _after_loss(lambda: database.one("undone", run_id=run_id))
        if row is None:
            raise _NothingDone() from error
    if row is None:
        raise DatabaseError("The undo returned no summary; `agent-funnel runs` shows whether it happened.")
    return row


def _rules(settings: Settings, business_date: date, trigger: str) -> dict[str, Any]:
    return {
        "business_date": business_date.isoformat(),
        "max_per_agent": settings.max_per_agent,
        "window_days": settings.window_days,
        "newest_first": int(settings.newest_first),
        "trigger": trigger,
    }


class _NothingDone(Exception):
    """The connection broke; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


def _retried(call: Callable[[], Row]) -> Row:
    """The row of a call, which is made again where that can help."""
    # Only commands that deal need it, and every command imports this module.
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

    try:
        for attempt in Retrying(
            retry=retry_if_exception_type((PoolChanged, DatabaseBusy, _NothingDone)),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=0.2, max=5) + wait_random(max=0.1),
            before_sleep=_log_retry,
            reraise=True,
        ):
            with attempt:
                return call()
    except _NothingDone as error:
        raise DatabaseUnavailable("The connection to the database broke each time; nothing was changed.") from error
    raise AssertionError  # not reached: the loop returns or raises


def _log_retry(state: RetryCallState) -> None:
    if state.outcome and state.next_action:
        # The text only: a log that keeps its records would keep the error, and with it the connection.
        log.warning("%s Trying again in %.1f s.", str(state.outcome.exception()), state.next_action.sleep)


def _after_loss(ask: Callable[[], Row | None]) -> Row | None:
    """Asks whether a call took effect; waits for a server that is coming back, or is still busy with the call."""
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

    try:
        for attempt in Retrying(
            retry=retry_if_exception_type((DatabaseError, RunInProgress)),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=0.5, max=5) + wait_random(max=0.5),
            reraise=True,
        ):
            with attempt:
                return ask()
    except (DatabaseError, RunInProgress) as error:
        raise ConnectionLost(
            "The connection to the database broke, and it cannot be found out now whether the change was made; "
            "`agent-funnel runs` shows it once the database answers."
        ) from error
    raise AssertionError  # not reached: the loop returns or raises
