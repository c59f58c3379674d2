"""The schedule: its next deal, pause and resume."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.store import current_pause, list_holidays, list_nights, pause, resume
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.operation import json, operation
from agent_funnel.web.request_models import Reason
from agent_funnel.web.requester import actor, mask_texts, today
from agent_funnel.web.services import services

blueprint = APIBlueprint("schedule", __name__, abp_tags=[Tag(name="schedule", description="Automatic deals.")])


@operation(blueprint, "get", "/schedule", role="viewer", answer=models.Schedule)
def show_schedule() -> Response:
    """Show when the next automatic deal is due, whether the schedule is paused, and the outcomes of the last dates."""
    given = services()
    paused = current_pause(given.database)
    return json(
        models.Schedule(
            next_run=next_run(given.now(), given.settings).isoformat(),
            timezone=str(given.settings.timezone),
            run_at=given.settings.run_at.isoformat(),
            pause=None if paused is None else mask_texts(paused),
            holidays=[mask_texts(holiday) for holiday in list_holidays(given.database, since=today())],
            outcomes=list_nights(given.database),
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
