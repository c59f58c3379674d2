"""Results: what came of the leads that were dealt, by agent, stage, class, night and import.

A lead counts once for each run that dealt it, by the outcome of that run that holds. Neither its outcome nor the lead
itself counts if the run is undone, its history is purged, the person is forgotten, or the outcome is `not_worked`,
which is also that of a hand-back: nobody was to call the lead. An outcome that was taken back is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import sqrt
from statistics import NormalDist

from agent_funnel.database import Database
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.names import by_name
from agent_funnel.sentences import sentence
from agent_funnel.values import Row, read_date

# A rate, and a place among the agents, are given from this denominator on. With 50, the interval is at most 27 points
# wide:
FEWEST = 50
# How sure the interval of a rate is:
CONFIDENCE = 0.95
# How many dates are shown, up to the present one, where no others are asked for:
USUAL_DAYS = 28
# The rates:
RATES = ("penetration", "contact_rate", "conversion", "list_conversion")
# The fields of Results that have a row for each agent, stage, and so on:
GROUPS = ("agents", "stages", "classes", "nights", "imports")
# The amounts of a row:
AMOUNTS = ("leads", "not_worked", "reported", "reached", "won")


@dataclass(frozen=True)
class Estimate:
    """A rate as it was counted, and the ends of its interval: with 95 % confidence, the true rate is between them."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class GroupResult:
    """What came of the leads of an agent, a stage, a class, a night or an import; `name` says of which.

    The name of a stage is that before the run, 1 to 4; of a class, the same or `call_back`; of an import, its number.
    It is None for the leads of no import on record, and for all leads together. `label` is the file of an import.

    `dealt` leads are left without the `not_worked` ones. An agent `reported` an outcome of so many of them, `reached`
    the person of so many of these, and so many were `won`. `penetration` is reported of dealt, `contact_rate` reached
    of reported, `conversion` won of reached, and `list_conversion` won of dealt; each is None below 50 in its
    denominator. Of an agent, `list_conversion` is also None below 50 `reported`: somebody who reports nothing seems to
    have won nothing. An agent's true place by list conversion is anywhere from `best_place` to `worst_place`, as far as
    the intervals can tell; None without that rate.
    """

    name: str | None
    label: str | None
    dealt: int
    not_worked: int
    reported: int
    reached: int
    won: int
    penetration: Estimate | None
    contact_rate: Estimate | None
    conversion: Estimate | None
    list_conversion: Estimate | None
    best_place: int | None = None
    worst_place: int | None = None


@dataclass(frozen=True)
class Results:
    """The results of the deals of a span of business dates, both inclusive.

    `deals` count. `undone` ones, and `purged` ones, whose history was deleted, do not. `called_now` is the number of
    the last run if its leads count although agents still have them.
    """

    date_from: date
    date_to: date
    deals: int
    undone: int
    purged: int
    called_now: int | None
    total: GroupResult
    agents: tuple[GroupResult, ...]
    stages: tuple[GroupResult, ...]
    classes: tuple[GroupResult, ...]
    nights: tuple[GroupResult, ...]
    imports: tuple[GroupResult, ...]


def count_results(database: Database, date_from: date, date_to: date) -> Results:
    """Counts the results of the deals of these dates. Reads all of their history.

    Raises ParameterOutOfRange if the first date comes after the last one.
    """
    if date_from > date_to:
        raise ParameterOutOfRange(
            sentence(
                "The first date, %(date_from)s, is after the last one, %(date_to)s. Nothing was counted.",
                date_from=date_from,
                date_to=date_to,
            )
        )
    span = {"date_from": date_from.isoformat(), "date_to": date_to.isoformat()}
    runs = database.one("result_runs", **span)
    assert runs is not None
    cells = database.all("results", **span)
    imports = database.all("results_by_import", **span)
    return Results(
        date_from=date_from,
        date_to=date_to,
        deals=runs["deals"],
        undone=runs["undone"],
        purged=runs["purged"],
        called_now=runs["called_now"],
        total=_result(None, cells),
        agents=with_places(_grouped(cells, lambda row: row["agent"])),
        stages=_grouped(cells, lambda row: str(row["stage"])),
        classes=_grouped(cells, _class),
        nights=_grouped(cells, lambda row: str(read_date(row["business_date"]))),
        imports=tuple(
            _result(None if row["import_id"] is None else str(row["import_id"]), [row], row["file_name"])
            for row in imports
        ),
    )


def usual_span(today: date, date_from: date | None, date_to: date | None) -> tuple[date, date]:
    """The dates that are asked for, or the last four weeks."""
    last = date_to or max(today, date_from or today)
    return date_from or date.fromordinal(max(1, last.toordinal() - USUAL_DAYS + 1)), last


def interval(part: int, whole: int) -> Estimate | None:
    """The rate of a part, with its interval; None for a whole below FEWEST, which says too little.

    It is the score interval of E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference,
    Journal of the American Statistical Association 22 (1927), 209 to 212. Unlike the rate plus and minus a multiple of
    its standard error, it never leaves 0 to 1, and it holds for rates near the ends.
    """
    if whole < FEWEST:
        return None
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    # More than the whole only where somebody deleted history by hand.
    rate = min(1.0, part / whole)
    middle = (rate + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z / (1 + z * z / whole) * sqrt(rate * (1 - rate) / whole + z * z / (4 * whole * whole))
    return Estimate(round(rate, 4), round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4))


def _class(row: Row) -> str:
    return "call_back" if row["is_call_back"] else str(row["stage"])


def _grouped(cells: Iterable[Row], name: Callable[[Row], str]) -> tuple[GroupResult, ...]:
    """The results by name, in the order that people look names up in."""
    groups: dict[str, list[Row]] = {}
    for row in cells:
        groups.setdefault(name(row), []).append(row)
    return tuple(_result(each, groups[each]) for each in sorted(groups, key=by_name))


def _result(name: str | None, rows: Sequence[Row], label: str | None = None) -> GroupResult:
    leads, not_worked, reported, reached, won = (sum(row[amount] for row in rows) for amount in AMOUNTS)
    dealt = leads - not_worked
    return GroupResult(
        name=name,
        label=label,
        dealt=dealt,
        not_worked=not_worked,
        reported=reported,
        reached=reached,
        won=won,
        penetration=interval(reported, dealt),
        contact_rate=interval(reached, reported),
        conversion=interval(won, reached),
        list_conversion=interval(won, dealt),
    )


def with_places(agents: tuple[GroupResult, ...]) -> tuple[GroupResult, ...]:
    """The agents with their places: another agent is surely better, or worse, if the intervals have nothing in common.

    A place for each agent without this would be made of chance alone where agents are about equal. Those who reported
    too little get neither a place nor the rate that it is by, since nobody knows what they won.
    """
    agents = tuple(each if each.reported >= FEWEST else replace(each, list_conversion=None) for each in agents)
    rates = [each.list_conversion for each in agents if each.list_conversion]

    def placed(agent: GroupResult) -> GroupResult:
        own = agent.list_conversion
        if own is None:
            return agent
        return replace(
            agent,
            best_place=1 + sum(other.low > own.high for other in rates),
            worst_place=len(rates) - sum(other.high < own.low for other in rates),
        )

    return tuple(map(placed, agents))
