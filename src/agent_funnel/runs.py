"""The runs on record: lists them, shows who got which leads and who held a number, and purges old history."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from agent_funnel.database import Database
from agent_funnel.errors import NotFound
from agent_funnel.names import by_name
from agent_funnel.numbers import match_key
from agent_funnel.sentences import sentence, shown_as
from agent_funnel.values import NO_LIMIT, Day, Flag, LeadDate, Moment, Record, Row, write_moment

# The stages at which a lead can be dealt:
DEALT_STAGES = (1, 2, 3)
# Rows of history that a purge deletes at a time. It is so low that a deal that starts meanwhile hardly waits, and that
# SQL Server does not lock the whole table.
PURGE_BATCH = 2_000
# No run has a number as large as this:
LARGEST_RUN_ID = 2**63 - 1
# The end of the message of a run that a brake held, after the reason of the brake:
HELD = "FUNNEL_BRAKE holds the deal until a person runs `agent-funnel run --scheduled`; nothing was changed."


@dataclass(frozen=True)
class Run(Record):
    """One execution of the deal: the summary row of the procedure, column by column. A preview has the run_id 0.

    All amounts are leads, except `agents` (people). `per_agent` is the even share before limits of single agents;
    `duplicates` are eligible records that wait behind another record of their number, `suppressed` those kept out by
    `do_not_contact`, and `kept_out` those kept out by an outcome. Of the leads dealt, `came_round` had been dealt
    before, and `same_agent` of these met the agent who had them last; `stayed` were to stay with their agent, and are
    not in `same_agent`. These four are None in a run that was made before they were counted. Moments are in UTC.
    """

    run_id: int
    business_date: Day
    trigger: str
    status: str
    agents: int
    pool: int
    per_agent: int
    assigned: int
    left_over: int
    duplicates: int
    suppressed: int
    smallest_share: int
    largest_share: int
    started_at: Moment
    finished_at: Moment
    kept_out: int | None
    came_round: int | None
    same_agent: int | None
    stayed: int | None

    @property
    def seconds(self) -> float:
        """The duration of the run."""
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class RunRecord(Record):
    """A run on record, with its rules and its undo. The amounts are None in a run that failed before it counted, and
    `country` in one without a country. `kept_out`, `came_round`, `same_agent` and `stayed` are also None where they
    were not counted yet.

    Its undo took back `restored` leads, and left `changed_since` leads as they were. Its history was deleted at
    `purged_at`. Of the leads that it `assigned`, `forgotten` have been erased since then, so that the history has so
    many fewer. Moments are in UTC.
    """

    run_id: int
    business_date: Day
    trigger: str
    actor: str | None
    status: str
    agents: int | None
    pool: int | None
    per_agent: int | None
    assigned: int | None
    left_over: int | None
    duplicates: int | None
    suppressed: int | None
    smallest_share: int | None
    largest_share: int | None
    started_at: Moment
    finished_at: Moment | None
    kept_out: int | None
    came_round: int | None
    same_agent: int | None
    stayed: int | None
    max_per_agent: int
    window_days: int
    newest_first: Flag
    country: str | None
    voice: str
    undone_at: Moment | None
    undone_by: str | None
    restored: int | None
    changed_since: int | None
    purged_at: Moment | None
    forgotten: int


@dataclass(frozen=True)
class Failure(Record):
    """The reason why a run failed: the error's SQL number, if it has one, and its text.

    `attempt` counts the attempts at the run of its date.
    """

    attempt: int
    error_number: int | None
    message: str

    @property
    def held_because(self) -> str | None:
        """The reason of the brake that held the run; None if the run failed for another reason."""
        return held_because(self.message)


@dataclass(frozen=True)
class Share:
    """The leads that one agent got in a run: `by_stage` counts them by their stage before the run."""

    agent: str
    leads: int
    by_stage: Mapping[int, int]


@dataclass(frozen=True)
class DealtLead(Record):
    """A lead that a run dealt, with its date (local to the sales floor) and its stage before the run."""

    agent: str
    number: str
    date: LeadDate | None
    stage: int


@dataclass(frozen=True)
class Holder(Record):
    """An agent who held a number, from the end of the run that dealt it until the next deal or the undo (UTC).

    `held_until` is None while the agent still has it.
    """

    run_id: int
    business_date: Day
    agent: str
    stage: int
    held_from: Moment
    held_until: Moment | None
    status: str


@dataclass(frozen=True)
class Purged:
    """The history that a purge deleted, and its outcomes: the number of runs, and the number of rows."""

    runs: int
    rows: int


def list_runs(
    database: Database, *, count: int = 30, before: int | None = None, business_date: date | None = None
) -> list[RunRecord]:
    """The newest runs, newest first. With `before`, only older runs; with `business_date`, only runs of that date."""
    day = None if business_date is None else business_date.isoformat()
    return [RunRecord.from_row(row) for row in database.all("runs", count=count, before=before, business_date=day)]


def find_run(database: Database, run_id: int) -> RunRecord:
    """The run with this number. Raises NotFound if no run has it."""
    # The database refuses larger numbers, and no run has the largest one.
    row = database.one("run", run_id=min(run_id, LARGEST_RUN_ID))
    if row is None:
        raise NotFound(
            shown_as(
                f"There is no run {run_id}; `agent-funnel runs` lists them.",
                sentence("There is no deal %(run_id)s.", run_id=str(run_id)),
            )
        )
    return RunRecord.from_row(row)


def last_run(database: Database, *, before: int | None = None) -> Run | None:
    """The newest run that succeeded and is not undone. With `before`, only older runs count."""
    row = database.one("last_run", before=before)
    return None if row is None else Run.from_row(row)


def failure_of(database: Database, run_id: int) -> Failure | None:
    """Why a run failed; None if it did not."""
    row = database.one("failure", run_id=run_id)
    return None if row is None else Failure.from_row(row)


def held_because(message: str) -> str | None:
    """The reason of the brake in the message of a run that a brake held; None for any other message."""
    return message.removesuffix(HELD).rstrip() if message.endswith(HELD) else None


def shares(database: Database, run_id: int) -> list[Share]:
    """The share of each agent in a run, sorted by name as people do. Agents who got no leads are left out."""
    stages: dict[str, dict[int, int]] = {}
    for row in database.all("shares", run_id=run_id):
        stages.setdefault(row["agent"], {})[row["stage"]] = row["leads"]
    return [Share(agent, sum(stages[agent].values()), stages[agent]) for agent in sorted(stages, key=by_name)]


def dealt_leads(database: Database, run_id: int, *, after: str | None = None, count: int) -> list[DealtLead]:
    """The leads that a run dealt, sorted by number; at most `count`. With `after`, only numbers after that one.

    A purged run has no leads left. Raises NotFound if there is no such run.
    """
    find_run(database, run_id)
    return [DealtLead.from_row(row) for row in database.all("run_assignments", run_id=run_id, after=after, count=count)]


def stream_dealt_leads(database: Database, run_id: int) -> Generator[DealtLead]:
    """All leads that a run dealt, sorted by number, read by one statement. Raises NotFound if there is no such run.

    The caller must read to the end, because the statement may hold locks until then.
    """
    find_run(database, run_id)
    for rows in database.stream("run_assignments", run_id=run_id, after=None, count=NO_LIMIT):
        yield from map(DealtLead.from_row, rows)


def deal_version(database: Database) -> str:
    """A short text that changes with each run and each undo.

    A reader of the present assignments reads it before the first page and again after each page: if it has not changed,
    all pages are of one deal. It stays the same when a number on the do-not-contact list leaves the assignments.
    """
    row = database.one("deal_version")
    assert row is not None
    return version_of(row)


def version_of(row: Row) -> str:
    """The version of the deal that a row of the database says."""
    return f"{row['newest']}.{row['undone']}"


def run_limits(database: Database, run_id: int) -> dict[str, int]:
    """The agents who had a limit below that of the rules when a run was made; 0 for those who were away."""
    return {row["agent"]: row["max_records"] for row in database.all("run_limits", run_id=run_id)}


def holders(
    database: Database,
    number: str,
    *,
    key: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Holder]:
    """The agents who held a number, in any spelling, newest first. `key` is its match key, if the caller knows it.

    With `since` and `until`, only those who held it between them.
    """
    bounds = {"since": write_moment(since), "until": write_moment(until)}
    key = key or match_key(database, number)
    return [Holder.from_row(row) for row in database.all("holders", number=number, match_key=key, **bounds)]


def purge(database: Database, before: datetime, *, progress: Callable[[int], None] | None = None) -> Purged:
    """Deletes the history of runs that ended before a moment, in small batches, each in its own transaction.

    The last run that can be undone and the run before it keep their history, however old they are. A purged run cannot
    be undone; the run itself stays on record. Outcomes go with the history of their run, except those that keep leads
    out, and call-backs to come. If a purge is interrupted, the next one continues it.
    """
    marked = database.one("mark_purge", before=write_moment(before))
    rows = 0
    for name in ("purge_history", "purge_edits", "purge_outcomes", "purge_call_backs", "purge_hand_backs"):
        while True:
            began = time.monotonic()
            row = database.one(name, count=PURGE_BATCH)
            deleted = row["deleted"] if row else 0
            rows += deleted
            if progress:
                progress(deleted)
            if deleted < PURGE_BATCH:
                break
            # Leave the same time to other writers.
            time.sleep(time.monotonic() - began)
    return Purged(runs=marked["runs"] if marked else 0, rows=rows)
