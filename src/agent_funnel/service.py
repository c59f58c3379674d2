"""The use cases, as plain functions: what the command line, the clock and HTTP can ask for.

Every function raises errors of the tree in `errors`, and changes nothing when it raises.
"""

from __future__ import annotations

from datetime import date

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from agent_funnel.backends import Backend
from agent_funnel.errors import DatabaseError, NotFound, ParameterOutOfRange, PoolChanged
from agent_funnel.records import DoNotContact, Limit, Run, Share
from agent_funnel.settings import Settings

# The longest name, number or reason that every table can hold:
LONGEST = 255


def assign(
    backend: Backend,
    settings: Settings,
    *,
    business_date: date,
    trigger: str = "manual",
    actor: str | None = None,
) -> Run:
    """Deals the pool out, and answers with the run.

    A pool that changed under the deal is dealt anew, four times in all. Raises a RunError when the deal says no, and
    DatabaseError when the database does.
    """
    for attempt in Retrying(
        retry=retry_if_exception_type(PoolChanged),
        stop=stop_after_attempt(4),
        wait=wait_random_exponential(multiplier=0.2, max=5),
        reraise=True,
    ):
        with attempt:
            row = backend.one(
                "assign",
                business_date=business_date.isoformat(),
                max_per_agent=settings.max_per_agent,
                window_days=settings.window_days,
                newest_first=int(settings.newest_first),
                trigger=trigger,
                actor=actor,
            )
    if row is None:
        raise DatabaseError("The deal gave no answer; look at `assignment_run` for whether it happened.")
    return Run.from_row(row)


def last_run(backend: Backend) -> Run | None:
    """The newest run that succeeded."""
    row = backend.one("last_run")
    return None if row is None else Run.from_row(row)


def is_scheduled_run_done(backend: Backend, business_date: date) -> bool:
    """Whether the scheduled run of this date happened, undone or not."""
    return backend.one("scheduled_run", business_date=business_date.isoformat()) is not None


def shares(backend: Backend, run_id: int) -> list[Share]:
    """Who got how much in a run, by agent. Agents who got nothing are not in it."""
    stages: dict[str, dict[int, int]] = {}
    for row in backend.all("shares", run_id=run_id):
        stages.setdefault(row["agent"], {})[row["stage"]] = row["leads"]
    return [Share(agent, sum(by_stage.values()), by_stage) for agent, by_stage in sorted(stages.items())]


def limits(backend: Backend) -> list[Limit]:
    """All limits and absences."""
    return [Limit.from_row(row) for row in backend.all("limits")]


def add_limit(
    backend: Backend, agent: str, *, starts_on: date, ends_on: date | None, max_records: int
) -> tuple[Limit, bool]:
    """Adds a limit (0 = away); also says whether an agent of this name exists."""
    _check_text("agent", agent)
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
    _check_text("number", number)
    if reason is not None:
        _check_text("reason", reason)
    row = backend.one("add_do_not_contact", number=number, reason=reason)
    assert row is not None
    return {name: int(row[name]) for name in ("listed", "assignments", "leads")}


def remove_do_not_contact(backend: Backend, number: str) -> None:
    """Takes a number off the list. Raises NotFound if it is not on it."""
    row = backend.one("remove_do_not_contact", number=number)
    if not row or not row["removed"]:
        raise NotFound("That number is not on the list.")


def _check_text(name: str, value: str) -> None:
    if not value.strip() or len(value) > LONGEST:
        raise ParameterOutOfRange(f"{name} has {len(value)} characters; it needs 1 to {LONGEST}, not all blank.")
