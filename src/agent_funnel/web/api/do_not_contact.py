"""The do-not-contact lists and their numbers."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import do_not_contact
from agent_funnel.do_not_contact import DoNotContact
from agent_funnel.masking import last_digits, mask_digits
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.files import download
from agent_funnel.web.import_models import NumbersImportQuery, TableBody
from agent_funnel.web.operation import json, operation
from agent_funnel.web.paging import AFTER_COUNT, AFTER_LISTED, decode_requester_cursor, encode_cursor, fetch_page
from agent_funnel.web.request_models import (
    DoNotContactQuery,
    ListedNumber,
    ListedNumbers,
    NewDoNotContact,
    NewListedNumbers,
    NewNumberList,
    Numbers,
)
from agent_funnel.web.requester import mask_texts, sees_numbers
from agent_funnel.web.services import services
from agent_funnel.web.uploads import import_numbers_upload, upload_origin, uploaded_body

blueprint = APIBlueprint(
    "do_not_contact", __name__, abp_tags=[Tag(name="do not contact", description="The do-not-contact lists.")]
)


@operation(
    blueprint, "get", "/do-not-contact", role="viewer", answer=models.DoNotContactPage,
    problems={404: "There is no such list."},
)  # fmt: skip
def list_do_not_contact(query: DoNotContactQuery) -> Response:
    """List the numbers that are never dealt, of a list or of all lists; or download all of them as a file."""
    if query.format != "json":
        return download(
            "do-not-contact", query.format, name="do-not-contact", list_name=query.list_name, mask=not sees_numbers()
        )

    def fetch(after: Any, count: int) -> list[DoNotContact]:
        return do_not_contact.list_do_not_contact(
            services().database, list_name=query.list_name, after=after, count=count
        )

    after = decode_requester_cursor(query.cursor, AFTER_LISTED, AFTER_COUNT)
    found, last = fetch_page(after, query.count, fetch, lambda row: (row.number, row.list_name))
    return json(models.DoNotContactPage(items=found, next=encode_cursor(*last) if last else None))


@operation(blueprint, "get", "/do-not-contact/lists", role="viewer", answer=models.NumberLists)
def list_number_lists() -> Response:
    """List the do-not-contact lists, with their sizes, the times of their last imports, and their ages in days."""
    found = [mask_texts(each) for each in do_not_contact.number_lists(services().database, services().now())]
    return json(models.NumberLists(items=found))


@operation(
    blueprint, "post", "/do-not-contact/lists", role="operator", answer=models.Done,
    problems={409: "There is a list of this name already."},
)  # fmt: skip
def add_number_list(body: NewNumberList) -> Response:
    """Create a do-not-contact list."""
    set_audit_target(mask_digits(body.name))
    do_not_contact.add_number_list(services().database, **body.model_dump())
    return json(models.Done())


@operation(
    blueprint, "post", "/do-not-contact/import", role="operator", answer=models.NumbersImportAnswer, takes_file=True,
    problems={
        404: "There is no such list.", 409: "A run was in progress all the time (50001); nothing was imported.",
        415: "The body is sent as something that is no table.",
    },
)  # fmt: skip
def import_do_not_contact(query: NumbersImportQuery, raw: TableBody) -> Response:
    """Import numbers to a do-not-contact list: a column of numbers and perhaps of reasons, or a number a line."""
    set_audit_target(("dry run, " if query.dry_run else "import, ") + mask_digits(query.list_name))
    result = import_numbers_upload(
        uploaded_body(), query.list_name, query.choices(), replaces=query.replace, confirmed=query.confirm,
        skip_bad=query.skip_bad, dry_run=query.dry_run, origin=upload_origin("api", query.file_name),
    )  # fmt: skip
    return json(models.NumbersImportAnswer(result))


@operation(
    blueprint, "post", "/do-not-contact", role="operator", answer=models.DoNotContactAnswer,
    problems={
        404: "There is no such list.", 409: "A run was in progress all the time (50001); nothing was changed.",
    },
)  # fmt: skip
def add_do_not_contact(body: NewDoNotContact) -> Response:
    """Put a number on a do-not-contact list; it leaves the present assignments at once."""
    set_audit_target(last_digits(body.number))
    found = do_not_contact.add_do_not_contact(services().database, body.number, body.reason, list_name=body.list_name)
    return json(
        models.DoNotContactAnswer(listed=bool(found["listed"]), assignments=found["assignments"], leads=found["leads"])
    )


@operation(
    blueprint, "post", "/do-not-contact/remove", role="operator", answer=models.Done,
    problems={404: "The number is not on that list, or there is no such list."},
)  # fmt: skip
def remove_do_not_contact(body: ListedNumber) -> Response:
    """Take a number off a list. On other lists it stays, and so it is still not dealt."""
    set_audit_target(last_digits(body.number))
    do_not_contact.remove_do_not_contact(services().database, body.number, list_name=body.list_name)
    return json(models.Done())


@operation(
    blueprint, "post", "/do-not-contact/several", role="operator", answer=models.AddedNumbers,
    problems={
        404: "There is no such list.", 409: "A run was in progress all the time (50001); nothing was changed.",
    },
)  # fmt: skip
def add_several_numbers(body: NewListedNumbers) -> Response:
    """Put up to a thousand numbers on a list, all or none; they leave the present assignments at once."""
    set_audit_target(_several(body))
    found = do_not_contact.add_several(services().database, body.numbers, body.reason, list_name=body.list_name)
    counts = {name: getattr(found, name) for name in models.AddedNumbers.model_fields}
    return json(models.AddedNumbers(**counts))


@operation(
    blueprint, "post", "/do-not-contact/several/remove", role="operator", answer=models.RemovedNumbers,
    problems={404: "There is no such list."},
)  # fmt: skip
def remove_several_numbers(body: ListedNumbers) -> Response:
    """Take up to a thousand numbers off a list. On other lists they stay, and so they are still not dealt."""
    set_audit_target(_several(body))
    removed = do_not_contact.remove_several(services().database, body.numbers, list_name=body.list_name)
    return json(models.RemovedNumbers(removed=removed))


@operation(blueprint, "post", "/do-not-contact/several/look-up", role="operator", answer=models.FoundNumbers)
def look_up_several_numbers(body: Numbers) -> Response:
    """Look up to a thousand numbers up on all lists, in any spelling. It changes nothing."""
    set_audit_target(f"{len(body.numbers)} numbers")
    return json(models.FoundNumbers(items=do_not_contact.look_up_several(services().database, body.numbers)))


def _several(body: ListedNumbers) -> str:
    return f"{len(body.numbers)} numbers, {mask_digits(body.list_name)}"
