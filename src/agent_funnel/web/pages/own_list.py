"""An agent's own list, opened by a personal link: the leads that they have now, to call from a phone or from paper.

The secret of the link needs no key, and opens nothing else. Links that open nothing are counted for each address, but
apart from wrong keys: an office may have one address, and a few old links in it must not keep people from signing in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, make_response, render_template, request

from agent_funnel.access.links import Link, look_up_link, note_link_use
from agent_funnel.agents import Assignment, assignments, count_assignments
from agent_funnel.errors import NotFound
from agent_funnel.runs import last_run
from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.skips import skipped_dates
from agent_funnel.web import files
from agent_funnel.web.auth import count_wrong_secret, note_recent_use, refuse_strangers
from agent_funnel.web.format import CALL_NAMES
from agent_funnel.web.numbers import ShownNumber, floor_country, shown_number
from agent_funnel.web.routing import PUBLIC, WRONG_LINKS, route
from agent_funnel.web.services import services

blueprint = Blueprint("own_list", __name__)

LEADS_PER_PAGE = 1_000
DEAD_LINK = (
    "This link opens nothing: it is incomplete, it was replaced or revoked, or the agent is inactive. Ask your team "
    "lead for a new one."
)


@dataclass(frozen=True)
class Call:
    """A lead as an agent sees it."""

    number: ShownNumber
    call: str | None
    date: date | None


@blueprint.get("/mine/<secret>")
@route(PUBLIC)
def show(secret: str) -> Response:
    """The list, in pages if it is very long."""
    link = _open_link(secret)
    given = services()
    count = count_assignments(given.database, link.agent)
    pages = max(1, -(-count // LEADS_PER_PAGE))
    page = max(1, min(request.args.get("page", 1, type=int), pages))
    shown = render_template(
        "own_list.html",
        secret=secret,
        agent=link.agent,
        count=count,
        calls=[_call(assignment) for assignment in _assignments(link.agent, page)],
        first=(page - 1) * LEADS_PER_PAGE + 1,
        page=page,
        pages=pages,
        run=last_run(given.database),
        next_at=next_run(given.now(), given.settings, skipped_dates(given.database, given.now())),
    )
    # The address is a secret, even from our own proxy if it logs the Referer header.
    return make_response(shown, {"Referrer-Policy": "no-referrer"})


@blueprint.get("/mine/<secret>/list.csv")
@route(PUBLIC)
def download(secret: str) -> Response:
    """The whole list as a file."""
    link = _open_link(secret)
    return files.download("assignments", "csv", name="list", agent=link.agent)


def _open_link(secret: str) -> Link:
    """The active link with this secret. While no key exists, it opens only where the service answers without keys."""
    given = services()
    found = look_up_link(given.database, secret)
    if not found.any_keys:
        refuse_strangers(given.settings)
    if found.link is None:
        # A valid link opens even so: the wrong ones may come from somebody else at the same address.
        count_wrong_secret(WRONG_LINKS)
        raise NotFound(DEAD_LINK)
    note_recent_use("link", found.link.link_id, found.link.last_used_at, note_link_use)
    return found.link


def _assignments(agent: str, page: int) -> list[Assignment]:
    # The position must not be in the address, as it is a number. Hardly any list has a second page.
    after: tuple[str, str] | None = None
    rows: list[Assignment] = []
    for _ in range(page):
        rows = assignments(services().database, agent=agent, after=after, count=LEADS_PER_PAGE)
        after = (rows[-1].number, rows[-1].agent) if rows else after
    return rows


def _call(assignment: Assignment) -> Call:
    return Call(
        shown_number(assignment.number, floor_country()),
        None if assignment.stage is None else CALL_NAMES.get(assignment.stage),
        None if assignment.date is None else assignment.date.date(),
    )
