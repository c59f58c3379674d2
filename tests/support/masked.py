"""A floor whose numbers a viewer sees masked, with a number in every text that people write."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_funnel.access.links import make_link
from agent_funnel.deal import undo
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.imports import import_file
from agent_funnel.schedule.terms import known_differences
from support.databases import TestedDatabase
from support.nights import deal_today

# All numbers begin so; five digits follow, of which a viewer sees the last three. Half of all numbers are there.
PREFIX = "+491520"
LEADS = 40
AGENTS = ("Ana", "Ben", "Cem")
# Texts that people write, by their tables: all of them have the number of the first lead in them.
TEXTS = {
    "agent_link": ("created_by",),
    "assignment_failure": ("message",),
    "assignment_hand_back": ("handed_back_by", "undone_by"),
    "assignment_outcome": ("note", "reported_by", "taken_back_by"),
    "assignment_run": ("actor",),
    "assignment_undo": ("actor",),
    "do_not_contact_list": ("reason", "source"),
    "holiday": ("name",),
    "import_record": ("actor", "address", "file_name"),
    "import_undo": ("undone_by",),
    "schedule_copy": ("name",),
    "schedule_pause": ("paused_by", "reason"),
    "schedule_skip": ("skipped_by",),
    "schedule_terms": ("recorded_by",),
    "schedule_void": ("voided_by", "reason"),
}
# Texts of which there are no two alike, with the condition that leaves one of them:
SINGLE_TEXTS = {("do_not_contact_list", "name"): "list_id > 1", ("assignment_outcome", "report"): "stands = 0"}
# The tables with numbers of leads:
TABLES = (
    "wafunnel", "agent_wafunnel_assignment", "assignment_history", "do_not_contact_entry", "import_lead",
    "assignment_outcome",
)  # fmt: skip


def numbers(hidden: random.Random) -> list[str]:
    """The numbers of the leads: their last digits are always the same, the two before them are not."""
    return [f"{PREFIX}{hidden.randrange(100):02}{index * 17 % 1000:03}" for index in range(LEADS)]


def fill(database: TestedDatabase) -> list[str]:
    """Deals leads with a few stages and dates, so that many rows differ in nothing but the hidden digits."""
    database.insert("agents", ("agent", "status"), [(name, "active") for name in AGENTS])
    today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    given = numbers(random.Random(1))
    database.insert(
        "wafunnel",
        ("number", "stage", "date"),
        [(number, 1 + index % 2, today - timedelta(days=index % 3)) for index, number in enumerate(given)],
    )
    deal_today(database)
    for number in given[:9]:
        add_do_not_contact(database.backend, number, written(number))
    make_link(database.backend, "Ana")
    file = io.BytesIO("".join(["number,stage\n", *(f"{number},3\n" for number in given[:5])]).encode())
    import_file(database.backend, "leads", file, name=f"leads of {given[0]}.csv", today=today.date(), update=True)
    database.execute("UPDATE dbo.import_record SET imported_at = '2026-11-20 10:00:00'")
    database.execute("UPDATE dbo.do_not_contact_entry SET added_at = '2026-11-20 10:00:00'")
    return given


def fill_texts(database: TestedDatabase, given: list[str]) -> None:
    """Adds a row of everything that people write, and that a viewer sees."""
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    today, tomorrow = f"{now:%Y-%m-%d}", f"{now + timedelta(days=1):%Y-%m-%d}"
    undo(database.backend)
    deal_today(database)
    [(run,)] = database.execute("SELECT max(run_id) FROM dbo.assignment_run")
    [(made,)] = database.execute("SELECT max(import_id) FROM dbo.import_record")
    terms = ("run_at", "timezone", "weekdays", "catch_up")
    outcome = (
        "report", "run_id", "agent", "number", "date", "stage", "outcome", "call_back_on", "same_agent", "reported_at",
        "reported_on", "taken_back_at", "stands", "stage_back",
    )  # fmt: skip
    rows: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {
        "assignment_failure": (("run_id", "business_date", "attempt", "message"), [(run - 1, today, 1, "")]),
        "assignment_hand_back": (
            ("run_id", "agent", "handed_back_at", "leads", "put_back", "undone_at"),
            [(run, "Ana", now, 1, 1, None), (run, "Ben", now, 1, 1, now)],
        ),
        # All are of the same day, so that nothing but their numbers could order them.
        "assignment_outcome": (
            outcome,
            [
                (f"{place}", run, "Ana", number, now, 1, "call_back", tomorrow, 1, now, today, None, int(place > 0), 0)
                for place, number in enumerate(given[9:15])
            ],
        ),
        "do_not_contact_list": (("name", "bound_days", "added_at", "imported_at"), [("-", 1, "2026-11-01", None)]),
        "holiday": (("day", "name"), [(tomorrow, "")]),
        "import_undo": (
            ("import_id", "undone_at", "taken_back", "put_back", "left_alone"), [(made, now, 0, 0, 5)],
        ),
        "schedule_copy": (
            ("name", *terms, "clock_difference", "looked_at"), [("", "21:40", "UTC", "mon", 10800, 900.0, now)],
        ),
        "schedule_pause": (("paused_at", "resumed_at"), [(now, now), (now, None)]),
        "schedule_skip": (("business_date", "skipped_at"), [(tomorrow, now)]),
        "schedule_terms": (
            (*terms, "recorded_at", "recorded_by"), [("20:40", "UTC", "mon,tue", 10800, now, "")],
        ),
        "schedule_void": (
            ("business_date", "outcome", "recorded_at", "voided_at", "reason", "window_closed"),
            [(today, "missed", now, now, "", 1)],
        ),
    }  # fmt: skip
    for table, (columns, values) in rows.items():
        database.insert(table, columns, values)
    write_texts(database, given[0])


def written(number: str) -> str:
    """A text that somebody wrote, with a number in two spellings."""
    return f"asked by {number}, not {number[:5]} {number[5:8]}-{number[8:]}"


def write_texts(database: TestedDatabase, number: str) -> None:
    """Writes a number into every text that people write."""
    for table, columns in TEXTS.items():
        for column in columns:
            database.execute(f"UPDATE dbo.{table} SET {column} = %s", written(number))
        assert database.execute(f"SELECT 1 FROM dbo.{table}"), table
    for (table, column), condition in SINGLE_TEXTS.items():
        database.execute(f"UPDATE dbo.{table} SET {column} = %s WHERE {condition}", written(number))


@dataclass
class Schedule:
    """A running schedule, which tells the pages of other copies of the service."""

    database: TestedDatabase
    now: datetime
    running_since: datetime | None = None

    @property
    def notes(self) -> dict[str, str]:
        return {text: text for text in known_differences(self.database.backend, now=self.now)}


def hide_others(database: TestedDatabase, old: list[str], new: list[str]) -> None:
    """Changes the hidden digits of every number, and with them the order of the numbers."""
    for before, after in zip(old, new, strict=True):
        for table in TABLES:
            database.execute(f"UPDATE dbo.{table} SET number = %s WHERE number = %s", f"{after}~", before)
        database.execute(
            "UPDATE dbo.do_not_contact_entry SET reason = %s WHERE number = %s", written(after), f"{after}~"
        )
    for after in new:
        for table in TABLES:
            database.execute(f"UPDATE dbo.{table} SET number = %s WHERE number = %s", after, f"{after}~")
    database.execute("UPDATE dbo.import_record SET sha256 = %s", "0" * 64)
    write_texts(database, new[0])
