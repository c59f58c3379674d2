"""The bad rows of a file as a file: it can be corrected and imported again."""

from __future__ import annotations

import csv
import io

import pytest

from agent_funnel.files.rejects import Rejects
from agent_funnel.imports import BadRows, import_file
from support.databases import TestedDatabase
from support.tables import TODAY

FILE = (
    "Telefone;Nome;Etapa;Data\n(21) 97000-0001;Rita;1;25/10/2026\n123;=Nuno;1;25/10/2026\n"
    "21970000002;Ana;7;25/10/2026\n+55 21 97000-0001;Rui;1;25/10/2026\n21970000001;Eva;2;26/10/2026\n"
    "21970000003;Ivo\n21970000004;Lia;1;25/10/2026;x\n"
)
REASON = "what is wrong"


def imported(database: TestedDatabase, content: bytes, *, most: int = 100, skip_bad: bool = True) -> tuple[int, bytes]:
    """Imports a file of leads; returns how many were added, and the file of its bad rows."""
    file, added = io.BytesIO(), 0
    rejects = Rejects(file, most)
    try:
        added = import_file(
            database.backend, "leads", io.BytesIO(content), name="file", today=TODAY, skip_bad=skip_bad, rejects=rejects
        ).added
    finally:
        rejects.end()
    return added, file.getvalue()


def rows_of(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


@pytest.mark.sqlserver_if_long
def test_bad_rows_come_as_they_were_with_their_lines_and_reasons_and_are_imported_when_they_are_right(
    database: TestedDatabase,
) -> None:
    added, file = imported(database, FILE.encode("utf-16"))
    assert added == 2
    assert file.startswith(b"\xef\xbb\xbf")
    header, *rows = rows_of(file)
    assert header == ["Telefone", "Nome", "Etapa", "Data", "line", REASON]
    shown = [(row[:4], int(row[4]), row[5][:28]) for row in rows]
    assert shown == [
        (["123", "'=Nuno", "1", "25/10/2026"], 3, "'123' is too short for a num"),
        (["21970000002", "Ana", "7", "25/10/2026"], 4, "stage '7' is not 1, 2, 3 or "),
        (["21970000003", "Ivo", "", ""], 7, "has 2 fields; 4 are needed"),
        (["21970000004", "Lia", "1", "25/10/2026 x"], 8, "has 5 fields; 4 are needed"),
        (["21970000001", "Eva", "2", "26/10/2026"], 6, "same number as on line 2"),
    ]
    right = file.replace(b"123,", b"21970000009,").replace(b",7,", b",2,").replace(b"2026 x", b"2026")
    added, file = imported(database, right)
    assert added == 3
    assert [row[5] for row in rows_of(file)[1:]] == ["date is missing"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_bad_rows_come_also_if_the_file_is_refused_and_no_more_than_are_wanted(database: TestedDatabase) -> None:
    file = io.BytesIO()
    rejects = Rejects(file, 2)
    with pytest.raises(BadRows, match="5 bad rows"):
        import_file(database.backend, "leads", io.BytesIO(FILE.encode()), name="file", rejects=rejects)
    rejects.end()
    assert len(rows_of(file.getvalue())) == 3
    # A file of nothing but numbers gets the name of its column.
    assert rows_of(imported(database, b"21970000001\nx\n")[1])[0] == ["number", "line", REASON]
