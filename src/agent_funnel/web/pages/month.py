"""A month as a calendar: absences, limits, holidays, skipped dates and days without a deal; of an agent, or of all."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import request
from flask_babel import gettext

from agent_funnel.agents import Limit, limits_in_force
from agent_funnel.schedule.calendar import is_workday
from agent_funnel.schedule.store import list_holidays
from agent_funnel.web.format import number
from agent_funnel.web.languages import locale
from agent_funnel.web.requester import free_text, today
from agent_funnel.web.services import services

# The business dates that the deal accepts:
FIRST, LAST = date(2000, 1, 1), date(9998, 12, 31)


@dataclass(frozen=True)
class CalendarDay:
    """A day of the calendar: its symbol, and the same in words."""

    date: date
    kind: str
    symbol: str
    text: str


def month_of(limits: Sequence[Limit]) -> dict[str, Any]:
    """The requested month of an agent with these limits, for the template."""
    month = requested_month()
    holidays = {holiday.day: holiday.name for holiday in list_holidays(services().database, since=month)}
    return weeks_of(month, lambda date: day_of(date, limits, holidays))


def weeks_of(month: date, day: Callable[[date], Any]) -> dict[str, Any]:
    """A month for the template: weeks of days, None for the days of other months."""
    weeks = Calendar(locale().first_week_day).monthdatescalendar(month.year, month.month)
    before, after = month - timedelta(days=1), (month + timedelta(days=31)).replace(day=1)
    return {
        "month": month,
        "weekdays": weeks[1],
        "weeks": [[day(date) if date.month == month.month else None for date in week] for week in weeks],
        "month_before": f"{before:%Y-%m}" if before >= FIRST else None,
        "month_after": f"{after:%Y-%m}" if after <= LAST else None,
    }


def day_of(date: date, limits: Sequence[Limit], holidays: Mapping[date, str | None]) -> CalendarDay:
    """A day for an agent with these limits. The first fact that applies gives the symbol."""
    facts = []
    limit = next(iter(limits_in_force(limits, date).values()), None)
    if limit is not None and limit.max_records == 0:
        facts.append(("away", "✕", gettext("away")))
    elif limit is not None:
        most = number(limit.max_records, locale())
        facts.append(("limited", f"≤{most}", gettext("at most %(n)s", n=most)))
    if date in holidays:
        name = free_text(holidays[date])
        facts.append(("holiday", "○", gettext("holiday: %(name)s", name=name) if name else gettext("holiday")))
    if not is_workday(date, services().settings):
        facts.append(("off", "○", gettext("no deal on this weekday")))
    kind, symbol, _ = facts[0] if facts else ("", "", "")
    return CalendarDay(date, kind, symbol, "; ".join(text for _, _, text in facts))


def requested_month() -> date:
    """The first day of the requested month, such as 2026-11; of the current month if none is requested."""
    try:
        month = date.fromisoformat(f"{request.values.get('month', '')}-01")
    except ValueError:
        return today().replace(day=1)
    return month if FIRST <= month <= LAST else today().replace(day=1)
