"""The mistakes that `make mutants` plants fit the program: the old text of each exists once, and so do its tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

from mistakes import MISTAKES, Mistake
from mutants import planted

ROOT = Path(__file__).parents[2]


def test_the_old_text_of_each_mistake_is_in_its_file_once() -> None:
    texts = {file: (ROOT / file).read_text("utf-8") for file in {mistake.file for mistake in MISTAKES}}
    counts = {mistake.name: texts[mistake.file].count(mistake.old) for mistake in MISTAKES}
    assert {name: count for name, count in counts.items() if count != 1} == {}
    assert [mistake.name for mistake in MISTAKES if mistake.new == mistake.old] == []


def test_each_mistake_names_tests_that_exist() -> None:
    tests = collect_tests(sorted({mistake.tests for mistake in MISTAKES}))
    missing = [
        (mistake.name, mistake.tests, fragment)
        for mistake in MISTAKES
        for fragment in set(re.findall(r"\w+", mistake.which)) - {"and", "or", "not"}
        if not any(fragment in name for name in tests[mistake.tests])
    ]
    assert not missing, missing
    # Some of these tests run on the engine of the mistake, too.
    expressions = [(mistake, Expression.compile(mistake.expression)) for mistake in MISTAKES]
    without_tests = [
        (mistake.name, mistake.tests, mistake.expression)
        for mistake, expression in expressions
        if not any(is_selected(name, expression) for name in tests[mistake.tests])
    ]
    assert not without_tests, without_tests


def collect_tests(files: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The names of the tests in these files, by file, as pytest collects them; runs none of them."""
    assert [file for file in files if not (ROOT / file).is_file()] == []
    # Loading every installed plugin takes seconds; only the one for timeouts is needed, for its mark.
    environment = {
        **os.environ, "FUNNEL_TEST_SQLSERVER_START": "", "FUNNEL_TEST_LONG": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }  # fmt: skip
    # With a -k, as the mistakes have one, tests that the short version leaves out are there, too.
    options = ["--collect-only", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "pytest_timeout", "-k", "test"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, list[str]] = defaultdict(list)
    for line in done.stdout.splitlines():
        file, separator, name = line.partition("::")
        if separator:
            found[file].append(name)
    return found


def is_selected(name: str, expression: Expression) -> bool:
    """Whether `pytest -k` with this expression selects the test of this name."""

    def has(fragment: str, /, **_: object) -> bool:
        return fragment in name

    return expression.evaluate(has)


def test_there_are_at_least_sixty_mistakes_and_each_has_its_own_name() -> None:
    assert len(MISTAKES) >= 60
    assert [name for name, times in Counter(mistake.name for mistake in MISTAKES).items() if times > 1] == []


TEST = """
from agent_funnel import ANSWER

def test_it_is_right():
    assert ANSWER == 42

def test_it_is_a_number():
    assert isinstance(ANSWER, int)
"""


@pytest.mark.parametrize(
    ("old", "new", "which", "verdict"),
    [
        ("ANSWER = 42", "ANSWER = 43", "right", "found"),
        ("ANSWER = 42", "ANSWER = 43", "number", "SURVIVED"),
        ("ANSWER = 41", "ANSWER = 43", "right", "STALE"),
        ("ANSWER = 42", "ANSWER = ", "right", "BROKEN"),
        ("ANSWER = 42", "ANSWER = 43", "no_such_test", "BROKEN"),
    ],
)
def test_a_mistake_is_planted_tested_and_removed(tmp_path: Path, old: str, new: str, which: str, verdict: str) -> None:
    source = tmp_path / "src" / "agent_funnel" / "__init__.py"
    source.parent.mkdir(parents=True)
    source.write_text("ANSWER = 42\n")
    (tmp_path / "test_answer.py").write_text(TEST)
    mistake = Mistake("an example", "src/agent_funnel/__init__.py", old, new, "test_answer.py", which)
    found = planted(mistake, tmp_path)
    assert found.verdict == verdict
    if verdict == "found":
        assert found.detail.startswith("test_it_is_right")
    assert source.read_text() == "ANSWER = 42\n"
