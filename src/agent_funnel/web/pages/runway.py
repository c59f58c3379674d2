"""The runway: how long the leads last, and the deals of the next two weeks."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_babel import gettext

from agent_funnel.runs import last_run
from agent_funnel.schedule.runway import Scenario
from agent_funnel.sentences import sentence
from agent_funnel.web.charts import runway_columns, runway_scale
from agent_funnel.web.pages.layout import page
from agent_funnel.web.services import services

blueprint = Blueprint("runway", __name__)

# Why a date has no deal:
OFF_NAMES = {
    "holiday": sentence("holiday"),
    "weekday": sentence("no deal that day"),
    "skipped": sentence("skipped"),
    "paused": sentence("paused"),
    "nobody": sentence("nobody has room"),
}
# The smaller and the larger change of an amount:
NO_CHANGE = (0, 0)


@page(blueprint, "/runway", role="viewer")
def show() -> str:
    """The next two weeks: the pool, the leads dealt and those that become too old, on a chart and in a table."""
    given = services()
    last = last_run(given.database)
    found = given.counts.start_runway(given.now(), last.run_id if last else None).get()
    if found is None:
        return render_template("runway.html", runway=None)
    fewer = found.one_fewer
    chart = runway_columns(found.nights)
    changes = [
        (gettext("One agent more"), *_change(found.as_is, found.one_more)),
        *([(gettext("One agent fewer"), *_change(found.as_is, fewer))] if fewer else []),
    ]
    return render_template(
        "runway.html",
        runway=found,
        warning=found.warning(given.settings.runway_nights),
        chart=chart,
        scale=runway_scale(found.nights),
        # The line of the room is not drawn if it is far above the columns.
        has_line='class="room"' in chart,
        # Where neither changes anything, one sentence says so.
        changes=changes if any((dealt, expired) != (NO_CHANGE, NO_CHANGE) for _, dealt, expired in changes) else [],
        OFF_NAMES=OFF_NAMES,
    )


def _change(before: Scenario, after: Scenario) -> tuple[tuple[int, int], tuple[int, int]]:
    """How many more leads are dealt, and how many more expire, in another scenario: the smaller number first."""
    dealt = sorted((after.low.dealt - before.low.dealt, after.high.dealt - before.high.dealt))
    expired = sorted((after.low.expired - before.low.expired, after.high.expired - before.high.expired))
    return (dealt[0], dealt[1]), (expired[0], expired[1])
