"""Texts of the database through every command: no text is markup, and no character acts on the terminal."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from agent_funnel import cli
from agent_funnel.characters import visible
from agent_funnel.exports import Kind
from support import LONG
from support.databases import TestedDatabase, sqlite_database

# Every command that prints texts of the database. NAME is one of them, and an agent; each comes with --json, too:
COMMANDS = (
    "agents list", "limits list", "keys list", "do-not-contact list", "do-not-contact lists",
    "do-not-contact look-up +4915100000009", "holidays list", "schedule show", "status", "rules list", "imports list",
    "imports show 1", "outcomes list", "call-backs", "results", "runway", "person +4915100000000", "agents hand-backs",
    "preview", "runs list", "runs show 1", "runs show 2", "runs who +4915100000000", "doctor",
    *(f"export {kind}" for kind in get_args(Kind) if kind != "run"), "export run 1",
    "outcomes report +4915100000000 talked", "agents hand-back NAME", "agents deactivate NAME", "agents activate --all",
    "agents activate NAME",
    "agents link NAME", "run", "agents rename NAME Another", "agents unlink NAME",
)  # fmt: skip
# The other commands, and why they print no text of the database:
OTHERS = {
    "agents add": "its caller writes the name, and names that are alike have code points in the place of characters",
    **dict.fromkeys(("demo", "undo", "purge", "forget", "import undo"), "it prints amounts"),
    **dict.fromkeys(
        ("do-not-contact add", "do-not-contact create", "do-not-contact remove", "holidays add", "holidays remove"),
        "it prints what its caller wrote",
    ),
    **dict.fromkeys(("keys add", "keys revoke", "limits add", "limits remove"), "it prints what its caller wrote"),
    **dict.fromkeys(("schedule skip", "schedule pause", "schedule resume"), "it prints what its caller wrote"),
    **dict.fromkeys(("schedule adopt", "schedule reopen", "rules set", "serve"), "it prints dates and settings"),
    **dict.fromkeys(
        ("import agents", "import do-not-contact", "import holidays", "import leads", "import limits"),
        "it prints texts of a file",
    ),
    "import outcomes": "it prints texts of a file",
    "install": "it prints the names of our own objects",
    "outcomes take-back": "it prints the same as `outcomes report`",
}
# Commands that do not print every text, or none as long as all is well:
PRINT_FEW = ("doctor", "status", "runs list", "runway", "export", "agents rename")
# Commands that can be done once, and what puts them back:
ONCE = ("run", "agents activate --all", "agents hand-back NAME", "agents rename NAME Another", "agents unlink NAME")
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
# A name that would forge a line, and act in every other way:
WORST = "Bo\nError: all is lost\x1b[2J\x07\x9b31m\u202e[/x]:smile:\r\nWarning: {0}"
# Characters that must not reach a terminal; the ends of lines are ours:
ACTING = re.compile(r"(?!\n)[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Terminal(io.TextIOWrapper):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestedDatabase]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "500")
    with sqlite_database(tmp_path, "texts") as made:
        monkeypatch.setenv("FUNNEL_DATABASE_URL", made.url)
        yield made


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, arguments)


def on_a_terminal(*arguments: str) -> str:
    """The output of a command whose standard output is a terminal."""
    shown = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", Terminal(shown, encoding="utf-8", newline="\n"))
        cli.cli.main(list(arguments), standalone_mode=False)
        sys.stdout.flush()
    return shown.getvalue().decode()


def leaves(command: click.Command, *path: str) -> Iterator[str]:
    """The names of all commands that are no groups."""
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, *path, name)


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
    for number in (name, "+4915100000009"):
        database.execute(
            "INSERT INTO do_not_contact_entry VALUES (%s, 1, %s, '2026-11-25 10:00:00.000', 0)", number, reason
        )
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
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}.000"
    database.execute("UPDATE do_not_contact_list SET name = %s, reason = %s, source = %s", name, reason, name)
    database.execute("INSERT INTO schedule_skip VALUES ('2999-12-23', NULL, %s, %s, NULL)", now, name)
    database.insert(
        "schedule_void",
        ("business_date", "outcome", "recorded_at", "voided_at", "voided_by", "reason", "window_closed"),
        [("2026-11-24", "missed", now, now, name, reason, 0)],
    )
    for run_at, table, columns, values in (
        ("20:40", "schedule_terms", "recorded_at, recorded_by", (now, name)),
        ("21:40", "schedule_copy", "clock_difference, looked_at, name", (600, now, name)),
    ):
        database.execute(
            f"INSERT INTO {table} (run_at, timezone, weekdays, catch_up, {columns})"
            f" VALUES ('{run_at}', 'UTC', 'mon,tue,wed,thu,fri', 10800, {', '.join(['%s'] * len(values))})",
            *values,
        )
    database.execute(
        "INSERT INTO floor_rule (name, value, recorded_at, recorded_by) VALUES ('window_days', '45', %s, %s)", now, name
    )
    database.execute(
        "INSERT INTO import_record (import_id, kind, imported_at, actor, source, address, file_name, sha256, rules)"
        " VALUES (1, 'limits', %s, %s, 'api', %s, %s, 'x', %s)",
        now, name, name, name, json.dumps({"columns": {"agent": name}}),
    )  # fmt: skip
    database.execute("INSERT INTO import_result VALUES (1, 1, 1, 0, 0, 0, 0)")
    database.execute("INSERT INTO import_undo VALUES (1, %s, %s, 1, 0, 0)", now, name)


def fill_after_runs(database: TestedDatabase, name: str) -> None:
    """Adds what agents reported of the leads of the second run."""
    now, day = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}.000", f"{date.today()}"
    database.insert(
        "assignment_outcome",
        ("report", "run_id", "agent", "number", "date", "stage", "outcome", "call_back_on", "same_agent", "note",
         "reported_at", "reported_on", "reported_by", "stands", "stage_back"),
        [(name, 2, name, "+4915100000000", day, 1, "call_back", "2999-12-24", 1, name, now, day, name, 1, 0)],
    )  # fmt: skip
    database.insert(
        "assignment_hand_back",
        ("run_id", "agent", "handed_back_at", "handed_back_by", "leads", "put_back", "undone_at", "undone_by"),
        [(1, name, now, name, 1, 1, now, name)],
    )


def test_every_command_is_tried_here_or_prints_no_text_of_the_database() -> None:
    every = set(leaves(cli.cli))
    assert every >= OTHERS.keys()
    tried = {max((each for each in every if f"{command} ".startswith(f"{each} ")), key=len) for command in COMMANDS}
    assert tried == every - OTHERS.keys()


def test_every_command_prints_every_text_and_no_text_acts(database: TestedDatabase) -> None:
    @settings(
        max_examples=200 if LONG else 3,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not LONG,
        # An example takes a second, so the short version does not look for a smaller one.
        phases=set(Phase) - (set() if LONG else {Phase.shrink, Phase.explain}),
    )
    @example(WORST)
    @given(NAMES)
    def check(name: str) -> None:
        fill(database, name)
        assert call("run", "--actor", name).exit_code == 0
        assert call("undo", "--actor", name).exit_code == 0
        assert call("run", "--actor", name).exit_code == 0
        fill_after_runs(database, name)
        for command in COMMANDS:
            arguments = [name if each == "NAME" else each for each in command.split()]
            if name.startswith("-") and name in arguments:
                arguments.insert(arguments.index(name), "--")
            if command.startswith("export"):
                check_output(command, name, on_a_terminal(*arguments))
                continue
            for flags in ((), ("--json",)):
                if command in ONCE and (flags or command == "run"):
                    put_back(database, command, name)
                done = call(*_with(arguments, flags))
                assert done.exception is None or isinstance(done.exception, SystemExit), (command, done.exception)
                assert done.exit_code == 0 or command.startswith("doctor"), (command, done.output)
                check_output(command, name, done.output, is_json=bool(flags))
            if command == "agents rename NAME Another":
                put_back(database, command, name)

    check()


def test_a_workbook_is_not_written_to_a_terminal(database: TestedDatabase) -> None:
    with pytest.raises(click.UsageError, match="name a file with -o"):
        on_a_terminal("export", "agents", "--format", "xlsx")


def put_back(database: TestedDatabase, command: str, name: str) -> None:
    """Makes it possible to call a command a second time."""
    undone: dict[str, list[str]] = {
        "run": ["undo"],
        "agents activate --all": ["agents", "deactivate"],
        "agents hand-back NAME": ["agents", "hand-back", "--undo"],
    }
    if command == "agents rename NAME Another":
        for table in ("agents", "agent_limit", "agent_wafunnel_assignment", "agent_link"):
            database.execute(f"UPDATE {table} SET agent = %s WHERE agent = 'Another'", name)
        return
    arguments = undone.get(command, ["agents", "link"])
    done = call(*arguments, *([] if command == "run" else ["--", name]))
    assert done.exit_code == 0, done.output


def _with(arguments: list[str], flags: tuple[str, ...]) -> list[str]:
    """The arguments with the flags before a `--`."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return [*arguments[:at], *flags, *arguments[at:]]


def check_output(command: str, name: str, output: str, *, is_json: bool = False) -> None:
    """Nothing in the output acts, no line begins with a part of the name, and the name is there."""
    assert not ACTING.search(output), command
    parts = [visible(part).strip() for part in name.split("\n")[1:]]
    # A shorter part may begin a line of ours by chance.
    beginnings = tuple(part for part in parts if len(part) > 3)
    assert not any(line.strip().startswith(beginnings) for line in output.splitlines() if beginnings), (command, output)
    if command.startswith(PRINT_FEW) and (is_json or command != "status"):
        return
    if is_json:
        assert name in repr_of(json.loads(output)), command
    else:
        assert visible(name).strip() in output, (command, output)


def repr_of(value: Any) -> str:
    """All texts of a JSON value."""
    if isinstance(value, dict):
        return "\0".join(map(repr_of, value.values()))
    return "\0".join(map(repr_of, value)) if isinstance(value, list) else str(value)
