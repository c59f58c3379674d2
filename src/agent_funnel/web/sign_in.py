"""Signing in with a key, and out: a cookie that scripts cannot read, for a session that the database knows."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel import access as keys
from agent_funnel import audit, links
from agent_funnel.web.access import COOKIE, WRONG_KEYS, address
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
def form() -> str:
    return render_template("sign_in.html")


@blueprint.post("/sign-in")
def sign_in() -> Any:
    """Begins a session with a key; a new one, whatever the cookie that came along."""
    given = wiring()
    if not given.limiter.test(WRONG_KEYS, "wrong key", address()):
        raise TooManyRequests("Too many wrong keys from this address; come again in a minute.")
    secret = request.form.get("key", "").strip()
    # The secret of a personal link opens what the link does, and begins no session.
    if secret.startswith(links.PREFIX) and links.opened(given.backend, secret).link is not None:
        return redirect(url_for("mine.show", secret=secret), 303)
    holder = keys.holder_of_key(given.backend, secret).holder
    if holder is None:
        given.limiter.hit(WRONG_KEYS, "wrong key", address())
        return make_response(render_template("sign_in.html", wrong=True), 401)
    _forget()
    token = keys.begin_session(given.backend, holder.key_id)
    _record(holder, "POST /sign-in")
    response = redirect(url_for("tonight.show"), 303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=keys.SESSION,
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return response


@blueprint.post("/sign-out")
def sign_out() -> BaseResponse:
    """Ends the session."""
    _forget()
    response = redirect(url_for("sign_in.form"), 303)
    response.delete_cookie(COOKIE, secure=request.is_secure, httponly=True, samesite="Strict")
    return response


def _forget() -> None:
    """Ends the session of the cookie that came along, if there is one: nobody else goes on with it."""
    if token := request.cookies.get(COOKIE):
        keys.end_session(wiring().backend, token)


def _record(holder: keys.Holder, operation: str) -> None:
    audit.record(
        wiring().backend, actor=holder.name, key_id=holder.key_id, operation=operation, target=None, address=address(),
        status=303, detail=None,
    )  # fmt: skip
