"""The first steps: a checklist that ticks itself, a form for pasted names of agents, and a sample file of leads."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO, StringIO

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.access.keys import any_keys
from agent_funnel.agents import roster
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.imports import BadRows, import_file
from agent_funnel.leads import search_leads
from agent_funnel.rules import list_rules
from agent_funnel.runs import last_run
from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.store import current_pause
from agent_funnel.sentences import counted, joined, sentence
from agent_funnel.settings import source
from agent_funnel.settings_types import NO_COUNTRY
from agent_funnel.web import format
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.languages import locale
from agent_funnel.web.pages.layout import form, page, redirect_with_notice
from agent_funnel.web.requester import today
from agent_funnel.web.services import services
from agent_funnel.web.uploads import upload_origin

blueprint = Blueprint("start", __name__)

# The most names in one form:
MOST_NAMES = 1_000
# Numbers that no telephone network gives to anybody, for the sample file:
SAMPLE_NUMBERS = range(12025550101, 12025550111)


@dataclass(frozen=True)
class Step:
    """A step to the first deal: whether it is done, and what is there or missing, in a sentence."""

    name: str
    title: str
    done: bool
    state: str
    # Whether a deal needs what the step is about, and there is none at all:
    nothing_there: bool = False


def first_steps() -> list[Step]:
    """The steps to the first deal, as far as they are done."""
    given = services()
    database, settings = given.database, given.settings
    agents = roster(database, today())
    active = sum(1 for each in agents if each.active)
    counts = given.counts.stage_counts()
    leads = sum(counts.stages.values()) if counts else 0
    # Counts are some seconds old, so that leads that were just imported are looked for.
    has_leads = leads > 0 or bool(search_leads(database, count=1))
    rules = list_rules(database, settings)
    country = next(each.value for each in rules if each.name == "country")
    # A rule that only the settings of this program give is not chosen for the others that deal.
    recorded = any(each.recorded is not None for each in rules)
    pause = current_pause(database)
    has_zone = source(settings, "timezone") != "default"
    due = format.moment(
        next_run(given.now(), settings), settings.timezone, locale(), form="when", this_year=today().year, today=today()
    ).striptags()
    chosen_rules = (
        gettext("Chosen, with no country for numbers without one.")
        if country == NO_COUNTRY
        else gettext("Chosen, with the country %(country)s for numbers without one.", country=country)
    )
    when = gettext("The next deal is due %(when)s, in the zone %(zone)s.", when=due, zone=settings.timezone)
    if not has_zone:
        when += " " + gettext("If that is not the zone of your team, set FUNNEL_TIMEZONE.")
    addresses = len(settings.notify_urls)
    none = gettext("There are none yet.")
    return [
        Step("agents", gettext("Agents"), active > 0, _active(active, len(agents)) if agents else none,
             nothing_there=not agents),
        Step("leads", gettext("Leads"), has_leads,
             ngettext("There is %(n)s.", "There are %(n)s.", leads, n=_amount(leads)) if leads else
             gettext("There are some.") if has_leads else none, nothing_there=not has_leads),
        Step("rules", gettext("Rules"), recorded,
             chosen_rules if recorded else
             gettext("Only the settings of this program choose some; none is recorded in the database.")
             if any(each.is_set for each in rules) else
             gettext("Not looked at yet: the defaults hold, and numbers without a country code get none.")),
        Step("schedule", gettext("Schedule"), has_zone and pause is None,
             gettext("Automatic deals are paused.") if pause else when),
        Step("notices", gettext("Notices"), bool(addresses),
             ngettext("%(n)s address set up.", "%(n)s addresses set up.", addresses, n=_amount(addresses))
             if addresses else gettext("Nobody is told if a deal fails.")),
        Step("keys", gettext("Keys"), any_keys(database),
             gettext("Everybody needs a key to sign in.") if any_keys(database) else
             gettext("Everybody on this machine can do everything, and nobody else can open the dashboard.")),
    ]  # fmt: skip


def _active(active: int, agents: int) -> str:
    text = ngettext(
        "%(active)s of %(n)s is active.",
        "%(active)s of %(n)s are active.",
        agents,
        active=_amount(active),
        n=_amount(agents),
    )
    return str(text)


def _amount(count: int) -> str:
    return format.number(count, locale())


@page(blueprint, "/start", role="viewer")
def show() -> str:
    """The checklist, with a form or a link for each step."""
    steps = first_steps()
    return render_template(
        "start.html",
        steps=steps,
        done=sum(1 for each in steps if each.done),
        run=last_run(services().database),
        most=MOST_NAMES,
        zone_is_default=source(services().settings, "timezone") == "default",
    )


@form(blueprint, "/start/agents", role="operator", shows=show)
def add_agents() -> BaseResponse:
    """Adds the agents whose names were pasted, all or none."""
    names = list(dict.fromkeys(line.strip() for line in request.form.get("names", "").splitlines() if line.strip()))
    set_audit_target(f"{len(names)} names")
    if not 0 < len(names) <= MOST_NAMES:
        raise ParameterOutOfRange(
            counted(
                "There is %(count)s name; 1 to %(most)s are possible at once, one on each line. Nothing was changed.",
                "There are %(count)s names; 1 to %(most)s are possible at once, one on each line. Nothing was changed.",
                len(names),
                most=MOST_NAMES,
            )
        )
    text = StringIO()
    csv.writer(text).writerows([["agent"], *([name] for name in names)])
    file = BytesIO(text.getvalue().encode("utf-8", "surrogatepass"))
    try:
        done = import_file(
            services().database, "agents", file, name="The names", origin=upload_origin("page", "pasted names")
        )
    except BadRows as error:
        # The file has a header, so that a name stands one line further up.
        bad = joined(*(joined(repr(names[each.line - 2]), each.reason, by=": ") for each in error.bad[:3]), by="; ")
        raise ParameterOutOfRange(sentence("%(faults)s. Nothing was changed.", faults=bad)) from error
    notice = ngettext(
        "Added %(n)s agent; they get leads from the next deal on.",
        "Added %(n)s agents; they get leads from the next deal on.",
        done.added,
        n=_amount(done.added),
    )
    if done.kept:
        there = ngettext("%(n)s was there already.", "%(n)s were there already.", done.kept, n=_amount(done.kept))
        notice = f"{notice} {there}"
    return redirect_with_notice(notice, "start.show")


@page(blueprint, "/start/sample.csv", role="viewer")
def download_sample() -> Response:
    """A file of leads in the form that is imported, with numbers that belong to nobody."""
    text = StringIO()
    rows = [[f"+{number}", 1, today() - timedelta(days=back)] for back, number in enumerate(SAMPLE_NUMBERS)]
    csv.writer(text).writerows([["number", "stage", "date"], *rows])
    response = Response(text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = "attachment; filename=sample-leads.csv"
    return response
