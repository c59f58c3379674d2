"""An import of leads takes the spellings of one number for one number."""

from __future__ import annotations

import io
from typing import Any

import pytest

from agent_funnel import imports
from agent_funnel.errors import DatabaseBusy
from agent_funnel.imports import BadRows, import_file
from agent_funnel.numbers import match_key, take_in
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
    with pytest.raises(BadRows, match="line 4: same number as on line 2"):
        imported(database, "+5511987654321", "+5511987654329", "551187654321")
    assert stored(database) == []
    assert imported(database, "+5511987654321", "+5511987654329", "551187654321", skip_bad=True) == (2, 0, 1)
    assert stored(database) == ["+5511987654321", "+5511987654329"]


def kept_keys(database: TestedDatabase) -> dict[str, str]:
    return dict(database.execute("SELECT number, match_key FROM dbo.number_key"))


def test_an_import_keeps_the_match_keys_of_its_leads_in_parts(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "KEYS_AT_ONCE", 2)
    numbers = ["+5511987654321", "+5511987654322", "004915112345678", "551187654323", "a1b2c3"]
    assert imported(database, *numbers) == (5, 0, 0)
    assert kept_keys(database) == {number: match_key(database.backend, number) for number in numbers}


def test_a_lead_that_goes_before_its_match_key_is_kept_leaves_none(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = imports._write_staged

    def write_and_delete(*arguments: Any, **options: Any) -> Any:
        written = write(*arguments, **options)
        database.execute("DELETE FROM dbo.wafunnel WHERE number = '+5511987654321'")
        return written

    monkeypatch.setattr(imports, "_write_staged", write_and_delete)
    assert imported(database, "+5511987654321", "+5511987654322") == (2, 0, 0)
    assert list(kept_keys(database)) == ["+5511987654322"]


def test_leads_are_imported_even_if_their_match_keys_cannot_be_kept_now(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any, **options: Any) -> None:
        raise DatabaseBusy

    monkeypatch.setattr(imports, "_keep_keys", busy)
    assert imported(database, "+5511987654321") == (1, 0, 0)
    assert take_in(database.backend) == 1
    monkeypatch.setattr(imports, "_compare_staged", busy)
    with pytest.raises(DatabaseBusy):
        imported(database, "+5511987654322")
    assert stored(database) == ["+5511987654321"]
