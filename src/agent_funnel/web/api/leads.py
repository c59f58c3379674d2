"""Leads: searched, looked at, imported, kept out; and where each of them is tonight."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from flask import Response, request
from flask_openapi3 import APIBlueprint, RawModel, Tag
from pydantic import RootModel
from werkzeug.exceptions import UnsupportedMediaType

from agent_funnel import floor, service, transfer
from agent_funnel.records import Lead, LeadHistory, PoolReport, last_digits
from agent_funnel.web.access import about
from agent_funnel.web.api import shapes
from agent_funnel.web.api.common import page, sees_numbers, shown, today
from agent_funnel.web.operation import json, operation
from agent_funnel.web.wiring import wiring

blueprint = APIBlueprint(
    "leads", __name__, url_prefix="/api", abp_tags=[Tag(name="leads", description="Who is called.")]
)
# The largest file that is taken, in bytes; a million leads are half of it:
LARGEST_FILE = 64_000_000


class CsvBody(RawModel):
    """A file of leads."""

    mimetypes: ClassVar[list[str]] = ["text/csv"]  # type: ignore[misc]


class PoolAnswer(RootModel[PoolReport]):
    """Each row of `wafunnel`, counted once; the others add up to `total`."""


class LeadAnswer(RootModel[LeadHistory]):
    """All that is known of a number."""


@operation(blueprint, "get", "/leads", role="viewer", answer=shapes.LeadsPage)
def list_leads(query: shapes.LeadsQuery) -> Response:
    """Search leads: by number, in any common way of writing it, by stage, by date."""
    kind: Any = shapes.AFTER_LEAD if sees_numbers() else shapes.AFTER_COUNT
    backend = wiring().backend

    def fetch(after: Any, count: int) -> list[Lead]:
        return floor.leads(
            backend,
            number=query.number,
            stage=query.stage,
            date_from=query.date_from,
            date_to=query.date_to,
            after=after,
            count=count,
        )

    found, last = page(
        shapes.keys_of(query.cursor, kind), query.count, fetch, lambda row: (row.number, row.stage, row.date)
    )
    following = shapes.cursor(*last) if last else None
    return json(shapes.LeadsPage(items=shown(found), next=following))


@operation(
    blueprint, "get", "/lead", role="viewer", answer=LeadAnswer, problems={404: "Nothing is known of the number."}
)
def show_lead(query: shapes.NumberQuery) -> Response:
    """Show a number, exactly as it is written: its records, who has it, who held it, whether it may be called."""
    found = floor.lead(wiring().backend, query.number)
    if not sees_numbers():
        listed = found.do_not_contact
        found = replace(
            found,
            number=last_digits(found.number),
            records=tuple(shown(found.records)),
            do_not_contact=listed and replace(listed, number=last_digits(listed.number)),
        )
    return json(LeadAnswer(found))


@operation(
    blueprint, "post", "/leads/import", role="operator", answer=shapes.ImportAnswer,
    problems={415: "The body is no CSV."},
)  # fmt: skip
def import_leads(query: shapes.ImportQuery, raw: CsvBody) -> Response:
    """Import leads from CSV (number,stage,date), or with dry_run only say what that would do."""
    # Its length is checked where the body is read; the largest is larger than elsewhere.
    if request.mimetype not in ("text/csv", "application/csv"):
        raise UnsupportedMediaType("Send the file as text/csv; nothing was imported.")
    about("dry run" if query.dry_run else "import")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "leads.csv"
        path.write_bytes(request.get_data())
        done = transfer.import_file(
            wiring().backend,
            "leads",
            path,
            name="The file",
            skip_bad=query.skip_bad or query.dry_run,
            dry_run=query.dry_run,
        )
    return json(
        shapes.ImportAnswer(
            dry_run=query.dry_run,
            rows=done.rows,
            added=done.added,
            kept=done.kept,
            bad_rows=done.bad_rows,
            bad=list(done.bad),
        )
    )


@operation(blueprint, "get", "/pool", role="viewer", answer=PoolAnswer)
def pool() -> Response:
    """Say where each lead is tonight: dealt, left over, or why it stays out."""
    given = wiring()
    return json(PoolAnswer(floor.pool_report(given.backend, given.settings, today())))


@operation(blueprint, "get", "/do-not-contact", role="viewer", answer=shapes.DoNotContactList)
def list_do_not_contact() -> Response:
    """List the numbers that are never dealt."""
    return json(shapes.DoNotContactList(items=shown(service.do_not_contact(wiring().backend))))


@operation(
    blueprint, "post", "/do-not-contact", role="operator", answer=shapes.DoNotContactAnswer,
    problems={409: "A run has been in progress all this time (50001)."},
)  # fmt: skip
def add_do_not_contact(body: shapes.NewDoNotContact) -> Response:
    """Never deal a number any more; it leaves the present assignments at once."""
    about(last_digits(body.number))
    found = service.add_do_not_contact(wiring().backend, body.number, body.reason)
    return json(
        shapes.DoNotContactAnswer(listed=bool(found["listed"]), assignments=found["assignments"], leads=found["leads"])
    )


@operation(
    blueprint, "post", "/do-not-contact/remove", role="operator", answer=shapes.Done,
    problems={404: "The number is not on the list."},
)  # fmt: skip
def remove_do_not_contact(body: shapes.Number) -> Response:
    """Take a number off the list."""
    about(last_digits(body.number))
    service.remove_do_not_contact(wiring().backend, body.number)
    return json(shapes.Done())
