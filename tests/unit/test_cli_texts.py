"""Texts of the database through every command: no text is markup, and no character acts on the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agent_funnel import cli
from agent_funnel.characters import visible
from support import LONG
from support.databases import TestedDatabase, sqlite_database

# Every command that prints texts of the database:
COMMANDS = (
    "agents list", "limits list", "keys list", "do-not-contact list", "holidays list", "schedule show", "status",
    "preview", "runs list", "runs show 1", "runs show 2", "runs who +4915100000000", "doctor", "agents deactivate NAME",
    "agents activate NAME", "agents link NAME", "run", "agents unlink NAME",
)  # fmt: skip
# The command that must come before a command, so that it can be called twice:
UNDONE_BY: dict[str, Callable[[str], list[str]]] = {
    "run": lambda _: ["undo"],
    "agents unlink NAME": lambda name: ["agents", "link", *(["--"] if name.startswith("-") else []), name],
}
# Parts of markup, of emoji codes and of escape sequences:
PARTS = (
    "[", "]", "/", "\\", "[/x]", "\\[/y]", "[bold]", "[link=https://x.example]", ":smile:", "{0}", "%s",
    "\x1b[31m", "\x1b]0;t\x07", "\x9b2J", "\u202e", "\u2066", "\n", "\r", "\t", "\x7f", "\x85", "\u2028", "a", "é",
    "日本", "\U0001f600", "'", '"', " ",
)  # fmt: skip
NAMES = (
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=8).map("".join)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
).filter(lambda name: bool(name.strip()))
# Characters that must not reach a terminal; the ends of lines are ours:
ACTING = re.compile(r"(?!\n)[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestedDatabase]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "500")
    with sqlite_database(tmp_path, "texts") as made:
        monkeypatch.setenv("FUNNEL_DATABASE_URL", made.url)
        yield made


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, arguments)


def fill(database: TestedDatabase, name: str) -> None:
    """Fills every table with one text; it is there already, as another system would have written it."""
    database.clear()
    database.execute("DELETE FROM sqlite_sequence")
    database.insert("agents", ("agent", "status"), [(name, "active")])
    rows = [(f"+4915100000{index:03}", 1, f"{date.today()} 00:00:00.000") for index in range(3)]
    database.insert("wafunnel", ("number", "stage", "date"), rows)
    reason = f"because {name}"
    today = f"{date.today()}"
    database.execute(
        "INSERT INTO agent_limit (agent, starts_on, ends_on, max_records) VALUES (%s, %s, NULL, 2)", name, today
    )
    database.execute("INSERT INTO do_not_contact_entry VALUES (%s, 1, %s, '2026-11-25 10:00:00.000', 0)", name, reason)
    database.execute("INSERT INTO holiday (day, name) VALUES ('2999-12-24', %s)", name)
    database.execute(
        "INSERT INTO schedule_pause (paused_at, paused_by, reason) VALUES ('2026-11-25 10:00:00.000', %s, %s)",
        name, reason,
    )  # fmt: skip
    database.execute(
        "INSERT INTO access_key (name, role, secret_hash, created_at, created_by)"
        " VALUES (%s, 'viewer', 'x', '2026-11-25 10:00:00.000', %s)",
        name, name,
    )  # fmt: skip


def test_every_command_prints_every_text_and_no_text_acts(database: TestedDatabase) -> None:
    @settings(
        max_examples=200 if LONG else 6,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not LONG,
        # An example takes a second, so the short version does not look for a smaller one.
        phases=set(Phase) - (set() if LONG else {Phase.shrink, Phase.explain}),
    )
    @given(NAMES)
    def check(name: str) -> None:
        fill(database, name)
        assert call("run", "--actor", name).exit_code == 0
        assert call("undo", "--actor", name).exit_code == 0
        assert call("run", "--actor", name).exit_code == 0
        for command in COMMANDS:
            arguments = [name if each == "NAME" else each for each in command.split()]
            if name.startswith("-"):
                arguments.insert(-1, "--")
            for flags in ((), ("--json",)):
                if command in ("run", "agents unlink NAME"):
                    # Each of them can be done once.
                    assert call(*_with(UNDONE_BY[command](name), ())).exit_code == 0
                done = call(*_with(arguments, flags))
                assert done.exception is None or isinstance(done.exception, SystemExit), (command, done.exception)
                assert done.exit_code == 0 or command.startswith("doctor"), (command, done.output)
                assert not ACTING.search(done.output), command
                _check_text(command, name, done.output, is_json=bool(flags))

    check()


def _with(arguments: list[str], flags: tuple[str, ...]) -> list[str]:
    """The arguments with the flags before a `--`."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return [*arguments[:at], *flags, *arguments[at:]]


def _check_text(command: str, name: str, output: str, *, is_json: bool) -> None:
    if is_json:
        if command not in ("doctor", "status"):
            assert name in repr_of(json.loads(output)), command
    # Where the command names the agent, the person who calls it has written the name, perhaps with ends of lines.
    elif command not in ("doctor", "runs list") and not command.endswith("NAME"):
        assert visible(name).strip() in output, command


def repr_of(value: Any) -> str:
    """All texts of a JSON value."""
    if isinstance(value, dict):
        return "\0".join(map(repr_of, value.values()))
    return "\0".join(map(repr_of, value)) if isinstance(value, list) else str(value)
