"""What came of the leads that were dealt, counted on both engines as plain Python counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from agent_funnel.person import forget
from agent_funnel.results import GroupResult, Results, count_results
from support.databases import TestedDatabase
from support.nights import undo
from support.outcomes import ANAS, BRUNOS, CARLOS, DEALT_ON, deal_again, now, put_floor, take_back, tell
from support.properties import property_test
from support.reported import COLUMNS

FIRST = date(2026, 11, 2)
CREATED = datetime(2026, 10, 30, 9)
NUMBERS = [f"+55119876543{which:02}" for which in range(8)]
REACHED = ("talked", "won", "lost", "call_back", "opted_out")
OUTCOMES = (*REACHED, "no_answer", "wrong_number", "not_worked")


@dataclass(frozen=True)
class Call:
    """A lead as a run dealt it, with an outcome, which stands or is replaced, or with none."""

    number: str
    agent: str
    stage: int
    outcome: str | None
    stands: bool


@dataclass(frozen=True)
class Night:
    """A run, its status, the leads that it dealt, and the numbers that an import added before it."""

    days: int
    status: str
    purged: bool
    imported: frozenset[str]
    calls: tuple[Call, ...]


CALLS = st.lists(
    st.builds(
        Call,
        st.sampled_from(NUMBERS),
        st.sampled_from(["Ann", "ann", "É", "O'Neil"]),
        st.integers(1, 4),
        st.sampled_from([None, *OUTCOMES, "call_back"]),
        st.sampled_from([True, True, True, False]),
    ),
    max_size=8,
    unique_by=lambda call: call.number,
).map(tuple)
NIGHTS = st.lists(
    st.builds(
        Night,
        st.integers(0, 4),
        st.sampled_from(["succeeded", "succeeded", "succeeded", "undone", "failed"]),
        st.sampled_from([False, False, False, True]),
        st.frozensets(st.sampled_from(NUMBERS), max_size=3),
        CALLS,
    ),
    max_size=6,
)


def put_nights(database: TestedDatabase, nights: Iterable[Night]) -> None:
    """Writes runs with their history and outcomes, and imports, without the product.

    Each call-back that stands is handed out by the next run that deals the number.
    """
    waiting: dict[str, int] = {}
    last_run_id: int | None = None
    for place, night in enumerate(nights):
        day = FIRST + timedelta(days=night.days)
        moment = f"{day}T23:40:00"
        if night.imported:
            put_import(database, place, night.imported, last_run_id)
        last_run_id = run_id = put_run(database, day, night.status)
        if night.purged:
            database.insert("assignment_purge", ("run_id", "purged_at"), [(run_id, moment)])
        history = [(run_id, call.agent, call.number, CREATED, call.stage) for call in night.calls]
        database.insert("assignment_history", ("run_id", "agent", "number", "date", "stage"), history)
        for call in night.calls:
            if (due := waiting.pop(call.number, None)) is not None:
                database.execute(
                    "INSERT INTO dbo.assignment_call_back (outcome_id, run_id) VALUES (%s, %s)", due, run_id
                )
        reported = [call for call in night.calls if call.outcome]
        database.insert("assignment_outcome", COLUMNS, [
            (
                f"{run_id} {call.number}", run_id, call.agent, call.number, CREATED, call.stage, call.outcome,
                str(day + timedelta(days=1)) if call.outcome == "call_back" else None, 0, moment, str(day),
                int(call.stands), 0,
            )
            for call in reported
        ])  # fmt: skip
        ids = dict(database.execute("SELECT number, outcome_id FROM dbo.assignment_outcome WHERE run_id = %s", run_id))
        waiting |= {call.number: ids[call.number] for call in reported if call.outcome == "call_back" and call.stands}


def put_run(database: TestedDatabase, day: date, status: str) -> int:
    """Writes a run, and returns its number, which the engine chooses."""
    columns = ("business_date", "[trigger]", "status", "max_per_agent", "window_days", "newest_first", "started_at")
    database.execute(
        f"INSERT INTO dbo.assignment_run ({', '.join(columns)}) VALUES (%s, 'manual', %s, 450, 45, 0, %s)",
        str(day), status, f"{day}T23:40:00",
    )  # fmt: skip
    ((run_id,),) = database.execute("SELECT max(run_id) FROM dbo.assignment_run")
    return int(run_id)


def put_import(database: TestedDatabase, place: int, numbers: Iterable[str], last_run_id: int | None) -> None:
    """Writes an import that was made after a run, before that at this place."""
    database.execute(
        "INSERT INTO dbo.import_record (kind, imported_at, source, file_name, sha256, rules, last_run_id) "
        "VALUES ('leads', '2026-11-01T00:00:00', 'page', %s, '', '{}', %s)",
        f"{place}.csv", last_run_id,
    )  # fmt: skip
    ((import_id,),) = database.execute("SELECT max(import_id) FROM dbo.import_record")
    rows = [(import_id, number, 1, CREATED, 0) for number in numbers]
    database.insert("import_lead", ("import_id", "number", "stage", "date", "is_changed"), rows)


def expected(nights: list[Night], first: date, last: date) -> dict[str, dict[str | None, Counter[str]]]:
    """The amounts by agent, stage, class, night and file of the import, counted call by call."""
    found: dict[str, dict[str | None, Counter[str]]] = {
        group: {} for group in ("total", "agents", "stages", "classes", "nights", "imports")
    }
    waiting: set[str] = set()
    file_of: dict[str, str] = {}
    for place, night in enumerate(nights):
        day = FIRST + timedelta(days=night.days)
        file_of |= dict.fromkeys(night.imported, f"{place}.csv")
        for call in night.calls:
            is_call_back = call.number in waiting
            waiting.discard(call.number)
            if call.outcome == "call_back" and call.stands:
                waiting.add(call.number)
            if night.status != "succeeded" or night.purged or not first <= day <= last:
                continue
            outcome = call.outcome if call.stands else None
            amounts = Counter(
                dealt=outcome != "not_worked",
                not_worked=outcome == "not_worked",
                reported=outcome not in (None, "not_worked"),
                reached=outcome in REACHED,
                won=outcome == "won",
            )
            for group, name in (
                ("total", None),
                ("agents", call.agent),
                ("stages", str(call.stage)),
                ("classes", "call_back" if is_call_back else str(call.stage)),
                ("nights", str(day)),
                ("imports", file_of.get(call.number)),
            ):
                found[group].setdefault(name, Counter()).update(amounts)
    return found


def amounts_of(
    found: Iterable[GroupResult], name: Callable[[GroupResult], str | None]
) -> dict[str | None, Counter[str]]:
    """The amounts of results by name. A name comes once."""
    rows = [(name(each), each) for each in found]
    assert len(rows) == len(dict(rows))
    return {
        key: Counter(
            {amount: getattr(each, amount) for amount in ("dealt", "not_worked", "reported", "reached", "won")}
        )
        for key, each in rows
    }


def check(found: Results, nights: list[Night]) -> None:
    """Asserts that these are the results of the nights."""
    wanted = expected(nights, found.date_from, found.date_to)
    for group in ("agents", "stages", "classes", "nights"):
        assert amounts_of(getattr(found, group), lambda each: each.name) == wanted[group]
    assert amounts_of(found.imports, lambda each: each.label) == wanted["imports"]
    assert amounts_of([found.total], lambda each: None) == {None: wanted["total"].get(None, Counter())}
    inside = [n for n in nights if found.date_from <= FIRST + timedelta(days=n.days) <= found.date_to]
    assert found.deals == sum(n.status == "succeeded" and not n.purged for n in inside)
    assert found.undone == sum(n.status == "undone" for n in inside)
    assert found.purged == sum(n.status == "succeeded" and n.purged for n in inside)
    last = next((n for n in reversed(nights) if n.status == "succeeded"), None)
    is_shown = last is not None and last in inside and not last.purged
    assert (found.called_now is not None) == is_shown


def test_a_week_with_something_of_everything_is_counted_call_by_call(database: TestedDatabase) -> None:
    each = [
        Call(number, "Ann" if which % 2 else "É", 1 + which % 3, outcome, True)
        for which, (number, outcome) in enumerate(zip(NUMBERS, OUTCOMES, strict=True))
    ]
    called = tuple(each)
    silent = tuple(replace(call, outcome=None) for call in each)
    replaced = tuple(replace(call, stands=False) for call in each)
    nights = [
        Night(0, "succeeded", False, frozenset(NUMBERS[:3]), called),
        Night(1, "undone", False, frozenset(), called),
        Night(1, "succeeded", False, frozenset(NUMBERS[2:5]), silent),
        Night(2, "succeeded", True, frozenset(), called),
        Night(2, "failed", False, frozenset(), ()),
        Night(3, "succeeded", False, frozenset(), replaced),
        Night(4, "succeeded", False, frozenset(NUMBERS[4:]), called[:4]),
    ]
    put_nights(database, nights)
    check(count_results(database.backend, FIRST, FIRST + timedelta(days=4)), nights)
    check(count_results(database.backend, FIRST + timedelta(days=1), FIRST + timedelta(days=3)), nights)


@property_test(NIGHTS, st.integers(0, 4), st.integers(0, 4), share=0.1)
def test_each_lead_counts_once_for_each_run_by_the_outcome_that_holds(
    database: TestedDatabase, nights: list[Night], one: int, other: int
) -> None:
    put_nights(database, nights)
    first, last = (FIRST + timedelta(days=days) for days in sorted((one, other)))
    check(count_results(database.backend, FIRST, FIRST + timedelta(days=4)), nights)
    check(count_results(database.backend, first, last), nights)


@pytest.mark.sqlserver_if_long
def test_deals_outcomes_and_what_was_taken_back_are_counted_as_the_product_writes_them(
    database: TestedDatabase,
) -> None:
    run_id = put_floor(database)

    def seen() -> tuple[int, ...]:
        total = count_results(database.backend, DEALT_ON, DEALT_ON).total
        return total.dealt, total.not_worked, total.reported, total.reached, total.won

    assert seen() == (3, 0, 0, 0, 0)
    tell(database, ANAS, "no_answer")
    sold = tell(database, ANAS, "won")
    tell(database, CARLOS, "not_worked")
    assert seen() == (2, 1, 1, 1, 1)
    take_back(database, sold)
    assert seen() == (2, 1, 1, 0, 0)
    tell(database, BRUNOS, "call_back", call_back_on=DEALT_ON + timedelta(days=1), reported_at=now())
    # The next run deals again what was dealt today; an undo takes it out of the results.
    again = deal_again(database, DEALT_ON + timedelta(days=1))
    found = count_results(database.backend, DEALT_ON, DEALT_ON + timedelta(days=1))
    assert (found.deals, found.called_now) == (2, again)
    assert amounts(found.classes) == {"1": (3, 1, 2), "2": (1, 0, 0), "call_back": (1, 0, 0)}
    undo(database)
    found = count_results(database.backend, DEALT_ON, DEALT_ON + timedelta(days=1))
    assert (found.deals, found.undone, found.called_now) == (1, 1, run_id)
    assert amounts(found.classes) == {"1": (2, 1, 2)}
    # A person who is forgotten leaves no trace here, either.
    forget(database.backend, BRUNOS, actor="Eva")
    assert seen() == (1, 1, 1, 0, 0)


def amounts(found: Iterable[GroupResult]) -> dict[Any, tuple[int, int, int]]:
    """The leads dealt, not worked and reported, by name."""
    return {each.name: (each.dealt, each.not_worked, each.reported) for each in found}
