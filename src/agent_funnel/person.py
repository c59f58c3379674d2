"""A person, who is known by a number in any spelling: all that is kept of them, and how it is erased."""

from __future__ import annotations

from dataclasses import dataclass

from agent_funnel.database import Database
from agent_funnel.do_not_contact import DoNotContact, do_not_contact_of
from agent_funnel.errors import NotFound, ParameterOutOfRange
from agent_funnel.import_records import LeadImport
from agent_funnel.numbers import fault_in_listed, take_in
from agent_funnel.sentences import sentence
from agent_funnel.values import Day, Flag, LeadDate, Moment, Record, Text, check_length, shortened


@dataclass(frozen=True)
class PersonLead(Record):
    """A record of `wafunnel`, which stands for `copies` equal rows. `date` is local to the sales floor."""

    number: Text
    stage: int | None
    date: LeadDate | None
    copies: int


@dataclass(frozen=True)
class PersonAssignment(Record):
    """A present assignment, which stands for `copies` equal rows."""

    agent: Text | None
    number: Text
    copies: int


@dataclass(frozen=True)
class PersonDealt(Record):
    """A lead that a run dealt to an agent, with its date and its stage before the run."""

    run_id: int
    business_date: Day
    status: str
    agent: str
    number: str
    date: LeadDate | None
    stage: int


@dataclass(frozen=True)
class PersonEdit(Record):
    """An assignment that others had added before a run, or, with 0 copies, removed."""

    run_id: int
    agent: str | None
    number: str
    copies: int


@dataclass(frozen=True)
class PersonOutcome(Record):
    """What an agent reported of a lead that a run had dealt, whether it was taken back or replaced since or not."""

    outcome_id: int
    run_id: int
    agent: str
    number: str
    outcome: str
    call_back_on: Day | None
    same_agent: Flag
    note: str | None
    reported_at: Moment
    reported_by: str | None
    taken_back_at: Moment | None
    taken_back_by: str | None


@dataclass(frozen=True)
class Erasure(Record):
    """What an erasure removed or, unless it was `applied`, would remove.

    `dealt` leads were in the history of `runs`, which keep their totals; `listed` are entries of do-not-contact lists,
    `imports` leads on the records of imports, and `answers` stored responses. `audit_entries` lost the last digits of
    the number; another number may end alike. `certificate` is the hash that is kept, and is in the audit.
    `forgotten_at` (UTC) is when the number was forgotten before; None if it was not.
    """

    leads: int
    assignments: int
    dealt: int
    runs: int
    edits: int
    outcomes: int
    listed: int
    imports: int
    answers: int
    audit_entries: int
    certificate: str | None
    forgotten_at: Moment | None
    applied: Flag


@dataclass(frozen=True)
class Person:
    """All that is kept of a person. `spellings` are the numbers as they are stored; `answers` counts stored responses.

    `forgotten_at` (UTC) is when the number was forgotten; all else has come since then.
    """

    number: str
    spellings: tuple[str, ...]
    leads: tuple[PersonLead, ...]
    assignments: tuple[PersonAssignment, ...]
    dealt: tuple[PersonDealt, ...]
    edits: tuple[PersonEdit, ...]
    outcomes: tuple[PersonOutcome, ...]
    do_not_contact: tuple[DoNotContact, ...]
    imports: tuple[LeadImport, ...]
    answers: int
    forgotten_at: Moment | None


def find_person(database: Database, number: str) -> Person:
    """All that is kept of a person. Raises NotFound if nothing is kept of them."""
    check_length("number", number)
    *_, spellings, leads, assignments, dealt, edits, outcomes, imports = database.sets("person", number=number)
    found = would_forget(database, number)
    person = Person(
        number=number,
        spellings=tuple(str(row["number"]) for row in spellings),
        leads=tuple(map(PersonLead.from_row, leads)),
        assignments=tuple(map(PersonAssignment.from_row, assignments)),
        dealt=tuple(map(PersonDealt.from_row, dealt)),
        edits=tuple(map(PersonEdit.from_row, edits)),
        outcomes=tuple(map(PersonOutcome.from_row, outcomes)),
        do_not_contact=tuple(do_not_contact_of(database, number)),
        imports=tuple(map(LeadImport.from_row, imports)),
        answers=found.answers,
        forgotten_at=found.forgotten_at,
    )
    if not person.spellings and not person.answers and person.forgotten_at is None:
        raise NotFound(sentence("Nothing is kept of that number, in any spelling."))
    return person


def would_forget(database: Database, number: str) -> Erasure:
    """What an erasure would remove now. It changes nothing."""
    check_length("number", number)
    row = database.one("would_forget", number=number)
    assert row is not None
    return Erasure.from_row(row)


def forget(database: Database, number: str, *, actor: str) -> Erasure:
    """Erases all that is kept of a person, in any spelling, so that nothing can bring it back.

    Runs keep their totals. A hash of the match key is kept, so that the number is not dealt when somebody stores it
    again. Waits for a deal in progress. Raises ParameterOutOfRange for a text that is neither a number nor an id,
    unless it is stored.
    """
    check_length("number", number)
    # Taken in first, while no deal has to wait for it.
    take_in(database, with_history=True)
    if fault := fault_in_listed(number):
        found = would_forget(database, number)
        kept = (found.leads, found.assignments, found.dealt, found.edits, found.outcomes, found.listed, found.imports)
        if not any(kept):
            raise ParameterOutOfRange(
                sentence("%(fault)s; and it is stored nowhere. Nothing was changed.", fault=fault)
            )
    row = database.one("forget", number=number, actor=shortened(actor))
    assert row is not None
    return Erasure.from_row(row)
