"""The calendar of everybody: holidays, skipped dates, absences and limits, and the forms that change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, render_template, request
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.agents import Limit, agent_names, limits_in_force, list_limits, remove_limit
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.names import by_name
from agent_funnel.schedule.calendar import is_workday
from agent_funnel.schedule.public_holidays import FIRST_YEAR, LAST_YEAR, countries, public_holidays
from agent_funnel.schedule.skips import list_skips
from agent_funnel.schedule.store import add_holiday, list_holidays, remove_holiday
from agent_funnel.sentences import sentence
from agent_funnel.settings import LARGEST_SHARE
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.fields import Day
from agent_funnel.web.format import day
from agent_funnel.web.languages import language, locale
from agent_funnel.web.numbers import floor_country
from agent_funnel.web.pages.agent import check_days, requested_agent, save_limit
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice
from agent_funnel.web.pages.month import requested_month, weeks_of
from agent_funnel.web.request_models import LimitPath, NewHoliday, RequestModel
from agent_funnel.web.requester import free_text, today
from agent_funnel.web.services import services
from agent_funnel.web.setting_words import country_name

blueprint = Blueprint("calendar", __name__)

# The most names in a cell, and the most absences and limits below the calendar:
SHOWN_NAMES = 3
SHOWN_LIMITS = 200
# The most days in a row that one form makes holidays:
MOST_DAYS = 31


@dataclass(frozen=True)
class FloorDay:
    """A day of everybody: why there is no deal, who is away, and, where a limit begins or ends, who has one."""

    date: date
    # holiday, skipped, off (no deal on this weekday), or empty:
    kind: str
    why: str
    away: Sequence[str]
    limited: Sequence[str]


@page(blueprint, "/calendar", role="viewer")
def show() -> str:
    """A month of everybody, and the holidays, skipped dates, absences and limits in it."""
    database = services().database
    month = requested_month()
    after = (month + timedelta(days=31)).replace(day=1)
    holidays = [each for each in list_holidays(database, since=month) if each.day < after]
    skips = [each for each in list_skips(database, since=month) if each.business_date < after]
    limits = [
        each for each in list_limits(database)
        if each.starts_on < after and (each.ends_on is None or each.ends_on >= month)
    ]  # fmt: skip
    limits.sort(key=lambda each: (by_name(each.agent), each.starts_on))
    names = {each.day: each.name for each in holidays}
    skipped = {each.business_date for each in skips}
    return render_template(
        "calendar.html",
        holidays=holidays,
        skips=skips,
        SHOWN_NAMES=SHOWN_NAMES,
        limits=limits[:SHOWN_LIMITS],
        more_limits=max(0, len(limits) - SHOWN_LIMITS),
        agents=agent_names(database),
        today=today(),
        first_free=max(today(), month),
        largest_limit=LARGEST_SHARE,
        asked_month=f"{month:%Y-%m}",
        public_year=max(today(), month).year,
        **weeks_of(month, lambda date: _day_of(date, names, skipped, limits)),
    )


def _day_of(date: date, holidays: Mapping[date, str | None], skipped: set[date], limits: Sequence[Limit]) -> FloorDay:
    kind = why = ""
    if date in holidays:
        kind, why = "holiday", free_text(holidays[date]) or gettext("holiday")
    elif date in skipped:
        kind, why = "skipped", gettext("skipped")
    elif not is_workday(date, services().settings):
        kind, why = "off", gettext("no deal on this weekday")
    in_force = sorted(limits_in_force(limits, date).values(), key=lambda each: by_name(each.agent))
    away = [each.agent for each in in_force if each.max_records == 0]
    changing = any(date in (each.starts_on, each.ends_on) for each in limits if each.max_records > 0)
    limited = [each.agent for each in in_force if each.max_records > 0] if changing else []
    return FloorDay(date, kind, why, away, limited)


@form(blueprint, "/calendar/limits", role="operator", shows=show)
def add_limit() -> BaseResponse:
    """Adds an absence or a limit of an agent."""
    limit, notice = save_limit(requested_agent().agent)
    return redirect_with_notice(notice, "calendar.show", month=f"{limit.starts_on:%Y-%m}")


@form(blueprint, "/calendar/limits/remove", role="operator", shows=show)
def take_limit() -> BaseResponse:
    """Removes an absence or a limit."""
    filled_in = LimitPath.model_validate_strings({"limit_id": request.form.get("limit_id", "")})
    set_audit_target(f"limit {filled_in.limit_id}")
    remove_limit(services().database, filled_in.limit_id)
    return redirect_with_notice(
        gettext("Removed; it no longer counts from the next deal on."), "calendar.show", **_month()
    )


@form(blueprint, "/calendar/holidays", role="operator", shows=show)
def add() -> BaseResponse:
    """Adds a holiday, or several days in a row."""
    filled_in = read_form(NewHoliday)
    first, last = filled_in.starts_on, filled_in.ends_on or filled_in.starts_on
    set_audit_target(f"{first} to {last}" if last != first else first)
    check_days(first, last)
    days = (last - first).days + 1
    if days > MOST_DAYS:
        raise ParameterOutOfRange(
            sentence(
                "%(first)s to %(last)s are %(days)s days; at most %(most)s are possible at once. Nothing was changed.",
                first=day(first, locale()),
                last=day(last, locale()),
                days=days,
                most=MOST_DAYS,
            )
        )
    for back in range(days):
        add_holiday(services().database, first + timedelta(days=back), filled_in.name)
    notice = ngettext(
        "Saved: there is no automatic deal on %(day)s.",
        "Saved: there is no automatic deal on %(n)s days from %(day)s on.",
        days,
        n=days,
        day=day(first, locale()),
    )
    return redirect_with_notice(notice, "calendar.show", month=f"{first:%Y-%m}")


class HolidayDay(RequestModel):
    """A holiday, by its day."""

    day: Day


@form(blueprint, "/calendar/holidays/remove", role="operator", shows=show)
def remove() -> BaseResponse:
    """Removes a holiday."""
    filled_in = HolidayDay.model_validate_strings({"day": request.form.get("day", "")})
    set_audit_target(filled_in.day)
    remove_holiday(services().database, filled_in.day)
    notice = gettext("%(day)s is no longer a holiday; the automatic deal is made.", day=day(filled_in.day, locale()))
    return redirect_with_notice(notice, "calendar.show", **_month())


def _month() -> dict[str, str]:
    """The month to go back to, if the form has one."""
    month = request.form.get("month")
    return {"month": month} if month else {}


@page(blueprint, "/calendar/public", role="viewer")
def show_public() -> str:
    """The public holidays of a country and year, before anything is added."""
    country, region, year = _asked_country()
    found = public_holidays(country, year, region, language=language()) if country else {}
    there = {each.day for each in list_holidays(services().database, since=date(year, 1, 1))}
    rows = [(each, name, each in there, not is_workday(each, services().settings)) for each, name in found.items()]
    return render_template(
        "calendar_public.html",
        country=country,
        region=region,
        year=year,
        rows=rows,
        new=sum(1 for _, _, known, _ in rows if not known),
        countries=_named_countries(),
        regions=countries()[country] if country else (),
        country_name=country_name(country) if country else "",
        first_year=FIRST_YEAR,
        last_year=LAST_YEAR,
    )


@form(blueprint, "/calendar/public", role="operator", shows=show_public)
def add_public() -> BaseResponse:
    """Adds the chosen ones of the public holidays of a country and year, under their names in the package."""
    country, region, year = _asked_country()
    chosen = set(request.form.getlist("day"))
    found = public_holidays(country, year, region, language=language()) if country else {}
    days = {each: name for each, name in found.items() if each.isoformat() in chosen}
    set_audit_target(f"{country}{f'-{region}' if region else ''} {year}: {len(days)} days")
    if not days:
        raise ParameterOutOfRange(sentence("No day was chosen. Nothing was changed."))
    for each, name in days.items():
        add_holiday(services().database, each, name)
    notice = ngettext(
        "Added %(n)s holiday of %(country)s, %(year)s.",
        "Added %(n)s holidays of %(country)s, %(year)s.",
        len(days),
        n=len(days),
        country=country_name(country),
        year=year,
    )
    return redirect_with_notice(notice, "calendar.show", month=f"{min(days):%Y-%m}")


def _asked_country() -> tuple[str, str | None, int]:
    """The country, region and year of the request; without a country that of the rules, which may be none."""
    country = request.values.get("country", floor_country() or "")
    country = country if country in countries() else ""
    region = request.values.get("region") or None
    if not country or region not in countries()[country]:
        region = None
    year = request.values.get("year", today().year, type=int)
    return country, region, min(max(year, FIRST_YEAR), LAST_YEAR)


def _named_countries() -> list[tuple[str, str]]:
    return sorted(((code, country_name(code)) for code in countries()), key=lambda each: by_name(each[1]))
