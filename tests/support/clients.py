"""Clients that are not ours, on the T-SQL engine: FreeTDS's tsql, Microsoft's ODBC driver, and Node's tedious.

`make clients` installs the last two, each in a directory of its own below `.venv/clients`, since none of our programs
needs them; `FUNNEL_TEST_CLIENTS` names another directory. Each client has one session for a list of batches.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL, make_url

from support.databases import TestedDatabase

PROGRAMS = Path(__file__).parents[1] / "clients"
# A session on Babelfish parses a procedure for seconds before it first runs it.
PATIENCE = 280
NAMES = ("tsql", "odbc", "tedious")


@dataclass(frozen=True)
class Refusal:
    """An error that a client got; ODBC's client does not pass the number on."""

    number: int | None
    message: str


@dataclass(frozen=True)
class Answer:
    """The answer to a batch: each result set as its rows, with every value as text; and the errors."""

    sets: list[list[dict[str, str | None]]]
    errors: list[Refusal]

    @property
    def row(self) -> dict[str, str | None]:
        """The only row of an answer that has no error and one set."""
        assert self.errors == []
        ((row,),) = self.sets
        return row

    @property
    def refusal(self) -> Refusal:
        """The only error of an answer without rows."""
        assert [rows for rows in self.sets if rows] == []
        (refusal,) = self.errors
        return refusal


def home() -> Path:
    """The directory of the clients that `make clients` installs."""
    return Path(os.environ.get("FUNNEL_TEST_CLIENTS") or Path(sys.prefix, "clients")).resolve()


def installed(name: str) -> list[str]:
    """The command of a client. Skips the test if the client is not installed."""
    if name == "tsql":
        command, found = ["tsql"], shutil.which("tsql") is not None
        reason = "FreeTDS's client tsql is not installed (Debian: freetds-bin)."
    elif name == "odbc":
        python = home() / "odbc" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        command, found = [str(python), str(PROGRAMS / "odbc_session.py")], python.exists()
        reason = "Microsoft's ODBC driver is not installed: make clients."
    else:
        command = ["node", str(PROGRAMS / "tedious_session.js")]
        found = shutil.which("node") is not None and (home() / "node_modules" / "tedious").exists()
        reason = "Node's client tedious is not installed: make clients, which needs Node.js 20 or later."
    if not found:
        # Whoever names the directory means that they are there.
        assert os.environ.get("FUNNEL_TEST_CLIENTS") is None, reason
        pytest.skip(reason)
    return command


def session(name: str, database: TestedDatabase, *batches: str, autocommit: bool = True) -> list[Answer]:
    """Sends these batches in one new session of a client; returns the answer to each.

    Without autocommit, the client begins a transaction of its own, in its own way, before the first batch.
    """
    command, url = installed(name), make_url(database.url)
    return (
        _by_tsql(command, url, batches, autocommit) if name == "tsql" else _by_json(command, url, batches, autocommit)
    )


def _by_json(command: list[str], url: URL, batches: tuple[str, ...], autocommit: bool) -> list[Answer]:
    order = {
        "server": url.host, "port": url.port or 1433, "user": url.username, "password": url.password,
        "database": url.database, "autocommit": autocommit, "batches": batches,
    }  # fmt: skip
    done = _run(command, json.dumps(order), NODE_PATH=str(home() / "node_modules"))
    return [
        Answer(
            [[dict(zip(found["names"], row, strict=True)) for row in found["rows"]] for found in answer["sets"]],
            [Refusal(**error) for error in answer["errors"]],
        )
        for answer in json.loads(done.stdout)
    ]


def _by_tsql(command: list[str], url: URL, batches: tuple[str, ...], autocommit: bool) -> list[Answer]:
    # Rows come on the standard output, errors on the other; after each batch, a mark says on both where it ended.
    sent = "" if autocommit else "BEGIN TRANSACTION\ngo\n"
    sent += "PRINT 'end'\ngo\n"
    for batch in batches:
        sent += f"{batch}\ngo\nPRINT 'end'\nSELECT 'end' AS mark\ngo\n"
    server = ["-H", url.host or "", "-p", str(url.port or 1433), "-D", url.database or ""]
    login = ["-U", url.username or "", "-P", str(url.password or "")]
    done = _run([*command, "-o", "q", *server, *login], f"{sent}exit\n", TDSVER="7.4", LC_ALL="C")
    rows = done.stdout.split("mark\nend\n")[:-1]
    errors = done.stderr.split("end\n")[1:-1]
    assert len(rows) == len(errors) == len(batches), done.stdout + done.stderr
    return [Answer(_only_set(found), _refusals(said)) for found, said in zip(rows, errors, strict=True)]


def _only_set(text: str) -> list[list[dict[str, str | None]]]:
    """The rows of an answer with one set: names, and then rows, with tabs between the values."""
    names, *rows = [line.split("\t") for line in text.splitlines()] or [[]]
    if not names:
        return []
    return [[dict(zip(names, [None if value == "NULL" else value for value in row], strict=True)) for row in rows]]


def _refusals(text: str) -> list[Refusal]:
    found = re.findall(r"^Msg (\d+) \(severity \d+, state \d+\).*\n\t\"(.*)\"$", text, re.MULTILINE)
    return [Refusal(int(number), message) for number, message in found]


def _run(command: list[str], sent: str, **settings: str) -> subprocess.CompletedProcess[Any]:
    """Runs a client to its end, in an environment without the settings and paths of this process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FUNNEL_"))}
    done = subprocess.run(
        command, input=sent, env={**kept, **settings}, text=True, encoding="utf-8", capture_output=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done
