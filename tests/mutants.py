"""Plants small mistakes into a copy of the program, one at a time, and checks that the tests find each of them.

A mistake that no test finds shows a promise without a test. The mistakes are data, in tests/mistakes. `make test` shows
that the tests pass without them.
"""

from __future__ import annotations

import argparse
import compileall
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue
from typing import Literal

from mistakes import MISTAKES, Mistake
from support.databases import MISSING, sqlserver_url

ROOT = Path(__file__).parents[1]
# Not copied: large directories, and files that were compiled without a mistake.
LEFT_OUT = (".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.pyc", "*.db*")
# A mistake is found in seconds; on a T-SQL engine the tests need half a minute to make their database.
SECONDS = {"": 120, "sqlite": 120, "sqlserver": 300}
# A failed test in the summary of pytest. A test that could not even begin has found nothing.
FAILED = re.compile(r"^FAILED [^:\n]+::(.+?)(?: - .*)?$", re.MULTILINE)

Verdict = Literal["found", "SURVIVED", "STALE", "BROKEN", "HANGS"]


@dataclass(frozen=True)
class Result:
    """The verdict on a mistake; `detail` names the test that found it, or is the end of the output."""

    verdict: Verdict
    seconds: float
    detail: str


def main() -> int:
    """The command. Returns 1 if a mistake was not found."""
    options = _options()
    chosen = [
        mistake
        for mistake in MISTAKES
        if options.name.lower() in mistake.name.lower() and options.engine in ("", mistake.engine)
    ]
    if options.list:
        for mistake in chosen:
            print(f"{mistake.engine or '-':9}  {mistake.name}  ({mistake.file})")
        return 0
    ready = [mistake for mistake in chosen if mistake.engine != "sqlserver" or sqlserver_url()]
    counts = Counter(_plant_all(ready, options.processes))
    if len(ready) < len(chosen):
        print(MISSING)
    print(f"{len(ready)} planted, {counts['found']} found, {len(chosen) - len(ready)} not run")
    return int(counts["found"] < len(ready))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="", help="plant those with this text in their name only")
    parser.add_argument("--list", action="store_true", help="list the mistakes and plant none")
    parser.add_argument("-n", dest="processes", type=int, default=2, help="how many at a time (default 2)")
    parser.add_argument("--engine", default="", choices=("sqlite", "sqlserver"), help="those of this engine only")
    return parser.parse_args()


def _plant_all(mistakes: Sequence[Mistake], processes: int) -> Iterator[Verdict]:
    with _copies(min(processes, len(mistakes))) as copies, ThreadPoolExecutor(processes) as pool:

        def one(mistake: Mistake) -> Result:
            copy = copies.get()
            try:
                return planted(mistake, copy)
            finally:
                copies.put(copy)

        for mistake, result in zip(mistakes, pool.map(one, mistakes), strict=True):
            print(f"{result.verdict:8} {result.seconds:5.1f} s  {mistake.name}  ({result.detail})", flush=True)
            yield result.verdict


@contextmanager
def _copies(count: int) -> Iterator[SimpleQueue[Path]]:
    """Yields this many copies of the source tree, in a directory that is deleted after the block."""
    with tempfile.TemporaryDirectory() as directory:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            copy = Path(directory) / str(number)
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
            # Valid by the content of their files, so that a file with a mistake is compiled again.
            compileall.compile_dir(copy / "src", quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
            copies.put(copy)
        yield copies


def planted(mistake: Mistake, copy: Path) -> Result:
    """Plants a mistake into a copy of the source tree, runs its tests, and removes it again."""
    path = copy / mistake.file
    text = path.read_text("utf-8")
    if text.count(mistake.old) != 1:
        return Result("STALE", 0, f"the old text is {text.count(mistake.old)} times in {mistake.file}")
    path.write_text(text.replace(mistake.old, mistake.new), "utf-8")
    began = time.monotonic()
    try:
        verdict, detail = _tested(mistake, copy)
    finally:
        path.write_text(text, "utf-8")
    return Result(verdict, time.monotonic() - began, detail)


def _tested(mistake: Mistake, copy: Path) -> tuple[Verdict, str]:
    arguments = [
        "-x",
        "-q",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-p",
        "pytest_timeout",
        mistake.tests,
        "-k",
        mistake.expression,
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy / "src"),
        # Compiled files would be those of another mistake, where two have been planted within a second.
        "PYTHONDONTWRITEBYTECODE": "1",
        # Other plugins take most of the time of a short run, and these tests need none of them.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # It runs already.
        "FUNNEL_TEST_SQLSERVER_START": "",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments], cwd=copy, env=environment, capture_output=True, text=True,
            timeout=SECONDS[mistake.engine], check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "HANGS", f"no end within {SECONDS[mistake.engine]} s"
    if failed := FAILED.search(done.stdout):
        return "found", failed[1]
    last = (done.stdout + done.stderr).strip().rpartition("\n")[2]
    return ("SURVIVED" if done.returncode == 0 else "BROKEN"), last


if __name__ == "__main__":
    sys.exit(main())
