"""Checks of the schedule: the terms and clocks of the copies of the service, and records from the future."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta

from agent_funnel.doctor.check import Examination, Result, count_of
from agent_funnel.spans import span
from agent_funnel.values import read_moment, write_moment

# A copy that has not looked for longer is not running. A copy looks every half minute.
RUNNING = timedelta(minutes=5)
# Clocks may differ by this much:
CLOCK_TOLERANCE = timedelta(minutes=2)


def copies(exam: Examination) -> Iterator[Result]:
    """Finds running copies of the service whose clock is wrong, or whose terms are not those that hold."""
    now, fine = exam.clock().astimezone(UTC), True
    for row in exam.database.all("doctor_copies"):
        looked_at, ahead = read_moment(row["looked_at"]), timedelta(seconds=row["clock_difference"])
        if looked_at - now > CLOCK_TOLERANCE:
            ahead = looked_at - now
        elif now - looked_at > RUNNING:
            continue
        if abs(ahead) > CLOCK_TOLERANCE:
            fine = False
            side = "ahead" if ahead > timedelta(0) else "behind"
            text = f"The clock of the copy {row['name']} of the service is {span(abs(ahead))} {side}."
            yield "warning", text, "Let all machines set their clocks by the same time servers (NTP)."
        if row["differs"]:
            fine = False
            text = (
                f"The copy {row['name']} of the service has the terms {row['own']}, but {row['recorded']} hold, which "
                f"{row['recorded_by']} recorded. It does not deal while a copy with those is running."
            )
            yield (
                "warning",
                text,
                ("Give all copies the same settings, or run `agent-funnel schedule adopt` with those that are right."),
            )
    if fine:
        yield "ok", "The running copies of the service agree on the terms of the schedule and on the time.", None


def records_ahead(exam: Examination) -> Iterator[Result]:
    """Finds dates to come that are recorded as passed: a clock was ahead, and no copy of the service runs."""
    now = exam.clock().astimezone(UTC)
    tomorrow = (now + timedelta(days=1)).date().isoformat()
    row = exam.one("doctor_ahead", day=tomorrow, moment=write_moment(now + CLOCK_TOLERANCE))
    if not row["dates"]:
        yield "ok", "No date to come is recorded as passed.", None
        return
    dates = count_of(row["dates"], "date to come is", "dates to come are")
    text = f"{dates} recorded as passed, from {row['first']} to {row['last']}: a clock was ahead."
    yield "error", text, "Set the clocks right, and start the service: it voids these records when it looks."
