"""The commands about outcomes; on SQLite, as users run them."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from agent_funnel.runs import dealt_leads
from support.command import answer, run_command
from support.databases import connect_to


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    """A directory with a database of a few sample leads, dealt once."""
    answer("demo", "--leads", "200", cwd=tmp_path)
    answer("run", cwd=tmp_path)
    return tmp_path


def numbers(floor: Path, count: int) -> list[str]:
    """Numbers of leads that were dealt."""
    found = dealt_leads(connect_to(f"sqlite:///{floor / 'funnel.db'}"), 1, count=count)
    return [lead.number for lead in found]


def test_an_outcome_is_reported_taken_back_listed_and_exported(floor: Path) -> None:
    first, second = numbers(floor, 2)
    # The zone of the command is that of the machine that runs it.
    day = str(date.today() + timedelta(days=3))
    done = run_command("outcomes", "report", first, "call_back", "--on", day, "--report", "crm 1", cwd=floor)
    assert done.stdout.startswith(f"Kept call_back on {day} of {first}, which run 1 dealt to ")
    assert done.stdout.endswith("To take it back: agent-funnel outcomes take-back 'crm 1'\n")
    told = answer("outcomes", "report", f"tel:{second}", "won", "--note", "=1+1", "--actor", "Eva", cwd=floor)
    assert (told["number"], told["outcome"], told["reported_by"], told["notice"]) == (second, "won", "Eva", None)
    exported = run_command("export", "outcomes", cwd=floor).stdout
    rows = list(csv.DictReader(exported.splitlines()))
    assert [(row["number"].lstrip("'"), row["outcome"], row["run"]) for row in rows] == [
        (second, "won", "1"), (first, "call_back", "1"),
    ]  # fmt: skip
    assert rows[0]["note"] == "'=1+1"
    gone = run_command("outcomes", "take-back", "crm 1", cwd=floor).stdout
    assert gone.startswith(f"Took back call_back on {day} of {first}")
    assert [each["outcome"] for each in answer("outcomes", "list", cwd=floor)] == ["won", "call_back"]
    assert [each["outcome"] for each in answer("outcomes", "list", "--standing", cwd=floor)] == ["won"]
    shown = " ".join(run_command("outcomes", "list", "--number", first, cwd=floor).stdout.split())
    assert "taken back" in shown
    assert run_command("outcomes", "list", "--run", "2", cwd=floor).stdout == "There is no such outcome.\n"


def test_a_report_that_is_refused_fails(floor: Path) -> None:
    refused = run_command("outcomes", "report", "+4915112345678", "won", "--json", cwd=floor)
    assert refused.returncode != 0
    assert json.loads(refused.stdout)["detail"] == "Run 1 dealt no lead with the number …678; nothing was kept."
    assert run_command("outcomes", "report", "1", "sold", cwd=floor).returncode == 2


def test_the_rest_of_a_list_is_handed_back_and_comes_back(floor: Path) -> None:
    done = run_command("agents", "hand-back", "Ana", "--actor", "Eva", cwd=floor).stdout
    assert done.startswith("Ana handed back ")
    assert done.endswith("To undo this before the next deal: agent-funnel agents hand-back 'Ana' --undo\n")
    (since,) = answer("status", cwd=floor)["handed_back"]
    assert (since["agent"], done.startswith(f"Ana handed back {since['leads']} leads")) == ("Ana", True)
    told = run_command("status", cwd=floor).stdout
    assert f"\nSince then, Ana handed back {since['leads']} leads on " in told
    refused = run_command("agents", "hand-back", "Ana", "--run", "1", cwd=floor)
    assert (refused.returncode, "nothing was handed back" in refused.stderr) == (16, True)
    assert "exclude each other" in run_command("agents", "hand-back", "Ana", "--run", "1", "--undo", cwd=floor).stderr
    undone = answer("agents", "hand-back", "Ana", "--undo", cwd=floor)
    assert undone["returned"] == undone["leads"] == undone["put_back"] > 0
    assert "handed back" not in run_command("status", cwd=floor).stdout
    shown = " ".join(run_command("agents", "hand-backs", "--agent", "Ana", cwd=floor).stdout.split())
    assert f"Ana {undone['leads']} " in shown
    assert "Eva" in shown
