"""The clock: when it deals next, paused and resumed."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import planning
from agent_funnel.schedule import next_run
from agent_funnel.web.access import about
from agent_funnel.web.api import shapes
from agent_funnel.web.api.common import actor, today
from agent_funnel.web.operation import json, operation
from agent_funnel.web.wiring import wiring

blueprint = APIBlueprint(
    "schedule", __name__, url_prefix="/api", abp_tags=[Tag(name="schedule", description="The clock.")]
)


@operation(blueprint, "get", "/schedule", role="viewer", answer=shapes.Schedule)
def show_schedule() -> Response:
    """Say when the clock deals next, whether it is paused, and what became of the last dates."""
    given = wiring()
    moment = next_run(given.now(), given.settings)
    return json(
        shapes.Schedule(
            next_run=moment.isoformat() if moment else None,
            timezone=str(given.settings.timezone),
            run_at=given.settings.run_at.isoformat(),
            pause=planning.current_pause(given.backend),
            holidays=planning.holidays(given.backend, since=today()),
            outcomes=planning.outcomes(given.backend),
        )
    )


@operation(blueprint, "post", "/schedule/pause", role="operator", answer=shapes.Changed)
def pause_schedule(body: shapes.Reason) -> Response:
    """Pause the clock of all copies of the service, until it is resumed."""
    given = wiring()
    about(body.reason or "")
    return json(
        shapes.Changed(changed=planning.pause(given.backend, now=given.now(), actor=actor(), reason=body.reason))
    )


@operation(blueprint, "post", "/schedule/resume", role="operator", answer=shapes.Changed)
def resume_schedule() -> Response:
    """Have the clock go on."""
    given = wiring()
    return json(shapes.Changed(changed=planning.resume(given.backend, now=given.now(), actor=actor())))
