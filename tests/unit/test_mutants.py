"""The mistakes that `make mutants` plants fit the program as it is: of each, the old text is there once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mistakes import MISTAKES, Mistake
from mutants import planted

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_the_old_text_of_a_mistake_is_in_its_file_once(mistake: Mistake) -> None:
    text = (ROOT / mistake.file).read_text("utf-8")
    assert text.count(mistake.old) == 1
    assert mistake.new != mistake.old
    assert (ROOT / mistake.tests).is_file()


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
