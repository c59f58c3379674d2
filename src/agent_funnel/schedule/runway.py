"""The runway: the next two weeks of deals at tonight's roster, and how long the leads last.

It counts the leads by stage and day, once, and then plays the rule of the deal on these counts: stage by stage, and
within a stage by date. Which of a day's leads are dealt does not matter for counts, so without new leads each night's
amounts are exactly those of the deals to come. New leads are expected as on the same weekdays of the last four weeks,
by their own dates: `low` is the smallest of these numbers, and `high` the largest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from agent_funnel.agents import limits_in_force, list_limits, roster
from agent_funnel.database import Database
from agent_funnel.rules import Rules, effective
from agent_funnel.runs import DEALT_STAGES
from agent_funnel.schedule.calendar import ONE_DAY, closes_at, current_date, is_workday
from agent_funnel.schedule.skips import list_skips
from agent_funnel.schedule.store import current_pause, find_night, list_holidays
from agent_funnel.schedule.terms import holding
from agent_funnel.sentences import counted, sentence
from agent_funnel.settings import Settings
from agent_funnel.values import read_date

# The dates ahead that are computed:
NIGHTS_AHEAD = 14
# New leads are expected as in this many weeks before today:
WEEKS_BACK = 4

# The leads by stage and day:
Cells = Mapping[tuple[int, date], int]
# Why a date has no deal: a holiday, a weekday without deals, a pause, or nobody has room.
Off = Literal["holiday", "weekday", "skipped", "paused", "nobody"]


@dataclass(frozen=True)
class PlannedNight:
    """A date ahead: the room of each agent who takes part, and the new leads by day that come before its deal."""

    business_date: date
    off: Off | None
    rooms: tuple[int, ...]
    arrivals: Mapping[date, int]


@dataclass(frozen=True)
class NightAmounts:
    """The amounts of a date: leads that `arrived` since the date before, the pool with its parts by stage, leads
    `dealt` and `left_over`.

    `expired` leads were in the pool of the date before, and are now older than the window; `never_called` of these were
    never dealt.
    """

    arrived: int
    pool: int
    by_stage: Mapping[int, int]
    dealt: int
    left_over: int
    expired: int
    never_called: int


@dataclass(frozen=True)
class RunwayNight:
    """A date ahead, with few and with many new leads. `room` is that of all `agents` who take part together."""

    business_date: date
    off: Off | None
    agents: int
    room: int
    low: NightAmounts
    high: NightAmounts


@dataclass(frozen=True)
class RunwayTotals:
    """The sums of all dates. `lasts` counts the deals before the first one with fewer leads than agents, on `short_on`;
    both are None if there is no such deal. The last one before it is on `lasts_until`, None if there is none."""

    lasts: int | None
    lasts_until: date | None
    short_on: date | None
    dealt: int
    expired: int
    never_called: int


@dataclass(frozen=True)
class Scenario:
    """The totals with few and with many new leads."""

    low: RunwayTotals
    high: RunwayTotals


@dataclass(frozen=True)
class Runway:
    """The dates ahead, and what they come to: as things stand, with one agent more, and with one fewer.

    The agent more has the room of the rules each night; the agent fewer is the one with the most room. `one_fewer` is
    None without an agent. `without_new` is as things stand, without any new lead. `weeks` is how many of the last weeks
    have leads to expect new ones by, at most four.
    """

    nights: tuple[RunwayNight, ...]
    weeks: int
    window_days: int
    without_new: RunwayTotals
    as_is: Scenario
    one_more: Scenario
    one_fewer: Scenario | None

    @property
    def has_deals(self) -> bool:
        """Whether any of the dates has a deal; without one, leads last for no deal and run short in none."""
        return any(night.off is None for night in self.nights)

    def warning(self, fewest: int) -> str | None:
        """A sentence for people if the leads last for fewer deals than `fewest`, with few new leads."""
        found = self.as_is.low
        if found.lasts is None or found.lasts >= fewest:
            return None
        if found.lasts == 0:
            return sentence(
                "Leads fall short on %(date)s: as things stand, the deal of that day has fewer leads than agents. "
                "Import leads.",
                date=found.short_on,
            )
        return counted(
            "Leads fall short on %(date)s, after %(count)s more deal: as things stand, the deal of that day has fewer "
            "leads than agents. Import leads.",
            "Leads fall short on %(date)s, after %(count)s more deals: as things stand, the deal of that day has fewer "
            "leads than agents. Import leads.",
            found.lasts,
            date=found.short_on,
        )


def runway(database: Database, settings: Settings, *, now: datetime) -> Runway:
    """Computes the dates ahead, and changes nothing. Reads all leads. Raises DatabaseError if the database failed."""
    settings, rules = holding(database, settings), effective(database, settings)
    today, first = now.astimezone(settings.timezone).date(), _first_date(database, settings, now)
    pool, arrived = count_by_day(database, rules, first, since=today - timedelta(weeks=WEEKS_BACK))
    low, high, weeks = expected(arrived, today)
    plans = _plan(database, settings, rules, first)
    few, many = (_with_arrivals(plans, day_counts, arrived, today) for day_counts in (low, high))
    with_none, with_few, with_many = (simulate(pool, nights, rules) for nights in (plans, few, many))

    def play(change: int) -> Scenario:
        both = [[_with_agents(night, change, rules.max_per_agent) for night in nights] for nights in (few, many)]
        return Scenario(*(_totals(nights, simulate(pool, nights, rules)) for nights in both))

    return Runway(
        nights=tuple(
            RunwayNight(plan.business_date, plan.off, len(plan.rooms), sum(plan.rooms), *amounts)
            for plan, *amounts in zip(plans, with_few, with_many, strict=True)
        ),
        weeks=weeks,
        window_days=rules.window_days,
        without_new=_totals(plans, with_none),
        as_is=Scenario(_totals(few, with_few), _totals(many, with_many)),
        one_more=play(1),
        one_fewer=play(-1) if any(plan.rooms for plan in plans) else None,
    )


def simulate(pool: Cells, nights: Sequence[PlannedNight], rules: Rules) -> list[NightAmounts]:
    """Plays the rule of the deal on counts, night by night, beginning with this pool."""
    left: dict[int, Counter[date]] = defaultdict(Counter)
    for (stage, day), leads in pool.items():
        left[stage][day] += leads
    found = []
    for night in nights:
        left[1].update(night.arrivals)
        expired = _expire(left, night.business_date - timedelta(days=rules.window_days))
        by_stage = dict.fromkeys(DEALT_STAGES, 0)
        for stage, days in left.items():
            by_stage[max(stage, 1)] += days.total()
        dealt = _deal(left, sum(night.rooms), newest_first=rules.newest_first)
        found.append(
            NightAmounts(
                arrived=sum(night.arrivals.values()),
                pool=sum(by_stage.values()),
                by_stage=by_stage,
                dealt=dealt,
                left_over=sum(by_stage.values()) - dealt,
                expired=expired.total(),
                never_called=sum(leads for stage, leads in expired.items() if stage <= 1),
            )
        )
    return found


def _expire(left: Mapping[int, Counter[date]], oldest: date) -> Counter[int]:
    """Removes the leads from before a day; returns how many, by stage."""
    expired: Counter[int] = Counter()
    for stage, days in left.items():
        for day in [day for day in days if day < oldest]:
            expired[stage] += days.pop(day)
    return expired


def _deal(left: dict[int, Counter[date]], room: int, *, newest_first: bool) -> int:
    """Moves the first leads in deal order on by one stage, as far as the room goes; returns how many."""
    dealt: list[tuple[int, date, int]] = []
    for stage in sorted(left):
        for day in sorted(left[stage], reverse=newest_first):
            leads = min(room, left[stage][day])
            if leads == 0:
                continue
            room -= leads
            left[stage][day] -= leads
            dealt.append((stage + 1, day, leads))
        # Days without leads would be sorted again each night.
        left[stage] += Counter()
    for stage, day, leads in dealt:
        if stage in DEALT_STAGES or stage < 1:
            left[stage][day] += leads
    return sum(leads for _, _, leads in dealt)


def expected(arrived: Mapping[date, int], today: date) -> tuple[dict[int, int], dict[int, int], int]:
    """The smallest and the largest number of new leads by weekday (0 is Monday), and the weeks that they are from.

    Days before the first lead that is known tell nothing. A weekday of which nothing is known may bring no lead, or as
    many as the best of all days.
    """
    begin = today - timedelta(weeks=WEEKS_BACK)
    first = min((day for day in arrived if begin <= day < today), default=today)
    known = {today - back * ONE_DAY for back in range(1, (today - first).days + 1)}
    best = max((arrived.get(day, 0) for day in known), default=0)
    low, high = {}, {}
    for weekday in range(7):
        leads = [arrived.get(day, 0) for day in known if day.weekday() == weekday]
        low[weekday], high[weekday] = min(leads, default=0), max(leads, default=best)
    return low, high, (today - first).days // 7


def _first_date(database: Database, settings: Settings, now: datetime) -> date:
    """The first date whose deal is still to come."""
    day = current_date(now, settings)
    ended = now >= closes_at(day, settings) or find_night(database, day) is not None
    return day + ONE_DAY if ended else day


def count_by_day(
    database: Database, rules: Rules, first: date, *, since: date
) -> tuple[dict[tuple[int, date], int], Counter[date]]:
    """The pool of a date by stage and day, and all leads by day from `since` on."""
    oldest = first - timedelta(days=rules.window_days)
    rows = database.all(
        "leads_by_day",
        business_date=first.isoformat(),
        since=min(oldest, since).isoformat(),
        oldest=oldest.isoformat(),
        newest_first=int(rules.newest_first),
    )
    pool: Counter[tuple[int, date]] = Counter()
    arrived: Counter[date] = Counter()
    for row in rows:
        day = read_date(row["day"])
        if row["kind"] == "pool":
            pool[int(row["stage"]), day] += row["leads"]
        if row["kind"] in ("pool", "out"):
            arrived[day] += row["leads"]
    return dict(pool), arrived


def _plan(database: Database, settings: Settings, rules: Rules, first: date) -> list[PlannedNight]:
    """The dates ahead, without new leads."""
    holidays = {holiday.day for holiday in list_holidays(database, since=first)}
    skipped = {each.business_date for each in list_skips(database, since=first)}
    paused = current_pause(database) is not None
    active = [agent.agent for agent in roster(database, first) if agent.active]
    limits = list_limits(database)
    plans = []
    for day in (first + back * ONE_DAY for back in range(NIGHTS_AHEAD)):
        limited = limits_in_force(limits, day)
        rooms = [min(rules.max_per_agent, limited[name].max_records) if name in limited else rules.max_per_agent
                 for name in active]  # fmt: skip
        reasons: tuple[tuple[bool, Off], ...] = (
            (day in holidays, "holiday"),
            (not is_workday(day, settings), "weekday"),
            (day in skipped, "skipped"),
            (paused, "paused"),
            (not any(rooms), "nobody"),
        )
        off = next((name for holds, name in reasons if holds), None)
        plans.append(PlannedNight(day, off, () if off else tuple(room for room in rooms if room), {}))
    return plans


def _with_arrivals(
    plans: Sequence[PlannedNight], by_weekday: Mapping[int, int], arrived: Mapping[date, int], today: date
) -> list[PlannedNight]:
    """The dates with the new leads that are expected. Of today's, those are missing that are there already."""
    found, day = [], today
    for plan in plans:
        arrivals: dict[date, int] = {}
        while day <= plan.business_date:
            there = arrived.get(day, 0) if day == today else 0
            arrivals[day] = max(0, by_weekday[day.weekday()] - there)
            day += ONE_DAY
        found.append(replace(plan, arrivals=arrivals))
    return found


def _with_agents(plan: PlannedNight, change: int, room: int) -> PlannedNight:
    """The date with one agent more (1), or with one fewer (-1)."""
    if plan.off not in (None, "nobody"):
        return plan
    rooms = (*plan.rooms, room) if change > 0 else tuple(sorted(plan.rooms)[:-1])
    return replace(plan, rooms=rooms, off=None if rooms else "nobody")


def _totals(plans: Sequence[PlannedNight], amounts: Sequence[NightAmounts]) -> RunwayTotals:
    deals = [(plan, each) for plan, each in zip(plans, amounts, strict=True) if plan.off is None]
    short = next((place for place, (plan, each) in enumerate(deals) if each.pool < len(plan.rooms)), None)
    return RunwayTotals(
        lasts=short,
        lasts_until=deals[short - 1][0].business_date if short else None,
        short_on=None if short is None else deals[short][0].business_date,
        dealt=sum(each.dealt for each in amounts),
        expired=sum(each.expired for each in amounts),
        never_called=sum(each.never_called for each in amounts),
    )
