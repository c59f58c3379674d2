"""The runway on counts: the rule of the deal, compared with the oracle that deals lead by lead, and the new leads."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent_funnel.rules import DEFAULTS, Rules
from agent_funnel.schedule.runway import PlannedNight, expected, simulate
from support import oracle
from support.nights import TODAY
from support.oracle import Lead

WINDOW = 5
# Leads by stage and age in days; a negative age is a date in the future:
COUNTS = st.dictionaries(st.tuples(st.integers(1, 3), st.integers(-3, WINDOW)), st.integers(1, 9), max_size=12)


def rules(**changed: object) -> Rules:
    return Rules(**{**DEFAULTS.__dict__, "window_days": WINDOW, **changed})


def nights(*rooms: tuple[int, ...], arrivals: dict[int, dict[date, int]] | None = None) -> list[PlannedNight]:
    """Nights from today on, with these rooms; without a room there is no deal."""
    return [
        PlannedNight(TODAY + timedelta(days=ahead), None if each else "holiday", each, (arrivals or {}).get(ahead, {}))
        for ahead, each in enumerate(rooms)
    ]


@given(COUNTS, st.lists(st.lists(st.integers(1, 9), max_size=3).map(tuple), min_size=1, max_size=6), st.booleans())
def test_the_amounts_of_each_night_equal_those_of_the_deal_lead_by_lead(
    counts: dict[tuple[int, int], int], rooms: list[tuple[int, ...]], newest_first: bool
) -> None:
    cells = {(stage, TODAY - timedelta(days=age)): leads for (stage, age), leads in counts.items()}
    leads: list[Lead] = [
        (f"{stage}/{day}/{place}", stage, datetime.combine(day, time(9)))
        for (stage, day), count in cells.items()
        for place in range(count)
    ]
    found = simulate(cells, nights(*rooms), rules(newest_first=newest_first))
    before: set[str | None] = set()
    for ahead, (each, night) in enumerate(zip(rooms, found, strict=True)):
        business_date = TODAY + timedelta(days=ahead)
        oldest = datetime.combine(business_date - timedelta(days=WINDOW), time.min)
        pool = [lead for lead in leads if lead[1] and lead[1] < 4 and lead[2] and lead[2] >= oldest]
        assert night.by_stage == {stage: sum(lead[1] == stage for lead in pool) for stage in (1, 2, 3)}
        gone = [lead for lead in leads if lead[0] in before and lead not in pool and lead[1] != 4]
        assert (night.expired, night.never_called) == (len(gone), sum(lead[1] == 1 for lead in gone))
        assert (night.pool, night.arrived) == (len(pool), 0)
        dealt = 0
        if each:
            agents = [(f"agent {place}", "active") for place in range(len(each))]
            limits = [(name, date.min, None, room) for (name, _), room in zip(agents, each, strict=True)]
            run = oracle.deal(
                agents, leads, limits, (), None, business_date, window_days=WINDOW, newest_first=newest_first
            )
            leads, dealt = run.leads, run.amounts["assigned"]
        assert (night.dealt, night.left_over) == (dealt, len(pool) - dealt)
        before = {lead[0] for lead in pool}


def test_new_leads_come_before_the_deal_of_their_night_and_have_never_been_called() -> None:
    tomorrow = TODAY + timedelta(days=1)
    found = simulate({(3, TODAY): 2}, nights((1,), (9,), arrivals={1: {tomorrow: 4}}), rules())
    assert [(night.arrived, night.by_stage, night.dealt) for night in found] == [
        (0, {1: 0, 2: 0, 3: 2}, 1),
        (4, {1: 4, 2: 0, 3: 1}, 5),
    ]


def test_new_leads_are_expected_as_on_the_same_weekdays_of_the_last_four_weeks() -> None:
    back = {7: 10, 14: 30, 21: 20, 28: 15, 35: 500, 1: 4, 8: 0, 15: 6, 22: 5, 0: 900}
    low, high, weeks = expected({TODAY - timedelta(days=days): leads for days, leads in back.items()}, TODAY)
    yesterday = (TODAY - timedelta(days=1)).weekday()
    assert (low[TODAY.weekday()], high[TODAY.weekday()], weeks) == (10, 30, 4)
    assert (low[yesterday], high[yesterday]) == (0, 6)
    # On the other weekdays no lead came.
    assert Counter(high.values()) == Counter({0: 5, 30: 1, 6: 1})


def test_a_weekday_of_which_nothing_is_known_may_bring_nothing_or_as_much_as_the_best_day() -> None:
    low, high, weeks = expected({TODAY - timedelta(days=2): 7, TODAY - timedelta(days=1): 3}, TODAY)
    assert weeks == 0
    known = {(TODAY - timedelta(days=back)).weekday(): leads for back, leads in ((2, 7), (1, 3))}
    for weekday in range(7):
        assert (low[weekday], high[weekday]) == ((known[weekday],) * 2 if weekday in known else (0, 7))
    assert expected({}, TODAY) == (dict.fromkeys(range(7), 0), dict.fromkeys(range(7), 0), 0)
