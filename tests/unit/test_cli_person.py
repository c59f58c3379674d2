"""The commands about a person's rights; on SQLite, as users run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import processes
from support.command import answer, run_command
from support.databases import connect_to


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    """A directory with a database of a few sample leads."""
    answer("demo", "--leads", "200", cwd=tmp_path)
    answer("run", cwd=tmp_path)
    return tmp_path


def dealt_number(floor: Path) -> str:
    """The number of a lead that was dealt."""
    database = connect_to(f"sqlite:///{floor / 'funnel.db'}")
    row = database.one("run_assignments", run_id=1, after=None, count=1)
    assert row is not None
    return str(row["number"])


def test_a_person_is_shown_and_erased_after_a_yes(floor: Path) -> None:
    number = dealt_number(floor)
    spelling = f"tel:00{number.removeprefix('+')}"
    text = run_command("person", spelling, cwd=floor).stdout
    for words in (f"Spellings: {number}", "Leads:", "Present assignments:", "Dealt before:"):
        assert words in text
    assert "Do-not-contact" not in text
    asked = run_command("forget", spelling, cwd=floor)
    assert asked.returncode == 18
    assert asked.stdout.startswith("An erasure would remove:\n  1 leads\n  1 present assignments\n")
    assert asked.stdout.endswith("Nothing was changed. To erase it, say --yes. Nothing brings it back.\n")
    assert run_command("forget", spelling, "--dry-run", cwd=floor).returncode == 0
    assert len(answer("person", number, cwd=floor)["leads"]) == 1
    gone = answer("forget", spelling, "--yes", "--actor", "Ana", cwd=floor)
    assert (gone["leads"], gone["dealt"], gone["applied"], len(gone["certificate"])) == (1, 1, True, 64)
    assert run_command("person", number, cwd=floor).stdout.startswith("Forgotten on ")
    again = run_command("forget", number, "--yes", cwd=floor).stdout
    assert "The number was forgotten before" in again
    assert f"The certificate, which is in the audit, too: {gone['certificate']}\n" in again
    assert number.encode() not in (floor / "funnel.db").read_bytes()
    unknown = run_command("person", "+5511987654321", "--json", cwd=floor)
    assert (unknown.returncode, json.loads(unknown.stdout)["error"]) == (1, "NotFound")


def test_a_person_on_a_do_not_contact_list_is_shown_by_a_command_of_its_own(floor: Path) -> None:
    number = dealt_number(floor)
    answer("do-not-contact", "add", number, "--reason", "asked us", cwd=floor)
    # In this process, another command may have loaded what that one needs.
    done = processes.run_as_process("person", number, cwd=floor)
    assert (done.returncode, "asked us" in done.stdout) == (0, True), done.stderr


def test_another_country_needs_a_yes_while_people_are_forgotten(floor: Path) -> None:
    answer("forget", dealt_number(floor), "--yes", cwd=floor)
    refused = run_command("rules", "set", "country", "MX", cwd=floor)
    assert refused.returncode == 18
    assert "1 person is forgotten" in refused.stderr
    assert run_command("rules", "set", "window_days", "9", cwd=floor).returncode == 0
    # A value that holds already is no change.
    assert run_command("rules", "set", "country", "none", cwd=floor).returncode == 0
    assert answer("rules", "set", "country", "MX", "--yes", cwd=floor)["changed"]
