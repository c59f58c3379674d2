"""The address at which browsers reach the service: behind trusted proxies, the one that these report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wsgi import get_host

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Headers that a proxy adds to a request:
PROXY_HEADERS = (
    "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Real-IP",
)  # fmt: skip
# A path prefix. Two slashes at its beginning would name another host:
PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
# A host and its port. Host names of containers may have an underscore, which werkzeug refuses:
HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
# An address with the port of the connection, as IIS and Azure report it:
ADDRESS_AND_PORT = re.compile(r"\[([^\]]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")
DEFAULT_PORTS = {"http": 80, "https": 443}


class TrustProxies:
    """Middleware that believes the headers of as many proxies as the setting counts."""

    def __init__(self, app: WSGIApplication, hops: int) -> None:
        self._app = ProxyFix(app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX")
        if prefix is not None:
            parts = [part.strip().rstrip("/") for part in prefix.split(",")]
            environ["HTTP_X_FORWARDED_PREFIX"] = ",".join(part if PREFIX.fullmatch(part) else "" for part in parts)
        return self._app(environ, start_response)


class Request(flask.Request):
    """A request, whose host name may have an underscore."""

    def _host(self) -> str:
        """The host and the port, without a default port; empty if the header has other characters."""
        given = self.headers.get("Host")
        if given is None or not HOST.fullmatch(given):
            return get_host(self.environ)
        return given.removesuffix(f":{DEFAULT_PORTS.get(self.scheme, 0)}")

    # Flask sets the host that werkzeug reads.
    host = property(_host, lambda self, _: None)


def base_path() -> str:
    """The path under which the service is seen, with a slash at its end; it is the path of our cookies."""
    return f"{flask.request.root_path.rstrip('/')}/"


def is_own_origin(origin: str) -> bool:
    """Whether a page with this origin came from the host that the request was sent to."""
    try:
        page, own = urlsplit(origin), urlsplit(f"//{flask.request.host}")
        default = DEFAULT_PORTS.get(page.scheme)
        ports = page.port or default, own.port or default
    except ValueError:
        return False
    return page.hostname is not None and page.hostname == own.hostname and ports[0] == ports[1]


def client_address(reported: str | None) -> str:
    """The address of the client, without the port that some proxies add to it: each connection has another port."""
    found = ADDRESS_AND_PORT.fullmatch(reported or "")
    text = (found[1] or found[2]) if found else reported or "unknown"
    try:
        address = ip_address(text)
    except ValueError:
        return text
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
