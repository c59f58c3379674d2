"""Imports on record: who imported which file, what it added and changed, what became of it, and its undo."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent_funnel.database import Database, Session
from agent_funnel.errors import NotFound, NothingToUndo
from agent_funnel.files.columns import header_key
from agent_funnel.files.tables import Choices, Table
from agent_funnel.masking import mask_digits
from agent_funnel.numbers import match_key, take_in
from agent_funnel.sentences import sentence, shown_as
from agent_funnel.values import LONGEST_TEXT, Flag, JsonObject, LeadDate, Moment, Record, shortened, text_length

# No import has a number as large as this:
LARGEST_IMPORT_ID = 2**31 - 1
# The kinds of imports that can be undone. Numbers on a do-not-contact list must not come back by mistake, and outcomes
# are taken back one by one:
UNDOABLE = ("leads", "agents", "limits", "holidays")
# The longest rules that the table can hold; those of a file have a few hundred characters:
LONGEST_RULES = 4_000
# Eight digits that are a day, as many files have it in their names, and masked numbers:
_DAY = re.compile(r"(?<!\d)20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)")
_MASKED = re.compile(r"…[^\W_]{0,3}")


@dataclass(frozen=True)
class Origin:
    """Who imports a file, and from where: by which way in, from which address, and under which name.

    Without a name, it is that of the file itself.
    """

    actor: str | None = None
    source: Literal["command", "api", "page", "program"] = "program"
    address: str | None = None
    file_name: str | None = None


A_PROGRAM = Origin()


@dataclass(frozen=True)
class ImportRecord(Record):
    """An import on record: of the `rows` of the file it added, changed and kept some, and the others were bad.

    `removed` numbers of a do-not-contact list were not in the file. Its undo took back `taken_back` of the leads or
    other rows that it added, put back `put_back` of those that it changed, and left `left_alone` as they were.
    Moments are in UTC.
    """

    import_id: int
    kind: str
    imported_at: Moment
    actor: str | None
    source: str
    address: str | None
    file_name: str
    sha256: str | None
    rules: JsonObject
    rows: int
    added: int
    changed: int
    removed: int
    kept: int
    bad_rows: int
    undone_at: Moment | None
    undone_by: str | None
    taken_back: int | None
    put_back: int | None
    left_alone: int | None


@dataclass(frozen=True)
class Batch:
    """The leads of an import by their stage now. `gone` are in the table no more, `other` have an invalid stage."""

    never_called: int
    called_once: int
    called_twice: int
    finished: int
    gone: int
    other: int


@dataclass(frozen=True)
class LeadImport(Record):
    """An import that added a lead, or changed it from `stage_before` and `date_before`, with what it wrote."""

    import_id: int
    imported_at: Moment
    file_name: str
    number: str
    stage: int
    date: LeadDate | None
    is_changed: Flag
    stage_before: int | None
    date_before: LeadDate | None


@dataclass(frozen=True)
class UndoneImport:
    """The result of an undo: leads or other rows that were taken back, put back as they were, and left as they are."""

    import_id: int
    taken_back: int
    put_back: int
    left_alone: int


def record_values(kind: str, origin: Origin, name: str, sha256: str, rules: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an import's record. Numbers in the file's name and in the rules are left out of it."""
    written = json.dumps({key: value for key, value in rules.items() if value not in (None, {})}, ensure_ascii=False)
    return {
        "kind": kind,
        "actor": None if origin.actor is None else shortened(origin.actor),
        "source": origin.source,
        "address": origin.address,
        "file_name": _fitting(without_numbers(origin.file_name or re.split(r"[/\\]", name)[-1])),
        "sha256": sha256,
        "rules": masked if text_length(masked := _without_numbers_in_json(written)) <= LONGEST_RULES else "{}",
    }


def without_numbers(name: str) -> str:
    """A file's name without the phone numbers in it. Days, such as 20261126, stay."""
    found = 0
    parts: list[str] = []
    for day in _DAY.finditer(name):
        parts += [_MASKED.sub("…", mask_digits(name[found : day.start()])), day[0]]
        found = day.end()
    return "".join([*parts, _MASKED.sub("…", mask_digits(name[found:]))])


def _without_numbers_in_json(text: str) -> str:
    return _MASKED.sub("…", mask_digits(text))


def _fitting(name: str) -> str:
    while text_length(name) > LONGEST_TEXT:
        name = name[:-1]
    return name


def begin_record(session: Session, values: Mapping[str, Any]) -> int:
    """Records an import, in its transaction, and returns its id."""
    row = session.one("record_import", **values)
    assert row is not None
    return int(row["import_id"])


def end_record(session: Session, import_id: int, *, rows: int, added: int, changed: int, bad_rows: int) -> None:
    """Records the amounts of an import, at the end of its transaction."""
    session.sets(
        "record_result",
        import_id=import_id,
        rows=rows,
        added=added,
        changed=changed,
        kept=rows - added - changed - bad_rows,
        bad_rows=bad_rows,
    )


def chosen_columns(database: Database, kind: str) -> dict[str, dict[str, str]]:
    """The columns that people chose before for files of a kind, by the key of the header."""
    return {row["header_hash"].strip(): json.loads(row["chosen"]) for row in database.all("chosen_columns", kind=kind)}


def remember_choice(database: Database, table: Table, choices: Choices, origin: Origin) -> None:
    """Remembers the columns that somebody chose for an imported file, for the next file with these columns.

    Or forgets them, if that is wanted and none were chosen.
    """
    key, columns = header_key(table.header), table.chosen
    if key is None or not (columns or choices.forget_columns):
        return
    chosen = json.dumps(dict(columns), ensure_ascii=False) if columns else None
    if chosen is None or text_length(chosen) <= LONGEST_RULES:
        actor = None if origin.actor is None else shortened(origin.actor)
        database.sets("choose_columns", kind=table.kind, header_hash=key, chosen=chosen, actor=actor)


def rules_of(table: Table) -> dict[str, Any]:
    """The rules by which a file was read, for the record of its import."""
    found = table.understood
    names = ("format", "sheet", "encoding", "delimiter", "columns", "dates")
    rules = {name: getattr(found, name) for name in names}
    return rules | ({"zone": str(table.zone)} if table.kind == "leads" else {})


def list_imports(database: Database, *, count: int, before: int | None = None) -> list[ImportRecord]:
    """The newest imports, newest first; or those before an import."""
    rows = database.all("imports", import_id=None, before=before, count=count)
    return [ImportRecord.from_row(row) for row in rows]


def find_import(database: Database, import_id: int) -> ImportRecord:
    """An import, by its id. Raises NotFound if there is none."""
    row = None
    if 0 < import_id <= LARGEST_IMPORT_ID:
        row = database.one("imports", import_id=import_id, before=None, count=1)
    if row is None:
        raise _no_import(import_id)
    return ImportRecord.from_row(row)


def _no_import(import_id: int) -> NotFound:
    return NotFound(
        shown_as(
            f"There is no import {import_id}; nothing was changed. `agent-funnel imports` lists all.",
            sentence("There is no import %(import_id)s; nothing was changed.", import_id=str(import_id)),
        )
    )


def batch_of(database: Database, import_id: int) -> Batch:
    """What became of the leads that an import added or changed."""
    leads = {row["stage"]: int(row["leads"]) for row in database.all("batch_stages", import_id=import_id)}
    by_stage = [leads.get(stage, 0) for stage in (1, 2, 3, 4, 0, None)]
    return Batch(*by_stage)


def imports_of_number(database: Database, number: str, *, key: str | None = None) -> list[LeadImport]:
    """The imports that added or changed a lead of a number, in any spelling, newest first.

    `key` is the match key of the number, if the caller has it.
    """
    if text_length(number) > LONGEST_TEXT:
        return []
    known = match_key(database, number) if key is None else key
    rows = database.all("imports_of_number", number=number, match_key=known)
    return [LeadImport.from_row(row) for row in rows]


def would_undo_import(database: Database, import_id: int) -> UndoneImport:
    """What an undo of an import would do now. It changes nothing. Raises as `undo_import` does."""
    find_import(database, import_id)
    return _undone(import_id, database.one("would_undo_import", import_id=import_id))


def undo_import(database: Database, import_id: int, *, actor: str) -> UndoneImport:
    """Takes back what an import added, and puts back what it changed.

    Only what is still as it wrote it: leads of whose match key there is no run and no outcome since, agents whose name
    nothing else has, limits and holidays. The others are left and counted. Waits for a run in progress. Raises NotFound
    if there is no such import, and NothingToUndo if it is undone already, or is one of other things.
    """
    find_import(database, import_id)
    # So that the runs since the import are found in every spelling, while no deal has to wait for it.
    take_in(database, with_history=True)
    return _undone(import_id, database.one("undo_import", import_id=import_id, actor=shortened(actor)))


def _undone(import_id: int, row: Mapping[str, Any] | None) -> UndoneImport:
    if row is None:
        raise _no_import(import_id)
    if row["kind"] not in UNDOABLE:
        raise NothingToUndo(
            shown_as(
                f"Import {import_id} is one of {row['kind']}, and only imports of {', '.join(UNDOABLE[:-1])} and "
                f"{UNDOABLE[-1]} can be undone; nothing was changed.",
                sentence("Only imports of leads, agents, limits and holidays can be undone; nothing was changed."),
            )
        )
    if row["undone_at"] is not None:
        values = {"import_id": str(import_id), "moment": str(row["undone_at"])[:16], "actor": row["undone_by"]}
        raise NothingToUndo(
            sentence(
                "Import %(import_id)s was undone already, %(moment)s UTC by %(actor)s; nothing was changed.", **values
            )
            if row["undone_by"]
            else sentence("Import %(import_id)s was undone already, %(moment)s UTC; nothing was changed.", **values)
        )
    return UndoneImport(import_id, int(row["taken_back"]), int(row["put_back"]), int(row["left_alone"]))
