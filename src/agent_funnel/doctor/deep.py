"""The deep checks: whether runs, history, stages and assignments agree.

A state that no run and no undo can leave behind is an error. A later change by another program, which is allowed to
make it, is a note.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent_funnel.doctor.check import Check, Examination, Finding, Result, count_of, examples, findings
from agent_funnel.values import Row

# How often the checks are made in all, if a run or an undo comes in between each time:
ATTEMPTS = 3
TRY_AGAIN = "Try again when no run is in progress."

# The contradictions that `doctor_records` looks for, by the check that reports them, with a sentence for each:
CONTRADICTIONS = {
    "runs": {
        "running": "Run {run_id} is on record as running, but no run keeps that status once it has ended",
        "pool": "Run {run_id} has {found} leads assigned or left over, but {expected} in its pool",
    },
    "history": {
        "assigned": "Run {run_id} has {found} leads in its history, but {expected} assigned on record",
        "stray": "Run {run_id} has {found} leads in the history, but is not on record itself",
        "twice": "Run {run_id} has {found} numbers more than once in its history",
    },
    "shares": {
        "cap": "In run {run_id} an agent got {found} leads, but the most allowed was {expected}",
        "agents": "Run {run_id} dealt to {found} agents, but only {expected} had room",
        "smallest": "Run {run_id} has a smallest share of {found} in its history, but of {expected} on record",
        "largest": "Run {run_id} has a largest share of {found} in its history, but of {expected} on record",
    },
    "undos": {
        "undone": "Run {run_id} is undone, but its undo is not on record",
        "not undone": "Run {run_id} is not undone, but an undo of it is on record",
        "restored": "The undo of run {run_id} accounts for {found} leads, but the run had dealt {expected}",
    },
}
# The sentence of each check that found no contradiction:
CONSISTENT = {
    "runs": "No run was left half done.",
    "history": "The history of each run has as many leads as were assigned, and no number twice.",
    "shares": "The shares of each run are those on record, and no share is above its cap.",
    "undos": "Each undone run has its undo on record, and no other run has one.",
}
TAMPERED = (
    "No run and no undo leaves this: find out who else writes to {tables}, compare with a backup, and undo nothing "
    "before that."
)
# The tables that the records of each check are in:
TABLES = {
    "runs": "assignment_run",
    "history": "assignment_run or assignment_history",
    "shares": "assignment_run or assignment_history",
    "undos": "assignment_run or assignment_undo",
}


def records(exam: Examination) -> list[Finding]:
    """Runs the deep checks on one state of the records: if a run or an undo comes in between, they start over."""
    for _ in range(ATTEMPTS):
        before = exam.database.one("doctor_watermark")
        found = _contradictions(exam)
        for name, check in PRESENT_CHECKS.items():
            found += findings(name, check, exam)
        if exam.database.one("doctor_watermark") == before:
            return found
    return [Finding("records", "note", "Could not be checked: each time, a run or an undo came in between.", TRY_AGAIN)]


def _contradictions(exam: Examination) -> list[Finding]:
    """Finds contradictions between the records of runs, history and undos; at least one finding for each check."""
    broken: dict[str, list[Row]] = {}
    for row in exam.database.all("doctor_records"):
        broken.setdefault(row["fact"], []).append(row)
    found = []
    for check, sentences in CONTRADICTIONS.items():
        errors = [
            Finding(check, "error", _sentence(sentences[fact], broken[fact]), _remedy(exam, check, fact))
            for fact in sentences
            if fact in broken
        ]
        found += errors or [Finding(check, "ok", CONSISTENT[check])]
    return found


def _sentence(template: str, rows: list[Row]) -> str:
    first = {name: "no number" if value is None else value for name, value in rows[0].items()}
    more = f"; the same holds for {count_of(len(rows) - 1, 'more run')}" if len(rows) > 1 else ""
    return f"{template.format(**first)}{more}."


def _remedy(exam: Examination, check: str, fact: str) -> str:
    if fact == "running":
        return f"When no run is in progress: {exam.remedy('running')}"
    return TAMPERED.format(tables=TABLES[check])


def present_assignments(exam: Examination) -> Iterator[Result]:
    """Checks that the assignments are those that the last run, or the last undo, left."""
    row = exam.one("doctor_assignments")
    base, undone = row["base_id"], row["undone_id"]
    present = f"{count_of(row['present'], 'assignment is', 'assignments are')} present"
    if base is None and undone is None:
        yield "ok", f"No run has been made yet; {present}, written by others.", None
    elif row["purged"]:
        yield "note", f"Could not be checked: the history of run {base} has been purged.", "Wait for the next run."
    elif row["came"] or row["gone"]:
        left = f"run {base}" if undone is None else f"the undo of run {undone}"
        text = f"Since {left}, {count_of(row['came'], 'assignment')} came and {row['gone']:,} went without a deal"
        text += " (not counting numbers on the do-not-contact list)."
        remedy = "Nothing to do if that is intended: the next deal replaces all assignments; its undo restores these."
        yield "note", text, remedy
    elif undone is None:
        yield "ok", f"{present}, exactly those of run {base}.", None
    else:
        yield "ok", f"{present}, exactly those from before run {undone}, which is undone.", None


def leads(exam: Examination) -> Iterator[Result]:
    """Checks that each lead still has the stage and the date that the last run that dealt it left."""
    rows = exam.database.all("doctor_leads")
    for row in rows:
        by = f"run {row['run_id']}" if row["newest"] else "earlier runs"
        dealt, changed = f"Of {count_of(row['leads'], 'lead')} that {by} dealt", row["changed"]
        if changed:
            verbs = "has changed since or is" if changed == 1 else "have changed since or are"
            text = f"{dealt}, {changed:,} {verbs} gone."
            yield "note", text, "Nothing to do if that is intended: an undo leaves such leads as they are."
        else:
            yield "ok", f"{dealt}, none has changed since.", None
    if not rows:
        yield "ok", "No lead is in the history.", None


def suppressed(exam: Examination) -> Iterator[Result]:
    """Finds assigned numbers that are on the do-not-contact list."""
    rows = exam.database.all("doctor_listed")
    if not rows:
        yield "ok", "No assigned number is on the do-not-contact list.", None
        return
    found = rows[0]["numbers"]
    text = f"{count_of(found, 'number is', 'numbers are')} assigned and on the do-not-contact list"
    yield "warning", f"{text} ({examples((row['number'] for row in rows), found)}).", exam.remedy("listed")


def kept_out(exam: Examination) -> Iterator[Result]:
    """Finds leads that the last run dealt, and that an outcome of an earlier run keeps out."""
    rows = exam.database.all("doctor_kept_out")
    if not rows:
        yield "ok", "The last run dealt no lead that an outcome of an earlier run keeps out.", None
        return
    found = rows[0]["numbers"]
    text = f"Run {rows[0]['run_id']} dealt {count_of(found, 'lead')} that an outcome of an earlier run keeps out"
    remedy = "Nothing to do if these reports came after that run: the next run leaves these leads out."
    yield "note", f"{text} ({examples((row['number'] for row in rows), found)}).", remedy


# The checks that compare the present leads and assignments with the records:
PRESENT_CHECKS: dict[str, Check] = {
    "assignments": present_assignments,
    "leads": leads,
    "do-not-contact": suppressed,
    "outcomes": kept_out,
}
