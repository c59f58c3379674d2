"""Imports leads, agents and holidays from files. Each row is checked; one transaction imports all rows or none.

The package `files` reads a file: its columns, and the values of its rows.

The rows of a file go into a temporary table of the connection first. Only the last statements, which add those that are
new and record the import, write to tables of the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from itertools import islice
from pathlib import Path
from typing import IO, Any

from agent_funnel.database import Database, Session
from agent_funnel.errors import DatabaseError, ImportRefused, RunInProgress
from agent_funnel.files.cells import Values
from agent_funnel.files.columns import FIELDS, field_word
from agent_funnel.files.rejects import Rejects
from agent_funnel.files.tables import AS_IT_IS, CheckedRow, Choices, Table, Understood, open_table
from agent_funnel.files.tally import REPORTED_BAD_ROWS, BadRow, Tally
from agent_funnel.import_records import (
    A_PROGRAM,
    Origin,
    begin_record,
    chosen_columns,
    end_record,
    record_values,
    remember_choice,
    rules_of,
)
from agent_funnel.numbers import EndsAlike, find_alike, take_in
from agent_funnel.sentences import counted, sentence, shown_as
from agent_funnel.values import Row, read_lead_date

# The status of an agent in words:
STATUSES = {"active": sentence("active"), "inactive": sentence("inactive")}
# Rows that are sent to the database at a time:
CHUNK = 5_000
# Match keys that are kept at a time; a deal waits for that long, half a second on a small server:
KEYS_AT_ONCE = 50_000


@dataclass(frozen=True)
class KeptRow:
    """A row that is in the database already, but not as in the file: its line in the file, and what is there."""

    line: int
    there: str


@dataclass(frozen=True)
class Imported:
    """The result of an import.

    Of the `rows` of the file, `added` are new, `changed` have got the status that the file has, `kept` were in the
    database already, and `bad_rows` are bad. `bad` lists the bad rows, at most a thousand. `understood` says how the
    file was read.

    Of the kept rows, `respelled` have their number in another spelling, and `differing` another stage, date or status;
    they stay as they are, and `kept_rows` lists them, at most a thousand. Of the rows that are not bad, `listed` have a
    number on a do-not-contact list, and so are never dealt; `ends_alike` counts the new ones that only a country would
    match.
    """

    rows: int
    added: int
    changed: int
    kept: int
    bad_rows: int
    bad: tuple[BadRow, ...]
    respelled: int
    differing: int
    listed: int
    ends_alike: EndsAlike | None
    kept_rows: tuple[KeptRow, ...]
    understood: Understood
    import_id: int | None


@dataclass(frozen=True)
class Written:
    """The amounts of an import in the database, and its id on record; None in a dry run."""

    added: int
    changed: int
    import_id: int | None


def import_file(
    database: Database,
    kind: str,
    file: Path | IO[bytes],
    *,
    name: str | None = None,
    choices: Choices = AS_IT_IS,
    zone: tzinfo = UTC,
    today: date | None = None,
    update: bool = False,
    skip_bad: bool = False,
    dry_run: bool = False,
    rejects: Rejects | None = None,
    progress: Callable[[int], None] | None = None,
    origin: Origin = A_PROGRAM,
    new_agents: bool = False,
) -> Imported:
    """Imports a file of `leads`, `agents`, `limits` or `holidays`, with the fields of FIELDS.

    `choices` say how to read it, where the file leaves that open. Dates with a time zone are converted to `zone`, that
    of the sales floor, and the leads of a file without dates get `today`. A lead whose number is in the database, in
    any spelling, is there already.

    The whole file is read, checked and staged before the transaction begins: a file that comes slowly keeps nobody else
    from writing. Rows that are already in the database stay as they are, or with `update`, agents get the status, and
    leads that are in one record the stage and date, that the file has. `name` is the file's name in messages. A
    `dry_run` does everything and then rolls it back. `rejects` gets the bad rows, whatever comes of the others. A limit
    of an agent who is not in the database is bad, unless `new_agents` says that these are yet to come. The import is on
    record, with its `origin`. Raises BadRows if a row is bad and `skip_bad` is not set, and ImportRefused if the file
    cannot be imported at all.
    """
    name = name or str(file)
    tally = Tally(rejects)
    remembered = chosen_columns(database, kind)
    imported: Imported | None = None
    try:
        with (
            open_table(
                file, kind, name, choices, zone=zone, today=today, remembered=remembered, updates=update
            ) as table,
            database.session() as session,
        ):
            tally.begin(table)
            read = table.rows()
            _stage(session, kind, tally.good(_that_fit(session, read) if kind == "leads" else read), progress)
            country = _key_staged(session, kind)
            _drop_repeated(session, table, tally)
            if kind == "limits" and not new_agents:
                _drop_unknown(session, table, tally)
            if tally.bad_rows and not skip_bad:
                raise BadRows(name, tally.bad, tally.bad_rows)
            if country is not None and not dry_run:
                # So that the leads which others have inserted are found in every spelling, too.
                take_in(database)
            compared = _compare_staged(session, table, tally, update=update)
            if update and tally.bad_rows and not skip_bad:
                raise BadRows(name, tally.bad, tally.bad_rows)
            alike = find_alike(session) if country is not None else None
            values = record_values(
                kind, origin, name, table.sha256, rules_of(table) | {"skip_bad": skip_bad, "update": update}
            )
            written = _write_staged(
                session, kind, values, tally=tally, update=_columns_of(table) if update else None, dry_run=dry_run
            )
            added, changed = written.added, written.changed
            imported = Imported(
                rows=tally.rows, added=added, changed=changed, kept=tally.rows - tally.bad_rows - added - changed,
                bad_rows=tally.bad_rows, bad=tally.bad, understood=table.understood, import_id=written.import_id,
                **(compared | {"differing": compared["differing"] - changed}), ends_alike=alike,
            )  # fmt: skip
            if country is not None and added and not dry_run:
                _keep_keys(session, country)
    except (RunInProgress, DatabaseError):
        # Once the rows are there, a run takes in the keys that it needs, and the service takes in the others.
        if imported is None:
            raise
    assert imported is not None
    if not dry_run:
        remember_choice(database, table, choices, origin)
    return imported


class BadRows(ImportRefused):
    """The file has bad rows; nothing was imported."""

    def __init__(self, name: str, bad: Sequence[BadRow], count: int) -> None:
        first = "\n".join(f"  line {row.line}: {row.reason}" for row in bad[:20])
        more = f"\n  and {count - 20} more" if count > 20 else ""
        rows = "row" if count == 1 else "rows"
        shown = counted(
            "%(name)s has %(count)s bad row; nothing was imported.",
            "%(name)s has %(count)s bad rows; nothing was imported.",
            count,
            name=name,
        )
        # A page has the rows themselves in a table.
        super().__init__(shown_as(f"{name} has {count} bad {rows}; nothing was imported.\n{first}{more}", shown))
        self.bad = tuple(bad)
        self.count = count


class _DryRun(Exception):
    """Ends the transaction of a dry run, so that it is rolled back."""


def load_rows(
    database: Database,
    kind: str,
    rows: Iterable[Values],
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Adds the rows whose number, agent or day is new, in one transaction. Returns how many it added.

    The rows must have been checked, and none may come twice. A `dry_run` rolls everything back. `progress` is called
    after each chunk with its number of rows.
    """
    with database.session() as session:
        _stage(session, kind, enumerate(rows, start=1), progress)
        _key_staged(session, kind)
        return _write_staged(session, kind, dry_run=dry_run).added


def _stage(
    session: Session, kind: str, rows: Iterable[tuple[int, Values]], progress: Callable[[int], None] | None
) -> None:
    """Puts rows, each with its line, into a temporary table. It holds no lock that anybody else needs."""
    rows = iter(rows)
    session.one("begin_import")
    while chunk := list(islice(rows, CHUNK)):
        lines = [(line, *values) for line, values in chunk]
        session.one("stage_rows", rows=json.dumps(lines, ensure_ascii=False, separators=(",", ":")))
        if progress:
            progress(len(chunk))
    session.one("sort_staged")


def _key_staged(session: Session, kind: str) -> str | None:
    """Gives staged leads their match keys. Returns the country of the keys; None if the rows are no leads.

    The key of a limit is its agent with its days.
    """
    if kind == "limits":
        session.one("key_limits")
    if kind != "leads":
        return None
    row = session.one("key_staged")
    assert row is not None
    return str(row["country"])


def _drop_repeated(session: Session, table: Table, tally: Tally) -> None:
    """Drops the staged rows whose key is on an earlier line; they are bad."""
    found = session.all("repeated_rows", most=tally.most)
    if found:
        dropped = session.one("drop_repeated")
        assert dropped is not None
        key = sentence("limit") if table.kind == "limits" else field_word(FIELDS[table.kind][0])
        reasons = {
            int(row["line"]): sentence("same %(key)s as on line %(line)s", key=key, line=str(row["first_line"]))
            for row in found
        }
        tally.reject(table, reasons, int(dropped["dropped"]))


def _drop_unknown(session: Session, table: Table, tally: Tally) -> None:
    """Drops the staged limits of agents who are not in the database; they are bad."""
    found = session.all("limits_of_nobody", most=tally.most)
    if found:
        removed = session.one("drop_limits_of_nobody")
        assert removed is not None
        reasons = {int(row["line"]): sentence("there is no agent %(agent)s", agent=repr(row["agent"])) for row in found}
        tally.reject(table, reasons, int(removed["removed"]))


def _columns_of(table: Table) -> dict[str, int]:
    """Which of the columns of leads the file has, for the queries that compare and update."""
    return {f"with_{field}": int(field in table.columns) for field in ("stage", "date")}


def _compare_staged(session: Session, table: Table, tally: Tally, *, update: bool) -> dict[str, Any]:
    """Compares the staged rows with those in the database: the fields of Imported that say what is different.

    For an update, leads that are there in several records are bad.
    """
    if table.kind == "holidays":
        return {"respelled": 0, "differing": 0, "listed": 0, "kept_rows": ()}
    flags = _columns_of(table) | {"is_update": int(update)}
    counts = session.one(f"compare_{table.kind}", **(flags if table.kind == "leads" else {}))
    assert counts is not None
    if counts.get("aside"):
        aside = session.all("leads_aside", most=tally.most)
        reasons = {
            int(row["line"]): sentence(
                "number is in %(records)s entries there; an update changes only a number that is in one",
                records=str(row["records"]),
            )
            for row in aside
        }
        tally.reject(table, reasons, int(counts["aside"]))
    rows = session.all(f"kept_{table.kind}", most=REPORTED_BAD_ROWS)
    there = {"leads": _lead_there, "agents": _agent_there, "limits": _limit_there}[table.kind]
    kept = tuple(KeptRow(int(row["line"]), there(row)) for row in rows)
    return {name: int(counts[name] or 0) for name in ("respelled", "differing", "listed")} | {"kept_rows": kept}


def _lead_there(row: Row) -> str:
    if row["records"] > 1:
        records = str(row["records"])
        if row["is_respelled"]:
            return sentence("is there as %(number)s, in %(records)s entries", number=row["number"], records=records)
        return sentence("is there, in %(records)s entries", records=records)
    other = {"stage": str(row["stage"]), "moment": str(read_lead_date(row["date"]))}
    if row["is_respelled"] and row["is_different"]:
        return sentence(
            "is there as %(number)s, with stage %(stage)s and date %(moment)s", number=row["number"], **other
        )
    if row["is_respelled"]:
        return sentence("is there as %(number)s", number=row["number"])
    return (
        sentence("is there, with stage %(stage)s and date %(moment)s", **other)
        if row["is_different"]
        else sentence("is there")
    )


def _agent_there(row: Row) -> str:
    return sentence("is %(status)s there", status=STATUSES.get(row["status"], row["status"]))


def _limit_there(row: Row) -> str:
    return sentence("has the limit %(limit)s there", limit=str(row["max_records"]))


def _write_staged(
    session: Session,
    kind: str,
    values: Mapping[str, Any] | None = None,
    *,
    tally: Tally | None = None,
    update: Mapping[str, int] | None = None,
    dry_run: bool,
) -> Written:
    """Adds the staged rows that are new, and with `update` changes others. With `values`, records the import."""
    row, changed, import_id = None, 0, None
    try:
        with session.transaction():
            if values is not None:
                import_id = begin_record(session, values)
            if update is not None and kind != "holidays":
                flags = update if kind == "leads" else {}
                found = session.one(f"update_{kind}", import_id=import_id, **flags)
                assert found is not None
                changed = int(found["changed"])
            row = session.one(f"import_{kind}", import_id=import_id)
            assert row is not None
            if import_id is not None and tally is not None:
                end_record(
                    session, import_id, rows=tally.rows, added=int(row["added"]), changed=changed,
                    bad_rows=tally.bad_rows,
                )  # fmt: skip
            if dry_run:
                raise _DryRun
    except _DryRun:
        import_id = None
    assert row is not None
    return Written(int(row["added"]), changed, import_id)


def _keep_keys(session: Session, country: str) -> None:
    """Keeps the match keys of the staged leads, which were computed for this country, in several short transactions."""
    last: str | None = ""
    while last is not None:
        row = session.one("keep_staged_keys", country=country, after=last, most=KEYS_AT_ONCE)
        assert row is not None
        last = row["last_number"]


def _that_fit(session: Session, rows: Iterator[CheckedRow]) -> Iterator[CheckedRow]:
    """The rows of leads; those whose number the tables of the deal cannot hold are bad.

    The tables may be yours. A number that the assignments cannot hold would stop every deal.
    """
    columns = session.one("number_columns")
    assert columns is not None
    longest, whole = columns["longest"], columns["whole"]
    if longest is None and not whole:
        yield from rows
        return
    for row in rows:
        number = row.values[0] if row.fault is None else ""
        if longest is not None and len(number) > longest:
            fault = sentence(
                "number has %(length)s characters; the tables hold at most %(longest)s",
                length=str(len(number)),
                longest=str(longest),
            )
            yield row._replace(fault=fault)
        elif number and whole and not number.removeprefix("+").isdigit():
            yield row._replace(fault=sentence("number has letters; the tables hold whole numbers only"))
        else:
            yield row
