"""Makes the deal, previews it and undoes it. A call that failed is tried again where that helps.

A function that raises has changed nothing, unless it raises ConnectionLost. All errors are of the tree in `errors`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import uuid4

from agent_funnel import runs
from agent_funnel.database import Database
from agent_funnel.errors import (
    ConnectionLost,
    DatabaseBusy,
    DatabaseError,
    DatabaseNotReady,
    DatabaseUnavailable,
    PoolChanged,
    RunInProgress,
)
from agent_funnel.names import by_name
from agent_funnel.runs import DEALT_STAGES, Run
from agent_funnel.sentences import sentence, with_hint
from agent_funnel.settings import Settings
from agent_funnel.values import Day, Moment, Record, Row, write_moment

if TYPE_CHECKING:
    from tenacity import RetryCallState

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)

# How often a deal is tried in all if the pool changed, the database was busy, or the connection broke before anything
# was done:
ATTEMPTS = 4
# The seconds for which a deal waits for a database that is not ready. Azure SQL needs up to a minute to wake up a
# serverless database or to move one, and so does a failover.
READY_SECONDS = 90.0
# The sentences of a notice, which SQL joins by a blank:
NOTICE = re.compile(r"(?P<earlier_run>Run .+? An undo takes that back\.)? ?(?P<no_room>No agent has room for .+)?")
# The age groups of a preview, in days:
AGE_GROUPS = ("0_to_7", "8_to_30", "31_and_more")


@dataclass(frozen=True)
class PreviewShare:
    """The share that one agent would get. `room` is the most leads that the agent may get.

    `by_stage` and `by_age` count the leads; the age is in whole days before the business date. `call_backs` of them are
    call-backs that are due, and `kept_call_backs` of these stay with this agent. A call-back may be finished, and then
    has none of the stages.
    """

    agent: str
    room: int
    leads: int
    by_stage: Mapping[int, int]
    by_age: Mapping[str, int]
    call_backs: int
    kept_call_backs: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """The share from a row with a column for each stage and each age group."""
        return cls(
            agent=row["agent"],
            room=row["room"],
            leads=row["leads"],
            by_stage={stage: row[f"stage_{stage}"] for stage in DEALT_STAGES},
            by_age={group: row[f"days_{group}"] for group in AGE_GROUPS},
            call_backs=row["call_backs"],
            kept_call_backs=row["kept_call_backs"],
        )


@dataclass(frozen=True)
class NoticeParts:
    """The sentences of a notice: an `earlier_run` of the same date dealt some of the leads, which move on a second time
    that day; there is `no_room` for call-backs that are due."""

    earlier_run: str | None
    no_room: str | None


@dataclass(frozen=True)
class NewRun(Run):
    """A run that was just made, or is previewed. `notice` has the sentences for the person, one after the other."""

    notice: str | None

    @property
    def notice_parts(self) -> NoticeParts:
        """The sentences of the notice."""
        found = NOTICE.fullmatch(self.notice or "")
        # A sentence that is not known is better shown than lost.
        return NoticeParts(**found.groupdict()) if found else NoticeParts(self.notice, None)


@dataclass(frozen=True)
class Preview:
    """The deal that would be made.

    The amounts are leads that would `stay` with their agent, `change_hands`, `come` (no agent has them now) or `leave`
    (an agent has them now, and no agent would). `refusal` says why this deal is almost surely a mistake: it would be
    refused unless it is confirmed.
    """

    run: NewRun
    shares: tuple[PreviewShare, ...]
    stay: int
    change_hands: int
    come: int
    leave: int
    refusal: str | None


@dataclass(frozen=True)
class Undone(Record):
    """An undo, and the run that it took back.

    `restored` leads went back by one stage; `changed_since` leads kept theirs, because somebody had changed it.
    `assignments` came back; `suppressed` ones did not, because their number is now on the do-not-contact list, or is
    reported as wrong.
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
    again: bool = False,
    skip_date: date | None = None,
    skip_until: datetime | None = None,
) -> NewRun:
    """Deals the pool out and returns the run.

    A manual run that is almost surely a mistake is refused with NotConfirmed, unless the caller says `again`: a run
    began less than two minutes ago, the scheduled run is about to come, or the pool is empty and there are assignments.

    With `skip_date`, the scheduled run of that date is skipped, because this one is made instead; `skip_until` is the
    end of its window, and an undo of this run until then ends the skip. Raises AlreadyRun if that date has ended.

    Tries up to four times if the pool changed, if a lock or a deadlock got in the way, or if the connection broke
    before anything was done. Raises a RunError if the deal was refused, and DatabaseError if the database failed. Only
    ConnectionLost leaves open whether the deal happened: the database could not be reached again to find out.
    """
    parameters = {**_rules(settings, business_date, trigger), "actor": actor, "again": int(again)}
    parameters["skip_date"] = None if skip_date is None else skip_date.isoformat()
    parameters["skip_until"] = write_moment(skip_until)
    return NewRun.from_row(_with_retries(lambda: _deal_once(database, parameters)))


def _deal_once(database: Database, parameters: dict[str, Any]) -> Row:
    # The run is recorded with this id of the request, so that it can be found if the connection breaks.
    request = uuid4().hex
    try:
        row = database.one("assign", request=request, **parameters)
    except ConnectionLost as error:
        log.warning("%s Finding out whether the deal happened.", str(error))
        row = _ask_after_loss(lambda: database.one("run_of_request", request=request))
        if row is None:
            raise _NothingDone() from error
        log.warning("The deal had happened: run %d.", row["run_id"])
        # The notice was lost with the answer.
        row = {**row, "notice": None}
    if row is None:
        raise DatabaseError("The deal returned no summary; `agent-funnel runs` shows whether it happened.")
    return row


def preview(database: Database, settings: Settings, *, business_date: date) -> Preview:
    """Computes the deal that would be made now, and changes nothing.

    Raises a RunError if the deal would be refused because of its parameters or for lack of agents.
    """
    given = {**_rules(settings, business_date, "manual"), "skip_date": None}
    shares, changes, summary = database.sets("preview", **given)
    by_agent = sorted(map(PreviewShare.from_row, shares), key=lambda share: by_name(share.agent))
    return Preview(NewRun.from_row(summary[0]), tuple(by_agent), **changes[0])


def undo(database: Database, run_id: int | None = None, *, actor: str | None = None) -> Undone:
    """Takes back the last run that is not undone. With `run_id`, only if that is the last one.

    Tries again as `deal` does. Raises NothingToUndo, whose message names the run that could be undone.
    """
    # The call names the run, so that an undo that is sent twice cannot take back two runs.
    last = runs.last_run(database) if run_id is None else None
    target = last.run_id if last else run_id
    return Undone.from_row(_with_retries(lambda: _undo_once(database, target, actor)))


def _undo_once(database: Database, run_id: int | None, actor: str | None) -> Row:
    try:
        row = database.one("undo", run_id=run_id, actor=actor)
    except ConnectionLost as error:
        log.warning("%s Finding out whether the undo happened.", str(error))
        # Asking for a request that was never made waits until no deal and no undo is in progress.
        _ask_after_loss(lambda: database.one("run_of_request", request="undo"))
        row = _ask_after_loss(lambda: database.one("undone", run_id=run_id))
        if row is None:
            raise _NothingDone() from error
    if row is None:
        raise DatabaseError("The undo returned no summary; `agent-funnel runs` shows whether it happened.")
    return row


def _rules(settings: Settings, business_date: date, trigger: str) -> dict[str, Any]:
    # Only what is set: the deal itself reads the other rules in the database, when it has its locks.
    return {
        "business_date": business_date.isoformat(),
        "max_per_agent": settings.max_per_agent,
        "window_days": settings.window_days,
        "newest_first": None if settings.newest_first is None else int(settings.newest_first),
        "country": settings.country,
        "voice": settings.voice,
        "trigger": trigger,
    }


class _NothingDone(Exception):
    """The connection broke; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


def _with_retries(call: Callable[[], Row]) -> Row:
    """Makes a call and returns its row. Makes it again after an error that may not come back."""
    try:
        return _repeat(
            call, PoolChanged, DatabaseBusy, DatabaseNotReady, _NothingDone, pause=0.2, before_pause=_log_retry
        )
    except _NothingDone as error:
        raise DatabaseUnavailable(
            sentence("The connection to the database broke each time; nothing was changed.")
        ) from error


def _log_retry(state: RetryCallState) -> None:
    if state.outcome and state.next_action:
        # Log only the text: a log handler that keeps its records would keep the error, and with it the connection.
        log.warning("%s Trying again in %.1f s.", str(state.outcome.exception()), state.next_action.sleep)


def _ask_after_loss(ask: Callable[[], Row | None]) -> Row | None:
    """Asks whether a call took effect. Waits for a server that restarts, or is still busy with the call."""
    try:
        return _repeat(ask, DatabaseError, RunInProgress, pause=0.5)
    except (DatabaseError, RunInProgress) as error:
        raise ConnectionLost(
            with_hint(
                sentence(
                    "The connection to the database broke, and it cannot be found out now whether the change was made."
                ),
                "`agent-funnel runs` shows it once the database answers.",
            )
        ) from error


def _repeat(
    call: Callable[[], Answer],
    *errors: type[Exception],
    pause: float,
    before_pause: Callable[[RetryCallState], None] | None = None,
) -> Answer:
    """Makes a call up to ATTEMPTS times, as long as it raises one of these errors. The pauses grow from `pause`
    seconds. A database that is not ready is waited for instead, for up to READY_SECONDS."""
    # Imported here because every command imports this module, and only those that deal need it.
    from tenacity import Retrying, retry_if_exception_type, wait_exponential, wait_random

    tried = 0

    def give_up(state: RetryCallState) -> bool:
        nonlocal tried
        assert state.outcome is not None
        if isinstance(state.outcome.exception(), DatabaseNotReady):
            return (state.seconds_since_start or 0) >= READY_SECONDS
        tried += 1
        return tried >= ATTEMPTS

    return Retrying(
        retry=retry_if_exception_type(errors),
        stop=give_up,
        wait=wait_exponential(multiplier=pause, max=5) + wait_random(max=pause / 2),
        before_sleep=before_pause,
        reraise=True,
    )(call)
