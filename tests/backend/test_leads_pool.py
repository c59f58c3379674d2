"""The report on the pool counts each lead once, by the first reason that applies; on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from agent_funnel.leads import PoolReport, pool_report, stream_pool
from agent_funnel.numbers import take_in
from agent_funnel.settings import load
from support.databases import TestedDatabase
from support.match_keys import match_key
from support.nights import (
    OLDEST,
    RECENT,
    TODAY,
    active_agents,
    fresh,
    put_agents,
    put_assignments,
    put_do_not_contact,
    put_leads,
    run_deal,
    stored_history,
    stored_leads,
    undo,
)
from support.oracle_outcomes import Outcomes, Reported
from support.properties import property_test
from support.reported import Report, put_outcomes, reported_of
from support.strategies import piles, reports, with_messy_rows

NAMES = (
    "dealt", "left_over", "at_stage_4", "too_old", "do_not_contact", "wrong_number", "won", "lost", "call_back_to_come",
    "duplicate", "unusable",
)  # fmt: skip


def nothing_counted() -> dict[str, int]:
    """Nothing for each reason."""
    return dict.fromkeys(NAMES, 0)


def reasons_and_pool(
    held: set[str],
    leads: list[Any],
    listed: set[str],
    newest_first: bool,
    window_days: int,
    reported: Collection[Reported] = (),
) -> tuple[list[str], list[Any]]:
    """The reason of each lead, and the pool in the order of the deal, in plain Python."""
    oldest = datetime.combine(TODAY - timedelta(days=window_days), time.min)
    listed = {match_key(number) for number in listed}

    def reason(number: str | None, stage: int | None, created: datetime | None) -> str:
        if number is None or not number.strip() or stage is None or created is None:
            return "unusable"
        if match_key(number) in held:
            return "dealt"
        if match_key(number) in listed:
            return "do_not_contact"
        for outcome in ("wrong_number", "won", "lost", "call_back"):
            these = Outcomes([one for one in reported if one.outcome == outcome])
            if these.keep_out((number, stage, created), TODAY):
                return "call_back_to_come" if outcome == "call_back" else outcome
        if due(number, stage, created):
            return "left_over"
        if stage >= 4:
            return "at_stage_4"
        return "too_old" if created < oldest else "left_over"

    def due(number: str, stage: int, created: datetime) -> date | None:
        found = Outcomes(reported).due((number, stage, created), TODAY)
        return found[0].call_back_on if found else None

    reasons = [reason(*lead) for lead in leads]
    firsts: dict[str, Any] = {}
    pool = [lead for lead, why in zip(leads, reasons, strict=True) if why == "left_over"]
    pool.sort(key=lambda lead: lead[0].encode())
    pool.sort(key=lambda lead: lead[2], reverse=newest_first)
    for lead in sorted(pool, key=lambda lead: (due(*lead) or date.max, lead[1])):
        firsts.setdefault(match_key(lead[0]), lead)
    found = [
        "duplicate" if why == "left_over" and lead != firsts[match_key(lead[0])] else why
        for lead, why in zip(leads, reasons, strict=True)
    ]
    return found, list(firsts.values())


def counted(database: TestedDatabase, leads: list[Any], *given: Any) -> PoolReport:
    """The expected report, counted in plain Python."""
    rows = database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")
    held = {match_key(number) for (number,) in rows if number is not None}
    counts = Counter(reasons_and_pool(held, leads, *given)[0])
    return PoolReport(TODAY, **{name: counts[name] for name in NAMES}, total=len(leads))


def listed_pool(database: TestedDatabase, **rules: Any) -> list[Any]:
    """The pool as a list."""
    settings = load(**{"window_days": 45, "newest_first": False, **rules})
    return [(each.number, each.stage, each.date) for each in stream_pool(database.backend, settings, TODAY)]


def report(database: TestedDatabase, **rules: Any) -> PoolReport:
    take_in(database.backend)
    return pool_report(database.backend, load(**{"window_days": 45, "newest_first": False, **rules}), TODAY)


def test_each_lead_is_counted_once_by_the_first_reason_that_applies(bare_database: TestedDatabase) -> None:
    assert report(bare_database) == PoolReport(TODAY, **nothing_counted(), total=0)
    old = OLDEST - timedelta(milliseconds=10)
    put_leads(
        bare_database,
        [
            (None, 1, RECENT), ("  ", 4, old), ("u", None, RECENT), ("u", 1, None), ("held", None, RECENT),
            ("held", 4, old), ("held", 1, RECENT), ("held", 2, RECENT),
            ("listed", 4, old), ("listed", 4, RECENT), ("listed", 3, old), ("listed", 3, RECENT), ("listed", 1, RECENT),
            ("x", 1, OLDEST), ("x", 1, OLDEST), ("x", 1, RECENT), ("x", 2, OLDEST), ("x", 4, RECENT), ("y", 3, RECENT),
        ],
    )  # fmt: skip
    put_do_not_contact(bare_database, ["listed", "held", "nobody"])
    put_assignments(bare_database, (None, "held"), ("Al", "held"), ("Al", None), ("Al", "nobody"))
    amounts = {"dealt": 3, "left_over": 3, "at_stage_4": 1, "do_not_contact": 5, "duplicate": 2, "unusable": 5}
    assert report(bare_database) == PoolReport(TODAY, **{**nothing_counted(), **amounts}, total=19)
    assert report(bare_database, newest_first=True).left_over == 2
    assert report(bare_database, newest_first=True).duplicate == 3


def test_a_run_deals_leads_that_the_report_counts_as_left_over(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, fresh(9))
    before = report(database)
    assert (before.left_over, before.dealt) == (9, 0)
    run = run_deal(database, max_per_agent=3)
    after = report(database)
    assert (after.dealt, after.left_over) == (run.assigned, run.left_over) == (6, 3)
    undo(database)
    assert report(database) == before


def test_a_lead_is_counted_under_what_was_reported_of_it(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al"))
    put_leads(database, [*fresh(5), ("7", 3, RECENT)])
    run = run_deal(database, TODAY - timedelta(days=1))
    outcomes = ["wrong_number", "won", "lost", "call_back", "talked", "call_back"]
    history = sorted(stored_history(database, run.run_id), key=lambda row: row[1])
    put_outcomes(
        database,
        reported_of(
            [Report(which, outcome, 1 if which == 5 else 2) for which, outcome in enumerate(outcomes)],
            run.run_id,
            TODAY - timedelta(days=1),
            history,
        ),
    )
    assert report(database).dealt == 6
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment")
    # The last one is finished, but to be called back today.
    amounts = dict.fromkeys(("wrong_number", "won", "lost", "call_back_to_come"), 1) | {"left_over": 2}
    assert report(database) == PoolReport(TODAY, **{**nothing_counted(), **amounts}, total=6)
    # It comes first in the pool as a list.
    assert [stage for _, stage, _ in listed_pool(database)] == [4, 2]


def test_rows_without_a_number_leave_the_others_in_the_list_of_the_pool(bare_database: TestedDatabase) -> None:
    put_leads(bare_database, [(None, 1, RECENT), (None, 1, RECENT), ("x", 1, RECENT)])
    assert [number for number, _, _ in listed_pool(bare_database)] == ["x"]


@property_test(
    st.data(),
    st.booleans(),
    st.sampled_from([0, 3, 45]),
    st.sampled_from([None, "kept", "removed", "removed"]),
    share=0.5,
)
def test_the_report_equals_a_count_in_plain_python(
    bare_database: TestedDatabase, data: st.DataObject, newest_first: bool, window_days: int, dealt: str | None
) -> None:
    leads = data.draw(with_messy_rows(data.draw(piles(TODAY, window_days, "", 8)), TODAY, window_days))
    put_leads(bare_database, leads)
    numbers = sorted({number for number, _, _ in leads if number and number.strip()})
    listed = set(data.draw(st.lists(st.sampled_from(numbers), max_size=5))) if numbers else set()
    put_do_not_contact(bare_database, listed)
    reported: list[Reported] = []
    if dealt:
        put_agents(bare_database, active_agents("Al", "Bo"))
        before = TODAY - timedelta(days=2)
        run = run_deal(bare_database, before, newest_first=newest_first, window_days=window_days, max_per_agent=9)
        history = list(stored_history(bare_database, run.run_id))
        reported = reported_of(data.draw(reports()), run.run_id, before, sorted(history, key=lambda row: row[1]))
        put_outcomes(bare_database, reported)
    if dealt == "removed":
        bare_database.execute("DELETE FROM dbo.agent_wafunnel_assignment")
    stored = stored_leads(bare_database, bare=True)
    found = report(bare_database, newest_first=newest_first, window_days=window_days)
    assert found == counted(bare_database, stored, listed, newest_first, window_days, reported)
    assert found.total == len(leads)
    # As a list, it is what a deal would have now: the present assignments do not matter.
    pool = reasons_and_pool(set(), stored, listed, newest_first, window_days, reported)[1]
    assert listed_pool(bare_database, newest_first=newest_first, window_days=window_days) == pool
