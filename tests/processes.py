"""The command as users have it: a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "agent_funnel"]


def environment(**settings: str) -> dict[str, str]:
    """The environment without any setting of ours, then with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FUNNEL_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **settings}


def run_command(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `agent-funnel` to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, env=environment(**settings), capture_output=True, text=True,
        encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def answer(*arguments: str, cwd: Path, **settings: str) -> Any:
    """What `agent-funnel … --json` answers; it must succeed."""
    done = run_command(*arguments, "--json", cwd=cwd, **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def service(cwd: Path, *arguments: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `agent-funnel serve` on a free port, and its address; killed at the end if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *arguments], cwd=cwd, env=environment(**settings), text=True,
        encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if found := re.search(r"Agent Funnel on (http://\S+),", line):
                yield process, found[1]
                break
        else:
            raise AssertionError("the service ended: " + "".join(seen))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
