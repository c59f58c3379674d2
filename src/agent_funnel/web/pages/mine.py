"""An agent's own page, by a personal link: what they have now, to be called from a phone or from paper.

The secret of the link is all that it takes, and opens nothing else. A link that opens nothing counts as a wrong key.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import IO

import phonenumbers
import structlog
from flask import Blueprint, Response, make_response, render_template, request, send_file

from agent_funnel import floor, links, service
from agent_funnel.errors import FunnelError, NotFound
from agent_funnel.export import export
from agent_funnel.links import Link
from agent_funnel.records import Assignment
from agent_funnel.schedule import next_run
from agent_funnel.web.access import USE_NOTED, count_wrong_secret, refuse_strangers
from agent_funnel.web.api.common import IN_MEMORY, TYPES
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("mine", __name__)
log = structlog.get_logger(__name__)

# Leads on a page:
COUNT = 1_000
# Which call it is, by the stage that the deal has given the lead:
CALLS = {2: "first call", 3: "second call", 4: "third call"}
GONE = (
    "This link opens nothing: it is not complete, or it was replaced or revoked. "
    "Ask whoever gave it to you for a new one."
)


@dataclass(frozen=True)
class Call:
    """A lead as an agent sees it. `tel` is what a phone dials; `whatsapp` needs the code of the country."""

    number: str
    tel: str | None
    whatsapp: str | None
    call: str | None
    date: date | None


@blueprint.get("/mine/<secret>")
def show(secret: str) -> Response:
    """The list, page by page where it is very long."""
    link = _link(secret)
    given = wiring()
    count = links.count(given.backend, link.agent)
    pages = max(1, -(-count // COUNT))
    page = max(1, min(request.args.get("page", 1, type=int), pages))
    shown = render_template(
        "mine.html",
        secret=secret,
        agent=link.agent,
        count=count,
        calls=[_call(assignment) for assignment in _assignments(link.agent, page)],
        first=(page - 1) * COUNT + 1,
        page=page,
        pages=pages,
        run=service.last_run(given.backend),
        next_at=next_run(given.now(), given.settings),
    )
    # Its address is a secret, also for a proxy of ours that logs where a request came from.
    return make_response(shown, {"Referrer-Policy": "no-referrer"})


@blueprint.get("/mine/<secret>/list.csv")
def download(secret: str) -> Response:
    """The whole list as a file."""
    link = _link(secret)
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 the answer closes it
    export(wiring().backend, "assignments", spool, "csv", agent=link.agent)
    spool.seek(0)
    return send_file(spool, mimetype=TYPES["csv"], as_attachment=True, download_name="list.csv", max_age=0)


def _link(secret: str) -> Link:
    """The link in use with this secret. Without any key, for those alone whom the service lets in then."""
    given = wiring()
    found = links.opened(given.backend, secret)
    if not found.any_keys:
        refuse_strangers(given.settings)
    if found.link is None:
        # A right one is let in all the same: others may share the address, and be wrong.
        count_wrong_secret()
        raise NotFound(GONE)
    used = found.link.last_used_at
    if used is None or datetime.now(UTC) - used >= USE_NOTED:
        try:
            links.note_use(given.backend, found.link.link_id)
        except FunnelError as error:
            # As with keys: not worth keeping anybody from the list.
            log.warning("the use of a link was not noted", link_id=found.link.link_id, reason=str(error))
    return found.link


def _assignments(agent: str, page: int) -> list[Assignment]:
    # Not by a key in the address, which would be a number; hardly any list has a second page.
    after: tuple[str, str] | None = None
    rows: list[Assignment] = []
    for _ in range(page):
        rows = floor.assignments(wiring().backend, agent=agent, after=after, count=COUNT)
        after = (rows[-1].number, rows[-1].agent) if rows else after
    return rows


def _call(assignment: Assignment) -> Call:
    number, tel, whatsapp = dialled(assignment.number)
    return Call(
        number,
        tel,
        whatsapp,
        None if assignment.stage is None else CALLS.get(assignment.stage),
        None if assignment.date is None else assignment.date.date(),
    )


@lru_cache(maxsize=20_000)
def dialled(number: str) -> tuple[str, str | None, str | None]:
    """A number as people write it, as a phone dials it, and as WhatsApp takes it.

    None where that cannot be told: of what is no number at all, and for WhatsApp of one without its country's code.
    """
    plain = floor.BETWEEN.sub("", number)
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if not re.fullmatch(r"\+?[0-9]{3,20}", plain):
        return number, None, None
    if not plain.startswith("+"):
        return number, plain, None
    try:
        parsed = phonenumbers.parse(plain, None)
    except phonenumbers.NumberParseException:
        return number, plain, plain[1:]
    if not phonenumbers.is_possible_number(parsed):
        return number, plain, plain[1:]
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL), plain, plain[1:]
