"""Who may: keys and roles, sessions, Host and Origin checks, and the record of what was done.

Closed by default: an endpoint that does not say who may use it is for nobody. As long as there is no key, the service
is open to the machine that it runs on, and to nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Response, g, redirect, request, url_for
from limits import parse
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized

from agent_funnel import access as keys
from agent_funnel import audit
from agent_funnel.access import Role
from agent_funnel.errors import FunnelError
from agent_funnel.settings import Settings
from agent_funnel.web.reader import prefers_html
from agent_funnel.web.wiring import wiring

log = structlog.get_logger(__name__)

# A browser says where a request comes from; programs say nothing, and are let through.
OWN = ("same-origin", "none")
SAFE = ("GET", "HEAD", "OPTIONS")
COOKIE = "agent_funnel_session"
# What a proxy adds to a request:
PROXIED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")
# How a browser of this machine calls it:
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
# A key's last use is kept this exactly, so that reading hardly ever writes:
USE_NOTED = timedelta(minutes=5)
# How many wrong keys an address may try:
WRONG_KEYS = parse("30 per minute")

# Endpoints that need nobody, and those that say who may use them:
OPEN = {
    *("static", "health.healthz", "health.readyz", "sign_in.form", "sign_in.sign_in", "sign_in.sign_out"),
    *("document.show", "document.page", "document.part"),
    # A personal link is a secret of its own.
    *("mine.show", "mine.download"),
}
_ROLES: dict[str, Role] = {}

MAKE_ONE = "agent-funnel keys add NAME --role admin"


@dataclass(frozen=True)
class Identity:
    """Who asks: a name for the record, a role, and the key, None without keys."""

    name: str
    role: Role
    key_id: int | None

    def may(self, role: Role) -> bool:
        """Whether this one may what that role may."""
        return keys.includes(self.role, role)


THIS_MACHINE = Identity("this machine", "admin", None)


def allow(endpoint: str, role: Role) -> None:
    """Says which role an endpoint needs."""
    _ROLES[endpoint] = role


def identity() -> Identity:
    """Who asks. Only where the guard has let somebody in."""
    found: Identity = g.identity
    return found


def identity_or_none() -> Identity | None:
    """Who asks, None where nobody need say."""
    found: Identity | None = g.get("identity")
    return found


def is_open(settings: Settings) -> bool:
    """Whether the service listens to this machine only, and so may do without keys."""
    if settings.host == "localhost":
        return True
    try:
        return ip_address(settings.host).is_loopback
    except ValueError:
        return False


def guard() -> Any:
    """Before each request: lets it through, or says why not."""
    _refuse_cross_site()
    if request.endpoint is None or request.endpoint in OPEN:
        return None
    role = _ROLES.get(request.endpoint)
    found = _who()
    if found is None:
        if request.method in SAFE and prefers_html():
            return redirect(url_for("sign_in.form"))
        log.warning("refused without a key", operation=request.endpoint, address=address())
        raise Unauthorized(
            "This needs a key in use, as Authorization: Bearer …; nothing was done.",
            www_authenticate=WWWAuthenticate("bearer", {"realm": "Agent Funnel"}),
        )
    g.identity = found
    if role is None or not found.may(role):
        raise Forbidden(f"This needs the role {role}; the key has the role {found.role}. Nothing was changed.")
    return None


def _refuse_cross_site() -> None:
    """Refuses what a page of another site sends, unless it only reads."""
    if request.method in SAFE:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if (site is not None and site not in OWN) or (origin is not None and urlsplit(origin).netloc != request.host):
        raise Forbidden("The request comes from a page of another site; nothing was changed.")


def _who() -> Identity | None:
    """The holder of the key or of the session; without any keys, this machine."""
    given = wiring()
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = request.cookies.get(COOKIE)
    if scheme.lower() == "bearer" and secret.strip():
        asked = keys.holder_of_key(given.backend, secret.strip())
    elif token:
        asked = keys.holder_of_session(given.backend, token)
    else:
        asked = keys.holder_of_key(given.backend, "")
    if asked.holder is not None:
        _note_use(asked.holder)
        return Identity(asked.holder.name, asked.holder.role, asked.holder.key_id)
    if asked.any_keys:
        # A right key is let in all the same: others may share the address, and be wrong.
        if secret or token:
            count_wrong_secret()
        return None
    refuse_strangers(given.settings)
    return THIS_MACHINE


def count_wrong_secret() -> None:
    """Counts a wrong key or link of this address; raises TooManyRequests where there were too many."""
    if not wiring().limiter.hit(WRONG_KEYS, "wrong key", address()):
        raise TooManyRequests("Too many wrong keys from this address; come again in a minute.")


def refuse_strangers(settings: Settings) -> None:
    """Without keys: refuses whoever is not on this machine, or was brought here by a name of another one's (DNS
    rebinding), or by a proxy, behind which may be anybody."""
    if not is_open(settings):
        raise Forbidden(f"The service has no keys yet; make one: {MAKE_ONE}")
    name = urlsplit(f"//{request.host}").hostname or ""
    if name not in (*LOCAL_NAMES, settings.host):
        raise Forbidden(f"Without keys the service answers this machine only, as {', '.join(LOCAL_NAMES)}.")
    if any(name in request.headers for name in PROXIED):
        raise Forbidden(f"Without keys the service answers no proxy; make one: {MAKE_ONE}")


def _note_use(holder: keys.Holder) -> None:
    now = datetime.now(UTC)
    if holder.last_used_at is not None and now - holder.last_used_at < USE_NOTED:
        return
    try:
        keys.note_use(wiring().backend, holder.key_id)
    except FunnelError as error:
        # Not worth refusing anybody for: the database is busy with a deal, say.
        log.warning("the use of a key was not noted", key_id=holder.key_id, reason=str(error))


def address() -> str:
    """Where the request comes from; behind proxies, what the trusted ones of them say."""
    return request.remote_addr or "unknown"


def record(response: Response) -> Response:
    """After each request: puts what changed something, or was to, on record."""
    found = identity_or_none()
    if found is None or request.method in SAFE or request.endpoint is None:
        return response
    entry = {
        "actor": found.name,
        "key_id": found.key_id,
        "operation": f"{request.method} {request.url_rule.rule if request.url_rule else request.path}",
        "target": g.get("target"),
        "address": address(),
        "status": response.status_code,
        "detail": g.get("detail"),
    }
    log.info("asked for", **entry)
    try:
        audit.record(wiring().backend, **entry)
    except FunnelError as error:
        # What was done was done; the line above has it.
        log.error("the audit has no entry of this", reason=str(error), **entry)
    return response


def about(target: object) -> None:
    """Says, for the record, what the request is about: never a whole number, and no key."""
    g.target = str(target)
