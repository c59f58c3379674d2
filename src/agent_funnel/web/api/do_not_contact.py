"""The do-not-contact lists and their numbers."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import do_not_contact
from agent_funnel.do_not_contact import DoNotContact
from agent_funnel.masking import last_digits
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.operation import json, operation
from agent_funnel.web.paging import AFTER_COUNT, AFTER_LISTED, decode_requester_cursor, encode_cursor, fetch_page
from agent_funnel.web.request_models import DoNotContactQuery, ListedNumber, NewDoNotContact
from agent_funnel.web.services import services

blueprint = APIBlueprint(
    "do_not_contact", __name__, abp_tags=[Tag(name="do not contact", description="The do-not-contact lists.")]
)


@operation(
    blueprint, "get", "/do-not-contact", role="viewer", answer=models.DoNotContactPage,
    problems={404: "There is no such list."},
)  # fmt: skip
def list_do_not_contact(query: DoNotContactQuery) -> Response:
    """List the numbers that are never dealt: those of a list, or of all lists."""

    def fetch(after: Any, count: int) -> list[DoNotContact]:
        return do_not_contact.list_do_not_contact(
            services().database, list_name=query.list_name, after=after, count=count
        )

    after = decode_requester_cursor(query.cursor, AFTER_LISTED, AFTER_COUNT)
    found, last = fetch_page(after, query.count, fetch, lambda row: (row.number, row.list_name))
    return json(models.DoNotContactPage(items=found, next=encode_cursor(*last) if last else None))


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
