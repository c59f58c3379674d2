"""The mistakes that `make mutants` plants fit the program: the text of each is there once, and so are its tests."""

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


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_the_old_text_of_a_mistake_is_in_its_file_once(mistake: Mistake) -> None:
    text = (ROOT / mistake.file).read_text("utf-8")
    assert text.count(mistake.old) == 1
    assert mistake.new != mistake.old
    assert (ROOT / mistake.tests).is_file()


@pytest.fixture(scope="module")
def tests_of_files() -> Mapping[str, Sequence[str]]:
    """The names of the tests, by the files that the mistakes name; as pytest collects them, without running any."""
    files = sorted({mistake.tests for mistake in MISTAKES})
    # Pytest loads each installed plugin, which takes seconds; only the timeouts are needed, for their mark.
    environment = {**os.environ, "FUNNEL_TEST_SQLSERVER_START": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    options = ["--collect-only", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout"]
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


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_names_tests_that_exist(mistake: Mistake, tests_of_files: Mapping[str, Sequence[str]]) -> None:
    names = tests_of_files[mistake.tests]
    for fragment in set(re.findall(r"\w+", mistake.which)) - {"and", "or", "not"}:
        assert any(fragment in name for name in names), fragment
    # And on the engine of the mistake:
    expression = Expression.compile(mistake.expression)
    assert any(is_selected(name, expression) for name in names)


def is_selected(name: str, expression: Expression) -> bool:
    """Whether `pytest -k` with this expression runs the test of this name."""

    def has(fragment: str, /, **_: object) -> bool:
        return fragment in name

    return expression.evaluate(has)


def test_there_are_sixty_mistakes_at_least_and_no_two_of_one_name() -> None:
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
def test_a_mistake_is_planted_looked_for_and_taken_back(
    tmp_path: Path, old: str, new: str, which: str, verdict: str
) -> None:
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
