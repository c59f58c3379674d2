"""Leads: looked for in a list, one of them with its history, put on the do-not-contact list, brought in by a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel import floor, service, transfer
from agent_funnel.errors import ImportRefused, NotFound
from agent_funnel.records import LONGEST, Lead, LeadHistory, last_digits, length
from agent_funnel.web.access import about
from agent_funnel.web.api import shapes
from agent_funnel.web.api.common import page as page_of
from agent_funnel.web.api.common import sees_numbers, shown
from agent_funnel.web.api.leads import LARGEST_FILE
from agent_funnel.web.format import number as amount
from agent_funnel.web.pages.shell import done, form, page
from agent_funnel.web.problem import problem
from agent_funnel.web.reader import locale
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("search", __name__)

# Records on a page:
COUNT = 50
# What the list can be looked through by, and what its form calls that:
SOUGHT = {"number": "Number", "stage": "Stage", "date_from": "From", "date_to": "To"}
NUMBER: TypeAdapter[str] = TypeAdapter(shapes.Sought)


@page(blueprint, "/leads", role="viewer")
def show() -> Any:
    """The leads that are looked for, page by page, or all of them with `?all`; without either, how many there are.

    To sort a million numbers may take seconds, on an engine that has them by another order.
    """
    filled = {name: text for name in SOUGHT if (text := request.args.get(name, "").strip())}
    try:
        query = shapes.LeadsQuery.model_validate_strings(filled)
    except ValidationError as error:
        wrong = [(SOUGHT[str(each["loc"][0])], each["msg"].removeprefix("Value error, ")) for each in error.errors()]
        return make_response(
            render_template("leads.html", filled_in=filled, wrong=wrong), HTTPStatus.UNPROCESSABLE_ENTITY
        )
    if not filled and not {"all", "after"} & {*request.args}:
        return render_template("leads.html", filled_in=filled, funnel=wiring().figures.funnel(), is_landing=True)
    kind: Any = shapes.AFTER_LEAD if sees_numbers() else shapes.AFTER_COUNT
    begun = shapes.keys_of(request.args.get("after"), kind)

    def fetch(after: Any, count: int) -> list[Lead]:
        filters = query.model_dump(include=set(SOUGHT))
        return floor.leads(wiring().backend, after=after, count=count, **filters)

    found, last = page_of(begun, COUNT, fetch, lambda row: (row.number, row.stage, row.date))
    return render_template(
        "leads.html",
        filled_in=filled,
        rows=list(zip(shown(found), [_address(lead.number, query.number) for lead in found], strict=True)),
        spellings=_spellings(query.number) if query.number else (),
        begins=begun is None,
        after=shapes.cursor(*last) if last else None,
    )


def _address(number: str, sought: str | None) -> str | None:
    """The page of a number; for those who may not see it, only if they wrote it themselves."""
    if sees_numbers():
        return url_for("search.of", number=number)
    return None if sought is None else url_for("search.of", number=sought)


def _spellings(number: str) -> tuple[str, ...]:
    """The different ways to write a number that a table can hold: as it was written first, then as files have it."""
    return tuple(text for text in dict.fromkeys(floor.spellings(number)) if text.strip() and length(text) <= LONGEST)


@page(blueprint, "/leads/of", role="viewer")
def of() -> Any:
    """A number: its records, who has it, who held it, whether it may be called.

    One that is not known as it is written is looked for in its other spellings; one that is not known at all can be put
    on the do-not-contact list before it comes.
    """
    try:
        number = NUMBER.validate_python(request.values.get("number", ""))
    except ValidationError:
        return redirect(url_for("search.show"))
    spellings = _spellings(number)
    if not spellings:
        return redirect(url_for("search.show"))
    # What is known of it as it is written comes first.
    known = _known((number, *(each for each in spellings if each != number)))
    return render_template(
        "lead.html",
        written=number,
        lead=_as_seen(known[0]) if known else None,
        others=[each.number for each in known[1:]],
        mask=last_digits,
        spellings=spellings[1:] or spellings,
    )


def _known(numbers: Iterable[str]) -> list[LeadHistory]:
    """What is known of those of some numbers of which something is."""
    found = []
    for number in numbers:
        try:
            found.append(floor.lead(wiring().backend, number))
        except NotFound:
            continue
    return found


def _as_seen(found: LeadHistory) -> LeadHistory:
    if sees_numbers():
        return found
    return replace(found, number=last_digits(found.number), records=tuple(shown(found.records)))


@form(blueprint, "/leads/do-not-contact", role="operator", shows=of)
def add_do_not_contact() -> BaseResponse:
    """Puts a number on the do-not-contact list, and takes it out of the present deal."""
    given = shapes.NewDoNotContact.model_validate(
        {"number": request.form.get("number", ""), "reason": request.form.get("reason", "").strip() or None}
    )
    about(last_digits(given.number))
    found = service.add_do_not_contact(wiring().backend, given.number, given.reason)
    before = "The number was on the list already" if found["listed"] else "No deal gives this number out any more"
    left = found["assignments"]
    times = "once" if left == 1 else f"{amount(left, locale())} times"
    now = f"it left the present deal, in which it was assigned {times}" if left else "nobody had it in the present deal"
    return done(f"{before}; {now}.", "search.of", number=given.number)


@form(blueprint, "/leads/do-not-contact/remove", role="operator", shows=of)
def remove_do_not_contact() -> BaseResponse:
    """Takes a number off the do-not-contact list."""
    given = shapes.Number.model_validate({"number": request.form.get("number", "")})
    about(last_digits(given.number))
    service.remove_do_not_contact(wiring().backend, given.number)
    return done(
        "The number is off the do-not-contact list; a deal may give it to somebody again.",
        "search.of",
        number=given.number,
    )


@page(blueprint, "/leads/import", role="operator")
def import_page() -> str:
    """Where a file of leads is chosen; with what was wrong with one that was refused."""
    return render_template(
        "import.html",
        largest=LARGEST_FILE // 1_000_000,
        kept=transfer.KEPT_BAD_ROWS,
        result=g.get("imported"),
        bad=g.get("bad_rows", ()),
        bad_count=g.get("bad_count", 0),
        file=g.get("file_name"),
        checked=g.get("checked", False),
        skip_bad="skip_bad" in request.values,
    )


@form(blueprint, "/leads/import", role="operator", shows=import_page)
def import_file() -> Any:
    """Checks a file, which imports nothing, or imports it; shows what that did on the answer itself."""
    try:
        file = request.files.get("file")
    except RequestEntityTooLarge:
        return problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The file has more than {LARGEST_FILE // 1_000_000} MB; nothing was imported. Split it, or use the "
            "command agent-funnel import.",
        )
    g.checked = request.form.get("what") != "import"
    about("dry run" if g.checked else "import")
    if file is None or not file.filename:
        raise ImportRefused("No file was chosen; nothing was imported.")
    g.file_name = file.filename
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "leads.csv"
        file.save(path)
        try:
            g.imported = transfer.import_file(
                wiring().backend,
                "leads",
                path,
                name="The file",
                skip_bad=g.checked or "skip_bad" in request.form,
                dry_run=g.checked,
            )
        except transfer.BadRows as error:
            g.bad_rows, g.bad_count = error.bad, error.count
            # The rows themselves stand in a table.
            raise ImportRefused(str(error).partition("\n")[0]) from error
    g.bad_rows, g.bad_count = g.imported.bad, g.imported.bad_rows
    return import_page()
