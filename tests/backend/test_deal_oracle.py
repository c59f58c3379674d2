"""The deal, on both engines, compared with the oracle row by row, on generated nights of all kinds."""

from __future__ import annotations

from hypothesis import strategies as st

from support.databases import TestedDatabase
from support.nights import Case, Night, active_agents, compare_with_oracle
from support.oracle import Agent, Limit
from support.properties import may_refuse, property_test
from support.strategies import cases


@property_test(cases())
def test_every_run_equals_the_oracle_row_by_row(database: TestedDatabase, case: Case) -> None:
    compare_with_oracle(database, case, refusals=may_refuse(database))


@property_test(cases(bare=True))
def test_every_run_equals_the_oracle_row_by_row_on_tables_without_keys(
    bare_database: TestedDatabase, case: Case
) -> None:
    compare_with_oracle(bare_database, case, bare=True, refusals=may_refuse(bare_database))


@property_test(cases(bare=True, most_nights=1), st.sampled_from(["none", "inactive", "away"]), share=0.2)
def test_with_no_active_agent_nothing_changes(bare_database: TestedDatabase, case: Case, why: str) -> None:
    """No agent at all, no active one, or all of them with a limit of 0; with and without a pool."""

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
    # First a night with a deal, so that there is something that could change.
    dealing = Night(agents=active_agents("Zoe"), window_days=night.window_days)
    rest = Case(case.first_day, [dealing, absent], limits, case.do_not_contact, case.assigned_before)
    compare_with_oracle(bare_database, rest, bare=True)
