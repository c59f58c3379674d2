"""Signing in with a key, and signing out: a cookie that scripts cannot read, for a session that the database keeps."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.access.audit import record_entry
from agent_funnel.access.keys import SESSION_DURATION, KeyHolder, begin_session, end_session, holder_of_key
from agent_funnel.access.links import PREFIX, look_up_link
from agent_funnel.web.auth import SESSION_COOKIE, address, count_wrong_secret, refuse_more_wrong_secrets
from agent_funnel.web.proxies import base_path
from agent_funnel.web.routing import PUBLIC, SIGN_INS, route
from agent_funnel.web.services import services

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@route(PUBLIC)
def form() -> str:
    """The form for a key."""
    return render_template("sign_in.html")


@blueprint.post("/sign-in")
@route(PUBLIC, rate=SIGN_INS)
def sign_in() -> Any:
    """Begins a new session with a key, even if the request has the cookie of another one."""
    database = services().database
    refuse_more_wrong_secrets()
    secret = request.form.get("key", "").strip()
    # The code of a personal link opens the page of the link, and begins no session.
    if secret.startswith(PREFIX) and look_up_link(database, secret).link is not None:
        return redirect(url_for("own_list.show", secret=secret), 303)
    holder = holder_of_key(database, secret).holder
    if holder is None:
        count_wrong_secret()
        return make_response(render_template("sign_in.html", wrong=True), 401)
    _end_session()
    token = begin_session(database, holder.key_id)
    _record_sign_in(holder)
    response = redirect(url_for("tonight.show"), 303)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=SESSION_DURATION,
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
        path=base_path(),
    )
    return response


@blueprint.post("/sign-out")
@route(PUBLIC)
def sign_out() -> BaseResponse:
    """Ends the session."""
    _end_session()
    response = redirect(url_for("sign_in.form"), 303)
    response.delete_cookie(SESSION_COOKIE, secure=request.is_secure, httponly=True, samesite="Strict", path=base_path())
    return response


def _end_session() -> None:
    """Ends the session of the request's cookie, if there is one, so that nobody else can continue it."""
    if token := request.cookies.get(SESSION_COOKIE):
        end_session(services().database, token)


def _record_sign_in(holder: KeyHolder) -> None:
    record_entry(
        services().database,
        actor=holder.name,
        key_id=holder.key_id,
        operation="POST /sign-in",
        target=None,
        address=address(),
        status=303,
        detail=None,
    )
