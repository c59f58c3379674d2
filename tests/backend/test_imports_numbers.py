"""An import of leads takes the spellings of one number for one number."""

from __future__ import annotations

import io

import pytest

from agent_funnel.imports import BadRows, import_file
from agent_funnel.numbers import take_in
from support.databases import TestedDatabase

HEADER = "number,stage,date\n"


def imported(database: TestedDatabase, *numbers: str, skip_bad: bool = False) -> tuple[int, int, int]:
    """Imports these numbers; returns how many were added, kept and bad."""
    rows = "".join(f"{number},1,2026-11-20\n" for number in numbers)
    found = import_file(database.backend, "leads", io.BytesIO((HEADER + rows).encode()), name="f", skip_bad=skip_bad)
    return found.added, found.kept, found.bad_rows


def stored(database: TestedDatabase) -> list[str]:
    return sorted(number for (number,) in database.execute("SELECT number FROM dbo.wafunnel"))


def test_a_number_that_is_stored_in_another_spelling_is_there_already(database: TestedDatabase) -> None:
    # Another program has inserted the first one.
    database.insert("wafunnel", ("number", "stage", "date"), [("+55 (11) 98765-4321", 3, "2026-11-01 08:00:00.000")])
    assert imported(database, "551187654321", "+5511987654322") == (1, 1, 0)
    assert imported(database, "005511987654322", "5511987654321", "5511987654323") == (1, 2, 0)
    assert stored(database) == ["+55 (11) 98765-4321", "+5511987654322", "5511987654323"]
    assert take_in(database.backend) == 0


def test_two_spellings_in_one_file_are_a_repeated_number(database: TestedDatabase) -> None:
    with pytest.raises(BadRows, match="line 4: number is already on line 2"):
        imported(database, "+5511987654321", "+5511987654329", "551187654321")
    assert stored(database) == []
    assert imported(database, "+5511987654321", "+5511987654329", "551187654321", skip_bad=True) == (2, 0, 1)
    assert stored(database) == ["+5511987654321", "+5511987654329"]
