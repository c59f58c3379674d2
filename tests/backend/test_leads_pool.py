"""The report on the pool counts each lead once, by the first reason that applies; on both engines."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from agent_funnel.leads import PoolReport, pool_report
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
    stored_leads,
    undo,
)
from support.properties import property_test
from support.strategies import piles, with_messy_rows


def counted(
    database: TestedDatabase, leads: list[Any], listed: set[str], newest_first: bool, window_days: int
) -> PoolReport:
    """The expected report, counted in plain Python."""
    oldest = datetime.combine(TODAY - timedelta(days=window_days), time.min)
    rows = database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")
    held = {match_key(number) for (number,) in rows if number is not None}
    listed = {match_key(number) for number in listed}

    def reason(number: str | None, stage: int | None, created: datetime | None) -> str:
        if number is None or not number.strip() or stage is None or created is None:
            return "unusable"
        if match_key(number) in held:
            return "dealt"
        if stage >= 4:
            return "at_stage_4"
        if created < oldest:
            return "too_old"
        return "do_not_contact" if match_key(number) in listed else "left_over"

    reasons = [reason(*lead) for lead in leads]
    firsts: dict[str, Any] = {}
    pool = [lead for lead, why in zip(leads, reasons, strict=True) if why == "left_over"]
    pool.sort(key=lambda lead: lead[0].encode())
    for number, stage, created in sorted(pool, key=lambda lead: lead[2], reverse=newest_first):
        key = match_key(number)
        if key not in firsts or stage < firsts[key][1]:
            firsts[key] = (number, stage, created)
    counts = Counter(
        "duplicate" if why == "left_over" and lead != firsts[match_key(lead[0])] else why
        for lead, why in zip(leads, reasons, strict=True)
    )
    names = ("dealt", "left_over", "at_stage_4", "too_old", "do_not_contact", "duplicate", "unusable")
    return PoolReport(TODAY, **{name: counts[name] for name in names}, total=len(leads))


def report(database: TestedDatabase, **rules: Any) -> PoolReport:
    take_in(database.backend)
    return pool_report(database.backend, load(**{"window_days": 45, "newest_first": False, **rules}), TODAY)


def test_each_lead_is_counted_once_by_the_first_reason_that_applies(bare_database: TestedDatabase) -> None:
    assert report(bare_database) == PoolReport(TODAY, 0, 0, 0, 0, 0, 0, 0, 0)
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
    assert report(bare_database) == PoolReport(
        TODAY, dealt=3, left_over=3, at_stage_4=3, too_old=1, do_not_contact=2, duplicate=2, unusable=5, total=19
    )
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


@property_test(st.data(), st.booleans(), st.sampled_from([0, 3, 45]), st.booleans())
def test_the_report_equals_a_count_in_plain_python(
    bare_database: TestedDatabase, data: st.DataObject, newest_first: bool, window_days: int, dealt: bool
) -> None:
    leads = data.draw(with_messy_rows(data.draw(piles(TODAY, window_days, "", 8)), TODAY, window_days))
    put_leads(bare_database, leads)
    numbers = sorted({number for number, _, _ in leads if number and number.strip()})
    listed = set(data.draw(st.lists(st.sampled_from(numbers), max_size=5))) if numbers else set()
    put_do_not_contact(bare_database, listed)
    if dealt:
        put_agents(bare_database, active_agents("Al", "Bo"))
        run_deal(bare_database, newest_first=newest_first, window_days=window_days, max_per_agent=2)
    stored = stored_leads(bare_database, bare=True)
    found = report(bare_database, newest_first=newest_first, window_days=window_days)
    assert found == counted(bare_database, stored, listed, newest_first, window_days)
    assert found.total == len(leads)
