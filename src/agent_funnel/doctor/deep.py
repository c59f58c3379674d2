"""Whether stages, assignments and history agree with one another, run by run and now.

What no run and no undo can leave behind is an error. What others may have done since, which is their right, is a note.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent_funnel.doctor.check import Check, Examination, Finding, Result, count_of, examples, findings
from agent_funnel.values import Row

# How often everything is asked again because a run came in between:
ATTEMPTS = 3
AGAIN = "Try again when no run is under way."

# What `doctor_records` may find, by the check that it belongs to: a sentence each.
FACTS = {
    "runs": {
        "running": "Run {run_id} is on record as running, which no run is once it has ended",
        "pool": "Run {run_id} has {found} leads assigned or left over, and {expected} in its pool",
    },
    "history": {
        "assigned": "Run {run_id} has {found} leads in its history, and says that it assigned {expected}",
        "stray": "Run {run_id} has {found} leads in the history, and is not on record itself",
        "twice": "Run {run_id} has {found} numbers more than once in its history",
    },
    "shares": {
        "cap": "In run {run_id} somebody got {found} leads, where {expected} was the most",
        "agents": "Run {run_id} dealt to {found} agents, of {expected} who had room",
        "smallest": "Run {run_id} has a smallest share of {found} in its history, and of {expected} on record",
        "largest": "Run {run_id} has a largest share of {found} in its history, and of {expected} on record",
    },
    "undos": {
        "undone": "Run {run_id} is undone, and its undo is not on record",
        "not undone": "Run {run_id} is not undone, and an undo of it is on record",
        "restored": "The undo of run {run_id} accounts for {found} leads, and the run had dealt {expected}",
    },
}
SOUND = {
    "runs": "No run was left half done.",
    "history": "The history of each run has as many leads as were assigned, and none twice.",
    "shares": "The shares of each run are those on record, and none is above its cap.",
    "undos": "Each undone run has its undo on record, and no other run has.",
}
TAMPERED = (
    "No run and no undo leaves this: see who else writes to {tables}, and compare with a backup; undo nothing before."
)
TABLES = {
    "runs": "assignment_run",
    "history": "assignment_run or assignment_history",
    "shares": "assignment_run or assignment_history",
    "undos": "assignment_run or assignment_undo",
}


def records(exam: Examination) -> list[Finding]:
    """What the deep checks find, on one state of the records: if a run or an undo came in between, they ask again."""
    for _ in range(ATTEMPTS):
        before = exam.database.one("doctor_watermark")
        found = _contradictions(exam)
        for name, check in NOW.items():
            found += findings(name, check, exam)
        if exam.database.one("doctor_watermark") == before:
            return found
    return [Finding("records", "note", "Could not be checked: each time, a run or an undo came in between.", AGAIN)]


def _contradictions(exam: Examination) -> list[Finding]:
    """What the records of runs, history and undos say against each other; one finding at least for each check."""
    broken: dict[str, list[Row]] = {}
    for row in exam.database.all("doctor_records"):
        broken.setdefault(row["fact"], []).append(row)
    found = []
    for check, sentences in FACTS.items():
        facts = [
            Finding(check, "error", _sentence(sentences[fact], broken[fact]), _remedy(exam, check, fact))
            for fact in sentences
            if fact in broken
        ]
        found += facts or [Finding(check, "ok", SOUND[check])]
    return found


def _sentence(template: str, rows: list[Row]) -> str:
    first = {name: "no number" if value is None else value for name, value in rows[0].items()}
    more = f"; and so it is with {count_of(len(rows) - 1, 'more run')}" if len(rows) > 1 else ""
    return f"{template.format(**first)}{more}."


def _remedy(exam: Examination, check: str, fact: str) -> str:
    if fact == "running":
        return f"When no run is under way: {exam.remedy('running')}"
    return TAMPERED.format(tables=TABLES[check])


def assignments(exam: Examination) -> Iterator[Result]:
    """Whether the assignments are what the last run, or the last undo, left."""
    row = exam.one("doctor_assignments")
    base, undone, there = row["base_id"], row["undone_id"], count_of(row["present"], "assignment is", "assignments are")
    if base is None and undone is None:
        yield "ok", f"No run has been made yet; {there} there from others.", None
    elif row["purged"]:
        yield "note", f"Could not be checked: the history of run {base} has been purged.", "Wait for the next run."
    elif row["came"] or row["gone"]:
        left = f"run {base}" if undone is None else f"the undo of run {undone}"
        text = f"Since {left}, {count_of(row['came'], 'assignment')} came and {row['gone']:,} went without a deal"
        text += " (numbers on the do-not-contact list aside)."
        yield "note", text, "Nothing if that is meant: the next deal begins anew, and its undo brings these back."
    elif undone is None:
        yield "ok", f"{there} there, exactly those of run {base}.", None
    else:
        yield "ok", f"{there} there, exactly those from before run {undone}, which is undone.", None


def leads(exam: Examination) -> Iterator[Result]:
    """Whether each lead is as the last run that dealt it left it."""
    rows = exam.database.all("doctor_leads")
    for row in rows:
        by = f"run {row['run_id']}" if row["newest"] else "earlier runs"
        dealt, changed = f"Of {count_of(row['leads'], 'lead')} that {by} dealt", row["changed"]
        if changed:
            text = f"{dealt}, {changed:,} {'has' if changed == 1 else 'have'} changed since, or gone altogether."
            yield "note", text, "Nothing if that is meant; an undo leaves such leads as they are."
        else:
            yield "ok", f"{dealt}, none has changed since.", None
    if not rows:
        yield "ok", "No lead is in the history.", None


def suppressed(exam: Examination) -> Iterator[Result]:
    """Whether somebody would be called who asked not to be."""
    rows = exam.database.all("doctor_listed")
    if not rows:
        yield "ok", "No assigned number is on the do-not-contact list.", None
        return
    found = rows[0]["numbers"]
    text = f"{count_of(found, 'number is', 'numbers are')} assigned and on the do-not-contact list"
    yield "warning", f"{text} ({examples((row['number'] for row in rows), found)}).", exam.remedy("listed")


NOW: dict[str, Check] = {"assignments": assignments, "leads": leads, "do-not-contact": suppressed}
