"""Notices: which ones are sent, to which services, and a test message. No page shows an address."""

from __future__ import annotations

from flask import Blueprint, render_template

from agent_funnel import notify
from agent_funnel.errors import SettingsError
from agent_funnel.notify import NoticeService, notice_services
from agent_funnel.sentences import sentence, text_in
from agent_funnel.settings_types import NOTICES
from agent_funnel.web.auth import identity, set_audit_target
from agent_funnel.web.pages.layout import form, page
from agent_funnel.web.routing import Rate
from agent_funnel.web.services import services
from agent_funnel.web.setting_words import VALUE_WORDS

blueprint = Blueprint("notices", __name__)

TESTS = Rate("test messages", "6 per minute")
# When a notice of each kind is sent:
OCCASIONS = {
    "finished": sentence("an automatic deal is done, with its amounts"),
    "failed": sentence("a deal fails for the first time tonight, or the schedule cannot look for a while"),
    "missed": sentence("a night ends without its deal"),
    "recovered": sentence("a deal succeeds after failures, or the schedule can look again"),
    "warning": sentence(
        "the next deal would not deal, leads fall short, a list is old, clocks differ, or the number of leads ready to "
        "deal is unusual"
    ),
    "held": sentence("a deal waits for a person, because a brake holds it"),
    "letter": sentence("after each deal and each missed or failed night: what came of it, and what changes next"),
}

# Addresses as apprise takes them, to be filled in:
EXAMPLES = {
    "mail": "mailtos://smtp.example.com:587?user=funnel@example.com&pass=PASSWORD&from=funnel@example.com&to=ana@example.com",
    "telegram": "tgram://123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr/987654321",
}


@page(blueprint, "/notices", role="viewer")
def show(tested: list[NoticeService] | None = None) -> str:
    """Who gets which notices; `tested` is the result of a test message that was just sent."""
    settings = services().settings
    fault, found = None, tested or []
    try:
        found = found or notice_services(settings)
    except SettingsError as error:
        fault = text_in(error)
    return render_template(
        "notices.html",
        channels=found,
        tested=tested is not None,
        fault=fault,
        EXAMPLES=EXAMPLES,
        kinds=[(VALUE_WORDS["notify_on"][kind], OCCASIONS[kind], kind in settings.notify_on) for kind in NOTICES],
        has_switch=settings.dead_man_url is not None,
    )


@form(blueprint, "/notices/test", role="admin", shows=show, rate=TESTS)
def send_test() -> str:
    """Sends a test message to everybody who gets notices; the response itself says who got it."""
    set_audit_target("test message")
    text = sentence(
        "A test message that %(person)s sent. Notices about deals come the same way.", person=identity().name
    )
    return show(notify.send_test(services().settings, text))
