"""Measures how long the command line takes to start, compared with bare Python: processor time and elapsed time.

`python -m benchmarks.start` makes a small demo database on SQLite and deals once. Then `python -c pass`,
`agent-funnel --help` and `agent-funnel status` take turns, each in a process of its own. It prints the medians, and how
many times as long as bare Python each command takes. Own time is the processor time of the process (user and system).
It says more than the elapsed time on a machine that has other work; on Windows, Python cannot measure it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

if sys.platform != "win32":
    import resource

BARE = "python -c pass"
AGENT_FUNNEL = [sys.executable, "-m", "agent_funnel"]
COMMANDS = {
    BARE: [sys.executable, "-c", "pass"],
    "agent-funnel --help": [*AGENT_FUNNEL, "--help"],
    "agent-funnel status": [*AGENT_FUNNEL, "status"],
}


@dataclass(frozen=True)
class Start:
    """One process, from its start to its end, in milliseconds."""

    own: float
    wall: float


def start(command: list[str], directory: Path) -> Start:
    """Runs a command to its end; it must succeed."""
    # Without our settings, and with Python's cache of compiled modules, as for users.
    left_out = ("FUNNEL_", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    before, began = processor_seconds(), time.perf_counter()
    subprocess.run(command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - began
    return Start((processor_seconds() - before) * 1000, wall * 1000)


def processor_seconds() -> float:
    """The processor time of all child processes that have ended, 0 on Windows."""
    if sys.platform == "win32":
        return 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(directory: Path, rounds: int) -> None:
    start([*AGENT_FUNNEL, "demo", "--leads", "2000"], directory)
    start([*AGENT_FUNNEL, "run"], directory)
    # The first round does not count: it compiles modules and warms the file cache.
    turns = [{name: start(command, directory) for name, command in COMMANDS.items()} for _ in range(rounds + 1)][1:]
    print(f"{f'medians of {rounds} rounds':22}  {'own time':23}  ratio   {'wall':23}  ratio")
    for name in COMMANDS:
        own, wall = ([getattr(turn[name], kind) for turn in turns] for kind in ("own", "wall"))
        bare_own, bare_wall = ([getattr(turn[BARE], kind) for turn in turns] for kind in ("own", "wall"))
        print(f"  {name:20}  {summary(own)}  {ratio(own, bare_own)}   {summary(wall)}  {ratio(wall, bare_wall)}")


def summary(values: list[float]) -> str:
    """The median in milliseconds, with the range."""
    return f"{statistics.median(values):5.0f} ms ({min(values):4.0f} to {max(values):4.0f})"


def ratio(values: list[float], bare: list[float]) -> str:
    """The ratio of the median to that of bare Python."""
    least = statistics.median(bare)
    return f"{statistics.median(values) / least:5.1f}" if least else "    –"


@click.command()
@click.option("--rounds", default=20, show_default=True)
def main(rounds: int) -> None:
    """Print how long the command line takes to start."""
    with tempfile.TemporaryDirectory() as directory:
        measure(Path(directory), rounds)


if __name__ == "__main__":
    main()
