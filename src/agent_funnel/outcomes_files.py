"""Files of outcomes: a number and what came of its lead; perhaps the day of a call-back, a note, the agent, the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from agent_funnel.database import Database
from agent_funnel.errors import ImportRefused, RunError, RunInProgress
from agent_funnel.files.cells import Values
from agent_funnel.files.rejects import Rejects
from agent_funnel.files.tables import AS_IT_IS, Choices, Understood, open_table
from agent_funnel.files.tally import BadRow, Tally
from agent_funnel.import_records import A_PROGRAM, Origin, begin_record, end_record, record_values, rules_of
from agent_funnel.imports import BadRows
from agent_funnel.outcomes import OutcomeReport, list_outcomes, report_outcome
from agent_funnel.sentences import sentence

# The most rows of a file; the largest deals have half as many leads:
MOST_ROWS = 20_000
# The hexadecimal digits of the hash of a file that the ids of its rows begin with:
HASH_DIGITS = 40


@dataclass(frozen=True)
class ImportedOutcomes:
    """The result of an import of outcomes.

    Of the `rows` of the file, `added` are new outcomes, `kept` were imported from this file before, `bad_rows` cannot
    be read, and the database refused `refused`. `bad` lists both, at most a thousand of each. In a dry run, the
    database was not asked, and nothing was kept.
    """

    dry_run: bool
    rows: int
    added: int
    kept: int
    bad_rows: int
    refused: int
    bad: tuple[BadRow, ...]
    understood: Understood


def import_outcomes(
    database: Database,
    file: Path | IO[bytes],
    *,
    actor: str,
    now: datetime,
    zone: ZoneInfo,
    name: str | None = None,
    choices: Choices = AS_IT_IS,
    skip_bad: bool = False,
    dry_run: bool = False,
    rejects: Rejects | None = None,
    progress: Callable[[int], None] | None = None,
    origin: Origin = A_PROGRAM,
) -> ImportedOutcomes:
    """Imports a file of outcomes: each row is a report of its own, made `now`, whose id is of the file and its line.

    So the same file a second time adds nothing, and after an error the rest of it is imported. A row that the database
    refuses stops no other. The import is on record, with its `origin`; the reports that were refused are among its bad
    rows. Raises BadRows if all rows cannot be read, or one cannot and `skip_bad` is not set, and
    ImportRefused if the file cannot be imported at all: then nothing was kept.
    """
    name = name or str(file)
    tally = Tally(rejects)
    with open_table(file, "outcomes", name, choices, zone=zone) as table:
        tally.begin(table)
        rows = []
        for row in tally.good(table.rows()):
            rows.append(row)
            if len(rows) > MOST_ROWS:
                raise ImportRefused(
                    sentence(
                        "%(name)s has more than %(most_rows)s rows. Nothing was imported.",
                        name=name,
                        most_rows=MOST_ROWS,
                    )
                )
        if tally.bad_rows and (not skip_bad or tally.bad_rows == tally.rows):
            raise BadRows(name, tally.bad, tally.bad_rows)
        added = kept = 0
        refused: dict[int, str] = {}
        if not dry_run:
            newest = max((each.outcome_id for each in list_outcomes(database, count=1)), default=0)
            busy: RunInProgress | None = None
            try:
                for line, values in rows:
                    reported = _report(f"{table.sha256[:HASH_DIGITS]} {line}", values)
                    try:
                        if busy:
                            raise busy
                        told = report_outcome(database, reported, actor=actor, now=now, zone=zone)
                        added, kept = (added + 1, kept) if told.outcome_id > newest else (added, kept + 1)
                    except RunError as error:
                        busy = error if isinstance(error, RunInProgress) else None
                        refused[line] = str(error)
                    if progress:
                        progress(1)
            finally:
                # Also if an error ends the import: each report before it is kept.
                rules = rules_of(table) | {"skip_bad": skip_bad}
                record = record_values("outcomes", origin, name, table.sha256, rules)
                _put_on_record(database, record, rows=tally.rows, added=added, bad_rows=tally.rows - added - kept)
        read = tally.bad_rows
        tally.reject(table, refused, len(refused))
    return ImportedOutcomes(dry_run, tally.rows, added, kept, read, len(refused), tally.bad, table.understood)


def _put_on_record(database: Database, record: dict[str, Any], *, rows: int, added: int, bad_rows: int) -> None:
    with database.transaction() as session:
        import_id = begin_record(session, record)
        end_record(session, import_id, rows=rows, added=added, changed=0, bad_rows=bad_rows)


def _report(report: str, values: Values) -> OutcomeReport:
    number, outcome, day, same_agent, note, agent, run = values
    calls_back = outcome == "call_back"
    return OutcomeReport(
        number,
        outcome,
        report=report,
        run_id=int(run) if run else None,
        agent=agent or None,
        # Other systems leave the day of a call-back that is over.
        call_back_on=date.fromisoformat(day) if day and calls_back else None,
        same_agent=same_agent == "active" and calls_back,
        note=note or None,
    )
