"""The kinds of files that pages import: their words, their columns, and the models of their forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent_funnel.sentences import Sentence, counted, sentence, shown_as
from agent_funnel.web.import_models import (
    AgentsImportQuery,
    FileQuery,
    HolidaysImportQuery,
    LeadsImportQuery,
    LimitsImportQuery,
    NumbersImportQuery,
)

# The kinds of imports on record, and the ways on which they came:
KIND_NAMES = {
    "leads": sentence("leads"),
    "agents": sentence("agents"),
    "limits": sentence("limits"),
    "holidays": sentence("holidays"),
    "outcomes": sentence("outcomes"),
    "do-not-contact": shown_as("do-not-contact", sentence("do-not-contact numbers")),
}
WAYS = {
    "command": sentence("by a command"),
    "api": sentence("through the API"),
    "page": sentence("on the page"),
    "program": sentence("by a program"),
}
# The rules of an import on record that are shown as they are, with their labels:
RULE_NAMES = {
    "format": sentence("Format"),
    "sheet": sentence("Sheet"),
    "delimiter": sentence("Delimiter"),
    "encoding": sentence("Encoding"),
    "zone": sentence("Zone"),
    "list": sentence("List"),
}
DELIMITERS = {
    "comma": sentence("comma"),
    "semicolon": sentence("semicolon"),
    "tab": sentence("tab"),
    "bar": sentence("bar"),
}


def amount_of(kind: str, count: int) -> Sentence:
    """An amount of what an import of a kind has, such as 12 leads."""
    match kind:
        case "leads":
            return counted("%(count)s lead", "%(count)s leads", count)
        case "agents":
            return counted("%(count)s agent", "%(count)s agents", count)
        case "limits":
            return counted("%(count)s limit", "%(count)s limits", count)
        case _:
            return counted("%(count)s holiday", "%(count)s holidays", count)


def effect(kind: str, result: Any) -> Sentence:
    """The words of the button that imports a checked file, which name what it does."""
    if getattr(result, "removed", 0):
        return sentence("Import: add %(added)s, remove %(removed)s", added=result.added, removed=result.removed)
    if getattr(result, "changed", 0):
        return sentence("Import: add %(added)s, change %(changed)s", added=result.added, changed=result.changed)
    match kind:
        case "leads":
            return counted("Import %(count)s new lead", "Import %(count)s new leads", result.added)
        case "agents":
            return counted("Import %(count)s new agent", "Import %(count)s new agents", result.added)
        case "limits":
            return counted("Import %(count)s new limit", "Import %(count)s new limits", result.added)
        case "numbers":
            return counted("Import %(count)s new number", "Import %(count)s new numbers", result.added)
        case _:
            return counted("Import %(count)s new holiday", "Import %(count)s new holidays", result.added)


def without_bad(effect: Sentence, count: int) -> Sentence:
    """The words of the button that imports only the good rows of a checked file."""
    return counted("%(effect)s, leave %(count)s row out", "%(effect)s, leave %(count)s rows out", count, effect=effect)


def differing(kind: str, count: int) -> Sentence:
    """How many rows of a file are there already, but not as in the file, and so were left as they are."""
    match kind:
        case "leads":
            return sentence("%(n)s already there with another stage or date, and not changed.", n=count)
        case "agents":
            return sentence("%(n)s already there with another status, and not changed.", n=count)
        case _:
            return sentence("%(n)s already there with another number of leads, and not changed.", n=count)


@dataclass(frozen=True)
class ImportKind:
    """A kind of file: the kind of FIELDS as which it is read, its words, and its form.

    `columns` are the fields whose columns can be chosen, with their labels; the first one is always needed, and so are
    those in `needed`. `nothing_new` and `again` say what an import of rows does that are there already. `back` is the
    page that has the rows, with its name.
    """

    reads: str
    title: Sentence
    nothing_new: Sentence
    again: Sentence
    model: type[FileQuery]
    columns: tuple[tuple[str, Sentence], ...]
    back: tuple[str, Sentence]
    needed: tuple[str, ...] = ()
    update: Sentence | None = None


# By the part of the address that names the kind:
IMPORT_KINDS = {
    "leads": ImportKind(
        "leads",
        sentence("Import leads"),
        sentence("The file has no new leads."),
        sentence(
            "Leads that are already there are not changed unless you want that, so it does no harm to import a file "
            "twice."
        ),
        LeadsImportQuery,
        (
            ("number", sentence("Column of the numbers")),
            ("stage", sentence("Column of the stages")),
            ("date", sentence("Column of the dates")),
        ),
        ("leads.show", sentence("All leads")),
        update=sentence("Set calls and dates of leads that are already there to those of the file"),
    ),
    "agents": ImportKind(
        "agents",
        sentence("Import agents"),
        sentence("The file has no new agents."),
        sentence(
            "Agents that are already there are not changed unless you want that, so it does no harm to import a file "
            "twice."
        ),
        AgentsImportQuery,
        (("agent", sentence("Column of the names")), ("status", sentence("Column of the statuses"))),
        ("agents.show", sentence("All agents")),
        update=sentence("Set the status of agents who are already there to that of the file"),
    ),
    "limits": ImportKind(
        "limits",
        sentence("Import limits and absences"),
        sentence("The file has no new limits."),
        sentence("Limits that are already there are not changed, so it does no harm to import a file twice."),
        LimitsImportQuery,
        (
            ("agent", sentence("Column of the agents")),
            ("max_records", sentence("Column of the leads per night")),
            ("starts_on", sentence("Column of the first days")),
            ("ends_on", sentence("Column of the last days")),
        ),
        ("calendar.show", sentence("Calendar")),
        needed=("starts_on",),
    ),
    "holidays": ImportKind(
        "holidays",
        sentence("Import holidays"),
        sentence("The file has no new holidays."),
        sentence("Holidays that are already there are not changed, so it does no harm to import a file twice."),
        HolidaysImportQuery,
        (("day", sentence("Column of the days")), ("name", sentence("Column of the names"))),
        ("calendar.show", sentence("Calendar")),
    ),
    "numbers": ImportKind(
        "numbers",
        sentence("Import do-not-contact numbers"),
        sentence("The file has no new numbers."),
        sentence("Numbers that are already there are not changed, so it does no harm to import a file twice."),
        NumbersImportQuery,
        (("number", sentence("Column of the numbers")), ("reason", sentence("Column of the reasons"))),
        ("do_not_contact.show", sentence("Do not contact")),
    ),
}
