"""Nights of deals: what is put in, what is looked at afterwards, and a comparison with the oracle row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from agent_funnel import service
from agent_funnel.errors import NoActiveAgent
from agent_funnel.records import Preview, Run, Undone
from agent_funnel.settings import load
from support import oracle
from support.databases import TABLES, TestedDatabase, moment
from support.oracle import Agent, Dealt, Lead, Limit, Pair

TODAY = date(2026, 11, 23)
OLDEST = datetime(2026, 10, 9)  # 45 days before, midnight: the first moment inside the window
RECENT = datetime(2026, 11, 13, 12)


# ---- Putting in and looking


def put_agents(database: TestedDatabase, agents: Iterable[Agent]) -> None:
    """Makes these the agents, all of them."""
    database.execute("DELETE FROM dbo.agents")
    database.insert("agents", ("agent", "status"), agents)


def put_leads(database: TestedDatabase, leads: Iterable[Lead]) -> None:
    """Adds these leads."""
    database.insert("wafunnel", ("number", "stage", "date"), leads)


def put_limits(database: TestedDatabase, limits: Iterable[Limit]) -> None:
    """Adds these limits."""
    rows = [(agent, str(first), None if last is None else str(last), most) for agent, first, last, most in limits]
    database.insert("agent_limit", ("agent", "starts_on", "ends_on", "max_records"), rows)


def put_do_not_contact(database: TestedDatabase, numbers: Iterable[str]) -> None:
    """Adds these numbers to the list."""
    database.insert("do_not_contact", ("number", "added_at"), [(number, "2026-01-01T00:00:00") for number in numbers])


def stored_leads(database: TestedDatabase, *, bare: bool = False) -> list[Lead]:
    """The rows of wafunnel, always in the same order."""
    rows = database.execute(f"SELECT number, stage, date FROM dbo.wafunnel ORDER BY {'id' if bare else 'number'}")
    return [(number, stage, None if created is None else moment(created)) for number, stage, created in rows]


def stored_assignments(database: TestedDatabase) -> Counter[tuple[Any, ...]]:
    """Who was assigned which number, and how often."""
    return Counter(database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment"))


def hands(database: TestedDatabase) -> dict[str, list[str]]:
    """Who holds which numbers, sorted."""
    held: dict[str, list[str]] = {}
    for agent, number in sorted(database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")):
        held.setdefault(agent, []).append(number)
    return held


def stages(database: TestedDatabase) -> dict[str, int]:
    """Each number's stage."""
    return dict(database.execute("SELECT number, stage FROM dbo.wafunnel"))


def everything(database: TestedDatabase) -> dict[str, Counter[tuple[Any, ...]]]:
    """All rows of all tables."""
    return {table: Counter(database.execute(f"SELECT * FROM dbo.{table}")) for table in TABLES}


def deal(database: TestedDatabase, business_date: date = TODAY, **flags: Any) -> Run:
    """Runs the deal with the brief's values, or others."""
    trigger = flags.pop("trigger", "manual")
    knobs = {"max_per_agent": 450, "window_days": 45, "newest_first": False, **flags}
    return service.assign(database.backend, load(**knobs), business_date=business_date, trigger=trigger, actor="tests")


def preview(database: TestedDatabase, business_date: date = TODAY, **flags: Any) -> Preview:
    """Previews the deal with the brief's values, or others."""
    knobs = {"max_per_agent": 450, "window_days": 45, "newest_first": False, **flags}
    return service.preview(database.backend, load(**knobs), business_date=business_date)


def undo(database: TestedDatabase, run_id: int | None = None) -> Undone:
    """Takes the last run back."""
    return service.undo(database.backend, run_id, actor="tests")


def actives(*names: str) -> list[Agent]:
    """Active agents of these names."""
    return [(name, "active") for name in names]


def fresh(count: int, *, start: int = 1, stage: int = 1, created: datetime = RECENT) -> list[Lead]:
    """Leads that differ in their number only, which is as long for all, so that its order is that of counting."""
    return [(f"{number:06}", stage, created) for number in range(start, start + count)]


# ---- Against the oracle


@dataclass(frozen=True)
class Night:
    """One run, and what changes before it."""

    days_later: int = 0
    agents: Sequence[Agent] | None = None  # None: the same as before
    arrivals: Sequence[Lead] = ()
    max_per_agent: int = 450
    window_days: int = 45
    newest_first: bool = False


@dataclass(frozen=True)
class Case:
    """Some nights in a row on one database."""

    first_day: date
    nights: Sequence[Night]
    limits: Collection[Limit] = ()
    do_not_contact: Collection[str] = ()
    assigned_before: Sequence[tuple[str | None, str | None]] = field(default=())


def check(database: TestedDatabase, case: Case, *, bare: bool = False, refusals: bool = True) -> None:
    """Plays a case on a database and beside it on the oracle, and compares everything after every run.

    Without `refusals`, nights without an active agent pass without a deal.
    """
    database.clear()
    put_limits(database, case.limits)
    put_do_not_contact(database, case.do_not_contact)
    database.insert("agent_wafunnel_assignment", ("agent", "number"), case.assigned_before)
    business_date = case.first_day
    agents: Sequence[Agent] = ()
    leads: list[Lead] = []
    last_agent = None
    runs = 0
    for night in case.nights:
        business_date += timedelta(days=night.days_later)
        if night.agents is not None:
            agents = night.agents
            put_agents(database, agents)
        put_leads(database, night.arrivals)
        # Read back, for their order; what was put in must have arrived as it was.
        expected = Counter([*leads, *night.arrivals])
        leads = stored_leads(database, bare=bare)
        assert Counter(leads) == expected

        before = everything(database)
        knobs: dict[str, Any] = {
            "max_per_agent": night.max_per_agent,
            "window_days": night.window_days,
            "newest_first": night.newest_first,
        }
        try:
            dealt = oracle.deal(
                agents, leads, case.limits, case.do_not_contact, last_agent, business_date, **knobs
            )  # fmt: skip
        except NoActiveAgent:
            if not refusals:
                continue
            for way in (preview, deal):
                with pytest.raises(NoActiveAgent) as refused:
                    way(database, business_date, **knobs)
                assert refused.value.number == 50002
            assert everything(database) == before
            continue

        present = list(stored_assignments(database))
        check_preview(preview(database, business_date, **knobs), dealt, present, business_date)
        assert everything(database) == before
        run = deal(database, business_date, **knobs)
        runs += 1
        assert {name: getattr(run, name) for name in dealt.amounts} == dealt.amounts
        assert (run.business_date, run.trigger, run.status) == (business_date, "manual", "succeeded")
        assert run.started_at <= run.finished_at
        assert stored_assignments(database) == Counter(dealt.assignments)
        assert stored_leads(database, bare=bare) == dealt.leads
        assert stored_history(database, run.run_id) == Counter(dealt.history)
        assert stored_run(database, run.run_id) == run
        assert parameters_of_run(database, run.run_id) == (*knobs.values(), "tests")
        assert database.execute("SELECT COUNT(*) FROM dbo.assignment_run") == [(runs,)]
        leads, last_agent = dealt.leads, dealt.last_agent
        # What else is in the database is not the deal's to touch.
        after = everything(database)
        for table in ("agents", "agent_limit", "do_not_contact"):
            assert after[table] == before[table]


def check_preview(seen: Preview, dealt: Dealt, assignments: Collection[Pair], business_date: date) -> None:
    """A preview is what the oracle's deal makes of these assignments."""
    assert {name: getattr(seen.run, name) for name in dealt.amounts} == dealt.amounts
    assert (seen.run.run_id, seen.run.business_date, seen.run.status) == (0, business_date, "preview")
    # Each agent once, sorted byte by byte.
    assert [share.agent for share in seen.shares] == sorted(dealt.rooms, key=str.encode)
    shares = {share.agent: (share.room, share.leads, share.by_stage, share.by_age) for share in seen.shares}
    changes = {name: getattr(seen, name) for name in ("stay", "change_hands", "come", "leave")}
    assert oracle.Foreseen(shares, **changes) == oracle.foresee(dealt, assignments, business_date)


def stored_history(database: TestedDatabase, run_id: int) -> Counter[tuple[str, str, datetime, int]]:
    """What a run noted of each lead that it dealt: agent, number, date, and the stage before."""
    rows = database.execute("SELECT agent, number, date, stage FROM dbo.assignment_history WHERE run_id = %s", run_id)
    return Counter((agent, number, moment(created), stage) for agent, number, created, stage in rows)


def stored_run(database: TestedDatabase, run_id: int) -> Run:
    """What the database has of a run, as the service returns it."""
    columns = tuple(Run.__dataclass_fields__)
    names = ", ".join(f"[{column}]" for column in columns)
    (row,) = database.execute(f"SELECT {names} FROM dbo.assignment_run WHERE run_id = %s", run_id)
    return Run.from_row(dict(zip(columns, row, strict=True)))


def parameters_of_run(database: TestedDatabase, run_id: int) -> tuple[Any, ...]:
    """What a run was started with, and by whom."""
    (row,) = database.execute(
        "SELECT max_per_agent, window_days, newest_first, actor FROM dbo.assignment_run WHERE run_id = %s", run_id
    )
    return row


# ---- What the nights are made of

# Some agents who sort differently by byte than by any language's rules, and enough others.
NAMES = [
    "Ann",
    "ann",
    "ANN",
    "Zoe",
    "zoe",
    "É",
    "é",
    "Émile",
    "Emile",
    "Ånn",
    "ann b",
    "ann-b",
    "_x",
    "10",
    "9",
    "O'Neil",
]
NAMES += [f"agent {number}" for number in range(30)]
SOME_NUMBERS = [
    "+4915112345",
    "015112345",
    "0151 12345",
    " 015112345",
    "1",
    "10",
    "2",
    "x7",
    "X7",
    "É7",
    "é7",
    "(030) 1-2",
]

DAYS = st.sampled_from([TODAY, date(2024, 4, 14), date(2026, 1, 1), date(2028, 2, 29), date(2026, 3, 29)])
WINDOWS = st.sampled_from([45, 45, 45, 0, 1, 44, 46, 36_500])
CAPS = st.sampled_from([1, 2, 3, 5, 8, 450, 450, 450])
SINGLE_LIMITS = [0, 1, 1, 1, 2, 2, 3, 5, 449, 450, 451, 1000]
MILLISECONDS = st.sampled_from([0, 3, 7, 10, 500, 990, 993, 997])  # SQL Server's DATETIME keeps no others

KEYED_STATUSES = st.sampled_from(["active", "active", "active", "Active", "ACTIVE", "active ", "inactive", "Inactive"])
BARE_STATUSES = st.one_of(
    KEYED_STATUSES,
    st.sampled_from([None, "", " active", "  aCtIvE  ", " inactive", "activ", "active.", "in active", "paused"]),
)


@st.composite
def dates(draw: st.DrawFn, business_date: date, window_days: int) -> datetime:
    """Around the edge of the window to the millisecond, around today, long ago, far ahead, and anywhere between."""
    edge = datetime.combine(business_date - timedelta(days=window_days), time.min)
    tick = timedelta(milliseconds=draw(MILLISECONDS))
    return draw(
        st.one_of(
            st.sampled_from([timedelta(0), timedelta(milliseconds=-3), timedelta(milliseconds=3)]).map(edge.__add__),
            st.integers(-2, 3).map(lambda days: edge + timedelta(days=days)),
            st.integers(-3, 3).map(
                lambda days: datetime.combine(business_date, time.min) + timedelta(days=days) + tick
            ),
            st.integers(-3600, 86400 * 50).map(lambda seconds: edge + timedelta(seconds=seconds) + tick),
            st.sampled_from([datetime(1753, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 997_000)]),
        )
    )


@st.composite
def piles(draw: st.DrawFn, business_date: date, window_days: int, prefix: str, biggest: int) -> list[Lead]:
    """Leads with numbers of their own, many of them with the same stage and date."""
    # Most are inside the window, so that most pools are not empty.
    created_at = st.one_of(
        dates(business_date, window_days),
        st.integers(0, 2).map(lambda days: datetime.combine(business_date, time(9)) - timedelta(days=days)),
    )
    drawn = st.tuples(st.integers(1, biggest), st.sampled_from([1, 1, 2, 2, 3, 3, 4]), created_at)
    leads: list[Lead] = []
    for count, stage, created in draw(st.lists(drawn, min_size=draw(st.sampled_from([0, 1, 3, 3])), max_size=6)):
        for _ in range(count):
            # Scrambled, so that the order of the numbers is not the order they come in, and of different lengths.
            leads.append((f"{prefix}{(len(leads) + 1) * 7919 % 10_007}", stage, created))
    return leads


@st.composite
def keyed_rosters(draw: st.DrawFn) -> list[Agent]:
    """As the tables of the installer allow them: each agent once, with a status."""
    count = draw(st.one_of(st.integers(2, 6), st.integers(2, 12), st.integers(0, 40)))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=count, max_size=count, unique=True))
    return [(name, draw(KEYED_STATUSES)) for name in names]


@st.composite
def bare_rosters(draw: st.DrawFn) -> list[Agent]:
    """As nobody should keep them: agents in several rows, with any status or none, and rows without a name."""
    rows: list[Agent] = [(name, draw(BARE_STATUSES)) for name, _ in draw(keyed_rosters())]
    if rows:
        again = draw(st.lists(st.sampled_from([name for name, _ in rows]), max_size=4))
        rows += [(name, draw(BARE_STATUSES)) for name in again]
    rows += [(name, draw(BARE_STATUSES)) for name in draw(st.lists(st.sampled_from([None, "", "  "]), max_size=3))]
    return draw(st.permutations(rows))


@st.composite
def limits_on(draw: st.DrawFn, first_day: date, names: Sequence[str]) -> list[Limit]:
    """Limits that begin around the first day, for some of these names or for none."""
    found: list[Limit] = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 3, 5, 9]))):
        starts_on = first_day + timedelta(days=draw(st.sampled_from([-400, -2, -1, -1, 0, 0, 0, 1, 2])))
        lasts = draw(st.sampled_from([None, 0, 1, 2, 3, 400]))
        ends_on = None if lasts is None else starts_on + timedelta(days=lasts)
        found.append((draw(st.sampled_from(names)), starts_on, ends_on, draw(st.sampled_from(SINGLE_LIMITS))))
    return found


@st.composite
def cases(draw: st.DrawFn, *, bare: bool = False, most_nights: int = 4) -> Case:
    """A whole case; with `bare`, one that only tables without keys can hold."""
    first_day = draw(DAYS)
    window_days = draw(WINDOWS)
    rosters = bare_rosters() if bare else keyed_rosters()
    roster = draw(rosters)
    max_per_agent = draw(CAPS)
    newest_first = draw(st.booleans())
    nights: list[Night] = []
    business_date = first_day
    for index in range(draw(st.integers(1, most_nights))):
        days_later = draw(st.sampled_from([0, 1, 1, 2, 3])) if index else 0
        business_date += timedelta(days=days_later)
        arrivals = draw(piles(business_date, window_days, f"{index}", 20 if index else 60))
        if bare:
            arrivals = draw(messy(arrivals, business_date, window_days))
        if index and draw(st.integers(0, 4)) == 0:
            max_per_agent, newest_first = draw(CAPS), draw(st.booleans())
        nights.append(
            Night(
                days_later=days_later,
                agents=draw(st.none() | rosters) if index else roster,
                arrivals=arrivals,
                max_per_agent=max_per_agent,
                window_days=window_days,
                newest_first=newest_first,
            )
        )
    names = [name for night in nights for name, _ in night.agents or () if name is not None and name.strip()]
    numbers = [number for night in nights for number, _, _ in night.arrivals if number is not None and number.strip()]
    often = [*SOME_NUMBERS, *(number for number, times in Counter(numbers).items() if times > 1), *numbers[:20]]
    listed = st.lists(st.sampled_from(often), min_size=1, max_size=8, unique=True)
    left_from_before: list[tuple[str | None, str | None]] = [("ann", "1"), ("nobody", "2"), ("Zoe", "unknown")]
    if bare:
        left_from_before += [(None, None), ("ann", "1")]
    return Case(
        first_day=first_day,
        nights=nights,
        limits=draw(limits_on(first_day, names or NAMES[:4])),
        do_not_contact=draw(st.one_of(st.just([]), listed)),
        assigned_before=draw(st.sampled_from([[], left_from_before])),
    )


@st.composite
def messy(draw: st.DrawFn, leads: list[Lead], business_date: date, window_days: int) -> list[Lead]:
    """Adds what a table without keys may hold: a number in several rows, equal rows, blanks, NULLs, any stage."""
    number = st.sampled_from([*SOME_NUMBERS, *(number for number, _, _ in leads[:5])])
    stage = st.sampled_from([1, 1, 2, 2, 3, 3, 4, 0])
    created = dates(business_date, window_days)
    rows: list[Lead] = [*leads, *draw(st.lists(st.tuples(number, stage, created), max_size=12))]
    broken = st.one_of(
        st.tuples(st.sampled_from([None, "", "   "]), stage, created),
        st.tuples(number, st.none(), created),
        st.tuples(number, stage, st.none()),
        st.just((None, None, None)),
        st.tuples(number, st.sampled_from([-1, 5, 99]), created),
    )
    rows += draw(st.lists(broken, max_size=4))
    if rows:
        rows += draw(st.lists(st.sampled_from(rows), max_size=5))
    return draw(st.permutations(rows)) if len(rows) < 60 else rows
