"""What pages share: how they are registered, what the shell around them shows, and what becomes of their forms.

A page is a shell around a partial. A form is sent to an address of its own, which answers with a redirect to the page
that shows the effect, and a sentence for its top; where it is refused, the page that has the form shows again, with the
reason, and with what was written into it.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import uuid4

from flask import Blueprint, Flask, Response, g, make_response, redirect, render_template, request, url_for
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from pydantic import BaseModel, ValidationError
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.access import Role
from agent_funnel.errors import FunnelError
from agent_funnel.web import format, reader
from agent_funnel.web.access import COOKIE, allow, identity_or_none
from agent_funnel.web.problem import faults_of, of_error
from agent_funnel.web.wiring import wiring

Model = TypeVar("Model", bound=BaseModel)
View = TypeVar("View", bound=Callable[..., Any])

# The cookie that takes a sentence from a form to the page after it:
NOTICE = "agent_funnel_notice"
LONGEST_NOTICE = 1_000
# What stands in the shell, and who sees it:
NAVIGATION: tuple[tuple[str, str, Role], ...] = (
    ("tonight.show", "Tonight", "viewer"),
    ("deal.show", "Deal now", "viewer"),
    ("history.show", "Runs", "viewer"),
    ("people.show", "Agents", "viewer"),
    ("search.show", "Leads", "viewer"),
    ("office.settings", "Settings", "admin"),
    ("office.audit", "Audit", "admin"),
    ("office.keys", "Keys", "admin"),
)
# Pages that belong to the runs, and are beside the deal all the same:
UNDOING = ("deal.undo_page", "deal.undo")


def page(blueprint: Blueprint, rule: str, *, role: Role) -> Callable[[View], View]:
    """Registers a page, for those who have the role."""

    def register(view: View) -> View:
        allow(f"{blueprint.name}.{view.__name__}", role)
        blueprint.get(rule)(view)
        return view

    return register


def form(blueprint: Blueprint, rule: str, *, role: Role, shows: Callable[..., Any]) -> Callable[[View], View]:
    """Registers what a form is sent to; `shows` is the view of the page that has the form, with the same arguments."""

    def register(view: View) -> View:
        @wraps(view)
        def tried(**arguments: Any) -> Any:
            try:
                return view(**arguments)
            except (FunnelError, ValidationError) as error:
                g.refused, status = refusal(error)
            return make_response(shows(**arguments), status)

        allow(f"{blueprint.name}.{view.__name__}", role)
        blueprint.post(rule)(tried)
        return view

    return register


def refusal(error: FunnelError | ValidationError) -> tuple[str, int]:
    """Why something was not done, in a sentence for the top of a page and for the record; and the status for it."""
    if isinstance(error, FunnelError):
        status = of_error(error).status_code
        return str(g.detail), status
    faults = [f"{fault.field}: {_plain(fault.detail)}" for fault in faults_of(error)]
    g.detail = f"{'; '.join(faults)}. Nothing was changed."
    return g.detail, HTTPStatus.UNPROCESSABLE_ENTITY


def _plain(detail: str) -> str:
    # Of a pattern, people are told what it is for.
    return "is blank, or has characters that cannot be kept" if "match pattern" in detail else detail


def sent(model: type[Model]) -> Model:
    """What a form has sent, checked by its model; fields left empty are fields left out."""
    given = {name: value.strip() for name, value in request.form.items() if name in model.model_fields}
    return model.model_validate_strings({name: value for name, value in given.items() if value})


def done(sentence: str, endpoint: str, **values: Any) -> BaseResponse:
    """Goes on to the page that shows what was done, with a sentence on top of it."""
    response = redirect(url_for(endpoint, **values), 303)
    told = urlsafe_b64encode(sentence[:LONGEST_NOTICE].encode()).decode()
    response.set_cookie(NOTICE, told, max_age=60, secure=request.is_secure, httponly=True, samesite="Strict")
    return response


def set_up(app: Flask) -> None:
    """Gives the templates their filters, and the shell what it shows."""
    filters: dict[str, Callable[..., Any]] = {
        "number": _number,
        "day": _day,
        "moment": _moment,
        "span": format.span,
        "bar": format.bar,
        "sparkline": format.sparkline,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(_shell)
    app.after_request(_forget_notice)


# A page has thousands of these, so that what they need is found once.


@pass_context
def _number(context: Context, value: float | None) -> str:
    return format.number(value, context["locale"])


@pass_context
def _day(context: Context, value: date | None, form: str = "medium") -> str:
    return format.day(value, context["locale"], form)


@pass_context
def _moment(context: Context, value: datetime | None, form: str = "minute") -> Markup:
    return format.moment(value, context["zone"], context["locale"], form=form)


def _shell() -> dict[str, Any]:
    found = identity_or_none()
    return {
        "who": found,
        "navigation": [
            (endpoint, name, _current(endpoint)) for endpoint, name, role in NAVIGATION if found and found.may(role)
        ],
        "signed_in": COOKIE in request.cookies,
        "notice": _notice(),
        "refused": g.get("refused"),
        "filled": _filled,
        "once": lambda: uuid4().hex,
        "may": lambda role: found is not None and found.may(role),
        "locale": reader.locale(),
        "zone": wiring().settings.timezone,
    }


def _current(endpoint: str) -> str | None:
    """What the shell says of a link: that it is this page, or that this page belongs to it."""
    if request.endpoint == endpoint:
        return "page"
    here = "history.show" if request.endpoint in UNDOING else f"{request.blueprint}.show"
    return "true" if here == endpoint else None


def _filled(name: str, default: object = "") -> object:
    """What a field of a form shows: what was written into it, if the form was refused."""
    return request.form.get(name, default) if g.get("refused") else default


def _notice() -> str | None:
    told = request.cookies.get(NOTICE)
    if not told:
        return None
    g.notice_told = True
    try:
        return urlsafe_b64decode(told).decode()
    except ValueError:
        return None


def _forget_notice(response: Response) -> Response:
    # Only a page that has told it: a picture or a partial that comes in between has not.
    if g.get("notice_told") and response.mimetype == "text/html" and response.status_code < 300:
        response.delete_cookie(NOTICE, httponly=True, samesite="Strict")
    return response


def shown_as(template: str, partial: str, **values: Any) -> str:
    """A page, or only its partial where a script asks for that."""
    return render_template(partial if "partial" in request.args else template, **values)
