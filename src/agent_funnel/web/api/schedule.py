"""The schedule: its next deal, its terms, pause and resume, and records that are taken back."""

from __future__ import annotations

from datetime import timedelta

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel.schedule import terms, voids
from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.skips import list_skips, skip
from agent_funnel.schedule.store import current_pause, list_holidays, list_nights, pause, resume
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.operation import json, operation
from agent_funnel.web.request_models import DateToReopen, DateToSkip, Reason
from agent_funnel.web.requester import actor, mask_texts, masked_text, today
from agent_funnel.web.services import services

blueprint = APIBlueprint("schedule", __name__, abp_tags=[Tag(name="schedule", description="Automatic deals.")])


@operation(blueprint, "get", "/schedule", role="viewer", answer=models.Schedule)
def show_schedule() -> Response:
    """Show when the next automatic deal is due, whether the schedule is paused, and the outcomes of the last dates."""
    given = services()
    rules = terms.holding(given.database, given.settings)
    paused = current_pause(given.database)
    skipped = list_skips(given.database, since=today() - timedelta(days=1))
    return json(
        models.Schedule(
            next_run=next_run(given.now(), rules, {each.business_date for each in skipped}).isoformat(),
            timezone=str(rules.timezone),
            run_at=rules.run_at.isoformat(),
            pause=None if paused is None else mask_texts(paused),
            holidays=[mask_texts(holiday) for holiday in list_holidays(given.database, since=today())],
            outcomes=list_nights(given.database),
            skips=[mask_texts(each) for each in skipped],
            differences=[masked_text(each) for each in terms.known_differences(given.database, now=given.now())],
            voids=[mask_texts(void) for void in voids.list_voids(given.database)],
        )
    )


@operation(blueprint, "post", "/schedule/pause", role="operator", answer=models.Changed)
def pause_schedule(body: Reason) -> Response:
    """Pause automatic deals, for all copies of the service, until they are resumed."""
    given = services()
    set_audit_target(body.reason or "")
    changed = pause(given.database, now=given.now(), actor=actor(), reason=body.reason)
    return json(models.Changed(changed=changed))


@operation(blueprint, "post", "/schedule/resume", role="operator", answer=models.Changed)
def resume_schedule() -> Response:
    """Resume automatic deals."""
    given = services()
    return json(models.Changed(changed=resume(given.database, now=given.now(), actor=actor())))


@operation(
    blueprint,
    "post",
    "/schedule/reopen",
    role="operator",
    answer=models.ReopenedDate,
    problems={404: "The date has no such record."},
)
def reopen_date(body: DateToReopen) -> Response:
    """Take back the record that a business date passed without its automatic deal.

    While its window is open, the schedule deals at its next look; otherwise the record is void, and a deal is made by
    hand.
    """
    given = services()
    set_audit_target(body.business_date)
    done = voids.reopen(given.database, given.settings, body.business_date, now=given.now(), actor=actor())
    return json(
        models.ReopenedDate(business_date=done.business_date, outcome=done.outcome, window_closed=done.window_closed)
    )


@operation(
    blueprint, "post", "/schedule/skip", role="operator", answer=models.Changed,
    problems={
        404: "No automatic deal is to come on that date.",
        409: "The date has its scheduled deal, or has none already (50003); nothing was changed.",
    },
)  # fmt: skip
def skip_date(body: DateToSkip) -> Response:
    """Skip the automatic deal of a business date, which is still to come. To take it back, reopen the date."""
    given = services()
    set_audit_target(body.business_date)
    skip(given.database, given.settings, body.business_date, now=given.now(), actor=actor())
    return json(models.Changed(changed=True))


@operation(blueprint, "post", "/schedule/adopt", role="admin", answer=models.Changed)
def adopt_terms() -> Response:
    """Make the time, zone, weekdays and catch-up of this copy's settings hold for all copies of the service."""
    given = services()
    set_audit_target(terms.Terms.of(given.settings))
    changed = terms.adopt(given.database, given.settings, now=given.now(), actor=actor() or "the service")
    return json(models.Changed(changed=changed))
