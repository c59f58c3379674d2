"""The do-not-contact lists, and their numbers: a number that is on any list is never dealt.

Lists of numbers come in pages. For the next page, pass the key of the last row of the page before as `after`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from agent_funnel.database import Database
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from agent_funnel.numbers import EndsAlike, fault_in_listed, find_alike, match_key, rows_as_json, staged_rows
from agent_funnel.sentences import Sentence, sentence, shown_as
from agent_funnel.values import NO_LIMIT, Flag, Moment, Record, check_length, check_text, read_moment, write_moment

# The list of those who asked not to be contacted. The installer makes it.
OWN_REQUESTS = "own requests"
# The list of the outcomes `opted_out`. The first of them makes it. People and imports cannot add to it, so that an
# outcome that is taken back takes nothing away that they put there:
OPTED_OUT = "opted out"
# Their names for people, since a program gave them; all other lists have the names that people gave them:
LIST_WORDS = {OWN_REQUESTS: shown_as(OWN_REQUESTS, sentence("direct requests")), OPTED_OUT: sentence("opted out")}
# The reasons that SQL writes for that list and for its entries, which name a run:
OPTED_OUT_REASON = "outcomes that agents report"
ENTRY_REASON = re.compile(r"outcome of run (\d+)")
# The greatest age of an import, in days, unless the list has another bound, and the largest bound:
USUAL_BOUND_DAYS = 30
LONGEST_BOUND_DAYS = 3650
# The most numbers that are added, looked up or removed at once:
MOST_AT_ONCE = 1_000
# Rows of a file that are sent to the database at a time:
CHUNK = 20_000


@dataclass(frozen=True)
class DoNotContact(Record):
    """A number that is never dealt, because it has been on a list since `added_at` (UTC).

    `imported` is whether an import of that list put it there; otherwise a person did.
    """

    number: str
    list_name: str
    reason: str | None
    added_at: Moment
    imported: Flag


@dataclass(frozen=True)
class NumberList(Record):
    """A do-not-contact list. Of its `entries`, imports put `imported` there, and people the others.

    `age_days` is the age of its last import, or of the list if there was none; `bound_days` is the greatest age of an
    import, None if the list needs no new one. Moments are in UTC.
    """

    name: str
    reason: str | None
    source: str | None
    bound_days: int | None
    added_at: Moment
    imported_at: Moment | None
    age_days: int
    entries: int
    imported: int


def list_word(name: str) -> str:
    """The name of a list; a sentence, which can be translated, if a program gave it."""
    return LIST_WORDS.get(name, name)


def reason_word(reason: str) -> str:
    """The reason of a list or an entry; a sentence, which can be translated, if SQL gave it."""
    if reason == OPTED_OUT_REASON:
        return sentence("outcomes that agents report")
    if found := ENTRY_REASON.fullmatch(reason):
        return sentence("an agent reported it after deal %(run_id)s", run_id=found[1])
    return reason


@dataclass(frozen=True)
class OldList:
    """A list whose last import is longer ago than its bound. Without an import, its age is that of the list."""

    name: str
    since: datetime
    days: int
    bound_days: int

    @property
    def text(self) -> Sentence:
        """A sentence for people."""
        return sentence(
            "The do-not-contact list %(name)s is %(days)s days old (since %(since)s); at most %(bound)s days are "
            "allowed. Numbers that its source has added since then may be dealt; import it again.",
            name=list_word(self.name),
            days=self.days,
            since=self.since.date(),
            bound=self.bound_days,
        )


@dataclass(frozen=True)
class Taken(Record):
    """The result of putting `numbers` on a list: `kept` of them were on it before.

    `leads` rows of `wafunnel` and `assignments` had these numbers; the assignments are gone. Replacing an import
    removed `removed` of the `imports` numbers that imports had put there. Unless it was `applied`, nothing was changed.
    """

    numbers: int
    kept: int
    removed: int
    imports: int
    leads: int
    assignments: int
    applied: Flag


def number_lists(database: Database, now: datetime) -> list[NumberList]:
    """The lists, in the order in which they were made. It counts all their numbers."""
    found = []
    for row in database.all("do_not_contact_lists"):
        since = read_moment(row["imported_at"] or row["added_at"])
        # A list that a copy with a clock ahead has just made is not younger than today.
        found.append(NumberList.from_row({**row, "age_days": max(0, (now - since).days)}))
    return found


def old_lists(database: Database, now: datetime) -> list[OldList]:
    """The lists that are older than their bounds."""
    found = []
    for row in database.all("do_not_contact_ages"):
        since, bound = read_moment(row["since"]), row["bound_days"]
        days = (now - since).days
        if bound is not None and now - since > timedelta(days=bound):
            found.append(OldList(row["name"], since, days, bound))
    return found


def note_old_list(database: Database, name: str, *, now: datetime) -> bool:
    """Notes that people are told now that a list is old. Returns False if they were told within a day."""
    row = database.one(
        "note_old_list", list_name=name, now=write_moment(now), day_before=write_moment(now - timedelta(days=1))
    )
    return bool(row and row["noted"])


def add_number_list(
    database: Database,
    name: str,
    *,
    reason: str | None = None,
    source: str | None = None,
    bound_days: int | None = None,
) -> None:
    """Adds a list. Raises AlreadyExists if its name is taken."""
    check_text("name", name)
    if name == OPTED_OUT:
        raise AlreadyExists(
            sentence(
                "The list %(opted_out)s is for reported outcomes only; nothing was changed.",
                opted_out=list_word(name),
            )
        )
    for column, text in (("reason", reason), ("source", source)):
        if text is not None:
            check_text(column, text)
    row = database.one("add_do_not_contact_list", list_name=name, reason=reason, source=source, bound_days=bound_days)
    if not row or not row["added"]:
        raise AlreadyExists(
            sentence("There is a do-not-contact list %(name)s already; nothing was changed.", name=list_word(name))
        )


def list_do_not_contact(
    database: Database,
    *,
    list_name: str | None = None,
    after: tuple[str, str] | None = None,
    count: int = NO_LIMIT,
) -> list[DoNotContact]:
    """The numbers that are never dealt, by number and list; with `list_name`, those of that list.

    `after` is the number and the list of the last row on the page before.
    """
    after_number, after_list = after or (None, None)
    if list_name is not None:
        _list_id(database, list_name)
    rows = database.all(
        "do_not_contact", list_name=list_name, after_number=after_number, after_list=after_list, count=count
    )
    return [DoNotContact.from_row(row) for row in rows]


def stream_do_not_contact(database: Database, list_name: str | None = None) -> Generator[DoNotContact]:
    """The same numbers, all of them, read by one statement. Raises NotFound if there is no such list.

    The caller must read to the end, because the statement may hold locks until then.
    """
    if list_name is not None:
        _list_id(database, list_name)
    for rows in database.stream(
        "do_not_contact", list_name=list_name, after_number=None, after_list=None, count=NO_LIMIT
    ):
        yield from map(DoNotContact.from_row, rows)


def do_not_contact_of(database: Database, number: str, *, key: str | None = None) -> list[DoNotContact]:
    """The entries of a number, in any spelling, in the order of the lists. `key` is its match key, if it is known."""
    rows = database.all("do_not_contact_of_number", number=number, match_key=key or match_key(database, number))
    return [DoNotContact.from_row(row) for row in rows]


def add_do_not_contact(
    database: Database, number: str, reason: str | None = None, *, list_name: str = OWN_REQUESTS
) -> dict[str, int]:
    """Puts a number on a list, and removes it, in any spelling, from the present assignments at once.

    Waits for a deal in progress.

    Returns `listed` (1 if the number was on that list before), `assignments` (how many of them were removed) and
    `leads` (how many rows of `wafunnel` have the number). Raises NotFound if there is no such list.
    """
    taken = add_several(database, [number], reason, list_name=list_name)
    return {"listed": taken.kept, "assignments": taken.assignments, "leads": taken.leads}


def add_several(
    database: Database, numbers: Sequence[str], reason: str | None = None, *, list_name: str = OWN_REQUESTS
) -> Taken:
    """Puts up to a thousand numbers on a list, all or none; they leave the present assignments in any spelling.

    Waits for a deal in progress. Raises NotFound if there is no such list, and ParameterOutOfRange if one of the
    numbers is neither a number nor an id, unless a lead or an assignment has exactly that text.
    """
    if reason is not None:
        check_text("reason", reason)
    list_id = _list_to_fill(database, list_name)
    _check_several(numbers)

    def take(chosen: Sequence[str], *, dry_run: bool = False) -> Taken:
        row = database.one(
            "add_do_not_contact",
            rows=staged_rows(chosen, reason),
            list_id=list_id,
            imported=0,
            replaces=0,
            confirmed=0,
            dry_run=int(dry_run),
        )
        assert row is not None
        return Taken.from_row(row)

    for position, number in enumerate(numbers, start=1):
        if fault := fault_in_listed(number):
            found = take([number], dry_run=True)
            if not found.leads and not found.assignments:
                why = sentence("%(fault)s; and no lead has it. Nothing was changed.", fault=fault)
                if len(numbers) > 1:
                    place, count = str(position), str(len(numbers))
                    why = sentence("Number %(place)s of %(count)s: %(why)s", place=place, count=count, why=why)
                raise ParameterOutOfRange(why)
    return take(numbers)


def _check_several(numbers: Sequence[str]) -> None:
    if not 0 < len(numbers) <= MOST_AT_ONCE:
        raise ParameterOutOfRange(
            sentence(
                "There are %(count)s numbers; 1 to %(most_at_once)s are possible at once. Nothing was changed. Import "
                "a longer list as a file.",
                count=len(numbers),
                most_at_once=MOST_AT_ONCE,
            )
        )
    for number in numbers:
        # Not check_text: numbers that were copied from WhatsApp have marks of the direction of text around them.
        check_length("number", number)


def look_up_several(database: Database, numbers: Sequence[str]) -> list[DoNotContact]:
    """The entries of up to a thousand numbers, in any spelling, by number and list."""
    _check_several(numbers)
    rows = database.all("look_up_do_not_contact", rows=staged_rows(numbers))
    return [DoNotContact.from_row(row) for row in rows]


def remove_several(database: Database, numbers: Sequence[str], *, list_name: str = OWN_REQUESTS) -> int:
    """Removes up to a thousand numbers, in any spelling, from a list. Returns how many entries were removed."""
    _check_several(numbers)
    row = database.one("remove_do_not_contact", rows=staged_rows(numbers), list_id=_list_id(database, list_name))
    assert row is not None
    return int(row["removed"])


def import_do_not_contact(
    database: Database,
    rows: Iterable[tuple[int, str, str | None]],
    *,
    list_name: str,
    replaces: bool,
    confirmed: bool,
    dry_run: bool,
    check: Callable[[], Mapping[str, Any]],
    progress: Callable[[int], None] | None = None,
) -> tuple[Taken, EndsAlike | None]:
    """Adds numbers, each with its line and a reason, to a list, or replaces by them what imports put there.

    `check` is called when all rows are read, before anything is changed: it returns the record of the import, or ends
    it by raising an error. Without `confirmed`, nothing is applied if a replacement would remove more than a tenth.
    Waits for a deal in progress. Also returns how many of the numbers only a country would match with leads.
    """
    list_id = _list_to_fill(database, list_name)
    rows = iter(rows)
    with database.session() as session:
        session.sets("begin_do_not_contact")
        while chunk := list(islice(rows, CHUNK)):
            session.sets("stage_do_not_contact", rows=rows_as_json(chunk))
            if progress:
                progress(len(chunk))
        record = check()
        session.sets("sort_do_not_contact")
        alike = find_alike(session, for_a_list=True)
        row = session.one(
            "apply_do_not_contact",
            list_id=list_id,
            imported=1,
            replaces=int(replaces),
            confirmed=int(confirmed),
            dry_run=int(dry_run),
            **record,
        )
    assert row is not None
    return Taken.from_row(row), alike


def remove_do_not_contact(database: Database, number: str, *, list_name: str = OWN_REQUESTS) -> None:
    """Removes a number, in any spelling, from a list.

    Raises NotFound if it is not on that list, or if there is no such list.
    """
    if remove_several(database, [number], list_name=list_name):
        return
    others = [list_word(entry.list_name) for entry in do_not_contact_of(database, number)]
    if others:
        raise NotFound(
            sentence(
                "That number is not on the do-not-contact list %(list_name)s, but on %(others)s; nothing was "
                "changed. Name the list to remove it from.",
                list_name=list_word(list_name),
                others=others,
            )
        )
    raise NotFound(sentence("That number is not on the do-not-contact list; nothing was changed."))


def _list_to_fill(database: Database, name: str) -> int:
    """The id of a list to which people and imports may add."""
    if name == OPTED_OUT:
        raise ParameterOutOfRange(
            sentence(
                "Only reported outcomes add to the list %(opted_out)s; nothing was changed. Choose another list, "
                "such as %(own_requests)s.",
                opted_out=list_word(name),
                own_requests=list_word(OWN_REQUESTS),
            )
        )
    return _list_id(database, name)


def _list_id(database: Database, name: str) -> int:
    """The id of a list. Raises NotFound, with the names of all lists, if there is no such list."""
    lists = {row["name"]: int(row["list_id"]) for row in database.all("do_not_contact_ages")}
    if name not in lists:
        raise NotFound(
            sentence(
                "There is no do-not-contact list %(name)s; nothing was changed. The lists are: %(choices)s.",
                name=name,
                choices=[list_word(each) for each in lists],
            )
        )
    return lists[name]
