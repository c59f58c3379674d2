"""The way to the server: what is said when there is none, and when it does not answer.

Most of it on a small server of our own, since no real one can be asked for every way of not answering.
"""

from __future__ import annotations

import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy.engine import make_url

from agent_funnel import cli
from agent_funnel.errors import ConnectionLost, DatabaseBusy
from agent_funnel.runs import deal_version
from support.databases import connect_to, disconnect
from support.faketds import HANG_UP, SILENCE, FakeServer, error, rows
from support.processes import run_command, run_program
from support.refusals import PASSWORD, assert_one_sentence, free_port, refusal_of, server_url

pytestmark = pytest.mark.usefixtures("little_patience")

WRONG_PASSWORD = error(18456, "Login failed for user 'sa'.", 14)

NO_RIGHT = error(916, 'The server principal "sa" is not able to access the database "funnel".')

LOCKED_OUT = error(18486, "Login failed for user 'sa' because the account is currently locked out.", 14)


# What a server does to a login, further settings, and what the sentence on it must say:
REFUSALS: dict[str, tuple[dict[str, Any], dict[str, str], tuple[str, ...]]] = {
    "a wrong password": ({"login": {"funnel": WRONG_PASSWORD, "": WRONG_PASSWORD}}, {}, ("'sa'", "password", "%40")),
    # SQL Server says 4060 first and 18456 then, of which the driver keeps the latter.
    "no such database": ({"login": {"funnel": WRONG_PASSWORD}}, {}, ("no database 'funnel'", "check its name")),
    "no right to the database": ({"answers": {"use [": [NO_RIGHT]}}, {}, ("no database 'funnel'", "has a user in it")),
    "another reason": ({"login": {"funnel": LOCKED_OUT}}, {}, ("'sa'", "locked out", "check user")),
    "a closed connection": ({"prelogin": HANG_UP}, {}, ("closes the connection", "log")),
    "a login broken off": ({"login": {"funnel": HANG_UP}}, {}, ("broke off the login", "log")),
    "a web server": ({"prelogin": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, {}, ("not a SQL Server", "host and port")),
    "no encryption": ({}, {"FUNNEL_ENCRYPTION": "require"}, ("no encryption", "FUNNEL_ENCRYPTION=off")),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_login_that_fails_ends_the_command_with_a_sentence_that_says_what_to_do(why: str, tmp_path: Path) -> None:
    # In a process of its own: the driver remembers what a server said, and does not tell the like of it again.
    behaviour, settings, expected = REFUSALS[why]
    with FakeServer(**behaviour) as server:
        done = run_command("run", cwd=tmp_path, FUNNEL_DATABASE_URL=server.url(), **settings)
        assert f":{server.port}" in done.stderr
    assert done.returncode == cli.ExitCode.NO_DATABASE
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert_one_sentence(done.stderr.removeprefix("Error: ").strip())
    for part in expected:
        assert part in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("behaviour", [{"prelogin": SILENCE}, {"login": {"funnel": SILENCE}}], ids=str)
def test_a_server_that_never_answers_the_login_is_given_up_within_the_time_for_it(behaviour: dict[str, Any]) -> None:
    with FakeServer(**behaviour) as server:
        began = time.monotonic()
        assert "does not answer" in refusal_of(connect_to(server.url()))
    assert 1.5 < time.monotonic() - began < 6.5


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse what they have no room for")
def test_a_host_that_does_not_take_connections_up_is_given_up_within_the_time_for_a_login() -> None:
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        # Linux takes one more than it is told to, and lets the others wait, as a firewall does that swallows them.
        listener.listen(0)
        for _ in range(2):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        began = time.monotonic()
        try:
            message = refusal_of(connect_to(server_url(listener.getsockname()[1])))
        finally:
            duration = time.monotonic() - began
    assert "does not answer" in message
    assert duration < 12


def test_a_host_that_is_not_known_is_named() -> None:
    for host in ("no-such-host.invalid", "two..dots"):
        message = refusal_of(connect_to(server_url(1433, host)))
        assert f"{host!r} is not known" in message
        assert "FUNNEL_DATABASE_URL" in message


def test_a_port_that_nobody_listens_on_is_named() -> None:
    port = free_port()
    assert f"127.0.0.1:{port} cannot be reached" in refusal_of(connect_to(server_url(port)))


def test_a_server_that_went_away_after_it_had_answered_is_unavailable(sqlserver: str) -> None:
    # The client library remembers what it heard at a login, in this process, and reports it at the next one that fails.
    backend = connect_to(sqlserver)
    assert backend.one("ping") == {"alive": 1}
    disconnect(backend)
    refusal_of(connect_to(server_url(free_port())))


def test_what_a_server_said_before_is_not_taken_for_the_answer_of_another() -> None:
    for login in ({"": WRONG_PASSWORD, "funnel": WRONG_PASSWORD}, {"funnel": error(4060, "Cannot open database", 11)}):
        with FakeServer(login=login) as server:
            message = refusal_of(connect_to(server.url()))
    assert "is wrong" not in message
    message = refusal_of(connect_to(server_url(free_port())))
    assert "password" not in message
    assert "reached" in message


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"username": "nobody_of_that_name"}, "refused the login 'nobody_of_that_name'"),
        ({"database": "no_such_database"}, "has no database 'no_such_database'"),
    ],
    ids=["user", "database"],
)
def test_a_real_server_that_refuses_a_login_is_told_of_too(
    sqlserver: str, changed: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    given = make_url(sqlserver).set(**changed)
    done = run_command("run", cwd=tmp_path, FUNNEL_DATABASE_URL=given.render_as_string(hide_password=False))
    assert done.returncode == cli.ExitCode.NO_DATABASE
    assert_one_sentence(done.stderr.removeprefix("Error: ").strip())
    assert expected in done.stderr
    assert "install" not in done.stderr


def commands(group: click.Group) -> dict[str, click.Command]:
    """Every command, by what one writes for it."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        inner = commands(command) if isinstance(command, click.Group) else {"": command}
        found |= {f"{name} {path}".strip(): each for path, each in inner.items()}
    return found


def something(parameter: click.Parameter, directory: Path) -> str:
    """A value that a command takes."""
    if isinstance(parameter.type, click.Path):
        file = directory / "leads.csv"
        file.write_text("number,stage,date\n", "utf-8")
        return str(file)
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[0])
    if isinstance(parameter, click.Option) and parameter.metavar == "DAYS":
        return "180d"
    return {"integer": "1", "datetime": "2026-11-23"}.get(parameter.type.name, "x")


# The service waits for a database that is away (tests/web/test_serve.py); the others say so and end.
@pytest.mark.parametrize("command", sorted(set(commands(cli.cli)) - {"serve"}))
def test_no_command_shows_the_password_or_a_traceback_when_the_database_is_away(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FUNNEL_DATABASE_URL", server_url(free_port()))
    given = command.split()
    for parameter in commands(cli.cli)[command].params:
        if parameter.required:
            given += [*parameter.opts[:1]] * isinstance(parameter, click.Option) + [something(parameter, tmp_path)]
    monkeypatch.setattr(sys, "argv", ["agent-funnel", *given])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    # 2 is for a wrong command line, so `something` would have to know better; 0 for what needs no database.
    assert ended.value.code != 2
    assert ended.value.code == 0 or "cannot be reached" in out + err
    for text in (out, err, caplog.text):
        assert PASSWORD not in text
        assert "Traceback" not in text


# The text of the call that is never answered: one of the driver's own, right after the login, and ours.
@pytest.mark.parametrize("silent", ["SET ARITHABORT", "use [", "SET LOCK_TIMEOUT", "@@SPID", "ping"])
def test_a_call_that_is_never_answered_is_given_up_after_the_time_for_it(silent: str, tmp_path: Path) -> None:
    # In a process of its own: that time holds for the whole process.
    with FakeServer(answers={"SELECT 1 AS alive" if silent == "ping" else silent: [SILENCE]}) as server:
        began = time.monotonic()
        done = run_program(
            "ping",
            cwd=tmp_path,
            FUNNEL_DATABASE_URL=server.url(),
            FUNNEL_CALL_TIMEOUT="2s",
            FUNNEL_LOCK_WAIT="1s",
        )
        assert 2 <= time.monotonic() - began < 20
    assert done.stderr == ""
    if silent in ("SET ARITHABORT", "use ["):
        assert done.stdout.startswith("DatabaseUnavailable ")
    else:
        assert done.stdout.startswith("ConnectionLost ")
        assert "has not answered a call for 2 s (FUNNEL_CALL_TIMEOUT)" in done.stdout


def test_a_connection_that_was_in_use_a_moment_ago_is_not_asked_whether_it_is_alive() -> None:
    with FakeServer(answers={"AS undone": [rows({"newest": 7, "undone": 0})]}) as server:
        backend = connect_to(server.url())
        for _ in range(5):
            assert deal_version(backend) == "7.0"
        assert (server.count("@@SPID"), server.count("AS undone")) == (1, 5)
        # What is not only read is, every time.
        for _ in range(2):
            with backend.transaction():
                pass
        assert server.count("@@SPID") == 3
        assert len(server.logins) == 1
    disconnect(backend)


def test_a_connection_that_was_not_in_use_for_a_while_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.database.sqlserver.FRESH_SECONDS", 0.0)
    with FakeServer(answers={"AS undone": [rows({"newest": 7, "undone": 0})]}) as server:
        backend = connect_to(server.url())
        for _ in range(3):
            deal_version(backend)
        assert server.count("@@SPID") == 3
    disconnect(backend)


def test_who_only_reads_does_not_notice_that_the_server_was_restarted_a_moment_ago() -> None:
    with FakeServer(answers={"AS undone": [rows({"newest": 7, "undone": 0})]}) as server, ExitStack() as sessions:
        backend = connect_to(server.url())
        for _ in range(3):
            sessions.enter_context(backend.transaction())
        sessions.close()
        deal_version(backend)
        server.drop()
        assert deal_version(backend) == "7.0"
        assert len(server.logins) == 4
    disconnect(backend)


@pytest.mark.parametrize(
    ("answer", "expected"), [(error(1205, "deadlock", 13), DatabaseBusy), (HANG_UP, ConnectionLost)]
)
def test_what_a_read_that_is_not_to_be_repeated_meets_is_said(answer: Any, expected: type[Exception]) -> None:
    with FakeServer(answers={"AS undone": [rows({"newest": 7, "undone": 0}), answer]}) as server:
        backend = connect_to(server.url())
        deal_version(backend)
        with pytest.raises(expected):
            deal_version(backend)
        # A connection that breaks is tried once more, on one that has been asked.
        assert server.count("AS undone") == (3 if expected is ConnectionLost else 2)
    disconnect(backend)
