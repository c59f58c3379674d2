"""The output of the commands: texts as they are, tables and facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent_funnel import cli
from agent_funnel.cli import output
from agent_funnel.cli.facts import MOST_AGENTS, facts_of, print_shares
from agent_funnel.errors import FunnelError
from agent_funnel.runs import RunRecord

# Names and reasons that a terminal library could take for styles, links, emoji or escapes:
NASTY = ("[bold]Ana", r"a\[b", "[/]", "[red]x[/red]", ":smile:", "[link=https://example.org]y[/link]", "{z}%s")

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command on its own database, in a terminal that is wide enough for every table."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("FUNNEL_DATABASE_URL", "sqlite:///[bold].db")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli.cli, arguments)

    return run


def succeed(command: Command, *arguments: str) -> str:
    done = command(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def nasty(command: Command, tmp_path: Path) -> Command:
    """Runs a command on a database in which every text is nasty."""
    succeed(command, "install")
    leads = "".join(f"+49151000000{index:02},1,{date.today()}\n" for index in range(4 * len(NASTY)))
    (tmp_path / "leads.csv").write_text(f"number,stage,date\n{leads}", "utf-8")
    succeed(command, "import", "leads", "leads.csv")
    for index, name in enumerate(NASTY):
        assert name in succeed(command, "agents", "add", name)
        assert name in succeed(command, "limits", "add", name, "100")
        assert name in succeed(command, "keys", "add", name, "--role", "viewer")
        succeed(command, "do-not-contact", "add", f"+4930{index:04}", "--reason", f"because {name}")
        assert name in succeed(command, "do-not-contact", "create", name)
        succeed(command, "holidays", "add", f"2999-12-{index + 1:02}", "--name", name)
        succeed(command, "schedule", "pause", "--reason", f"because {name}", "--actor", name)
        assert f"by {name}: because {name}." in succeed(command, "status")
        succeed(command, "schedule", "resume")
    return command


@pytest.mark.parametrize(
    "listing",
    [
        ("agents", "list"),
        ("limits", "list"),
        ("keys", "list"),
        ("do-not-contact", "list"),
        ("holidays", "list"),
        ("schedule", "show"),
        ("preview",),
        ("run", "--again"),
    ],
    ids=" ".join,
)
def test_a_list_prints_texts_of_the_database_as_they_are(nasty: Command, listing: tuple[str, ...]) -> None:
    shown = succeed(nasty, *listing)
    for name in NASTY:
        assert name in shown
    if listing == ("do-not-contact", "list"):
        assert all(f"because {name}" in shown for name in NASTY)


def test_the_actors_of_runs_and_the_holders_of_numbers_are_printed_as_they_are(nasty: Command) -> None:
    for name in NASTY:
        succeed(nasty, "run", "--again", "--actor", name)
        succeed(nasty, "undo", "--actor", name)
    succeed(nasty, "run", "--again")
    holders = "".join(succeed(nasty, "runs", "who", f"+49151000000{index:02}") for index in range(4 * len(NASTY)))
    for run_id, name in enumerate(NASTY, start=1):
        shown = succeed(nasty, "runs", "show", str(run_id))
        assert f"(manual, by {name})" in shown
        assert f"UTC by {name}:" in shown
        assert name in holders
    assert "undone" in succeed(nasty, "runs", "list")


def test_the_name_of_the_database_is_printed_as_it_is(command: Command) -> None:
    for arguments in (("install",), ("demo", "--leads", "50"), ("run",), ("preview",), ("doctor",)):
        assert "[bold].db" in succeed(command, *arguments)


def test_file_names_and_bad_rows_are_printed_as_they_are(command: Command, tmp_path: Path) -> None:
    succeed(command, "install")
    (tmp_path / "[b].csv").write_text("agent,status\nAna,active\nBruno,[bold]\n", "utf-8")
    assert "status '[bold]' is not active" in succeed(command, "import", "agents", "[b].csv", "--skip-bad")
    assert "Wrote 0 rows to [red].csv." in succeed(command, "export", "assignments", "-o", "[red].csv")
    assert (tmp_path / "[red].csv").is_file()


@pytest.mark.parametrize("name", NASTY)
def test_an_error_is_printed_as_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(prog_name: str) -> None:
        raise FunnelError(f"There is no agent {name}.")

    monkeypatch.setattr(cli, "cli", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.ExitCode.FAILED
    assert capsys.readouterr().err == f"Error: There is no agent {name}.\n"


def record(**amounts: int | None) -> RunRecord:
    moment = datetime(2026, 11, 23, 20, 40, tzinfo=UTC)
    empty: dict[str, None] = dict.fromkeys(
        (
            "agents", "pool", "per_agent", "assigned", "left_over", "duplicates", "suppressed", "smallest_share",
            "largest_share", "undone_at", "undone_by", "restored", "changed_since", "purged_at", "came_round",
            "same_agent", "kept_out", "stayed",
        )
    )  # fmt: skip
    fields = {
        **empty, "run_id": 3, "business_date": moment.date(), "trigger": "manual", "actor": None, "status": "succeeded",
        "started_at": moment, "finished_at": moment + timedelta(seconds=2), "max_per_agent": 450, "window_days": 45,
        "newest_first": False, "country": None, "voice": "fresh",
        "forgotten": 0, **amounts,
    }  # fmt: skip
    return RunRecord(**fields)  # type: ignore[arg-type]


def test_facts_of_a_run_are_in_the_past_tense_and_those_of_a_preview_are_not() -> None:
    run = record(agents=3, assigned=60, smallest_share=18, largest_share=21)
    assert facts_of(run) == [
        ("3", "agents were active and had room"),
        ("60", "leads were assigned, and moved on by one stage"),
        ("18 to 21", "leads went to each agent"),
    ]
    assert facts_of(run, preview=True) == [
        ("3", "agents are active and have room"),
        ("60", "leads would be assigned, and move on by one stage"),
        ("18 to 21", "leads would go to each agent"),
    ]


def test_a_run_that_failed_before_it_counted_is_shown_without_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert facts_of(record()) == []
    output.print_facts([])
    print_shares([])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("agents", "lines", "shortened"), [(60, 62, False), (61, 28, True)])
def test_a_long_table_of_shares_shows_its_first_and_last_agents(
    agents: int, lines: int, shortened: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    print_shares([{"Agent": f"agent {index:02}", "Leads": index} for index in range(agents)])
    shown = capsys.readouterr().out
    assert len(shown.rstrip("\n").splitlines()) == lines
    assert ("36 agents in between are not shown." in shown) is shortened
    assert f"agent {agents - 1:02}" in shown
    assert ("agent 30" in shown) is (agents <= MOST_AGENTS)


def test_a_column_of_numbers_is_aligned_to_the_right_and_no_value_is_an_empty_cell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.print_table([{"Agent": "Ana", "Leads": 120}, {"Agent": "Bruno", "Leads": None}, {"Agent": "", "Leads": 7}])
    head, _, ana, bruno, last = (line.rstrip() for line in capsys.readouterr().out.splitlines())
    assert (head, ana, bruno, last) == ("Agent  Leads", "Ana      120", "Bruno", "           7")


def test_the_further_lines_of_an_error_are_indented(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_error("leads.csv has 2 bad rows.\n  line 2: no number\nError: all is lost\x07")
    shown = capsys.readouterr().err
    assert shown == "Error: leads.csv has 2 bad rows.\n  line 2: no number\n  Error: all is lost\\x07\n"


def test_a_record_without_a_rendering_is_refused() -> None:
    for missing in (output.render, output.cells):
        with pytest.raises(TypeError, match="object"):
            missing(object())
