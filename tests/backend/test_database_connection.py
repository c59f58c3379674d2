"""Connections to the server: the messages if there is no server, and if it does not answer.

Most tests use a small fake, since a real server cannot be made to fail in every way.
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
from support.processes import run_as_process, run_program
from support.refusals import PASSWORD, assert_one_sentence, free_port, refusal_of, server_url

pytestmark = pytest.mark.usefixtures("short_login_timeout")

WRONG_PASSWORD = error(18456, "Login failed for user 'sa'.", 14)

NO_RIGHT = error(916, 'The server principal "sa" is not able to access the database "funnel".')

LOCKED_OUT = error(18486, "Login failed for user 'sa' because the account is currently locked out.", 14)


# The server's reaction to a login, further settings, and the words that the message must contain:
REFUSALS: dict[str, tuple[dict[str, Any], dict[str, str], tuple[str, ...]]] = {
    "a wrong password": ({"login": {"funnel": WRONG_PASSWORD, "": WRONG_PASSWORD}}, {}, ("'sa'", "password", "%40")),
    # SQL Server sends error 4060 first and then 18456; the driver keeps the second one.
    "no such database": ({"login": {"funnel": WRONG_PASSWORD}}, {}, ("no database 'funnel'", "check its name")),
    "no right to the database": ({"answers": {"use [": [NO_RIGHT]}}, {}, ("no database 'funnel'", "has a user in it")),
    "another reason": ({"login": {"funnel": LOCKED_OUT}}, {}, ("'sa'", "locked out", "check user")),
    "a closed connection": ({"prelogin": HANG_UP}, {}, ("closes the connection", "log")),
    "a login broken off": ({"login": {"funnel": HANG_UP}}, {}, ("broke off the login", "log")),
    "a web server": ({"prelogin": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, {}, ("not a SQL Server", "host and port")),
    "no encryption": ({}, {"FUNNEL_ENCRYPTION": "require"}, ("no encryption", "FUNNEL_ENCRYPTION=off")),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_failed_login_ends_the_command_with_a_sentence_that_says_what_to_do(why: str, tmp_path: Path) -> None:
    # In a separate process: the driver remembers a server's message and does not report a similar one again.
    behaviour, settings, expected = REFUSALS[why]
    with FakeServer(**behaviour) as server:
        done = run_as_process("run", cwd=tmp_path, FUNNEL_DATABASE_URL=server.url(), **settings)
        assert f":{server.port}" in done.stderr
    assert done.returncode == cli.ExitCode.NO_DATABASE
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert_one_sentence(done.stderr.removeprefix("Error: ").strip())
    for part in expected:
        assert part in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("behaviour", [{"prelogin": SILENCE}, {"login": {"funnel": SILENCE}}], ids=str)
def test_a_login_that_gets_no_answer_is_given_up_within_its_timeout(behaviour: dict[str, Any]) -> None:
    with FakeServer(**behaviour) as server:
        began = time.monotonic()
        assert "does not answer" in refusal_of(connect_to(server.url()))
    assert 1.5 < time.monotonic() - began < 6.5


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse connections beyond the backlog")
def test_a_host_that_accepts_no_connection_is_given_up_within_the_login_timeout() -> None:
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        # Linux accepts one more connection than the backlog and leaves the others waiting, as a firewall that drops
        # packets does.
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


def test_an_unknown_host_is_named() -> None:
    for host in ("no-such-host.invalid", "two..dots"):
        message = refusal_of(connect_to(server_url(1433, host)))
        assert f"{host!r} is not known" in message
        assert "FUNNEL_DATABASE_URL" in message


def test_a_closed_port_is_named() -> None:
    port = free_port()
    assert f"127.0.0.1:{port} cannot be reached" in refusal_of(connect_to(server_url(port)))


def test_a_server_that_stops_after_an_answer_is_unavailable(sqlserver: str) -> None:
    # The client library remembers a message from a login in this process and reports it when the next login fails.
    # Nothing is installed in that database.
    backend = connect_to(sqlserver).for_any_version()
    assert backend.one("ping") == {"alive": 1}
    disconnect(backend)
    refusal_of(connect_to(server_url(free_port())))


def test_a_message_of_one_server_is_not_reported_for_another() -> None:
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
def test_a_login_that_a_real_server_refuses_is_reported_too(
    sqlserver: str, changed: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    given = make_url(sqlserver).set(**changed)
    done = run_as_process("run", cwd=tmp_path, FUNNEL_DATABASE_URL=given.render_as_string(hide_password=False))
    assert done.returncode == cli.ExitCode.NO_DATABASE
    assert_one_sentence(done.stderr.removeprefix("Error: ").strip())
    assert expected in done.stderr
    assert "install" not in done.stderr


def commands(group: click.Group) -> dict[str, click.Command]:
    """Every command, by the words that a person types for it."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        inner = commands(command) if isinstance(command, click.Group) else {"": command}
        found |= {f"{name} {path}".strip(): each for path, each in inner.items()}
    return found


# An import reads its file before it asks the database. The others have numbers.
TABLES = {
    "import agents": "agent,status\nAna,active\n",
    "import holidays": "day,name\n2026-12-25,Christmas\n",
    "import limits": "agent,max_records,starts_on\nAna,0,2026-12-25\n",
    "import outcomes": "number,outcome\n+4915112345678,won\n",
}


def example_value(command: str, parameter: click.Parameter, directory: Path) -> str:
    """A value that the parameter of a command accepts."""
    if (command, parameter.name) == ("rules set", "value"):
        # That of the rule that comes first among the choices of the parameter before it.
        return "BR"
    if isinstance(parameter.type, click.Path):
        file = directory / "table.csv"
        file.write_text(TABLES.get(command, "number\n+4915112345678\n"), "utf-8")
        return str(file)
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[0])
    if isinstance(parameter, click.Option) and parameter.metavar == "DAYS":
        return "180d"
    return {"integer": "1", "datetime": "2026-11-23"}.get(parameter.type.name, "x")


# The service waits for its database (tests/web/test_serve.py); every other command reports the error and ends.
@pytest.mark.parametrize("command", sorted(set(commands(cli.cli)) - {"serve"}))
def test_no_command_shows_the_password_or_a_traceback_if_the_database_is_unreachable(
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
        # Some commands need an argument or an option in its place.
        if parameter.required or parameter.name in ("agent", "numbers"):
            given += [*parameter.opts[:1]] * isinstance(parameter, click.Option)
            given.append(example_value(command, parameter, tmp_path))
    monkeypatch.setattr(sys, "argv", ["agent-funnel", *given])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    # 2 means a wrong command line, so `example_value` would be wrong; 0 is for commands that need no database.
    assert ended.value.code != 2
    assert ended.value.code == 0 or "cannot be reached" in out + err
    for text in (out, err, caplog.text):
        assert PASSWORD not in text
        assert "Traceback" not in text


# The text of the call that gets no answer: one that the driver sends right after the login, and one of ours.
@pytest.mark.parametrize("silent", ["SET ARITHABORT", "use [", "SET LOCK_TIMEOUT", "@@SPID", "ping"])
def test_a_call_that_gets_no_answer_is_given_up_at_its_timeout(silent: str, tmp_path: Path) -> None:
    # In a separate process, since the timeout applies to the whole process.
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


def test_a_recently_used_connection_is_not_checked_before_a_read() -> None:
    with FakeServer(answers={"AS undone": [rows({"newest": 7, "undone": 0})]}) as server:
        backend = connect_to(server.url())
        for _ in range(5):
            assert deal_version(backend) == "7.0"
        assert (server.count("@@SPID"), server.count("AS undone")) == (1, 5)
        # Before a write, the connection is checked every time.
        for _ in range(2):
            with backend.transaction():
                pass
        assert server.count("@@SPID") == 3
        assert len(server.logins) == 1
    disconnect(backend)


def test_an_idle_connection_is_checked_before_a_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.database.sqlserver.FRESH_SECONDS", 0.0)
    with FakeServer(answers={"AS undone": [rows({"newest": 7, "undone": 0})]}) as server:
        backend = connect_to(server.url())
        for _ in range(3):
            deal_version(backend)
        assert server.count("@@SPID") == 3
    disconnect(backend)


def test_a_read_survives_a_restart_of_the_server() -> None:
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
def test_a_read_reports_a_deadlock_and_a_connection_that_breaks_twice(answer: Any, expected: type[Exception]) -> None:
    with FakeServer(answers={"AS undone": [rows({"newest": 7, "undone": 0}), answer]}) as server:
        backend = connect_to(server.url())
        deal_version(backend)
        with pytest.raises(expected):
            deal_version(backend)
        # The read is made once more; after a broken connection, on one that was checked.
        assert server.count("AS undone") == 3
    disconnect(backend)
