"""The audit in people's words: what a request did, instead of its method and path."""

from __future__ import annotations

import re
from dataclasses import dataclass

from babel import Locale

from agent_funnel.access.audit import AuditEntry
from agent_funnel.sentences import sentence
from agent_funnel.web.audit_details import detail_in_words, target_in_words

# What was done, by the method and path of the request, or by the word of a statement that records itself. A path of the
# API is the same without /api.
DEEDS = {
    "POST /agents": sentence("Add an agent"),
    "POST /agents/activate": sentence("Activate an agent"),
    "POST /agents/activate-all": sentence("Activate inactive agents"),
    "POST /agents/add": sentence("Add an agent"),
    "POST /agents/deactivate": sentence("Deactivate an agent"),
    "POST /agents/hand-back": sentence("Hand back an agent’s leads"),
    "POST /agents/hand-back/undo": sentence("Undo a hand-back"),
    "POST /agents/import": sentence("Import agents"),
    "POST /agents/limits": sentence("Add an absence or a limit"),
    "POST /agents/limits/remove": sentence("Remove an absence or a limit"),
    "POST /agents/link": sentence("Make a personal link"),
    "POST /agents/link/revoke": sentence("Revoke a personal link"),
    "POST /agents/links": sentence("Make personal links"),
    "POST /agents/rename": sentence("Rename an agent"),
    "POST /calendar/holidays": sentence("Add a holiday"),
    "POST /calendar/holidays/remove": sentence("Remove a holiday"),
    "POST /calendar/limits": sentence("Add an absence or a limit"),
    "POST /calendar/limits/remove": sentence("Remove an absence or a limit"),
    "POST /calendar/public": sentence("Add public holidays"),
    "POST /deal": sentence("Deal now"),
    "POST /do-not-contact": sentence("Put a number on a do-not-contact list"),
    "POST /do-not-contact/import": sentence("Import numbers to a do-not-contact list"),
    "POST /do-not-contact/lists": sentence("Create a do-not-contact list"),
    "POST /do-not-contact/remove": sentence("Take a number off a do-not-contact list"),
    "POST /do-not-contact/several": sentence("Put numbers on a do-not-contact list"),
    "POST /do-not-contact/several/look-up": sentence("Look numbers up on the do-not-contact lists"),
    "POST /do-not-contact/several/remove": sentence("Take numbers off a do-not-contact list"),
    "POST /hand-backs": sentence("Hand back an agent’s leads"),
    "POST /hand-backs/undo": sentence("Undo a hand-back"),
    "POST /holidays/import": sentence("Import holidays"),
    "POST /imports/<int:import_id>/undo": sentence("Undo an import"),
    "POST /keys": sentence("Make a key"),
    "POST /keys/revoke": sentence("Revoke a key"),
    "DELETE /keys/<int:key_id>": sentence("Revoke a key"),
    "POST /language": sentence("Choose the language of the pages"),
    "POST /leads/do-not-contact": sentence("Put a number on a do-not-contact list"),
    "POST /leads/do-not-contact/remove": sentence("Take a number off a do-not-contact list"),
    "POST /leads/import": sentence("Import leads"),
    "POST /leads/outcomes/take-back": sentence("Take an outcome back"),
    "POST /limits": sentence("Add an absence or a limit"),
    "DELETE /limits/<int:limit_id>": sentence("Remove an absence or a limit"),
    "POST /limits/import": sentence("Import limits and absences"),
    "POST /mine/<secret>/hand-back": sentence("Hand back one’s own leads"),
    "POST /mine/<secret>/hand-back/undo": sentence("Undo a hand-back"),
    "POST /mine/<secret>/outcomes": sentence("Report outcomes"),
    "POST /mine/<secret>/outcomes/take-back": sentence("Take an outcome back"),
    "POST /mine/<secret>/report": sentence("Report an outcome"),
    "POST /mine/<secret>/take-back": sentence("Take an outcome back"),
    "POST /nights/<day>/reopen": sentence("Reopen a night"),
    "POST /nights/<day>/skip": sentence("Skip an automatic deal"),
    "POST /notices/test": sentence("Send a test message"),
    "POST /numbers/import": sentence("Import numbers to a do-not-contact list"),
    "POST /outcomes": sentence("Report an outcome"),
    "POST /outcomes/several": sentence("Report outcomes"),
    "POST /outcomes/take-back": sentence("Take an outcome back"),
    "POST /pause": sentence("Pause automatic deals"),
    "POST /person": sentence("Show what is kept of a person"),
    "POST /person/forget": sentence("Erase what is kept of a person"),
    "POST /resume": sentence("Resume automatic deals"),
    "POST /rules": sentence("Change the rules of the deal"),
    "POST /run-now": sentence("Deal now"),
    "POST /runs": sentence("Deal now"),
    "POST /runs/<int:run_id>/undo": sentence("Undo a deal"),
    "POST /schedule/adopt": sentence("Take over the times of the schedule"),
    "POST /schedule/pause": sentence("Pause automatic deals"),
    "POST /schedule/reopen": sentence("Reopen a night"),
    "POST /schedule/resume": sentence("Resume automatic deals"),
    "POST /schedule/skip": sentence("Skip an automatic deal"),
    "POST /sign-in": sentence("Sign in"),
    "POST /sign-out": sentence("Sign out"),
    "POST /start/agents": sentence("Add agents"),
    "rename agent": sentence("Rename an agent"),
    "forget": sentence("Erase what is kept of a person"),
}
# Targets that have pages:
_RUN, _IMPORT = re.compile(r"run (\d+)"), re.compile(r"import (\d+)")


@dataclass(frozen=True)
class Deed:
    """An entry in words. `text` is None for an operation of another version; `target` is what it was done to, and
    `detail` why it was refused.

    `run_id` and `import_id` have a page each, which then stands for the target. `only_checked` is True for a request
    that was to change nothing.
    """

    text: str | None
    target: str
    detail: str | None
    run_id: int | None
    import_id: int | None
    only_checked: bool
    by_api: bool


def deed(entry: AuditEntry, locale: Locale) -> Deed:
    """An entry of the audit in words, for the reader of a page in this locale."""
    method, _, path = entry.operation.partition(" ")
    by_api = path.startswith("/api/")
    target = entry.target or ""
    only_checked = target == "dry run" or target.startswith("dry run, ") or target.endswith(", dry run")
    target = target.removeprefix("dry run").removeprefix(", ").removesuffix(", dry run")
    target = "" if target in ("import", "test message") else target.removeprefix("import, ")
    run, imported = _RUN.fullmatch(target), _IMPORT.fullmatch(target)
    own_path = path.removeprefix("/api")
    return Deed(
        DEEDS.get(f"{method} {own_path}" if path.startswith("/") else entry.operation),
        target_in_words(own_path, target, locale),
        entry.detail and detail_in_words(entry.detail, locale),
        int(run[1]) if run else None,
        int(imported[1]) if imported else None,
        only_checked,
        by_api,
    )
