"""The deal, on both engines: against the oracle row by row, and against what was promised."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import oracle
from agent_funnel import service
from agent_funnel.errors import AlreadyRun, CheckFailed, NoActiveAgent, ParameterOutOfRange, PoolChanged
from agent_funnel.install import install
from agent_funnel.records import Run
from agent_funnel.settings import load
from databases import TABLES, Database, moment, sqlite_database
from oracle import Agent, Lead, Limit

TODAY = date(2026, 11, 23)
OLDEST = datetime(2026, 10, 9)  # 45 days before, midnight: the first moment inside the window
RECENT = datetime(2026, 11, 13, 12)
LONG = os.environ.get("FUNNEL_TEST_LONG") == "1"
# The properties take longer than other tests where they get 1500 examples:
properties = pytest.mark.timeout(3600)


def examples(database: Database, share: float = 1.0) -> settings:
    """How many examples: those of the profile on SQLite, a third on the T-SQL engine, where each takes 0.5 s.

    The first deal on a new connection takes 3 s there, and every error means a new connection. So the search for a
    smaller example takes minutes, and only the long run searches.
    """
    slow = database.engine == "sqlserver"
    wanted = settings().max_examples * share / (3 if slow else 1)
    phases = set(Phase) - ({Phase.shrink, Phase.explain} if slow and not LONG else set())
    return settings(max_examples=max(3, round(wanted)), phases=phases, suppress_health_check=list(HealthCheck))


def may_refuse(database: Database) -> bool:
    """Whether there is time for refused deals where another test has them already: each costs a connection."""
    return database.engine == "sqlite" or LONG


# ---- Putting in and looking


def put_agents(database: Database, agents: Iterable[Agent]) -> None:
    """Makes these the agents, all of them."""
    database.execute("DELETE FROM dbo.agents")
    database.insert("agents", ("agent", "status"), agents)


def put_leads(database: Database, leads: Iterable[Lead]) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), leads)


def put_limits(database: Database, limits: Iterable[Limit]) -> None:
    rows = [(agent, str(first), None if last is None else str(last), most) for agent, first, last, most in limits]
    database.insert("agent_limit", ("agent", "starts_on", "ends_on", "max_records"), rows)


def put_do_not_contact(database: Database, numbers: Iterable[str]) -> None:
    database.insert("do_not_contact", ("number", "added_at"), [(number, "2026-01-01T00:00:00") for number in numbers])


def stored_leads(database: Database, *, bare: bool = False) -> list[Lead]:
    """The rows of wafunnel, always in the same order."""
    rows = database.execute(f"SELECT number, stage, date FROM dbo.wafunnel ORDER BY {'id' if bare else 'number'}")
    return [(number, stage, None if created is None else moment(created)) for number, stage, created in rows]


def stored_assignments(database: Database) -> Counter[tuple[Any, ...]]:
    return Counter(database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment"))


def hands(database: Database) -> dict[str, list[str]]:
    """Who holds which numbers, sorted."""
    held: dict[str, list[str]] = {}
    for agent, number in sorted(database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")):
        held.setdefault(agent, []).append(number)
    return held


def stages(database: Database) -> dict[str, int]:
    return dict(database.execute("SELECT number, stage FROM dbo.wafunnel"))


def everything(database: Database) -> dict[str, Counter[tuple[Any, ...]]]:
    """All rows of all tables."""
    return {table: Counter(database.execute(f"SELECT * FROM dbo.{table}")) for table in TABLES}


def deal(database: Database, business_date: date = TODAY, **flags: Any) -> Run:
    """Runs the deal with the brief's values, or others."""
    trigger = flags.pop("trigger", "manual")
    knobs = {"max_per_agent": 450, "window_days": 45, "newest_first": False, **flags}
    return service.assign(database.backend, load(**knobs), business_date=business_date, trigger=trigger, actor="tests")


def actives(*names: str) -> list[Agent]:
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


def check(database: Database, case: Case, *, bare: bool = False, refusals: bool = True) -> None:
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
            with pytest.raises(NoActiveAgent) as refused:
                deal(database, business_date, **knobs)
            assert refused.value.number == 50002
            assert everything(database) == before
            continue

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


def stored_history(database: Database, run_id: int) -> Counter[tuple[str, str, datetime, int]]:
    rows = database.execute("SELECT agent, number, date, stage FROM dbo.assignment_history WHERE run_id = %s", run_id)
    return Counter((agent, number, moment(created), stage) for agent, number, created, stage in rows)


def stored_run(database: Database, run_id: int) -> Run:
    columns = tuple(Run.__dataclass_fields__)
    names = ", ".join(f"[{column}]" for column in columns)
    (row,) = database.execute(f"SELECT {names} FROM dbo.assignment_run WHERE run_id = %s", run_id)
    return Run.from_row(dict(zip(columns, row, strict=True)))


def parameters_of_run(database: Database, run_id: int) -> tuple[Any, ...]:
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
    found: list[Limit] = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 3, 5, 9]))):
        starts_on = first_day + timedelta(days=draw(st.sampled_from([-400, -2, -1, -1, 0, 0, 0, 1, 2])))
        lasts = draw(st.sampled_from([None, 0, 1, 2, 3, 400]))
        ends_on = None if lasts is None else starts_on + timedelta(days=lasts)
        found.append((draw(st.sampled_from(names)), starts_on, ends_on, draw(st.sampled_from(SINGLE_LIMITS))))
    return found


@st.composite
def cases(draw: st.DrawFn, *, bare: bool = False, most_nights: int = 4) -> Case:
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


@properties
def test_every_run_is_the_oracles_row_by_row(database: Database) -> None:
    @examples(database)
    @given(cases())
    def holds(case: Case) -> None:
        check(database, case, refusals=may_refuse(database))

    holds()


@properties
def test_every_run_is_the_oracles_row_by_row_on_tables_without_keys(bare_database: Database) -> None:
    @examples(bare_database)
    @given(cases(bare=True))
    def holds(case: Case) -> None:
        check(bare_database, case, bare=True, refusals=may_refuse(bare_database))

    holds()


@properties
def test_with_no_active_agent_nothing_changes(bare_database: Database) -> None:
    """Whether there is none, none active, or all of them away; and whether or not there is a pool."""

    @examples(bare_database, share=0.2)
    @given(cases(bare=True, most_nights=1), st.sampled_from(["none", "inactive", "away"]))
    def holds(case: Case, why: str) -> None:
        (night,) = case.nights
        agents: list[Agent] = []
        limits: list[Limit] = []
        if why == "inactive":
            agents = [(name, "inactive") for name, _ in night.agents or ()]
        if why == "away":
            agents = list(night.agents or ())
            limits = [(name, case.first_day, None, 0) for name, _ in agents if name is not None and name.strip()]
        absent = Night(
            agents=agents,
            arrivals=night.arrivals,
            max_per_agent=night.max_per_agent,
            window_days=night.window_days,
            newest_first=night.newest_first,
        )
        # First a night that deals, so that there is something that could change.
        dealing = Night(agents=actives("Zoe"), window_days=night.window_days)
        rest = Case(case.first_day, [dealing, absent], limits, case.do_not_contact, case.assigned_before)
        check(bare_database, rest, bare=True)

    holds()


# ---- Promises of the rule, without the oracle


@st.composite
def open_evenings(draw: st.DrawFn) -> tuple[list[str], list[Lead], int]:
    """Agents without limits, a pool of the stages 1 to 3, and a cap."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=40, unique=True))
    counts = draw(st.lists(st.integers(0, 60), min_size=3, max_size=3))
    leads: list[Lead] = []
    for stage, count in enumerate(counts, start=1):
        leads += fresh(
            count, start=stage * 1000, stage=stage, created=OLDEST + timedelta(days=draw(st.integers(0, 60)))
        )
    return names, leads, draw(CAPS)


def differ_by_at_most_one(amounts: Collection[int]) -> bool:
    return max(amounts) - min(amounts) <= 1


@properties
def test_shares_and_the_mix_of_stages_differ_by_at_most_one_without_limits(database: Database) -> None:
    @examples(database)
    @given(open_evenings())
    def holds(evening: tuple[list[str], list[Lead], int]) -> None:
        names, leads, cap = evening
        database.clear()
        put_agents(database, actives(*names))
        put_leads(database, leads)
        run = deal(database, max_per_agent=cap)
        held = hands(database)
        shares = [len(held.get(name, ())) for name in names]
        assert run.per_agent == min(-(-len(leads) // len(names)), cap)
        assert sum(shares) == run.assigned == min(run.per_agent * len(names), len(leads))
        assert differ_by_at_most_one(shares)
        assert (run.smallest_share, run.largest_share) == (min(shares), max(shares))
        stage_of = {number: stage for number, stage, _ in leads}
        for stage in (1, 2, 3):
            assert differ_by_at_most_one([sum(stage_of[n] == stage for n in held.get(name, ())) for name in names])

    holds()


@properties
def test_over_runs_with_the_same_roster_totals_differ_by_at_most_one(database: Database) -> None:
    @examples(database, share=0.5)
    @given(st.integers(1, 9), st.lists(st.integers(0, 25), min_size=2, max_size=5), CAPS)
    def holds(count: int, nightly: list[int], cap: int) -> None:
        names = NAMES[:count]
        database.clear()
        put_agents(database, actives(*names))
        for night, arriving in enumerate(nightly):
            put_leads(database, fresh(arriving, start=1 + night * 1000))
            deal(database, TODAY + timedelta(days=night), max_per_agent=cap)
            totals = dict(database.execute("SELECT agent, COUNT(*) FROM dbo.assignment_history GROUP BY agent"))
            assert differ_by_at_most_one([totals.get(name, 0) for name in names])

    holds()


@properties
def test_nobody_passes_a_limit_and_the_others_differ_by_at_most_one(database: Database) -> None:
    @examples(database)
    @given(open_evenings(), st.data())
    def holds(evening: tuple[list[str], list[Lead], int], data: st.DataObject) -> None:
        names, leads, cap = evening
        some = st.sampled_from([None, 0, 1, 2, 5, 449, 1000])
        limits = {name: most for name in names if (most := data.draw(some)) is not None}
        rooms = {name: min(cap, limits.get(name, cap)) for name in names}
        database.clear()
        put_agents(database, actives(*names))
        put_leads(database, leads)
        put_limits(database, [(name, TODAY, TODAY, most) for name, most in limits.items()])
        if not any(rooms.values()):
            with pytest.raises(NoActiveAgent):
                deal(database, max_per_agent=cap)
            return
        run = deal(database, max_per_agent=cap)
        shares = {name: len(hands(database).get(name, ())) for name in names}
        assert run.assigned == sum(shares.values()) == min(len(leads), sum(rooms.values()))
        assert all(shares[name] <= rooms[name] for name in names)
        # Those who are full got no more than the others, and of the others none got more than one lead less.
        not_full = [shares[name] for name in names if shares[name] < rooms[name]]
        if not_full:
            assert differ_by_at_most_one(not_full)
            assert max(shares.values()) <= min(not_full) + 1

    holds()


# ---- Examples


EXAMPLE = [*fresh(5, stage=1), *fresh(3, start=6, stage=2)]
STAGES_AFTER = {f"{number:06}": 2 if number <= 5 else 3 for number in range(1, 9)}


def numbers(*counted: int) -> list[str]:
    return [f"{number:06}" for number in counted]


def test_the_worked_example(database: Database) -> None:
    put_agents(database, actives("A", "B", "C"))
    put_leads(database, EXAMPLE)
    run = deal(database)
    assert (run.per_agent, run.assigned, run.smallest_share, run.largest_share) == (3, 8, 2, 3)
    assert hands(database) == {"A": numbers(1, 4, 7), "B": numbers(2, 5, 8), "C": numbers(3, 6)}
    assert stages(database) == STAGES_AFTER
    # The last lead went to B, so the next run begins with C: its first lead is 1 again, at stage 2 like 2 to 5.
    deal(database)
    assert hands(database) == {"C": numbers(1, 4, 7), "A": numbers(2, 5, 8), "B": numbers(3, 6)}


def test_the_worked_example_where_a_may_have_one_only(database: Database) -> None:
    put_agents(database, actives("A", "B", "C"))
    put_leads(database, EXAMPLE)
    put_limits(database, [("A", TODAY, TODAY, 1)])
    run = deal(database)
    assert (run.per_agent, run.assigned, run.smallest_share, run.largest_share) == (3, 8, 1, 4)
    assert hands(database) == {"A": numbers(1), "B": numbers(2, 4, 6, 8), "C": numbers(3, 5, 7)}
    assert stages(database) == STAGES_AFTER
    deal(database, TODAY + timedelta(days=1))
    assert hands(database) == {"C": numbers(1, 4, 7), "A": numbers(2, 5, 8), "B": numbers(3, 6)}


def test_nine_leads_for_four_agents_are_not_blocks_of_three(database: Database) -> None:
    put_agents(database, actives("A", "B", "C", "D"))
    put_leads(database, fresh(9))
    run = deal(database)
    assert (run.per_agent, run.smallest_share, run.largest_share) == (3, 2, 3)
    assert [len(held) for held in hands(database).values()] == [3, 2, 2, 2]


def test_more_than_450_for_each_agent_waits_for_another_night(database: Database) -> None:
    leads = fresh(905)
    check(database, Case(TODAY, [Night(agents=actives("A", "B"), arrivals=leads), Night(days_later=1)]))
    # And told without the oracle:
    database.clear()
    put_agents(database, actives("A", "B"))
    put_leads(database, leads)
    run = deal(database)
    assert (run.pool, run.per_agent, run.assigned, run.left_over) == (905, 450, 900, 5)
    assert [len(held) for held in hands(database).values()] == [450, 450]
    assert [number for number, stage in sorted(stages(database).items()) if stage == 1] == numbers(*range(901, 906))


def test_the_window_begins_at_midnight_45_days_ago_and_the_future_counts(database: Database) -> None:
    tick = timedelta(milliseconds=3)
    put_agents(database, actives("A"))
    put_leads(
        database,
        [
            ("before", 1, OLDEST - tick),
            ("exactly", 1, OLDEST),
            ("after", 1, OLDEST + tick),
            ("tonight", 1, datetime(2026, 11, 23, 23, 59, 59, 997_000)),
            ("tomorrow", 1, datetime(2026, 11, 24)),
            ("in a year", 1, datetime(2027, 11, 23)),
        ],
    )
    run = deal(database)
    assert run.pool == 5
    assert stages(database)["before"] == 1
    assert hands(database) == {"A": ["after", "exactly", "in a year", "tomorrow", "tonight"]}


def test_fewest_attempts_come_first_then_the_oldest_then_the_number(database: Database) -> None:
    later = OLDEST + timedelta(days=3)
    put_agents(database, actives("A"))
    put_leads(
        database,
        [("5", 1, OLDEST), ("1", 3, OLDEST), ("2", 2, later), ("3", 2, OLDEST), ("10", 1, OLDEST), ("4", 1, later)],
    )
    # One lead a night each, with a name of its own, tells the order.
    put_agents(database, actives("a", "b", "c", "d", "e", "f"))
    deal(database)
    assert hands(database) == {"a": ["10"], "b": ["5"], "c": ["4"], "d": ["3"], "e": ["2"], "f": ["1"]}


def test_newest_first_turns_round_the_dates_only(database: Database) -> None:
    later = OLDEST + timedelta(days=3)
    put_agents(database, actives("a", "b", "c", "d", "e"))
    put_leads(database, [("5", 1, OLDEST), ("10", 1, OLDEST), ("4", 1, later), ("3", 2, OLDEST), ("2", 2, later)])
    deal(database, newest_first=True)
    assert hands(database) == {"a": ["4"], "b": ["10"], "c": ["5"], "d": ["2"], "e": ["3"]}


def test_three_becomes_four_and_four_is_the_end(database: Database) -> None:
    put_agents(database, actives("A"))
    put_leads(database, fresh(1, stage=3))
    deal(database)
    assert list(stages(database).values()) == [4]
    assert deal(database).assigned == 0
    assert list(stages(database).values()) == [4]


def test_nothing_left_to_deal_is_a_success_that_clears_the_old_assignments(database: Database) -> None:
    put_agents(database, actives("A", "B"))
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("A", "1"), ("gone", "2")])
    run = deal(database)
    assert (run.status, run.agents, run.pool, run.per_agent, run.assigned) == ("succeeded", 2, 0, 0, 0)
    assert (run.smallest_share, run.largest_share) == (0, 0)
    assert hands(database) == {}


def test_one_number_in_several_rows_is_dealt_once_and_the_others_wait(bare_database: Database) -> None:
    put_agents(bare_database, actives("A", "B"))
    put_leads(
        bare_database, [("7", 2, OLDEST), ("7", 1, OLDEST), ("7", 1, OLDEST + timedelta(days=1)), ("8", 1, OLDEST)]
    )
    run = deal(bare_database)
    assert (run.pool, run.duplicates, run.assigned) == (2, 2, 2)
    assert hands(bare_database) == {"A": ["7"], "B": ["8"]}
    assert [stage for _, stage, _ in stored_leads(bare_database, bare=True)] == [2, 2, 1, 2]


def test_equal_rows_are_one_record_and_advance_together(bare_database: Database) -> None:
    put_agents(bare_database, actives("A", "B"))
    put_leads(bare_database, [("7", 1, OLDEST)] * 3)
    run = deal(bare_database)
    assert (run.pool, run.duplicates, run.assigned) == (1, 0, 1)
    assert hands(bare_database) == {"A": ["7"]}
    assert [stage for _, stage, _ in stored_leads(bare_database, bare=True)] == [2, 2, 2]


def check_that_case_matters(database: Database) -> None:
    put_agents(database, actives("ann", "Ann"))
    put_leads(database, [("x7", 1, RECENT), ("X7", 1, RECENT), ("y7", 1, RECENT), ("Y7", 1, RECENT)])
    put_limits(database, [("ann", TODAY, None, 1)])
    put_do_not_contact(database, ["y7"])
    run = deal(database)
    assert (run.agents, run.pool, run.duplicates, run.suppressed) == (2, 3, 0, 1)
    # Capitals come first, byte by byte.
    assert hands(database) == {"Ann": ["X7", "x7"], "ann": ["Y7"]}
    assert stages(database) == {"x7": 2, "X7": 2, "y7": 1, "Y7": 2}


def test_names_and_numbers_that_differ_in_case_are_different(bare_database: Database) -> None:
    """Existing tables have the collation of their database, which on SQL Server mostly ignores case."""
    check_that_case_matters(bare_database)


def test_a_collation_of_existing_sqlite_tables_changes_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nocase.db'}")
    for columns in (
        "agents (agent VARCHAR(50) COLLATE NOCASE, status VARCHAR(20) COLLATE NOCASE)",
        "wafunnel (number VARCHAR(50) COLLATE NOCASE, stage INT, date DATETIME)",
        "agent_wafunnel_assignment (agent VARCHAR(50) COLLATE NOCASE, number VARCHAR(50) COLLATE NOCASE)",
    ):
        database.execute(f"CREATE TABLE {columns}")
    install(database.backend)
    check_that_case_matters(database)
    database.close()


@pytest.mark.parametrize(
    ("written", "eligible"),
    [
        ("2026-10-09", True),
        ("2026-10-09T00:00", True),
        ("2026-10-09 00:00:00", True),
        ("2026-10-09T00:00:00.000000", True),
        ("2026-10-08", False),
        ("2026-10-08T23:59", False),
        ("2026-10-08 23:59:59.999", False),
        # Python writes microseconds.
        ("2026-10-08 23:59:59.999600", False),
        ("2026-10-08T23:59:59.999999", False),
    ],
)
def test_sqlite_understands_iso_8601_however_it_is_written(tmp_path: Path, written: str, eligible: bool) -> None:
    with sqlite_database(tmp_path, "funnel", bare=True) as database:
        put_agents(database, actives("A"))
        database.execute("INSERT INTO wafunnel (number, stage, date) VALUES ('1', 1, %s)", written)
        assert deal(database).pool == int(eligible)
        assert stages(database) == {"1": 2 if eligible else 1}


def test_who_is_listed_as_do_not_contact_is_never_dealt(database: Database) -> None:
    put_agents(database, actives("A"))
    put_leads(database, fresh(3))
    put_do_not_contact(database, [*numbers(2), "someone else"])
    run = deal(database)
    assert (run.pool, run.suppressed, run.duplicates) == (2, 1, 0)
    assert hands(database) == {"A": numbers(1, 3)}
    assert stages(database)["000002"] == 1


def test_a_number_in_several_rows_on_the_list_is_suppressed_and_no_duplicate(bare_database: Database) -> None:
    put_agents(bare_database, actives("A"))
    put_leads(bare_database, [("7", 1, OLDEST), ("7", 1, OLDEST), ("7", 1, RECENT), ("7", 2, OLDEST), ("8", 1, OLDEST)])
    put_do_not_contact(bare_database, ["7"])
    run = deal(bare_database)
    assert (run.pool, run.suppressed, run.duplicates) == (1, 3, 0)
    assert hands(bare_database) == {"A": ["8"]}


def test_a_lead_without_number_stage_or_date_is_never_dealt(bare_database: Database) -> None:
    incomplete: list[Lead] = [("", 1, RECENT), ("  ", 1, RECENT), (None, 1, RECENT)]
    incomplete += [("1", None, RECENT), ("2", 1, None), (None, None, None)]
    put_agents(bare_database, actives("A"))
    put_leads(bare_database, [*incomplete, ("3", 1, RECENT)])
    run = deal(bare_database)
    assert (run.pool, run.duplicates, run.suppressed) == (1, 0, 0)
    assert Counter(stored_leads(bare_database, bare=True)) == Counter([*incomplete, ("3", 2, RECENT)])


def test_an_agent_in_several_rows_is_one_agent_and_active_if_any_row_is(bare_database: Database) -> None:
    put_agents(
        bare_database,
        [("A", "inactive"), ("A", "active"), ("A", "Active"), ("B", None), ("B", " ACTIVE "), ("C", "inactive")],
    )
    put_leads(bare_database, fresh(4))
    assert deal(bare_database).agents == 2
    assert hands(bare_database) == {"A": numbers(1, 3), "B": numbers(2, 4)}


def test_without_a_name_there_is_no_agent(bare_database: Database) -> None:
    put_agents(bare_database, [(None, "active"), ("", "active"), ("  ", "active"), ("A", "active")])
    put_leads(bare_database, fresh(4))
    assert deal(bare_database).agents == 1
    assert hands(bare_database) == {"A": numbers(1, 2, 3, 4)}


@pytest.mark.parametrize(
    ("starts", "ends", "covers"),
    [(0, 0, True), (-1, 0, True), (0, 1, True), (-9, None, True), (0, None, True), (-9, -1, False), (1, None, False)],
)
def test_both_days_of_a_limit_count(database: Database, starts: int, ends: int | None, covers: bool) -> None:
    put_agents(database, actives("A", "B"))
    put_leads(database, fresh(4))
    ends_on = None if ends is None else TODAY + timedelta(days=ends)
    put_limits(database, [("A", TODAY + timedelta(days=starts), ends_on, 0)])
    run = deal(database)
    assert run.agents == (1 if covers else 2)
    assert len(hands(database).get("A", ())) == (0 if covers else 2)


def test_the_lowest_of_several_limits_counts(database: Database) -> None:
    put_agents(database, actives("A", "B"))
    put_leads(database, fresh(9))
    put_limits(database, [("A", TODAY, None, 3), ("A", TODAY, TODAY, 2), ("A", TODAY, None, 900)])
    assert deal(database).smallest_share == 2
    assert hands(database)["A"] == numbers(1, 3)


def test_a_limit_above_the_cap_lifts_nothing(database: Database) -> None:
    put_agents(database, actives("A"))
    put_leads(database, fresh(5))
    put_limits(database, [("A", TODAY, None, 1000)])
    assert deal(database, max_per_agent=3).assigned == 3


def test_seats_begin_after_the_place_of_an_agent_who_has_gone(database: Database) -> None:
    put_agents(database, actives("A", "B", "C"))
    put_leads(database, fresh(2))
    deal(database)
    put_agents(database, actives("A", "C", "D"))
    deal(database)
    assert hands(database) == {"C": numbers(1), "D": numbers(2)}


def test_a_run_that_deals_nothing_moves_no_seat(database: Database) -> None:
    put_agents(database, actives("A", "B"))
    put_leads(database, fresh(1))
    deal(database)
    assert deal(database, TODAY + timedelta(days=60)).assigned == 0
    deal(database)
    assert list(hands(database)) == ["B"]


def test_an_undone_run_moves_no_seat(database: Database) -> None:
    put_agents(database, actives("A", "B", "C"))
    put_leads(database, fresh(1))
    deal(database)
    second = deal(database)
    assert list(hands(database)) == ["B"]
    database.execute("UPDATE dbo.assignment_run SET status = 'undone' WHERE run_id = %s", second.run_id)
    deal(database)
    assert list(hands(database)) == ["B"]


# ---- What is refused


@pytest.mark.parametrize(
    ("parameter", "value", "limit"),
    [
        ("max_per_agent", 0, 1),
        ("max_per_agent", 1_000_001, 1_000_000),
        ("window_days", -1, 0),
        ("window_days", 36_501, 36_500),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_the_deal_itself(
    database: Database, parameter: str, value: int, limit: int
) -> None:
    """The settings refuse it too; but a procedure can be called from anywhere."""
    put_agents(database, actives("A"))
    put_leads(database, fresh(2))
    deal(database)
    before = everything(database)
    with pytest.raises(ParameterOutOfRange) as refused:
        assign(database, **{parameter: value})
    assert refused.value.number == 50006
    words = str(refused.value).replace(",", " ").replace(".", " ").replace(";", " ").split()
    assert str(value) in words
    assert str(limit) in words
    assert any(parameter in word for word in words)
    assert everything(database) == before


@pytest.mark.parametrize(("max_per_agent", "window_days"), [(1, 0), (1_000_000, 36_500)])
def test_the_ends_of_the_ranges_are_inside(database: Database, max_per_agent: int, window_days: int) -> None:
    put_agents(database, actives("A"))
    put_leads(database, [("1", 1, datetime.combine(TODAY, time.min))])
    assign(database, max_per_agent=max_per_agent, window_days=window_days)
    assert hands(database) == {"A": ["1"]}


def assign(database: Database, **changed: Any) -> None:
    """Calls the deal itself, past the settings and their checks."""
    parameters: dict[str, Any] = {
        "business_date": TODAY.isoformat(),
        "max_per_agent": 450,
        "window_days": 45,
        "newest_first": 0,
        "trigger": "manual",
        "actor": None,
    }
    database.backend.one("assign", **{**parameters, **changed})


def test_an_unknown_trigger_is_refused(database: Database) -> None:
    put_agents(database, actives("A"))
    put_leads(database, fresh(2))
    before = everything(database)
    with pytest.raises(ParameterOutOfRange):
        assign(database, trigger="cron")
    assert everything(database) == before


def test_the_scheduled_run_of_a_business_date_happens_once(database: Database) -> None:
    put_agents(database, actives("A"))
    put_leads(database, fresh(2))
    # A manual run does not stand in for it.
    deal(database)
    assert deal(database, trigger="schedule").trigger == "schedule"
    before = everything(database)
    with pytest.raises(AlreadyRun) as refused:
        deal(database, trigger="schedule")
    assert refused.value.number == 50003
    assert everything(database) == before
    # Runs by hand go on, and so does the next day.
    assert deal(database).assigned == 2
    assert deal(database, TODAY + timedelta(days=1), trigger="schedule").assigned == 0


def test_an_undone_scheduled_run_is_not_repeated_by_itself(database: Database) -> None:
    put_agents(database, actives("A"))
    put_leads(database, fresh(2))
    deal(database, trigger="schedule")
    database.execute("UPDATE dbo.assignment_run SET status = 'undone'")
    before = everything(database)
    with pytest.raises(AlreadyRun):
        deal(database, trigger="schedule")
    assert everything(database) == before


def test_a_scheduled_run_that_was_refused_can_be_tried_again(database: Database) -> None:
    put_leads(database, fresh(2))
    with pytest.raises(NoActiveAgent):
        deal(database, trigger="schedule")
    put_agents(database, actives("A"))
    assert deal(database, trigger="schedule").assigned == 2


# ---- The checks before commit

# What breaks the deal from within, for each engine. Each trigger is a fault that the deal must notice in its tables.
FAULTS = {
    "a number is dealt twice": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment WHEN NEW.number = '000001'
            BEGIN INSERT INTO agent_wafunnel_assignment (agent, number) VALUES ('B', '000001'); END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            INSERT INTO dbo.agent_wafunnel_assignment (agent, number)
            SELECT 'B', number FROM inserted WHERE number = '000001'""",
    },
    "one number takes the place of another": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment
            BEGIN UPDATE agent_wafunnel_assignment SET number = '000001' WHERE number = '000002'; END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            UPDATE dbo.agent_wafunnel_assignment SET number = '000001' WHERE number = '000002'""",
    },
    "a share is above a limit": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment
            BEGIN UPDATE agent_wafunnel_assignment SET agent = 'C' WHERE number = '000001'; END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            UPDATE dbo.agent_wafunnel_assignment SET agent = 'C' WHERE number = '000001'""",
    },
    "shares are two apart": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment
            BEGIN UPDATE agent_wafunnel_assignment SET agent = 'A' WHERE number = '000002'; END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            UPDATE dbo.agent_wafunnel_assignment SET agent = 'A' WHERE number = '000002'""",
    },
    "a lead is lost": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment
            BEGIN DELETE FROM agent_wafunnel_assignment WHERE number = '000001'; END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            DELETE FROM dbo.agent_wafunnel_assignment WHERE number = '000001'""",
    },
    # On SQLite nobody else can write meanwhile; on SQL Server the caller can try again.
    "a stage changes in between": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON assignment_history
            BEGIN UPDATE wafunnel SET stage = 4 WHERE number = '000001'; END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.assignment_history AFTER INSERT AS
            UPDATE dbo.wafunnel SET stage = 4 WHERE number = '000001'""",
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deal_that_went_wrong_is_rolled_back_as_a_whole(bare_database: Database, fault: str) -> None:
    put_agents(bare_database, actives("A", "B", "C"))
    put_leads(bare_database, fresh(7))
    put_limits(bare_database, [("C", TODAY, None, 1)])
    bare_database.insert("agent_wafunnel_assignment", ("agent", "number"), [("A", "old")])
    before = everything(bare_database)
    bare_database.execute(FAULTS[fault][bare_database.engine].replace("dbo.", f"{bare_database.schema}."))
    try:
        with pytest.raises((CheckFailed, PoolChanged)) as refused:
            assign(bare_database)
    finally:
        bare_database.execute("DROP TRIGGER dbo.fault")
    changed = "in between" in fault and bare_database.engine == "sqlserver"
    assert refused.value.number == (50004 if changed else 50007)
    assert everything(bare_database) == before
    # It was the fault alone:
    assert deal(bare_database).assigned == 7
