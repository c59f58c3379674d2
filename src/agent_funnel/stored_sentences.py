"""English texts that come from the database, as sentences: messages of its procedures, and reasons that it keeps.

A run's error is raised in SQL, and reasons of failures are kept as texts; so they arrive without their templates. The
templates are here, and a page that shows such a text finds its template by it. A text that is not here, such as the
message of a driver, stays as it is.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache, lru_cache

from agent_funnel.sentences import Sentence, counted, joined, sentence, shown_as, with_values

# Messages of SQL, and the docstrings of errors, which are their default messages:
STORED: tuple[str, ...] = (
    "Something went wrong.",
    "A setting has a bad value.",
    "The file was refused; nothing was imported.",
    "The database already has leads.",
    "A brake holds the scheduled run until a person makes it; nothing was changed.",
    "The clock shows a time before the installation; nothing was changed.",
    "This change of a rule needs a confirmation; nothing was changed.",
    "This does not exist; nothing was changed.",
    "This exists already; nothing was changed.",
    "The database refused a statement; nothing was changed.",
    "The database cannot be reached; nothing was changed.",
    "The database is busy; nothing was changed.",
    "The database is starting or failing over; nothing was changed. Try again in a minute.",
    "The connection to the database broke; whether the change was made is not known.",
    "The database's file is damaged; nothing was changed.",
    "The installed tables are of another version than this program needs; nothing was changed.",
    "The deal was refused; nothing was changed.",
    "A run or an undo is in progress; nothing was changed. Try again when it ends.",
    "No agent is active and has room tonight; nothing was changed.",
    "The scheduled run of this business date is already done.",
    "The pool changed while it was being dealt; nothing was changed.",
    "There is no run to undo.",
    "A parameter is out of range.",
    "A check before commit failed; everything was rolled back.",
    "This deal is almost surely a mistake; nothing was changed. To deal all the same, say again.",
    "There is no run to undo; nothing was changed.",
    "There is no run %(run_id)s; nothing was changed. There is no run to undo.",
    "There is no run %(run_id)s; nothing was changed. No run can be undone: the history needed has been purged.",
    "There is no run %(run_id)s; nothing was changed. Only run %(last_id)s can be undone now.",
    "Run %(run_id)s is undone already; nothing was changed. There is no run to undo.",
    "Run %(run_id)s is undone already; nothing was changed. No run can be undone: the history needed has been purged.",
    "Run %(run_id)s is undone already; nothing was changed. Only run %(last_id)s can be undone now.",
    "Run %(run_id)s did not succeed; nothing was changed. There is no run to undo.",
    "Run %(run_id)s did not succeed; nothing was changed. No run can be undone: the history needed has been purged.",
    "Run %(run_id)s did not succeed; nothing was changed. Only run %(last_id)s can be undone now.",
    "Run %(run_id)s is not the last run; nothing was changed. There is no run to undo.",
    "Run %(run_id)s is not the last run; nothing was changed. No run can be undone: the history needed has been "
    "purged.",
    "Run %(run_id)s is not the last run; nothing was changed. Only run %(last_id)s can be undone now.",
    "Run %(last_id)s cannot be undone: the history of run %(purged)s has been purged; nothing was changed.",
    "Check failed: forgotten_salt has no row, so nobody knows which assignments are of forgotten people; nothing was "
    "changed. Restore that row from a backup.",
    "Check failed: forgotten_salt has no row, so nobody knows which leads are of forgotten people; nothing was "
    "changed. Restore that row from a backup.",
    "Check failed: forgotten_salt has no row. Restore it. Nothing changed.",
    "skip_date is for manual runs; the trigger is schedule. Nothing was changed.",
    "The scheduled run of %(business_date)s is already done (run %(run_id)s); nothing was changed. To deal again, "
    "make a manual run.",
    "The business date %(business_date)s is recorded as %(outcome)s, so it gets no scheduled run; nothing was "
    "changed. To deal, make a manual run.",
    "The scheduled run of %(skip_date)s is already done (run %(run_id)s), so it cannot be skipped; nothing was "
    "changed.",
    "The business date %(skip_date)s is recorded as %(outcome)s already, so its scheduled run cannot be skipped; "
    "nothing was changed.",
    "Run %(run_id)s of %(business_date)s began %(seconds)s s ago and dealt %(leads)s leads: another deal would "
    "replace these assignments, and move each lead that it deals on by one more stage",
    "The scheduled run of %(business_date)s is due in %(seconds)s s: it would replace the assignments of this deal, "
    "and move its leads on by one more stage",
    "The scheduled run of %(business_date)s was due %(seconds)s s ago and is about to begin: it would replace the "
    "assignments of this deal, and move its leads on by one more stage",
    "Run %(run_id)s of %(business_date)s came before this one: %(leads)s leads move on a second time that day. An "
    "undo takes that back.",
    "No agent has room for %(leads)s call-back that is due; the next deal has it again.",
    "No agent has room for %(leads)s call-backs that are due; the next deal has them again.",
    "No lead is in the pool, and agents have %(leads)s assignments: a deal now would remove them all, and deal nothing",
    "No agent is active; nothing was changed. Activate an agent.",
    "All active agents (%(agents)s) are away on %(business_date)s; nothing was changed. Activate another agent, or "
    "remove a limit of 0.",
    # Failed attempts of earlier versions have kept this one:
    "No agent is active and has room on %(business_date)s; nothing was changed. Activate an agent, or remove a limit "
    "of 0.",
    "The pool changed while it was being dealt: %(rows)s rows advanced instead of %(expected)s; nothing was changed. "
    "Try again.",
    "The leads changed while they were being taken back: %(rows)s rows went back instead of %(expected)s; nothing was "
    "changed. Try again.",
    "The leads changed while they were being handed back: %(rows)s rows moved instead of %(expected)s; nothing was "
    "changed. Try again.",
    "A change to the do-not-contact list or the records of runs has been in progress for %(seconds)s s; nothing was "
    "changed. Try again.",
    "There is no run yet, so nobody has a lead; nothing was handed back.",
    "The agents' leads are those of run %(last_id)s, not of run %(run_id)s; nothing was handed back. Look at the "
    "present list.",
    "The history of run %(run_id)s has been purged; nothing was handed back.",
    "%(agent)s has no lead of run %(run_id)s without an outcome; nothing was handed back.",
    "%(agent)s has handed nothing back; nothing was changed.",
    "There is no hand-back %(hand_back_id)s of %(agent)s; nothing was changed.",
    "There is no hand-back %(hand_back_id)s; nothing was changed.",
    "Run %(run_id)s was undone, so its hand-back cannot be undone; nothing was changed.",
    "A newer run has replaced run %(run_id)s, so its hand-back cannot be undone; nothing was changed.",
    "reported_on is %(day)s; it must be within a day of %(today)s. Nothing was changed.",
    "The report %(report)s is there already, with other content; nothing was changed. Give each report an id of its "
    "own.",
    "reported_at is %(moment)s; it must be at most 7 days ago. Nothing was kept.",
    "reported_on is %(day)s; it must be the date of the report, within a day of %(today)s. Nothing was kept.",
    "There is no run yet, so nobody has a lead; nothing was kept.",
    "There is no run %(run_id)s; nothing was kept.",
    "Run %(run_id)s did not succeed; nothing was kept.",
    "The history of run %(run_id)s has been purged; nothing was kept.",
    "Run %(run_id)s dealt no lead with the number %(number)s; nothing was kept.",
    "Run %(run_id)s dealt %(agent)s no lead with the number %(number)s; nothing was kept.",
    "Run %(run_id)s was undone, so its leads take no new report; nothing was kept.",
    "A newer run has replaced run %(run_id)s, so its leads take no new report; nothing was kept. Report the lead from"
    " the present list.",
    "call_back_on is %(day)s; it must be after the business date of run %(run_id)s, %(business_date)s. Nothing was "
    "kept.",
    "call_back_on is %(day)s; it must be at most 90 days ahead, until %(latest)s. Nothing was kept.",
    "There is no outcome with the report %(report)s; nothing was changed.",
    "Run %(run_id)s was undone, so you cannot take this outcome back; nothing was changed. An operator can.",
    "A newer run has replaced run %(run_id)s, so you cannot take this outcome back; nothing was changed. An operator "
    "can.",
    "A name is missing or blank; nothing was changed.",
    "The number is missing or blank; nothing was changed.",
    "country must be none, or the two letters of a country; nothing was changed.",
    "agents.agent cannot store all characters of this name; nothing was changed.",
    "The column agents.agent cannot store all characters of this name; nothing was changed.",
    "The call is inside a transaction; nothing was changed. End the transaction first.",
    "The call is outside the transaction of an import; nothing was changed.",
    "The rows of a file are not staged; nothing was changed.",
    "Another session is still adding or activating agents; nothing was changed. Try again.",
    "A run is still in progress; nothing was changed. Try again when the run has ended.",
    "Another session is still making a link; nothing was changed. Try again.",
    "Another session is still adding a key; nothing was changed. Try again.",
    "Another session is still pausing the schedule; nothing was changed. Try again.",
    "A run is still in progress; nothing was renamed. Try again when the run has ended.",
    "A run is still in progress; nothing was imported. Try again when the run has ended.",
    "A run is still in progress; nothing was purged. Try again when the run has ended.",
    "A run is still in progress; nothing was kept. Send the report again when it has ended.",
    "A run is still in progress; the failure was not recorded. Try again when the run has ended.",
    "A run is still in progress; no outcome was recorded. Try again when the run has ended.",
    "A run is still in progress; the notice was not noted. Try again when the run has ended.",
    "A run is still in progress; no rule was changed. Try again when the run has ended.",
    "A run is still in progress; no number was put on the list. Try again when the run has ended.",
    "A run is still in progress; no record was voided. Try again when the run has ended.",
    "A run is still in progress; no date was skipped. Try again when the run has ended.",
    "A run is still in progress; no match key was kept. Try again when the run has ended.",
    "A run is still in progress, so it is not known yet whether the call made its run. Try again when it has ended.",
    "The database ended this call to resolve a deadlock. Nothing was changed.",
    "The database server %(server)s has not answered a call for %(seconds)s s (FUNNEL_CALL_TIMEOUT); whether the call"
    " took effect is not known.",
    "The connection to the database server %(server)s broke during a call; whether the call took effect is not known.",
    "Another session has held a lock that this call needs for %(seconds)s s (FUNNEL_LOCK_WAIT). Nothing was changed.",
    "The database %(database)s is busy: another program has been writing for %(seconds)s s (FUNNEL_LOCK_WAIT). "
    "Nothing was changed.",
    "The database %(database)s cannot be used: %(reason)s. Nothing was changed.",
    "%(name)s is NULL; it must be 0 or 1. Nothing was changed.",
    "%(name)s is %(value)s; it must be %(limits)s. Nothing was changed.",
    "%(name)s is %(value)s; it must be %(limits)s.",
)
# Why a brake holds a deal, as pages say it, of one lead and of several:
_UNUSUAL = counted(
    "%(count)s lead to deal, but in the last %(deals)s deals there were usually about %(usual)s.",
    "%(count)s leads to deal, but in the last %(deals)s deals there were usually about %(usual)s.",
    2,
    deals="",
    usual="",
)
# Those that name commands, parameters of procedures or terms of statistics, and the same for a page:
SHOWN_AS: tuple[tuple[str, Sentence], ...] = (
    (
        "%(warning)s FUNNEL_BRAKE holds the deal until a person runs `agent-funnel run --scheduled`; nothing was "
        "changed.",
        sentence("%(warning)s So the deal waits until a person makes it; nothing was changed."),
    ),
    ("%(count)s lead is ready to deal, but the median of the last %(deals)s deals is %(usual)s.", _UNUSUAL),
    ("%(count)s leads are ready to deal, but the median of the last %(deals)s deals is %(usual)s.", _UNUSUAL),
    (
        "The database lacks tables or procedures of Agent Funnel: run `agent-funnel install`.",
        sentence(
            "The database lacks tables or procedures of Agent Funnel. The person who installed it must run the "
            "installation again."
        ),
    ),
    (
        "The recorded rule %(name)s is %(value)s; it must be %(limits)s. Nothing was changed. Record another value "
        "with `agent-funnel rules set`, or in floor_rule.",
        sentence(
            "The recorded rule %(name)s is %(value)s; it must be %(limits)s. Nothing was changed. An admin can "
            "record another value in the settings."
        ),
    ),
    (
        "%(reasons)s; nothing was changed. To deal all the same, confirm it: @again = 1, `agent-funnel run --again`, "
        '{"again": true}, or the box on the page.',
        sentence("%(reasons)s; nothing was changed. To deal all the same, confirm it in the box below."),
    ),
    (
        "Check failed: %(rows)s rows advanced instead of %(expected)s; nothing was changed. Run `agent-funnel doctor "
        "--deep`.",
        sentence(
            "A check of the deal failed, so nothing was changed: %(rows)s rows advanced instead of %(expected)s. Tell "
            "the person who installed Agent Funnel."
        ),
    ),
    (
        "Check failed: %(number)s is assigned twice; nothing was changed. Run `agent-funnel doctor --deep`.",
        sentence(
            "A check of the deal failed, so nothing was changed: %(number)s is assigned twice. Tell the person who "
            "installed Agent Funnel."
        ),
    ),
    (
        "Check failed: %(number)s is assigned in two spellings; nothing was changed. Run `agent-funnel doctor --deep`.",
        sentence(
            "A check of the deal failed, so nothing was changed: %(number)s is assigned in two spellings. Tell the "
            "person who installed Agent Funnel."
        ),
    ),
    (
        "Check failed: agent %(agent)s got %(leads)s leads but has room for %(room)s; nothing was changed. Run "
        "`agent-funnel doctor --deep`.",
        sentence(
            "A check of the deal failed, so nothing was changed: %(agent)s got %(leads)s leads but has room for "
            "%(room)s. Tell the person who installed Agent Funnel."
        ),
    ),
    (
        "Check failed: agent %(agent)s got %(leads)s leads and has room for more, but another agent got %(largest)s; "
        "nothing was changed. Run `agent-funnel doctor --deep`.",
        sentence(
            "A check of the deal failed, so nothing was changed: %(agent)s got %(leads)s leads and has room for "
            "more, but another agent got %(largest)s. Tell the person who installed Agent Funnel."
        ),
    ),
    (
        "Check failed: %(leads)s leads were assigned instead of %(expected)s; nothing was changed. Run `agent-funnel "
        "doctor --deep`.",
        sentence(
            "A check of the deal failed, so nothing was changed: %(leads)s leads were assigned instead of "
            "%(expected)s. Tell the person who installed Agent Funnel."
        ),
    ),
    (
        "There is no database %(database)s; `agent-funnel install` creates one.",
        sentence(
            "There is no database %(database)s. The person who installed Agent Funnel must run the installation again."
        ),
    ),
    (
        "The database lacks a table or procedure (%(missing)s): run `agent-funnel install`.",
        sentence(
            "The database lacks a table or procedure (%(missing)s). The person who installed Agent Funnel must run "
            "the installation again."
        ),
    ),
    (
        "The database %(database)s is damaged: %(reason)s. Nothing was changed. Stop the service, keep a copy of the "
        "file and of those next to it, and restore a backup, or try `sqlite3 FILE .recover`.",
        sentence(
            "The database %(database)s is damaged: %(reason)s. Nothing was changed. Tell the person who installed "
            "Agent Funnel."
        ),
    ),
    (
        "The tables of this database are of version %(installed)s, but this program needs version %(needed)s; nothing "
        "was changed. Run `agent-funnel install`.",
        sentence(
            "The tables of this database are of version %(installed)s, but this program needs version %(needed)s. "
            "Nothing was changed. The person who installed Agent Funnel must run the installation again."
        ),
    ),
    (
        "The table agent_funnel_version has no row, so it is not known whether this program fits the tables; nothing "
        "was changed. `agent-funnel doctor` says how to record the version.",
        sentence(
            "It is not known whether this program fits the tables of the database. Nothing was changed. Tell the "
            "person who installed Agent Funnel."
        ),
    ),
    (
        "The tables of this database are of version %(installed)s, but this program knows no version after %(known)s; "
        "nothing was changed. Update Agent Funnel on this machine.",
        sentence(
            "The tables of this database are of version %(installed)s, but this program knows no version after "
            "%(known)s. Nothing was changed. The person who installed Agent Funnel must update it."
        ),
    ),
)
# The words of SQL, and those of pages; also `run` and `runs`, which are `deal` and `deals` there.
_WORDS = (
    ("The pool changed while it was", "The leads changed while they were"), ("business date", "date"),
    ("No lead is in the pool, and", "No lead is ready to be dealt, and"), ("these assignments", "everyone's list"),
    (" assignments: a deal now would remove them all", " leads: a deal now would empty all lists"),
    ("the assignments of this deal", "the lists of this deal"), ("scheduled run", "automatic deal"),
    ("manual runs", "deals by hand"), ("a manual run", "a deal by hand"), ("has been purged", "was deleted"),
    ("move each lead that it deals on by one more stage", "count as one more call for every lead that it deals"),
    ("move its leads on by one more stage", "count as one more call for every lead that it deals"),
    ("leads move on a second time that day", "leads count a second call that day"),
    ("the present list", "the current list"),
)  # fmt: skip
# Values that are amounts, which readers write in their own way:
_AMOUNTS = ("leads", "seconds", "rows", "expected", "room", "largest", "count", "deals", "usual")
# An amount, as the program writes it:
_AMOUNT = re.compile(r"\d+|\d{1,3}(?:,\d{3})+", re.ASCII)
# A value that is a date, which readers write in their own way:
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PLACE = re.compile(r"%\((\w+)\)s")


@lru_cache(500)
def as_sentence(text: str) -> str:
    """The sentence that an English text is; the text itself if it is none of these."""
    for pattern, template, plural in _patterns():
        if found := pattern.fullmatch(text):
            values: dict[str, object] = {name: _value(value, name) for name, value in found.groupdict().items()}
            count = values.get("count")
            return with_values(template, values, plural, count if isinstance(count, int) else 0)
    # A preview ends its reasons with a full stop, where a refused deal says what to do.
    reasons = _value(text[:-1]) if text.endswith(".") else text
    return joined(reasons, ".", by="") if isinstance(reasons, Sentence) else text


def with_sentence(text: str) -> str:
    """An English text as it is, with what a translation needs if it is one of these sentences."""
    found = text if isinstance(text, Sentence) else as_sentence(text)
    return shown_as(str(text), found) if isinstance(found, Sentence) else text


def as_pages_say(template: str) -> str:
    """The template of a message of SQL in the words of pages; the key in the catalogues."""
    for theirs, ours in _WORDS:
        template = template.replace(theirs, ours)
    return re.sub(r"\brun(s?)\b", r"deal\1", re.sub(r"\bRun\b", "Deal", template))


def _value(text: str, name: str = "") -> str | int | date:
    """A part of a sentence: a day, an amount, other sentences, or a name."""
    if name in _AMOUNTS and _AMOUNT.fullmatch(text):
        return int(text.replace(",", ""))
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    parts = [as_sentence(part) for part in text.split(". ")]
    return joined(*parts, by=". ") if all(isinstance(part, Sentence) for part in parts) else text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str, str | None]]:
    # Those with a hint at their end come first, since a value at the end of another one would take it.
    shown = [(_pattern(text), each.template, each.plural) for text, each in SHOWN_AS]
    return [*shown, *((_pattern(text), as_pages_say(text), None) for text in STORED)]


def _pattern(text: str) -> re.Pattern[str]:
    parts = _PLACE.split(text)
    known: set[str] = set()
    for place in range(1, len(parts), 2):
        name, parts[place] = parts[place], f"(?P<{parts[place]}>.+?)"
        if name in known:
            parts[place] = f"(?P={name})"
        known.add(name)
    parts[::2] = map(re.escape, parts[::2])
    return re.compile("".join(parts), re.DOTALL)
