"""The use cases, as plain functions: what the command line, the clock and HTTP can ask for.

Every function raises errors of the tree in `errors`, and changes nothing when it raises.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from agent_funnel.backends import Backend
from agent_funnel.errors import (
    ConnectionLost,
    DatabaseBusy,
    DatabaseError,
    DatabaseUnavailable,
    NotFound,
    ParameterOutOfRange,
    PoolChanged,
    RunInProgress,
)
from agent_funnel.records import (
    LONGEST,
    DoNotContact,
    Failure,
    Holder,
    Limit,
    Preview,
    PreviewShare,
    Purged,
    Row,
    Run,
    RunRecord,
    Share,
    Undone,
    length,
)
from agent_funnel.settings import Settings

log = logging.getLogger(__name__)

# How often in all a run is tried that met a changed pool, a busy database, or a connection that broke before it did
# anything:
ATTEMPTS = 4
# Rows of history that a purge deletes at a time: few enough that a run which comes meanwhile hardly waits, and that
# SQL Server does not lock the whole table.
PURGE_BATCH = 2_000


class _NothingDone(Exception):
    """The connection broke; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


def _tell_of_retry(state: RetryCallState) -> None:
    if state.outcome and state.next_action:
        # The text only: who keeps log records would keep the error, and with it the connection.
        log.warning("%s Trying again in %.1f s.", str(state.outcome.exception()), state.next_action.sleep)


def _retrying() -> Retrying:
    return Retrying(
        retry=retry_if_exception_type((PoolChanged, DatabaseBusy, _NothingDone)),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=0.2, max=5) + wait_random(max=0.1),
        before_sleep=_tell_of_retry,
        reraise=True,
    )


def _tried(call: Callable[[], Row]) -> Row:
    """The answer of a call, made again where that can help."""
    try:
        for attempt in _retrying():
            with attempt:
                return call()
    except _NothingDone as error:
        raise DatabaseUnavailable("The connection to the database broke each time; nothing was changed.") from error
    raise AssertionError  # not reached: the loop returns or raises


def assign(
    backend: Backend,
    settings: Settings,
    *,
    business_date: date,
    trigger: str = "manual",
    actor: str | None = None,
) -> Run:
    """Deals the pool out, and answers with the run.

    A changed pool, a deadlock, a lock that was not to be had and a connection that broke before anything was done are
    tried again, four times in all. Raises a RunError when the deal says no, and DatabaseError when the database does;
    ConnectionLost only if the database stays away, so that nobody can say whether the deal happened.
    """
    parameters = {**_rules(settings, business_date, trigger), "actor": actor}
    return Run.from_row(_tried(lambda: _assign_once(backend, parameters)))


def _assign_once(backend: Backend, parameters: dict[str, Any]) -> Row:
    # The mark by which this very call is found again.
    request = uuid4().hex
    try:
        row = backend.one("assign", request=request, **parameters)
    except ConnectionLost as error:
        log.warning("%s Finding out whether the deal happened.", str(error))
        row = _after_loss(lambda: backend.one("settle", request=request))
        if row is None:
            raise _NothingDone() from error
        log.warning("the deal had happened: run %d", row["run_id"])
    if row is None:
        raise DatabaseError("The deal gave no answer; look at `agent-funnel runs` for whether it happened.")
    return row


def _after_loss(ask: Callable[[], Row | None]) -> Row | None:
    """Asks what became of a call, also of a server that needs a moment to come back or is still busy with it."""
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
            "The connection to the database broke, and what became of the call cannot be found out now: whether the "
            "change was made is not known; `agent-funnel runs` tells, once the database answers."
        ) from error
    raise AssertionError  # not reached: the loop returns or raises


def _rules(settings: Settings, business_date: date, trigger: str) -> dict[str, Any]:
    return {
        "business_date": business_date.isoformat(),
        "max_per_agent": settings.max_per_agent,
        "window_days": settings.window_days,
        "newest_first": int(settings.newest_first),
        "trigger": trigger,
    }


def preview(backend: Backend, settings: Settings, *, business_date: date) -> Preview:
    """What a run would do now; changes nothing. Raises a RunError where the run would be refused for its parameters or
    for want of agents."""
    shares, changes, summary = backend.sets("preview", **_rules(settings, business_date, "manual"))
    return Preview(Run.from_row(summary[0]), tuple(PreviewShare.from_row(row) for row in shares), **changes[0])


def undo(backend: Backend, run_id: int | None = None, *, actor: str | None = None) -> Undone:
    """Takes the last run back that is not undone; with `run_id`, only if it is that one.

    Raises NothingToUndo, with a sentence that says which run could be undone, and is tried again as `assign` is.
    """
    # With a number, an undo that is sent again cannot take another run back.
    last = backend.one("last_run")
    target = last["run_id"] if run_id is None and last else run_id
    return Undone.from_row(_tried(lambda: _undo_once(backend, target, actor)))


def _undo_once(backend: Backend, run_id: int | None, actor: str | None) -> Row:
    try:
        row = backend.one("undo", run_id=run_id, actor=actor)
    except ConnectionLost as error:
        log.warning("%s Finding out whether the undo happened.", str(error))
        # To settle a call that never was is to wait until no run and no undo is under way.
        _after_loss(lambda: backend.one("settle", request="undo"))
        row = _after_loss(lambda: backend.one("undone", run_id=run_id))
        if row is None:
            raise _NothingDone() from error
    if row is None:
        raise DatabaseError("The undo gave no answer; look at `agent-funnel runs` for whether it happened.")
    return row


def runs(
    backend: Backend, *, count: int = 30, before: int | None = None, business_date: date | None = None
) -> list[RunRecord]:
    """The newest runs, newest first; with `before`, those older than that run; or those of a business date."""
    day = None if business_date is None else business_date.isoformat()
    return [RunRecord.from_row(row) for row in backend.all("runs", count=count, before=before, business_date=day)]


def run(backend: Backend, run_id: int) -> RunRecord:
    """A run. Raises NotFound if there is none of this number."""
    found = runs(backend, count=1, before=run_id + 1)
    if not found or found[0].run_id != run_id:
        raise NotFound(f"There is no run {run_id}; `agent-funnel runs` lists them.")
    return found[0]


def failure(backend: Backend, run_id: int) -> Failure | None:
    """Why a run failed, None of one that did not."""
    row = backend.one("failure", run_id=run_id)
    return None if row is None else Failure(**row)


def holders(
    backend: Backend, number: str, *, since: datetime | None = None, until: datetime | None = None
) -> list[Holder]:
    """Who held a number, the newest first; between two moments if they are given."""
    bounds = {"since": utc(since), "until": utc(until)}
    return [Holder.from_row(row) for row in backend.all("holders", number=number, **bounds)]


def utc(moment: datetime | None) -> str | None:
    """A moment as the databases keep it: in UTC, to the millisecond, without a zone."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "milliseconds")


def purge(backend: Backend, before: datetime, *, progress: Callable[[int], None] | None = None) -> Purged:
    """Removes the history of runs that ended before a moment, in small batches, each for itself.

    The last run that can be undone and the one before it stay, whatever their age. What was purged cannot be undone any
    more; the runs themselves stay on record. Interrupted, it goes on where it was the next time.
    """
    marked = backend.one("mark_purge", before=utc(before))
    rows = 0
    for name in ("purge_history", "purge_edits"):
        while True:
            began = time.monotonic()
            row = backend.one(name, count=PURGE_BATCH)
            deleted = row["deleted"] if row else 0
            rows += deleted
            if progress:
                progress(deleted)
            if deleted < PURGE_BATCH:
                break
            # As long again for whoever else wants to write.
            time.sleep(time.monotonic() - began)
    return Purged(runs=marked["runs"] if marked else 0, rows=rows)


def last_run(backend: Backend) -> Run | None:
    """The newest run that succeeded."""
    row = backend.one("last_run")
    return None if row is None else Run.from_row(row)


def shares(backend: Backend, run_id: int) -> list[Share]:
    """Who got how much in a run, by agent. Agents who got nothing are not in it."""
    stages: dict[str, dict[int, int]] = {}
    for row in backend.all("shares", run_id=run_id):
        stages.setdefault(row["agent"], {})[row["stage"]] = row["leads"]
    return [Share(agent, sum(by_stage.values()), by_stage) for agent, by_stage in sorted(stages.items())]


def limits(backend: Backend) -> list[Limit]:
    """All limits and absences."""
    return [Limit.from_row(row) for row in backend.all("limits")]


def covering(limits: Iterable[Limit], on: date) -> dict[str, Limit]:
    """The limit of each agent that counts on a day: the lowest, and of those the one that lasts longest."""
    found: dict[str, Limit] = {}
    for limit in limits:
        if limit.starts_on <= on and (limit.ends_on is None or limit.ends_on >= on):
            other = found.get(limit.agent)
            if other is None or _weight(limit) < _weight(other):
                found[limit.agent] = limit
    return found


def _weight(limit: Limit) -> tuple[int, int]:
    return limit.max_records, -(limit.ends_on or date.max).toordinal()


def add_limit(
    backend: Backend, agent: str, *, starts_on: date, ends_on: date | None, max_records: int
) -> tuple[Limit, bool]:
    """Adds a limit (0 = away); also says whether an agent of this name exists."""
    check_text("agent", agent)
    if not 0 <= max_records <= 1_000_000:
        raise ParameterOutOfRange(f"max_records is {max_records}; it must be from 0 (away) to 1000000.")
    if ends_on is not None and ends_on < starts_on:
        raise ParameterOutOfRange(f"ends_on is {ends_on}; it must not be before starts_on, {starts_on}.")
    row = backend.one(
        "add_limit",
        agent=agent,
        starts_on=starts_on.isoformat(),
        ends_on=None if ends_on is None else ends_on.isoformat(),
        max_records=max_records,
    )
    assert row is not None
    return Limit.from_row(row), bool(row["known"])


def remove_limit(backend: Backend, limit_id: int) -> None:
    """Removes a limit. Raises NotFound if there is none of this number."""
    row = backend.one("remove_limit", limit_id=limit_id)
    if not row or not row["removed"]:
        raise NotFound(f"There is no limit {limit_id}; `agent-funnel limits list` shows all.")


def do_not_contact(backend: Backend) -> list[DoNotContact]:
    """The numbers that are never dealt."""
    return [DoNotContact.from_row(row) for row in backend.all("do_not_contact")]


def add_do_not_contact(backend: Backend, number: str, reason: str | None = None) -> dict[str, int]:
    """Puts a number on the list, and takes it out of the present assignments at once.

    Answers with `listed` (1 if it was on the list before), `assignments` (how many it left) and `leads` (how many rows
    of `wafunnel` have it). While a deal runs, it waits for its end.
    """
    check_text("number", number)
    if reason is not None:
        check_text("reason", reason)
    row = backend.one("add_do_not_contact", number=number, reason=reason)
    assert row is not None
    return {name: int(row[name]) for name in ("listed", "assignments", "leads")}


def remove_do_not_contact(backend: Backend, number: str) -> None:
    """Takes a number off the list. Raises NotFound if it is not on it."""
    row = backend.one("remove_do_not_contact", number=number)
    if not row or not row["removed"]:
        raise NotFound("That number is not on the list.")


def check_text(name: str, value: str) -> None:
    """Raises ParameterOutOfRange for a text that a table cannot hold, or that says nothing."""
    if not value.strip() or length(value) > LONGEST:
        raise ParameterOutOfRange(f"{name} has {length(value)} characters; it needs 1 to {LONGEST}, not all blank.")
