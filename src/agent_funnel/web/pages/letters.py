"""The letters about deals and nights, as pages: the same sentences as in the messages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext

from agent_funnel.notify import Letter
from agent_funnel.runs import find_run
from agent_funnel.schedule.letter import letter_of_night, letter_of_run
from agent_funnel.schedule.nights import is_broken
from agent_funnel.schedule.store import find_night
from agent_funnel.schedule.terms import holding
from agent_funnel.web.languages import translated
from agent_funnel.web.pages.layout import page
from agent_funnel.web.pages.runs import business_date_of
from agent_funnel.web.services import services

blueprint = Blueprint("letters", __name__)


@page(blueprint, "/runs/<int:run_id>/letter", role="viewer")
def show_of_run(run_id: int) -> Any:
    """The letter about a deal; a failed attempt has none, but its own page."""
    given = services()
    if find_run(given.database, run_id).status == "failed":
        return redirect(url_for("runs.show_run", run_id=run_id))
    letter = letter_of_run(given.database, holding(given.database, given.settings), run_id, now=given.now())
    return _show(letter, url_for("runs.show_run", run_id=run_id), gettext("Deal %(run_id)s", run_id=run_id))


@page(blueprint, "/nights/<day>/letter", role="viewer")
def show_of_night(day: str) -> Any:
    """The letter about a missed or failed night, or that of its deal; other nights have only their own page."""
    given = services()
    business_date = business_date_of(day)
    night = find_night(given.database, business_date)
    if night is not None and night.run_id is not None:
        return redirect(url_for("letters.show_of_run", run_id=night.run_id))
    if night is None or not is_broken(night):
        return redirect(url_for("runs.show_night", day=business_date))
    letter = letter_of_night(given.database, holding(given.database, given.settings), business_date, now=given.now())
    return _show(letter, url_for("runs.show_night", day=business_date), gettext("The night"))


def _show(letter: Letter, up: str, up_name: str) -> str:
    return render_template(
        "letter.html",
        letter=letter.changed(translated),
        up=up,
        up_name=up_name,
        is_sent="letter" in services().settings.notify_on,
    )
