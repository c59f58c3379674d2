"""The command `agent-funnel` in this process, without the half second that a process of its own takes to start.

`support.processes` has the same two functions for a process of its own: where a test is about the process, about its
log, or about what ends it.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from agent_funnel import cli
from support.processes import environment


def run_command(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `agent-funnel` to its end, in a directory and with nothing but these settings."""
    words = ["agent-funnel", *arguments]
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2))
    with (
        patch.dict(os.environ, environment(**settings), clear=True),
        patch.object(sys, "argv", words),
        chdir(cwd),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        try:
            cli.main()
            code: Any = 0
        except SystemExit as ended:
            code = ended.code or 0
    assert isinstance(code, int), code
    return subprocess.CompletedProcess(words, code, _text(output), _text(errors))


def answer(*arguments: str, cwd: Path, **settings: str) -> Any:
    """What `agent-funnel … --json` answers; it must succeed."""
    done = run_command(*arguments, "--json", cwd=cwd, **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
