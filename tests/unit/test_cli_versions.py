"""Every command on tables of another version: it refuses to read or write them, and says what to do."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click
import pytest

from agent_funnel import cli
from agent_funnel.files.columns import FIELDS
from agent_funnel.sql import version
from support.command import answer, run_command
from support.databases import TestedDatabase, snapshot
from support.versions import record_versions

# A good row of each kind of file:
ROWS = {
    "leads": "+493000001,1,2026-11-20 08:00:00",
    "agents": "Ana,active",
    "holidays": "2026-12-24,Christmas Eve",
    "outcomes": "+4915112345678,won,,,,,",
}
ROWS["do-not-contact"] = "+493000001"
# They do not refuse to examine such tables, or do not stop by themselves if they do not refuse.
OTHERS = {("doctor",), ("serve",)}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found += commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


def words_of(path: tuple[str, ...], file: Path) -> list[str]:
    """The command with a value for each argument and option that it needs."""
    command: click.Command = cli.cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    words = list(path)
    for parameter in command.params:
        # A command that takes any number of arguments is given one, and so is one that takes an agent or --all.
        if not parameter.required and parameter.nargs != -1 and not _is_agent(parameter):
            continue
        kind = parameter.type
        value = {"integer": "1", "datetime": "2026-12-24", "path": str(file), "file": str(file)}.get(kind.name, "x")
        if isinstance(parameter, click.Option) and parameter.metavar == "DAYS":
            value = "180d"
        if parameter.name == "value":
            value = "none"  # a value of the first rule
        if isinstance(kind, click.Choice):
            value = str(next(iter(kind.choices)))
        words += [value] if isinstance(parameter, click.Argument) else [parameter.opts[0], value]
    return words


def _is_agent(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument) and parameter.name == "agent"


@pytest.fixture
def newer(tmp_path: Path) -> TestedDatabase:
    """A database in the working directory that a newer program has installed."""
    answer("demo", "--leads", "50", cwd=tmp_path)
    with closing(TestedDatabase(f"sqlite:///{tmp_path / 'funnel.db'}")) as database:
        record_versions(database, version("sqlite") + 1)
        return database


@pytest.mark.parametrize("path", sorted({*commands(cli.cli)} - OTHERS), ids=" ".join)
def test_every_command_refuses_tables_of_a_newer_version(
    newer: TestedDatabase, tmp_path: Path, path: tuple[str, ...]
) -> None:
    kind = path[-1]
    (tmp_path / "rows.csv").write_text(f"{','.join(FIELDS.get(kind, ()))}\n{ROWS.get(kind, '')}\n")
    before = snapshot(newer)
    done = run_command(*words_of(path, tmp_path / "rows.csv"), cwd=tmp_path)
    assert done.returncode == cli.ExitCode.NO_DATABASE, done.stdout + done.stderr
    assert "Update Agent Funnel on this machine" in " ".join(done.stderr.split())
    assert snapshot(newer) == before


def test_the_service_does_not_start_on_tables_of_another_version(newer: TestedDatabase, tmp_path: Path) -> None:
    done = run_command("serve", "--port", "0", cwd=tmp_path)
    assert done.returncode == cli.ExitCode.NO_DATABASE
    assert "Update Agent Funnel on this machine" in " ".join(done.stderr.split())
