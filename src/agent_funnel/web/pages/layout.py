"""The code that all pages share: registration, the layout around them, and the handling of their forms.

A page is a layout around a partial. A form is sent to an address of its own, which responds with a redirect to the page
that shows the effect, and a notice for its top. If the form is refused, its page shows again, with the reason, and with
the values that were entered.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import uuid4

from flask import Blueprint, Flask, Response, g, make_response, redirect, render_template, request, url_for
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from pydantic import BaseModel, ValidationError
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.access.keys import Role
from agent_funnel.characters import visible_lines
from agent_funnel.do_not_contact import list_word, reason_word
from agent_funnel.errors import FunnelError
from agent_funnel.fairness import Fairness, in_short, verdict
from agent_funnel.runs import DEALT_STAGES
from agent_funnel.sentences import joined, sentence, with_values
from agent_funnel.settings_types import written
from agent_funnel.spans import span
from agent_funnel.web import charts, format, languages
from agent_funnel.web.auth import SESSION_COOKIE, identity_or_none, recognized
from agent_funnel.web.errors import faults_of, shown_message, status_of
from agent_funnel.web.languages import translated
from agent_funnel.web.numbers import floor_country, shown_number
from agent_funnel.web.proxies import base_path
from agent_funnel.web.requester import free_text
from agent_funnel.web.routing import Rate, route
from agent_funnel.web.services import services
from agent_funnel.web.setting_words import rule_in_words

Model = TypeVar("Model", bound=BaseModel)
View = TypeVar("View", bound=Callable[..., Any])

# The cookie that takes a notice from a form to the page after it:
NOTICE_COOKIE = "agent_funnel_notice"
LONGEST_NOTICE = 1_000


# The labels of form fields, by their names in the models:
LABELS = {
    "agent": sentence("Name"),
    "new_name": sentence("New name"),
    "starts_on": sentence("First day"),
    "ends_on": sentence("Until"),
    "max_records": sentence("Leads per night"),
    "name": sentence("Name"),
    "bound_days": sentence("Days without an import"),
    "list_name": sentence("List"),
    "numbers": sentence("Numbers"),
    "role": sentence("Role"),
    "reason": sentence("Reason"),
    "outcome": sentence("What came of it"),
    "call_back_on": sentence("Call back on"),
    "note": sentence("Note"),
}
# Messages of pydantic, as patterns, and the same for people:
FAULTS_IN_WORDS = (
    (r".*match pattern.*", sentence("is blank, or has characters that cannot be stored")),
    (r"Field required", sentence("is missing")),
    (r"Input should be a valid date.*", sentence("is not a date such as 2026-01-31")),
    (r"Input should be a valid integer.*", sentence("is not a whole number such as 5")),
    (r"Input should be greater than or equal to (?P<limit>\S+)", sentence("must be at least %(limit)s")),
    (r"Input should be less than or equal to (?P<limit>\S+)", sentence("must be at most %(limit)s")),
    (r"String should have at most (?P<limit>\d+) characters", sentence("has more than %(limit)s characters")),
    (
        r"has more characters than the tables hold, .*",
        sentence("has more characters than the tables hold, which count those beyond U+FFFF twice"),
    ),
    # Only the role of a key has words that a page shows otherwise.
    (r"Input should be (?P<choices>'.*')", sentence("is not one of these: %(choices)s")),
    (r"is not a moment with its zone.*", sentence("is not a moment with its zone such as 2026-01-31T18:00:00Z")),
)


class NavigationLink(NamedTuple):
    """A link of the navigation, the role that sees it, the blueprints whose pages belong to it, and its place.

    `always` is in the row of pages, `wide` only where the screen is wide, and `more` in the menu of further pages.
    """

    endpoint: str
    name: str
    role: Role
    blueprints: tuple[str, ...]
    place: Literal["always", "wide", "more"] = "always"


class ShownLink(NamedTuple):
    """A link as the page shows it; `current` is the value of aria-current."""

    endpoint: str
    name: str
    current: str | None
    on_phones: bool
    is_lesser: bool


# An action and not a page, so it is a button beside the navigation; those who may not deal look at the preview.
DEAL_NOW = NavigationLink("deal.show", sentence("Deal now"), "viewer", ("deal",))
NAVIGATION = (
    NavigationLink("tonight.show", sentence("Tonight"), "viewer", ("tonight", "runway", "start")),
    NavigationLink("runs.show", sentence("Deals"), "viewer", ("runs", "letters")),
    NavigationLink("results.show", sentence("Results"), "viewer", ("results",), "wide"),
    NavigationLink("agents.show", sentence("Agents"), "viewer", ("agents", "agent", "links", "hand_backs")),
    NavigationLink("calendar.show", sentence("Calendar"), "viewer", ("calendar",), "wide"),
    NavigationLink(
        "leads.show",
        sentence("Leads"),
        "viewer",
        ("leads", "call_backs", "imports", "import_records", "do_not_contact"),
    ),
    NavigationLink("notices.show", sentence("Notices"), "viewer", ("notices",), "more"),
    NavigationLink("admin.show_settings", sentence("Settings"), "admin", ("rules",), "more"),
    NavigationLink("admin.show_audit", sentence("Audit"), "admin", (), "more"),
    NavigationLink("admin.show_keys", sentence("Keys"), "admin", (), "more"),
)


def page(blueprint: Blueprint, rule: str, *, role: Role) -> Callable[[View], View]:
    """Registers a page, for requesters who have the role."""

    def register(view: View) -> View:
        blueprint.get(rule)(route(role)(view))
        return view

    return register


def form(
    blueprint: Blueprint,
    rule: str,
    *,
    role: Role | Literal["public"],
    shows: Callable[..., Any],
    takes_file: bool = False,
    rate: Rate | None = None,
) -> Callable[[View], View]:
    """Registers the target of a form. `shows` is the view of the page with the form; it has the same arguments."""

    def register(view: View) -> View:
        @wraps(view)
        def show_refusal(**arguments: Any) -> Any:
            try:
                return view(**arguments)
            except (FunnelError, ValidationError) as error:
                g.refused, status = refusal(error)
            return make_response(shows(**arguments), status)

        blueprint.post(rule)(route(role, takes_file=takes_file, rate=rate)(show_refusal))
        return view

    return register


def refusal(error: FunnelError | ValidationError) -> tuple[str, int]:
    """The reason of a refusal in the language of the page, and its status; the audit has it in English."""
    if isinstance(error, FunnelError):
        reason, status = shown_message(error), status_of(error)
    else:
        faults = [
            sentence(
                "%(field)s: %(fault)s", field=LABELS.get(each.field, each.field), fault=fault_in_words(each.detail)
            )
            for each in faults_of(error)
        ]
        reason = sentence("%(faults)s. Nothing was changed.", faults=joined(*faults, by="; "))
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    g.detail = str(reason)
    return translated(reason), status


def fault_in_words(detail: str) -> str:
    """A validation message in plain words, as a sentence."""
    for pattern, words in FAULTS_IN_WORDS:
        if found := re.fullmatch(pattern, detail, re.DOTALL):
            values: dict[str, object] = dict(found.groupdict())
            if "choices" in values:
                values["choices"] = [format.ROLES.get(word, word) for word in re.findall("'(.*?)'", found["choices"])]
            return with_values(words.template, values)
    return detail


def read_form(model: type[Model], *, leave_out: Collection[str] = ()) -> Model:
    """The form that was sent, checked by its model. Empty fields count as missing, and those to leave out."""
    names = set(model.model_fields) - set(leave_out)
    given = {name: value.strip() for name, value in request.form.items() if name in names}
    return model.model_validate_strings({name: value for name, value in given.items() if value})


def redirect_with_notice(notice: str, endpoint: str, **values: Any) -> BaseResponse:
    """Redirects to the page that shows the effect of a form, with a notice at its top."""
    response = redirect(url_for(endpoint, **values), 303)
    encoded = urlsafe_b64encode(notice[:LONGEST_NOTICE].encode()).decode()
    response.set_cookie(
        NOTICE_COOKIE,
        encoded,
        max_age=60,
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
        path=base_path(),
    )
    return response


def set_up(app: Flask) -> None:
    """Adds the filters, tables and context of the templates."""
    filters: dict[str, Callable[..., Any]] = {
        "number": _number,
        "percent": _percent,
        "day": _day,
        "dated": _dated,
        "moment": _moment,
        "span": _span,
        "verdict": _verdict,
        "in_short": _in_short,
        "person": _person,
        "written": written,
        "rule_in_words": lambda value, name: rule_in_words(name, value),
        "free_text": free_text,
        "list_reason": lambda reason: languages.translated(reason_word(reason)),
        "list_name": lambda name: languages.translated(list_word(name)),
        "exactly": _exactly,
        "phone": _phone,
        "bar": format.bar,
        "share_bar": charts.share_bar,
        "share_chart": charts.share_chart,
        "interval_bar": charts.interval_bar,
        "lists_bar": charts.lists_bar,
        "night_column": charts.night_column,
        "sparkline": format.sparkline,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(
        STAGE_NAMES=format.STAGE_NAMES,
        DEALT_STAGES=DEALT_STAGES,
        CALL_NAMES=format.CALL_NAMES,
        RUN_STATUS=format.RUN_STATUS,
        OUTCOMES=format.OUTCOMES,
        ROLE_NAMES=format.ROLE_NAMES,
    )
    app.jinja_env.finalize = _visible
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(_context)
    app.after_request(_forget_notice)


# The filters find locale and zone in the context, since a page calls them thousands of times.


@pass_context
def _number(context: Context, value: float | None) -> str:
    return format.number(value, context["locale"])


@pass_context
def _percent(context: Context, value: float) -> str:
    return format.percent(value, context["locale"])


def _verdict(fairness: Fairness, *, would: bool = False) -> Markup:
    """The verdict on a deal, with its first word in bold."""
    word, colon, rest = languages.translated(verdict(fairness, would=would)).partition(":")
    return Markup("<strong>{}{}</strong>{}").format(word, colon, visible_lines(rest))


def _in_short(fairness: Fairness | None, leads: int, told: Fairness | None) -> str | None:
    found = in_short(fairness, leads, told) if fairness else None
    return languages.translated(found) if found else None


def _span(value: timedelta) -> str:
    return languages.translated(span(value))


def _phone(number: str) -> str:
    # A text, not Markup: a number may be any text, which the template escapes.
    return shown_number(number, floor_country()).text


def _visible(value: Any) -> Any:
    """A value of a template. A name that turns the text around it, or has other such characters, shows them."""
    if isinstance(value, str) and not isinstance(value, Markup) and not value.isprintable():
        return visible_lines(value)
    return value


def _exactly(value: Any) -> Markup:
    """A value of a form field, which is sent back as it is."""
    return escape("" if value is None else value)


def _person(actor: str | None) -> str:
    # A command names its actor as it likes.
    return format.person(free_text(actor))


@pass_context
def _day(context: Context, value: date | None, form: str = "medium") -> str:
    if form == "near":
        return format.near_day(value, context["today"], context["locale"])
    return format.day(value, context["locale"], form)


@pass_context
def _dated(context: Context, value: date, form: str = "near", *, ends: bool = False) -> Markup:
    return format.dated(value, context["today"], context["locale"], form, ends=ends)


@pass_context
def _moment(context: Context, value: datetime | None, form: str = "minute") -> Markup:
    today = context["today"]
    return format.moment(value, context["zone"], context["locale"], form=form, this_year=today.year, today=today)


def _context() -> dict[str, Any]:
    found = recognized() if request.endpoint is None else identity_or_none()
    return {
        "requester": found,
        "navigation": [_shown(link) for link in NAVIGATION if found and found.may(link.role)],
        "deal_current": _current(DEAL_NOW),
        "signed_in": SESSION_COOKIE in request.cookies,
        "notice": _notice(),
        "refused": g.get("refused"),
        "filled": _filled,
        "new_idempotency_key": lambda: uuid4().hex,
        "may": lambda role: found is not None and found.may(role),
        "locale": languages.locale(),
        "zone": services().settings.timezone,
        "today": services().now().astimezone(services().settings.timezone).date(),
    }


def _shown(link: NavigationLink) -> ShownLink:
    name = languages.translated(link.name)
    return ShownLink(link.endpoint, name, _current(link), link.place == "always", link.place == "more")


def _current(link: NavigationLink) -> str | None:
    """The value of aria-current: whether the link leads to this page, or this page belongs to it."""
    if request.endpoint == link.endpoint:
        return "page"
    return "true" if request.blueprint in link.blueprints else None


def _filled(name: str, default: object = "") -> object:
    """The value of a form field: what was entered, if the form was refused."""
    return request.form.get(name, default) if g.get("refused") else default


def _notice() -> str | None:
    encoded = request.cookies.get(NOTICE_COOKIE)
    if not encoded:
        return None
    g.notice_shown = True
    try:
        return urlsafe_b64decode(encoded).decode()
    except ValueError:
        return None


def _forget_notice(response: Response) -> Response:
    # Only after a page has shown it: an image or a partial in between has not.
    if g.get("notice_shown") and response.mimetype == "text/html" and response.status_code < 300:
        response.delete_cookie(NOTICE_COOKIE, httponly=True, samesite="Strict", path=base_path())
    return response


def render_page(template: str, partial: str, **values: Any) -> str:
    """A page, or only its partial if a script asks for that."""
    return render_template(partial if "partial" in request.args else template, **values)
