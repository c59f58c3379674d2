"""Files of numbers for a do-not-contact list: a column of numbers and perhaps of reasons, or a number a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from agent_funnel.database import Database
from agent_funnel.do_not_contact import import_do_not_contact, list_word
from agent_funnel.errors import ImportRefused
from agent_funnel.files.cells import Values
from agent_funnel.files.rejects import Rejects
from agent_funnel.files.tables import AS_IT_IS, Choices, Understood, open_table
from agent_funnel.files.tally import BadRow, Tally
from agent_funnel.import_records import A_PROGRAM, Origin, chosen_columns, record_values, remember_choice, rules_of
from agent_funnel.imports import BadRows
from agent_funnel.numbers import EndsAlike
from agent_funnel.sentences import sentence, shown_as

NumberRow = tuple[int, str, str | None]


@dataclass(frozen=True)
class ImportedNumbers:
    """The result of an import to the do-not-contact list `list_name`.

    Of the `rows` of the file, `added` are new on that list, `kept` were there already or on an earlier line, and
    `bad_rows` are bad; `bad` lists these, at most a thousand. `removed` numbers were put there by an import, and are
    not in the file. `leads` rows of `wafunnel` and `assignments` have numbers of the file; `ends_alike` counts the
    numbers that only a country would match with leads. After a `dry_run`, nothing is changed, and with
    `needs_confirmation` the same import is refused unless it is confirmed.
    """

    list_name: str
    dry_run: bool
    rows: int
    added: int
    kept: int
    removed: int
    bad_rows: int
    leads: int
    assignments: int
    ends_alike: EndsAlike | None
    needs_confirmation: bool
    bad: tuple[BadRow, ...]
    understood: Understood


class TooManyRemoved(ImportRefused):
    """The import would remove many numbers from the list; nothing was changed."""

    def __init__(self, list_name: str, removed: int, imports: int) -> None:
        super().__init__(
            shown_as(
                f"The import would remove {removed:,} of the {imports:,} numbers that imports put on the list "
                f"{list_name}, more than a tenth; nothing was changed. If the file is complete, confirm it (--yes).",
                sentence(
                    "The import would remove %(removed)s of the %(imports)s numbers that imports put on the list "
                    "%(list_name)s, more than a tenth; nothing was changed. If the file is complete, confirm it below.",
                    removed=removed,
                    imports=imports,
                    list_name=list_word(list_name),
                ),
            )
        )


def import_numbers(
    database: Database,
    file: Path | IO[bytes],
    *,
    list_name: str,
    name: str | None = None,
    choices: Choices = AS_IT_IS,
    replaces: bool = False,
    confirmed: bool = False,
    skip_bad: bool = False,
    dry_run: bool = False,
    rejects: Rejects | None = None,
    progress: Callable[[int], None] | None = None,
    origin: Origin = A_PROGRAM,
) -> ImportedNumbers:
    """Imports a file of numbers to a do-not-contact list; they leave the present assignments at once.

    `choices` say how to read the file, where it leaves that open. With `replaces`, numbers that an import put there and
    that are not in the file are removed; more than a tenth of them only if that is `confirmed`. `name` is the file's
    name in messages, and `rejects` gets the bad rows. The import is on record, with its `origin`. Raises NotFound if
    there is no such list, BadRows if all rows are bad, or one is and `skip_bad` is not set, TooManyRemoved, and
    ImportRefused if the file cannot be imported at all.
    """
    name = name or str(file)
    tally = Tally(rejects)

    def numbers(rows: Iterator[tuple[int, Values]]) -> Iterator[NumberRow]:
        for line, (number, reason) in rows:
            yield line, number, reason or None

    def check() -> dict[str, Any]:
        # A file of nothing but bad rows is probably of another kind, whatever was asked for.
        if tally.bad_rows and (not skip_bad or tally.bad_rows == tally.rows):
            raise BadRows(name, tally.bad, tally.bad_rows)
        rules = rules_of(table) | {"list": list_name, "replace": replaces, "skip_bad": skip_bad}
        values = record_values("do-not-contact", origin, name, table.sha256, rules)
        return {**values, "rows": tally.rows, "bad_rows": tally.bad_rows}

    with open_table(file, "numbers", name, choices, remembered=chosen_columns(database, "numbers")) as table:
        tally.begin(table)
        taken, alike = import_do_not_contact(
            database,
            numbers(tally.good(table.rows())),
            list_name=list_name,
            replaces=replaces,
            confirmed=confirmed,
            dry_run=dry_run,
            check=check,
            progress=progress,
        )
    if not taken.applied and not dry_run:
        raise TooManyRemoved(list_name, taken.removed, taken.imports)
    if not dry_run:
        remember_choice(database, table, choices, origin)
    added = taken.numbers - taken.kept
    return ImportedNumbers(
        list_name=list_name,
        dry_run=dry_run,
        rows=tally.rows,
        added=added,
        kept=tally.rows - tally.bad_rows - added,
        removed=taken.removed,
        bad_rows=tally.bad_rows,
        leads=taken.leads,
        assignments=taken.assignments,
        ends_alike=alike,
        needs_confirmation=taken.removed * 10 > taken.imports,
        bad=tally.bad,
        understood=table.understood,
    )
