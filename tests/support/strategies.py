"""The strategies of the property tests: agents, leads, limits, dates, and whole cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from hypothesis import strategies as st

from support.nights import TODAY, Case, Night
from support.oracle import Agent, Lead, Limit

# Some agents whose names sort differently by bytes than by any language's rules, and enough others.
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
    # The same Brazilian number four times, twice without its ninth digit:
    "+5511981234567",
    "0055 11 98123-4567",
    "551181234567",
    "+55 11 8123\u00a04567",
]

DAYS = st.sampled_from([TODAY, date(2024, 4, 14), date(2026, 1, 1), date(2028, 2, 29), date(2026, 3, 29)])
WINDOWS = st.sampled_from([45, 45, 45, 0, 1, 44, 46, 36_500])
CAPS = st.sampled_from([1, 2, 3, 5, 8, 450, 450, 450])
SINGLE_LIMITS = [0, 1, 1, 1, 2, 2, 3, 5, 449, 450, 451, 1000]
MILLISECONDS = st.sampled_from([0, 3, 7, 10, 500, 990, 993, 997])  # values that SQL Server's DATETIME keeps

KEYED_STATUSES = st.sampled_from(["active", "active", "active", "Active", "ACTIVE", "active ", "inactive", "Inactive"])
BARE_STATUSES = st.one_of(
    KEYED_STATUSES,
    st.sampled_from([None, "", " active", "  aCtIvE  ", " inactive", "activ", "active.", "in active", "paused"]),
)


@st.composite
def dates(draw: st.DrawFn, business_date: date, window_days: int) -> datetime:
    """Dates around the edge of the window to the millisecond, around today, long ago, far ahead, and in between."""
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
    # Most dates are inside the window, so that most pools are not empty.
    created_at = st.one_of(
        dates(business_date, window_days),
        st.integers(0, 2).map(lambda days: datetime.combine(business_date, time(9)) - timedelta(days=days)),
    )
    drawn = st.tuples(st.integers(1, biggest), st.sampled_from([1, 1, 2, 2, 3, 3, 4]), created_at)
    are_phones = draw(st.booleans())
    leads: list[Lead] = []
    for count, stage, created in draw(st.lists(drawn, min_size=draw(st.sampled_from([0, 1, 3, 3])), max_size=6)):
        for _ in range(count):
            # The numbers are scrambled, so that they do not arrive in order, and have different lengths.
            if are_phones:
                number = phone(int(prefix or "0") * 10_007 + (len(leads) // 2 + 1) * 7919 % 10_007, len(leads))
            else:
                number = f"{prefix}{(len(leads) + 1) * 7919 % 10_007}"
            leads.append((number, stage, created))
    return leads


def phone(which: int, spelling: int) -> str:
    """One of many Brazilian mobile numbers, in one of five spellings."""
    rest = f"8{which:07}"
    return [f"55119{rest}", f"+5511{rest}", f"+55 (11) 9 {rest}", f"0055119{rest}", f"5511{rest}"][spelling % 5]


@st.composite
def keyed_rosters(draw: st.DrawFn) -> list[Agent]:
    """Agents as the installer's tables allow them: each agent once, with a status."""
    count = draw(st.one_of(st.integers(2, 6), st.integers(2, 12), st.integers(0, 40)))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=count, max_size=count, unique=True))
    return [(name, draw(KEYED_STATUSES)) for name in names]


@st.composite
def bare_rosters(draw: st.DrawFn) -> list[Agent]:
    """Agents as tables without keys may hold them: in several rows, with any status or none, or without a name."""
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
            arrivals = draw(with_messy_rows(arrivals, business_date, window_days))
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
                voice=draw(st.sampled_from(["fresh", "fresh", "as-dealt"])),
            )
        )
    names = [name for night in nights for name, _ in night.agents or () if name is not None and name.strip()]
    numbers = [number for night in nights for number, _, _ in night.arrivals if number is not None and number.strip()]
    often = [*SOME_NUMBERS, *(number for number, times in Counter(numbers).items() if times > 1), *numbers[:20]]
    often += [phone(night * 10_007 + 7919, spelling) for night in range(len(nights)) for spelling in (0, 2)]
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
        forgotten=draw(st.one_of(st.just([]), st.lists(st.sampled_from(SOME_NUMBERS), max_size=2))),
    )


@st.composite
def with_messy_rows(draw: st.DrawFn, leads: list[Lead], business_date: date, window_days: int) -> list[Lead]:
    """Adds rows that a table without keys may hold: a number in several rows, equal rows, blanks, NULLs, any stage."""
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
