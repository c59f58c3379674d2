"""What a route says about itself: who may use it, whether it takes a file, how often it may be called.

The guard, the rate limiter and the check of a body's size read this from the view function. A view that says nothing
may be used by nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flask import current_app, request

from agent_funnel.access.keys import Role

View = TypeVar("View", bound=Callable[..., Any])

# The role of a route that everybody may use, without a key:
PUBLIC: Literal["public"] = "public"


@dataclass
class Rate:
    """How often one client may do something. Routes with the same rate share it."""

    name: str
    # As the library `limits` reads it: 10 per minute.
    limit: str
    # Counts by address, even for a request with a key:
    by_address: bool = False


RUNS = Rate("runs", "20 per minute")
SIGN_INS = Rate("sign-ins", "10 per minute", by_address=True)
WRONG_KEYS = Rate("wrong key", "30 per minute", by_address=True)


@dataclass(frozen=True)
class Route:
    """What a route says about itself. Without a role it is for nobody."""

    role: Role | Literal["public"] | None = None
    takes_file: bool = False
    rate: Rate | None = None
    # Machines ask for it often, all from one address; it counts for no rate limit:
    unlimited: bool = False
    # The page adds styles by script, so that its Content-Security-Policy must allow them:
    inline_styles: bool = False


def route(
    role: Role | Literal["public"],
    *,
    takes_file: bool = False,
    rate: Rate | None = None,
    unlimited: bool = False,
    inline_styles: bool = False,
) -> Callable[[View], View]:
    """Stores on a view what its route says about itself."""

    def describe(view: View) -> View:
        view.route = Route(role, takes_file, rate, unlimited, inline_styles)  # type: ignore[attr-defined]
        return view

    return describe


def route_of(view: Callable[..., Any] | None) -> Route:
    """What the route of a view says about itself."""
    found: Route = getattr(view, "route", Route())
    return found


def current_route() -> Route:
    """What the route of the present request says about itself."""
    return route_of(current_app.view_functions.get(request.endpoint or ""))
