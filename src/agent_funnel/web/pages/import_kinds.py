"""The kinds of files that pages import: their words, their columns, and the models of their forms."""

from __future__ import annotations

from dataclasses import dataclass

from agent_funnel.web.import_models import (
    AgentsImportQuery,
    FileQuery,
    HolidaysImportQuery,
    LeadsImportQuery,
    LimitsImportQuery,
    NumbersImportQuery,
)

# Fields whose names in files are not words for people:
FIELD_NAMES = {"max_records": "limit", "starts_on": "first day", "ends_on": "last day"}
# What may be different there, of rows that are there already:
DIFFERENCES = {"leads": "another stage or date", "agents": "another status", "limits": "another number of leads"}


@dataclass(frozen=True)
class ImportKind:
    """A kind of file: the kind of FIELDS as which it is read, its words, and its form.

    `columns` are the fields whose columns can be chosen, with their labels; the first one is always needed, and so are
    those in `needed`. `back` is the page that has the rows, with its name.
    """

    reads: str
    title: str
    rows: str
    model: type[FileQuery]
    columns: tuple[tuple[str, str], ...]
    back: tuple[str, str]
    needed: tuple[str, ...] = ()
    update: str | None = None


# By the part of the address that names the kind:
IMPORT_KINDS = {
    "leads": ImportKind(
        "leads",
        "Import leads",
        "leads",
        LeadsImportQuery,
        (("number", "Column of the numbers"), ("stage", "Column of the stages"), ("date", "Column of the dates")),
        ("leads.show", "All leads"),
        update="Set calls and dates of leads that are already there to those of the file",
    ),
    "agents": ImportKind(
        "agents",
        "Import agents",
        "agents",
        AgentsImportQuery,
        (("agent", "Column of the names"), ("status", "Column of the statuses")),
        ("agents.show", "All agents"),
        update="Set the status of agents who are already there to that of the file",
    ),
    "limits": ImportKind(
        "limits",
        "Import limits and absences",
        "limits",
        LimitsImportQuery,
        (
            ("agent", "Column of the agents"),
            ("max_records", "Column of the leads per night"),
            ("starts_on", "Column of the first days"),
            ("ends_on", "Column of the last days"),
        ),
        ("agents.show", "All agents"),
        needed=("starts_on",),
    ),
    "holidays": ImportKind(
        "holidays",
        "Import holidays",
        "holidays",
        HolidaysImportQuery,
        (("day", "Column of the days"), ("name", "Column of the names")),
        ("calendar.show", "Calendar"),
    ),
    "numbers": ImportKind(
        "numbers",
        "Import do-not-contact numbers",
        "numbers",
        NumbersImportQuery,
        (("number", "Column of the numbers"), ("reason", "Column of the reasons")),
        ("do_not_contact.show", "Do not contact"),
    ),
}
