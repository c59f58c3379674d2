"""Authentication and authorisation: keys and roles, sessions, Host and Origin checks, and the audit of requests.

Closed by default: nobody may use a view without a role. While no key exists, the service accepts requests only from the
machine that it runs on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Response, g, redirect, request, url_for
from limits import RateLimitItem, parse
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, HTTPException, TooManyRequests, Unauthorized

from agent_funnel.access.audit import record_entry
from agent_funnel.access.keys import Role, holder_of_key, holder_of_session, includes, note_key_use
from agent_funnel.database import Database
from agent_funnel.errors import FunnelError
from agent_funnel.sentences import sentence, shown_as
from agent_funnel.settings import Settings
from agent_funnel.web.negotiation import prefers_html
from agent_funnel.web.proxies import PROXY_HEADERS, client_address, is_own_origin
from agent_funnel.web.routing import PUBLIC, WRONG_KEYS, WRONG_LINKS, Rate, current_route
from agent_funnel.web.services import services

log = structlog.get_logger(__name__)

# Values of Sec-Fetch-Site for requests that do not come from another site. Programs do not send the header.
SAME_ORIGIN_SITES = ("same-origin", "none")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
SESSION_COOKIE = "agent_funnel_session"
# Names by which a browser on this machine reaches the service:
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
# The last use of a key is stored at most this often, so that reading hardly ever writes:
NOTE_USE_EVERY = timedelta(minutes=5)
# The most refused requests that are logged, of one address and of all together:
LOGGED_REFUSALS = "30 per minute"
LOGGED_REFUSALS_IN_ALL = "300 per minute"
# A part of a rule that is one of a few words, with its name:
_ONE_OF_FEW = re.compile(r"<any\([^<>]*\):(\w+)>")
# Refusals of an address that has tried too much, by the name of the rate:
TOO_MANY_WRONG = {
    WRONG_KEYS.name: sentence("Too many wrong keys from this address; try again in a minute."),
    WRONG_LINKS.name: sentence("Too many wrong links from this address; try again in a minute."),
}
ADD_KEY_COMMAND = "agent-funnel keys add NAME --role admin"


@dataclass(frozen=True)
class Identity:
    """The requester: a name for the audit, a role, and the key; None while no key exists."""

    name: str
    role: Role
    key_id: int | None

    def may(self, role: Role) -> bool:
        """Whether the requester may do what this role may do."""
        return includes(self.role, role)


THIS_MACHINE = Identity("this machine", "admin", None)


def identity() -> Identity:
    """The requester. Only for views that the guard protects."""
    found: Identity = g.identity
    return found


def identity_or_none() -> Identity | None:
    """The requester; None on a public route."""
    found: Identity | None = g.get("identity")
    return found


def recognized() -> Identity | None:
    """The requester of an address that leads nowhere, so that its page keeps the navigation; None for strangers."""
    if SESSION_COOKIE not in request.cookies and not is_loopback(address()):
        return None
    with suppress(HTTPException, FunnelError):
        return _identify()
    return None


def is_loopback(name: str) -> bool:
    """Whether an address is one of this machine's own."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_open(settings: Settings) -> bool:
    """Whether the service listens on this machine only, and so needs no keys."""
    return settings.host == "localhost" or is_loopback(settings.host)


def guard() -> Any:
    """Runs before each request. Raises Forbidden or Unauthorized, or leads a browser to the sign-in."""
    if refusal := _refusal_of_other_sites():
        _identify_for_audit()
        raise Forbidden(refusal)
    role = current_route().role
    if request.endpoint is None or role == PUBLIC:
        return None
    found = _identify()
    if found is None:
        if request.method in SAFE_METHODS and prefers_html():
            return redirect(url_for("sign_in.form"))
        _log_refusal()
        raise Unauthorized(
            shown_as(
                "This needs a key in use, as Authorization: Bearer …; nothing was done.",
                sentence("Nothing was done. Sign in, and do it again."),
            ),
            www_authenticate=WWWAuthenticate("bearer", {"realm": "Agent Funnel"}),
        )
    g.identity = found
    if role is None or not found.may(role):
        # The page of the refusal says it in other words.
        g.missing_role = role
        fault = f"This needs the role {role}; your key has the role {found.role}. Nothing was changed."
        raise Forbidden(shown_as(fault, sentence("Nothing was changed.")))
    return None


def _log_refusal() -> None:
    """Logs that a request without a valid key is refused. Requests of strangers must not fill the log."""
    limiter = services().limiter
    if limiter.hit(parse(LOGGED_REFUSALS), "logged refusals", address()) and limiter.hit(
        parse(LOGGED_REFUSALS_IN_ALL), "logged refusals"
    ):
        log.warning("refused without a key", operation=request.endpoint, address=address())


def _refusal_of_other_sites() -> str | None:
    """Why a request from a page of another site is refused; None if it is not from one, or only reads."""
    if request.method in SAFE_METHODS:
        return None
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if origin == "null" or (site is not None and site not in SAME_ORIGIN_SITES):
        return sentence("The request comes from a page of another site; nothing was changed.")
    if origin is None or is_own_origin(origin):
        return None
    # Behind a proxy that does not pass the host on, the service's own pages look like those of another site.
    return sentence(
        "The request comes from a page of %(origin)s, but was sent to %(host)s; nothing was changed. If these are the "
        "same site behind a proxy, let the proxy pass the browser's host on, in the header Host or X-Forwarded-Host, "
        "and set FUNNEL_PROXY_HOPS to the number of proxies.",
        origin=origin[:255],
        host=request.host or sentence("an unknown host"),
    )


def _identify_for_audit() -> None:
    """Identifies the requester of a request that is refused anyway, so that the audit has an entry of it."""
    if request.endpoint is None:
        return
    with suppress(HTTPException, FunnelError):
        g.identity = _identify()


def _identify() -> Identity | None:
    """The holder of the key or of the session; this machine while no key exists."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = request.cookies.get(SESSION_COOKIE)
    database = services().database
    if scheme.lower() == "bearer" and secret.strip():
        found = holder_of_key(database, secret.strip())
    elif token:
        found = holder_of_session(database, token)
    else:
        found = holder_of_key(database, "")
    if found.holder is not None:
        note_recent_use("key", found.holder.key_id, found.holder.last_used_at, note_key_use)
        return Identity(found.holder.name, found.holder.role, found.holder.key_id)
    if found.any_keys:
        # A valid key gets in even so: the wrong ones may come from somebody else at the same address.
        if secret or token:
            count_wrong_secret()
        return None
    refuse_strangers(services().settings)
    return THIS_MACHINE


def count_wrong_secret(rate: Rate = WRONG_KEYS) -> None:
    """Counts a wrong key or link of this address; raises TooManyRequests if there were too many."""
    if not services().limiter.hit(*_wrong_secrets(rate)):
        raise TooManyRequests(TOO_MANY_WRONG[rate.name])


def refuse_more_wrong_secrets() -> None:
    """Raises TooManyRequests if this address has tried too many wrong keys already."""
    if not services().limiter.test(*_wrong_secrets(WRONG_KEYS)):
        raise TooManyRequests(TOO_MANY_WRONG[WRONG_KEYS.name])


def _wrong_secrets(rate: Rate) -> tuple[RateLimitItem, str, str]:
    return parse(rate.limit), rate.name, address()


def refuse_strangers(settings: Settings) -> None:
    """While no key exists, refuses requests from other machines, under foreign host names (DNS rebinding), or through
    a proxy."""
    if not is_open(settings):
        raise Forbidden(sentence("The service has no keys yet; make one: %(command)s", command=ADD_KEY_COMMAND))
    host = urlsplit(f"//{request.host}").hostname or ""
    if host not in (*LOCAL_NAMES, settings.host):
        raise Forbidden(
            sentence("Without keys the service answers this machine only, as %(names)s.", names=LOCAL_NAMES)
        )
    if any(header in request.headers for header in PROXY_HEADERS):
        raise Forbidden(
            sentence(
                "Without keys the service answers no proxy; make one: %(command)s",
                command=ADD_KEY_COMMAND,
            )
        )


def note_recent_use(
    kind: str, row_id: int, last_used_at: datetime | None, note: Callable[[Database, int], None]
) -> None:
    """Stores that a key or a link was used, at most every five minutes. A failure is logged, not raised."""
    now = datetime.now(UTC)
    if last_used_at is not None and now - last_used_at < NOTE_USE_EVERY:
        return
    try:
        note(services().database, row_id)
    except FunnelError as error:
        # The database may be busy with a deal, and the request need not fail for that.
        log.warning(f"the use of a {kind} was not noted", **{f"{kind}_id": row_id}, reason=str(error))


def address() -> str:
    """The address of the client; behind trusted proxies, the address that they report."""
    return client_address(request.remote_addr)


def record_in_audit(response: Response) -> Response:
    """Runs after each request: records it in the audit if it changed something, or tried to."""
    found = identity_or_none()
    name = found.name if found else g.get("audit_actor")
    if name is None or request.method in SAFE_METHODS or request.endpoint is None:
        return response
    entry = {
        "actor": name,
        "key_id": found.key_id if found else None,
        "operation": f"{request.method} {_shown_rule() if request.url_rule else request.path}",
        "target": g.get("target"),
        "address": address(),
        "status": response.status_code,
        "detail": g.get("detail"),
    }
    log.info("asked for", **entry)
    try:
        record_entry(services().database, **entry)
    except FunnelError as error:
        # The change is made, so the response stays; the log line above keeps the entry.
        log.error("the audit has no entry of this", reason=str(error), **entry)
    return response


def _shown_rule() -> str:
    """The rule of the request's address. A part that is one of a few words is shown as that word."""
    return _ONE_OF_FEW.sub(lambda part: str((request.view_args or {})[part[1]]), str(request.url_rule))


def set_audit_actor(name: str) -> None:
    """Sets the name of a requester without a key for the audit: the holder of a personal link."""
    g.audit_actor = name


def set_audit_target(target: object) -> None:
    """Sets the target of the request for the audit. It must not be a whole phone number or a key."""
    g.target = str(target)


def set_audit_agents(names: Collection[str]) -> None:
    """Sets several agents as the target of the request for the audit, which has as many of their names as fit."""
    set_audit_target(f"{len(names)} agents: {', '.join(names)}")
