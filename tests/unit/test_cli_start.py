"""The command starts fast: it imports only what the command at hand needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import pytest

from agent_funnel import cli
from support.processes import answer_of_process, run_as_process, run_program


def modules_imported_by(*arguments: str, cwd: Path) -> set[str]:
    done = run_program("print_imports", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_imports_only_click_and_a_few_small_modules_of_ours(argument: str, tmp_path: Path) -> None:
    modules = modules_imported_by(argument, cwd=tmp_path)
    packages = {module.split(".")[0] for module in modules} - sys.stdlib_module_names
    # On Windows, click needs colorama to print.
    assert {"agent_funnel", "click"} <= packages <= {"agent_funnel", "click", "colorama"}
    assert {module for module in modules if module.startswith("agent_funnel")} == {
        "agent_funnel",
        "agent_funnel.cli",
        "agent_funnel.cli.exit_codes",
        "agent_funnel.cli.lazy",
        "agent_funnel.errors",
    }


def test_status_imports_neither_the_web_nor_what_only_other_commands_need(tmp_path: Path) -> None:
    answer_of_process("install", cwd=tmp_path)
    modules = modules_imported_by("status", cwd=tmp_path)
    assert "agent_funnel.cli.status" in modules
    for other in (
        *("apscheduler", "flask", "openpyxl", "phonenumbers", "pymssql", "rich.progress", "sqlalchemy", "structlog"),
        *("tenacity", "waitress", "agent_funnel.files", "agent_funnel.web"),
    ):
        assert other not in modules


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_table_of_commands_has_the_help_of_each_command(name: str) -> None:
    command = cli.cli.commands[name]
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.get_short_help_str(limit=200) == cli.COMMANDS[name].help


def test_a_mistyped_command_gets_a_suggestion_although_no_command_is_imported(tmp_path: Path) -> None:
    done = run_as_process("statsu", cwd=tmp_path)
    assert done.returncode == 2
    assert "status" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_new_files_are_for_their_owner_only(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        answer_of_process("install", cwd=tmp_path)
        answer_of_process("demo", "--leads", "50", cwd=tmp_path)
        answer_of_process("run", cwd=tmp_path)
        answer_of_process("export", "assignments", "-o", "list.csv", cwd=tmp_path)
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.is_file()}
    assert {"funnel.db", "funnel.db-run", "list.csv"} <= modes.keys()
    assert {name: mode for name, mode in modes.items() if mode != 0o600} == {}
