"""The command line on SQLite, as users run it."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import click
import phonenumbers
import pytest
from click.testing import CliRunner

from agent_funnel import cli
from agent_funnel.demo import ACTIVE, INACTIVE, fill
from agent_funnel.errors import RUN_ERRORS, NotEmpty, ParameterOutOfRange
from agent_funnel.install import install
from support import processes
from support.command import answer, run_command
from support.databases import connect_to


class TwoRuns(NamedTuple):
    """The leads before any run, and two runs as the command prints them."""

    leads: list[tuple[object, ...]]
    first: dict[str, Any]
    second: dict[str, Any]


DOCS = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found += commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", commands(cli.cli), ids=" ".join)
def test_every_command_has_help_and_a_place_in_the_docs(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli.cli, [*path, "--help"])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 4
    assert f"`agent-funnel {' '.join(path)}" in DOCS.read_text("utf-8")
    if path != ("serve",):
        assert "--json" in done.output


def test_the_exit_codes_tell_the_errors_apart() -> None:
    codes = {cls: cli.exit_code(cls()) for cls in RUN_ERRORS.values()}
    assert [codes[RUN_ERRORS[50000 + digit]] for digit in range(1, 8)] == [11, 12, 13, 14, 15, 16, 17]


def test_every_exit_code_has_a_place_in_the_docs() -> None:
    section = DOCS.read_text("utf-8").split("\n## Exit codes\n", 1)[1]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)} == set(cli.ExitCode)


def test_a_file_is_imported_as_it_is_or_as_is_chosen(tmp_path: Path) -> None:
    answer("install", cwd=tmp_path)
    (tmp_path / "leads.csv").write_text("Kunde;Datum;E-mail\n(21) 97000-0001;05.10.2026;a@example.org\n", "utf-16")
    done = run_command("import", "leads", "leads.csv", "--column", "number=Kunde", cwd=tmp_path)
    assert (done.returncode, "Say it: --dates dmy (day first)" in done.stderr) == (1, True)
    choices = ("--column", "number=Kunde", "--dates", "dmy")
    done = run_command("import", "leads", "leads.csv", *choices, cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()) == (0, [
        "1 rows: 1 added, 0 already there, 0 bad.",
        "Columns: number from 'Kunde', date from 'Datum'.",
        "Left out: 'E-mail'.",
        "Dates were read with the day first.",
        "The file has no stages, so every lead has stage 1.",
        "It is import 1 (agent-funnel imports show 1).",
    ])  # fmt: skip
    kept = answer("import", "leads", "leads.csv", *choices, "--delimiter", ";", "--encoding", "utf-16", cwd=tmp_path)
    assert (kept["kept"], kept["understood"]["columns"]) == (1, {"number": "Kunde", "date": "Datum"})
    (tmp_path / "dates.csv").write_text("number,date\n+5521970000002,2026-10-05T23:00:00Z\n")
    answer("--timezone", "America/Sao_Paulo", "import", "leads", "dates.csv", cwd=tmp_path)
    assert ("+5521970000002", 1, "2026-10-05 20:00:00.000") in leads_of(tmp_path / "funnel.db")
    for wrong in (("--column", "Kunde"), ("--delimiter", ";;"), ("--dates", "ydm")):
        assert run_command("import", "leads", "leads.csv", *wrong, cwd=tmp_path).returncode == 2


def test_bad_rows_come_as_a_file(tmp_path: Path) -> None:
    answer("install", cwd=tmp_path)
    (tmp_path / "leads.csv").write_text("number\n21970000001\nx\n")
    bad = ("--bad-rows", "bad.csv")
    assert run_command("import", "leads", "leads.csv", *bad, cwd=tmp_path).returncode == 1
    text = (tmp_path / "bad.csv").read_text("utf-8-sig")
    assert text.startswith("number,line,what is wrong\nx,3,“x” is not a phone number\n")
    (tmp_path / "bad.csv").unlink()
    assert answer("import", "leads", "leads.csv", *bad, "--skip-bad", cwd=tmp_path)["bad_rows"] == 1
    assert (tmp_path / "bad.csv").exists()
    (tmp_path / "good.csv").write_text("number\n21970000001\n")
    answer("import", "leads", "good.csv", "--bad-rows", "none.csv", cwd=tmp_path)
    assert not (tmp_path / "none.csv").exists()
    assert run_command("import", "leads", "bad.csv", *bad, cwd=tmp_path).returncode == 2
    answer("import", "do-not-contact", "leads.csv", "--list", "own requests", *bad, "--dry-run", cwd=tmp_path)
    done = run_command("import", "leads", "leads.csv", "--bad-rows", ".", cwd=tmp_path)
    assert (done.returncode, "directory" in done.stderr) == (2, True)


def test_from_nothing_to_leads_dealt(tmp_path: Path) -> None:
    assert processes.answer_of_process("install", cwd=tmp_path)["made"]
    assert answer("install", cwd=tmp_path)["made"] == []
    assert answer("demo", "--leads", "500", cwd=tmp_path) == {"leads": 500, "agents": 25}
    run = processes.answer_of_process("run", cwd=tmp_path)
    assert run["assigned"] == run["pool"] == sum(share["leads"] for share in run["shares"])
    assert run["agents"] == len(ACTIVE)
    refused = processes.run_as_process("run", "--json", cwd=tmp_path)
    assert refused.returncode == cli.ExitCode.NOT_CONFIRMED
    assert json.loads(refused.stdout)["code"] == 50008
    warned = processes.run_as_process("preview", cwd=tmp_path)
    assert "Without --again, this deal would be refused. Run 1 of" in warned.stdout
    shown = processes.run_as_process("run", "--again", cwd=tmp_path)
    assert shown.returncode == 0
    assert "leads were in the pool" in shown.stdout
    assert re.search(r"\d+ leads move on a second time that day\.", " ".join(shown.stdout.split()))
    assert all(name in shown.stdout for name in ACTIVE)


def test_without_a_database_the_command_says_how_to_make_one(tmp_path: Path) -> None:
    done = processes.run_as_process("run", cwd=tmp_path)
    assert done.returncode == cli.ExitCode.NO_DATABASE
    assert "agent-funnel install" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_active_agent_has_its_own_exit_code(tmp_path: Path) -> None:
    answer("install", cwd=tmp_path)
    done = run_command("run", "--json", cwd=tmp_path)
    assert done.returncode == 12
    assert json.loads(done.stdout)["code"] == 50002


def test_a_bad_setting_stops_every_command(tmp_path: Path) -> None:
    done = run_command("install", cwd=tmp_path, FUNNEL_RUN_AT="late")
    assert done.returncode == cli.ExitCode.BAD_SETTING
    assert "FUNNEL_RUN_AT 'late'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_preview_says_what_the_run_then_does_and_changes_nothing(tmp_path: Path) -> None:
    answer("demo", "--leads", "500", cwd=tmp_path)
    answer("run", cwd=tmp_path)
    before = leads_of(tmp_path / "funnel.db")
    seen = answer("preview", "--max-per-agent", "7", cwd=tmp_path)
    assert leads_of(tmp_path / "funnel.db") == before
    assert len(answer("runs", cwd=tmp_path)) == 1
    run = answer("run", "--again", "--max-per-agent", "7", cwd=tmp_path)
    assert {share["agent"]: share["leads"] for share in seen["shares"]} == {
        share["agent"]: share["leads"] for share in run["shares"]
    }
    assert seen["run"]["assigned"] == run["assigned"] == seen["stay"] + seen["change_hands"] + seen["come"]
    shown = run_command("preview", cwd=tmp_path)
    assert shown.returncode == 0
    assert "nothing was changed" in shown.stdout
    assert "would change hands" in shown.stdout


@pytest.fixture
def two_runs(tmp_path: Path) -> TwoRuns:
    """A demo with two runs: the first one by Ana, the second one by somebody else."""
    answer("demo", "--leads", "500", cwd=tmp_path)
    leads = leads_of(tmp_path / "funnel.db")
    return TwoRuns(leads, answer("run", "--actor", "Ana", cwd=tmp_path), answer("run", "--again", cwd=tmp_path))


def test_runs_are_listed_newest_first(tmp_path: Path, two_runs: TwoRuns) -> None:
    first, second = two_runs.first["run_id"], two_runs.second["run_id"]
    assert [run["run_id"] for run in answer("runs", cwd=tmp_path)] == [second, first]
    assert [run["run_id"] for run in answer("runs", "--count", "1", "--before", "2", cwd=tmp_path)] == [1]


def test_without_a_run_the_list_says_so(tmp_path: Path) -> None:
    answer("demo", "--leads", "500", cwd=tmp_path)
    assert "no runs" in run_command("runs", cwd=tmp_path).stdout


def test_a_run_is_shown_with_who_made_it_and_its_shares(tmp_path: Path, two_runs: TwoRuns) -> None:
    shown = answer("runs", "show", "1", cwd=tmp_path)
    assert (shown["actor"], shown["status"], shown["shares"]) == ("Ana", "succeeded", two_runs.first["shares"])
    assert run_command("runs", "show", "9", cwd=tmp_path).returncode == cli.ExitCode.FAILED


def test_runs_are_undone_newest_first(tmp_path: Path, two_runs: TwoRuns) -> None:
    _, first, second = two_runs
    refused = run_command("undo", "1", cwd=tmp_path)
    assert refused.returncode == 15
    assert "Only run 2 can be undone now" in refused.stderr
    undone = answer("undo", "--actor", "Bruno", cwd=tmp_path)
    assert (undone["run_id"], undone["restored"], undone["assignments"]) == (2, second["assigned"], first["assigned"])
    assert "by Bruno" in run_command("runs", "show", "2", cwd=tmp_path).stdout
    assert answer("undo", "1", cwd=tmp_path)["assignments"] == 0
    assert leads_of(tmp_path / "funnel.db") == two_runs.leads
    assert run_command("undo", cwd=tmp_path).returncode == 15


def test_the_history_of_undone_runs_is_purged(tmp_path: Path, two_runs: TwoRuns) -> None:
    for _ in range(2):
        answer("undo", cwd=tmp_path)
    assert answer("purge", "--older-than", "180d", cwd=tmp_path) == {"runs": 0, "rows": 0}
    rows = two_runs.first["assigned"] + two_runs.second["assigned"]
    assert answer("purge", "--older-than", "0d", cwd=tmp_path)["rows"] >= rows
    assert "purged" in run_command("runs", "show", "1", cwd=tmp_path).stdout
    assert run_command("purge", "--older-than", "soon", cwd=tmp_path).returncode == 2


def test_runs_who_says_who_held_a_number_on_a_date(tmp_path: Path) -> None:
    answer("demo", "--leads", "300", cwd=tmp_path)
    answer("run", cwd=tmp_path)
    with connect_to(f"sqlite:///{tmp_path / 'funnel.db'}").transaction() as session:
        agent, number = session._connection.execute("SELECT agent, number FROM assignment_history").fetchone()
        session._connection.execute("UPDATE assignment_run SET finished_at = '2026-11-20 19:40:00.000'")
    for day, held_by in (("2026-11-19", []), ("2026-11-20", [agent]), ("2026-11-22", [agent])):
        held = answer("runs", "who", number, "--on", day, cwd=tmp_path)
        assert [holder["agent"] for holder in held] == held_by
    # In this zone the run ended on the next day.
    kiritimati = answer("--timezone", "Pacific/Kiritimati", "runs", "who", number, "--on", "2026-11-20", cwd=tmp_path)
    assert kiritimati == []


def test_limits_are_listed_added_and_removed(tmp_path: Path) -> None:
    answer("demo", "--leads", "300", cwd=tmp_path)
    added = answer("limits", "add", "Ana", "0", "--from", "2026-11-20", "--to", "2026-11-23", cwd=tmp_path)
    assert added["known"] is True
    unknown = run_command("limits", "add", " ANA ", "5", cwd=tmp_path)
    assert (unknown.returncode, unknown.stdout) == (cli.ExitCode.FAILED, "")
    assert "There is no agent ' ANA '; nothing was changed. Perhaps you mean 'Ana'." in unknown.stderr
    assert answer("limits", "add", "Nobody", "5", "--new-agent", cwd=tmp_path)["known"] is False
    assert "Nobody (no such agent)" in run_command("limits", "list", cwd=tmp_path).stdout
    found = answer("limits", "list", cwd=tmp_path)
    assert [(limit["agent"], limit["max_records"], limit["ends_on"]) for limit in found] == [
        ("Ana", 0, "2026-11-23"),
        ("Nobody", 5, None),
    ]
    away = answer("run", "--date", "2026-11-23", cwd=tmp_path)
    assert away["agents"] == len(ACTIVE) - 1
    assert "Ana" not in {share["agent"] for share in away["shares"]}
    assert answer("limits", "remove", str(added["limit_id"]), cwd=tmp_path) == {"removed": added["limit_id"]}
    assert len(answer("limits", "list", cwd=tmp_path)) == 1
    assert run_command("limits", "remove", "99", cwd=tmp_path).returncode == cli.ExitCode.FAILED
    backwards = run_command("limits", "add", "Ana", "1", "--from", "2026-11-20", "--to", "2026-11-19", cwd=tmp_path)
    assert backwards.returncode == 16
    assert "2026-11-19" in backwards.stderr


def test_names_that_are_easily_taken_for_one_another_are_said_when_agents_come(tmp_path: Path) -> None:
    answer("install", cwd=tmp_path)
    (tmp_path / "agents.csv").write_text("agent,status\nAna Souza,active\nana souza,active\nBo,active\n", "utf-8")
    done = run_command("import", "agents", "agents.csv", cwd=tmp_path)
    assert "Warning: these names differ only in case" in done.stdout
    assert "  'Ana Souza', 'ana souza'\n" in done.stdout
    assert answer("import", "agents", "agents.csv", cwd=tmp_path)["alike"] == [["Ana Souza", "ana souza"]]
    assert "Warning: this name is easily taken for 'Bo'." in run_command("agents", "add", "BO", cwd=tmp_path).stdout
    assert answer("agents", "add", "Cy", cwd=tmp_path)["alike"] == []


def test_an_agent_is_renamed(tmp_path: Path) -> None:
    answer("demo", "--leads", "300", cwd=tmp_path)
    answer("run", cwd=tmp_path)
    answer("limits", "add", "Ana", "0", cwd=tmp_path)
    done = run_command("agents", "rename", "Ana", "Ana Lima", cwd=tmp_path)
    assert done.stdout.startswith("Renamed Ana to Ana Lima, with 1 limit, no personal link, ")
    assert [limit["agent"] for limit in answer("limits", "list", cwd=tmp_path)] == ["Ana Lima"]
    refused = run_command("agents", "rename", "ANA LIMA", "Bo", cwd=tmp_path)
    assert refused.returncode == cli.ExitCode.FAILED
    assert "Perhaps you mean 'Ana Lima'" in refused.stderr


def test_a_number_on_the_list_leaves_the_present_assignments_at_once(tmp_path: Path) -> None:
    answer("demo", "--leads", "300", cwd=tmp_path)
    answer("run", cwd=tmp_path)
    database = connect_to(f"sqlite:///{tmp_path / 'funnel.db'}")
    with database.transaction() as session:
        number = session._connection.execute("SELECT min(number) FROM agent_wafunnel_assignment").fetchone()[0]
    found = answer("do-not-contact", "add", number, "--reason", "asked us", cwd=tmp_path)
    assert found == {"listed": 0, "assignments": 1, "leads": 1}
    assert answer("do-not-contact", "add", number, cwd=tmp_path) == {"listed": 1, "assignments": 0, "leads": 1}
    listed = answer("do-not-contact", "list", cwd=tmp_path)
    assert [(entry["number"], entry["reason"]) for entry in listed] == [(number, "asked us")]
    assert answer("run", "--again", cwd=tmp_path)["suppressed"] <= 1
    assert answer("do-not-contact", "remove", number, cwd=tmp_path) == {"removed": 1}
    assert run_command("do-not-contact", "remove", number, cwd=tmp_path).returncode == cli.ExitCode.FAILED
    assert run_command("do-not-contact", "add", " ", cwd=tmp_path).returncode == 16


def leads_of(path: Path) -> list[tuple[object, ...]]:
    with connect_to(f"sqlite:///{path}").transaction() as session:
        return [tuple(row) for row in session._connection.execute("SELECT number, stage, date FROM wafunnel")]


def test_the_same_seed_makes_the_same_demo_and_another_seed_another_one(tmp_path: Path) -> None:
    made = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        backend = connect_to(f"sqlite:///{tmp_path / name}.db")
        install(backend)
        assert fill(backend, leads=2_000, seed=seed, today=date(2026, 11, 23)) == (2_000, len(ACTIVE) + len(INACTIVE))
        made[name] = leads_of(tmp_path / f"{name}.db")
    assert made["a"] == made["b"]
    assert made["a"] != made["c"]


def test_the_demos_leads_are_believable(tmp_path: Path) -> None:
    backend = connect_to(f"sqlite:///{tmp_path / 'funnel.db'}")
    install(backend)
    fill(backend, leads=3_000, seed=1, today=date(2026, 11, 23))
    leads = leads_of(tmp_path / "funnel.db")
    assert len({number for number, _, _ in leads}) == 3_000
    parsed = [phonenumbers.parse(str(number)) for number, _, _ in leads]
    assert all(phonenumbers.is_valid_number(number) for number in parsed)
    assert len({number.country_code for number in parsed}) >= 8
    assert {stage for _, stage, _ in leads} == {1, 2, 3, 4}
    days = {date.fromisoformat(str(moment)[:10]) for _, _, moment in leads}
    assert len(days) == 90
    assert max(days) < date(2026, 11, 23)


def test_the_demo_refuses_a_database_that_has_leads_and_sizes_that_it_cannot_make(tmp_path: Path) -> None:
    backend = connect_to(f"sqlite:///{tmp_path / 'funnel.db'}")
    install(backend)
    for leads in (0, 5_000_001):
        with pytest.raises(ParameterOutOfRange, match=str(leads)):
            fill(backend, leads=leads, seed=1, today=date(2026, 11, 23))
    fill(backend, leads=10, seed=1, today=date(2026, 11, 23))
    before = leads_of(tmp_path / "funnel.db")
    with pytest.raises(NotEmpty, match="10 leads"):
        fill(backend, leads=10, seed=2, today=date(2026, 11, 23))
    assert leads_of(tmp_path / "funnel.db") == before
    assert answer("demo", "--if-empty", cwd=tmp_path) == {"leads": 0, "agents": 0}


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(tmp_path: Path) -> None:
    answer("install", cwd=tmp_path)
    made = answer("keys", "add", "Ana", "--role", "operator", cwd=tmp_path)
    assert made["secret"].startswith("funnel_")
    listed = answer("keys", "list", cwd=tmp_path)
    assert [(each["name"], each["role"], each["revoked_at"]) for each in listed] == [("Ana", "operator", None)]
    assert made["secret"] not in json.dumps(listed)
    assert answer("keys", "revoke", str(made["key_id"]), cwd=tmp_path) == {"revoked": made["key_id"]}
    assert run_command("keys", "revoke", str(made["key_id"]), cwd=tmp_path).returncode == 1
    assert answer("keys", "list", cwd=tmp_path)[0]["revoked_at"]
    shown = run_command("keys", "add", "Ana", "--role", "viewer", cwd=tmp_path).stdout
    assert shown.splitlines()[-1].startswith("funnel_")
