"""The traits of a route: its role, its rate limit, whether it takes a file.

They are stored on the view function. The guard, the rate limiter and the check of a body's size read them there. Nobody
may use a view without a role.
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
    """A rate limit for each client. Routes with the same limit share its count."""

    name: str
    # As the library `limits` reads it: 10 per minute.
    limit: str
    # Counts by address, even for a request with a key:
    by_address: bool = False


RUNS = Rate("runs", "20 per minute")
SIGN_INS = Rate("sign-ins", "10 per minute", by_address=True)
WRONG_KEYS = Rate("wrong key", "30 per minute", by_address=True)
WRONG_LINKS = Rate("wrong link", "30 per minute", by_address=True)


@dataclass(frozen=True)
class Route:
    """The traits of a route. Without a role, nobody may use it."""

    role: Role | Literal["public"] | None = None
    takes_file: bool = False
    rate: Rate | None = None
    # Monitors call it often, all from one address, so that no rate limit counts it:
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
    """Stores the traits of its route on a view."""

    def describe(view: View) -> View:
        view.route = Route(role, takes_file, rate, unlimited, inline_styles)  # type: ignore[attr-defined]
        return view

    return describe


def route_of(view: Callable[..., Any] | None) -> Route:
    """The traits of a view's route."""
    found: Route = getattr(view, "route", Route())
    return found


def current_route() -> Route:
    """The traits of the present request's route."""
    return route_of(current_app.view_functions.get(request.endpoint or ""))
