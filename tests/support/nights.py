"""Nights of deals: preparing the tables, reading the results, and comparing them with the oracle row by row."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from agent_funnel import deal
from agent_funnel.deal import NewRun, Preview, Undone
from agent_funnel.errors import NoActiveAgent, NothingToUndo
from agent_funnel.names import by_name
from agent_funnel.runs import Run
from agent_funnel.settings import Settings, load
from support import oracle
from support.databases import TABLES, TestedDatabase, moment, snapshot
from support.oracle import Agent, Dealt, Lead, Limit, Pair
from support.oracle_outcomes import Outcomes, Reported
from support.reported import Report, handed_out, put_outcomes, reported_of

TODAY = date(2026, 11, 23)
OLDEST = datetime(2026, 10, 9)  # 45 days before, midnight: the first moment inside the window
# The columns of a run that are in tables of their own:
ELSEWHERE = {"came_round": "v", "same_agent": "v", "kept_out": "e", "stayed": "e"}
RECENT = datetime(2026, 11, 13, 12)


# ---- Writing and reading


def put_agents(database: TestedDatabase, agents: Iterable[Agent]) -> None:
    """Replaces all agents by these."""
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
    """Adds these numbers to the list of own requests."""
    columns = ("number", "list_id", "added_at", "imported")
    database.insert("do_not_contact_entry", columns, [(number, 1, "2026-01-01T00:00:00", 0) for number in numbers])


def put_assignments(database: TestedDatabase, *pairs: tuple[str | None, str | None]) -> None:
    """Adds these assignments without the product.

    They are added one by one, since Babelfish does not parse JSON with a backslash.
    """
    for pair in pairs:
        database.execute("INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES (%s, %s)", *pair)


def stored_leads(database: TestedDatabase, *, bare: bool = False) -> list[Lead]:
    """The rows of wafunnel, always in the same order."""
    rows = database.execute(f"SELECT number, stage, date FROM dbo.wafunnel ORDER BY {'id' if bare else 'number'}")
    return [(text(number), stage, None if created is None else moment(created)) for number, stage, created in rows]


def stored_assignments(database: TestedDatabase) -> Counter[tuple[Any, ...]]:
    """The pairs of agent and number in the assignments, each with its count."""
    rows = database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")
    return Counter((text(agent), text(number)) for agent, number in rows)


def text(value: Any) -> str | None:
    """A name or a number, which may be a whole number in a table of yours."""
    return None if value is None else str(value)


def numbers_by_agent(database: TestedDatabase) -> dict[str, list[str]]:
    """The assigned numbers of each agent, sorted."""
    held: dict[str, list[str]] = {}
    for agent, number in sorted(database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")):
        held.setdefault(agent, []).append(number)
    return held


def stages(database: TestedDatabase) -> dict[str, int]:
    """Each number's stage."""
    return dict(database.execute("SELECT number, stage FROM dbo.wafunnel"))


def stages_and_assignments(database: TestedDatabase) -> tuple[dict[str, int], Counter[tuple[Any, ...]]]:
    """The state that an undo restores: each number's stage, and the assignments."""
    return stages(database), stored_assignments(database)


def run_numbers(database: TestedDatabase) -> list[int]:
    """The numbers of all runs, the oldest first."""
    return [run for (run,) in database.execute("SELECT run_id FROM dbo.assignment_run ORDER BY run_id")]


def all_tables(database: TestedDatabase) -> dict[str, Counter[tuple[Any, ...]]]:
    """All rows of all tables."""
    return {table: Counter(database.execute(f"SELECT * FROM dbo.{table}")) for table in TABLES}


def run_deal(database: TestedDatabase, business_date: date = TODAY, **flags: Any) -> NewRun:
    """Runs the deal with the default values, or others. It says again, since tests deal several times in a row."""
    trigger, again = flags.pop("trigger", "manual"), flags.pop("again", True)
    knobs = {"max_per_agent": 450, "window_days": 45, "newest_first": False, **flags}
    return deal.deal(
        database.backend, settings_of(**knobs), business_date=business_date, trigger=trigger, actor="tests",
        again=again,
    )  # fmt: skip


def deal_today(database: TestedDatabase, **settings: Any) -> NewRun:
    """Runs the deal of today's date on this machine, as a person would who says again."""
    return deal.deal(database.backend, load(**settings), business_date=datetime.now(UTC).date(), again=True)


def preview(database: TestedDatabase, business_date: date = TODAY, **flags: Any) -> Preview:
    """Previews the deal with the default values, or others."""
    knobs = {"max_per_agent": 450, "window_days": 45, "newest_first": False, **flags}
    return deal.preview(database.backend, settings_of(**knobs), business_date=business_date)


def settings_of(**knobs: Any) -> Settings:
    """The settings with these values, loaded once: that takes a third of the time of a small deal."""
    variables = tuple(sorted(each for each in os.environ.items() if each[0].upper().startswith("FUNNEL_")))
    return _loaded(tuple(sorted(knobs.items())), variables)


@cache
def _loaded(knobs: tuple[tuple[str, Any], ...], _variables: tuple[tuple[str, str], ...]) -> Settings:
    return load(**dict(knobs))


def undo(database: TestedDatabase, run_id: int | None = None) -> Undone:
    """Undoes the last run."""
    return deal.undo(database.backend, run_id, actor="tests")


def assert_undo_refused(database: TestedDatabase, run_id: int | None, sentence: str) -> None:
    """Asserts that this undo is refused with this sentence, and changes nothing."""
    before = snapshot(database)
    with pytest.raises(NothingToUndo) as refused:
        undo(database, run_id)
    assert refused.value.number == 50005
    assert str(refused.value) == sentence
    assert snapshot(database) == before


def active_agents(*names: str) -> list[Agent]:
    """Active agents of these names."""
    return [(name, "active") for name in names]


def fresh(count: int, *, start: int = 1, stage: int = 1, created: datetime = RECENT) -> list[Lead]:
    """Leads that differ only in their numbers, which all have the same length, so that they sort as they count."""
    return [(f"{number:06}", stage, created) for number in range(start, start + count)]


# ---- Comparing with the oracle


@dataclass(frozen=True)
class Night:
    """One run, and the changes before it."""

    days_later: int = 0
    agents: Sequence[Agent] | None = None  # None: the same as before
    arrivals: Sequence[Lead] = ()
    max_per_agent: int = 450
    window_days: int = 45
    newest_first: bool = False
    voice: str = "fresh"
    reports: Sequence[Report] = ()  # of the leads that the run dealt


@dataclass(frozen=True)
class Case:
    """Several nights in a row on one database."""

    first_day: date
    nights: Sequence[Night]
    limits: Collection[Limit] = ()
    do_not_contact: Collection[str] = ()
    assigned_before: Sequence[tuple[str | None, str | None]] = field(default=())
    forgotten: Collection[str] = ()  # before the first night


def compare_with_oracle(database: TestedDatabase, case: Case, *, bare: bool = False, refusals: bool = True) -> None:
    """Plays a case on a database and on the oracle, and compares all results after every run.

    Without `refusals`, nights without an active agent pass without a deal.
    """
    database.clear()
    for number in case.forgotten:
        database.backend.one("forget", number=number, actor="tests")
    put_limits(database, case.limits)
    put_do_not_contact(database, case.do_not_contact)
    database.insert("agent_wafunnel_assignment", ("agent", "number"), case.assigned_before)
    business_date = case.first_day
    agents: Sequence[Agent] = ()
    leads: list[Lead] = []
    last_agent = None
    had_last: dict[str, str] = {}
    reported: list[Reported] = []
    used_up: list[Reported] = []
    runs = 0
    for night in case.nights:
        business_date += timedelta(days=night.days_later)
        if night.agents is not None:
            agents = night.agents
            put_agents(database, agents)
        put_leads(database, night.arrivals)
        # Read the leads back for their order; they must have been stored unchanged.
        expected = Counter([*leads, *night.arrivals])
        leads = stored_leads(database, bare=bare)
        assert Counter(leads) == expected

        before = all_tables(database)
        knobs: dict[str, Any] = {
            "max_per_agent": night.max_per_agent,
            "window_days": night.window_days,
            "newest_first": night.newest_first,
            "voice": night.voice,
        }
        try:
            dealt = oracle.deal(
                agents, leads, case.limits, case.do_not_contact, last_agent, business_date,
                forgotten=case.forgotten, had_last=had_last, outcomes=Outcomes(reported, used_up), **knobs,
            )  # fmt: skip
        except NoActiveAgent:
            if not refusals:
                continue
            for way in (preview, run_deal):
                with pytest.raises(NoActiveAgent) as refused:
                    way(database, business_date, **knobs)
                assert refused.value.number == 50002
            assert all_tables(database) == before
            continue

        present = list(stored_assignments(database))
        check_preview(preview(database, business_date, **knobs), dealt, present, business_date)
        assert all_tables(database) == before
        run = run_deal(database, business_date, **knobs)
        runs += 1
        assert {name: getattr(run, name) for name in dealt.amounts} == dealt.amounts
        assert (run.business_date, run.trigger, run.status) == (business_date, "manual", "succeeded")
        assert run.started_at <= run.finished_at
        assert stored_assignments(database) == Counter(dealt.assignments)
        assert stored_leads(database, bare=bare) == dealt.leads
        assert stored_history(database, run.run_id) == Counter(dealt.history)
        assert stored_run(database, run.run_id, notice=run.notice) == run
        assert parameters_of_run(database, run.run_id) == (*knobs.values(), "tests")
        assert database.execute("SELECT COUNT(*) FROM dbo.assignment_run") == [(runs,)]
        leads, last_agent = dealt.leads, dealt.last_agent
        had_last |= dealt.holders()
        assert handed_out(database, run.run_id) == sorted((one.run_id, one.number) for one in dealt.call_backs)
        used_up += dealt.call_backs
        # The deal must not touch the other tables.
        after = all_tables(database)
        for table in ("agents", "agent_limit", "do_not_contact_entry", "assignment_outcome"):
            assert after[table] == before[table]
        news = reported_of(night.reports, run.run_id, business_date, dealt.history)
        put_outcomes(database, news)
        reported += news


def check_preview(seen: Preview, dealt: Dealt, assignments: Collection[Pair], business_date: date) -> None:
    """Asserts that a preview predicts the oracle's deal and its changes to these assignments."""
    assert {name: getattr(seen.run, name) for name in dealt.amounts} == dealt.amounts
    assert (seen.run.run_id, seen.run.business_date, seen.run.status) == (0, business_date, "preview")
    # Each agent once, sorted as people do.
    assert [share.agent for share in seen.shares] == sorted(dealt.rooms, key=by_name)
    shares = {
        share.agent: (
            share.room, share.leads, share.by_stage, share.by_age, share.call_backs, share.kept_call_backs,
        )
        for share in seen.shares
    }  # fmt: skip
    changes = {name: getattr(seen, name) for name in ("stay", "change_hands", "come", "leave")}
    assert oracle.ExpectedPreview(shares, **changes) == oracle.expected_preview(dealt, assignments, business_date)


def stored_history(database: TestedDatabase, run_id: int) -> Counter[tuple[str, str, datetime, int]]:
    """The history of a run: agent, number, date, and the stage before, of each lead that it dealt."""
    rows = database.execute("SELECT agent, number, date, stage FROM dbo.assignment_history WHERE run_id = %s", run_id)
    return Counter((agent, number, moment(created), stage) for agent, number, created, stage in rows)


def stored_run(database: TestedDatabase, run_id: int, *, notice: str | None) -> NewRun:
    """The record of a run in the database, as the service returned it, with this notice."""
    columns = tuple(Run.__dataclass_fields__)
    names = ", ".join(f"{ELSEWHERE.get(column, 'r')}.[{column}]" for column in columns)
    (row,) = database.execute(
        f"SELECT {names} FROM dbo.assignment_run AS r INNER JOIN dbo.assignment_voice AS v ON v.run_id = r.run_id "
        "INNER JOIN dbo.assignment_outcome_effect AS e ON e.run_id = r.run_id WHERE r.run_id = %s",
        run_id,
    )
    return NewRun.from_row({**dict(zip(columns, row, strict=True)), "notice": notice})


def parameters_of_run(database: TestedDatabase, run_id: int) -> tuple[Any, ...]:
    """The parameters of a run, and its actor."""
    (row,) = database.execute(
        "SELECT r.max_per_agent, r.window_days, r.newest_first, COALESCE(v.value, 'fresh'), r.actor "
        "FROM dbo.assignment_run AS r LEFT JOIN dbo.assignment_rule AS v ON r.run_id = v.run_id AND v.name = 'voice' "
        "WHERE r.run_id = %s",
        run_id,
    )
    return row
