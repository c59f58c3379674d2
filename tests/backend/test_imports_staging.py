"""Imports hold no lock while they read: a slow file keeps nobody from dealing, and a cut one leaves nothing."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import IO, cast

import pytest

from agent_funnel.errors import ImportRefused
from agent_funnel.imports import BadRows, import_file
from support.databases import TestedDatabase, connect_to, seed_tables, snapshot
from support.nights import deal_today

START = b"number,stage,date\n+491701,1,2026-11-01\n"
END = b"+491702,1,2026-11-01\n"


class SlowFile(io.RawIOBase):
    """A file whose second part comes only when `go` is set, as from a pipe or from a share that hangs.

    With `breaks`, reading the second part fails.
    """

    def __init__(self, *, breaks: bool = False) -> None:
        self.reached, self.go = Event(), Event()
        self._parts = [END, START]
        self._breaks = breaks

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Reads the next part."""
        if not self._parts:
            return 0
        if len(self._parts) == 1:
            self.reached.set()
            assert self.go.wait(60)
            if self._breaks:
                raise OSError(5, "Input/output error")
        part = self._parts.pop()
        buffer[: len(part)] = part
        return len(part)

    def buffered(self) -> IO[bytes]:
        """The file as imports take it."""
        return cast(IO[bytes], io.BufferedReader(self, 64))


@pytest.mark.parametrize("dry_run", [False, pytest.param(True, marks=pytest.mark.sqlserver_if_long)])
def test_a_file_that_comes_slowly_keeps_nobody_from_dealing(database: TestedDatabase, dry_run: bool) -> None:
    seed_tables(database)
    # A deal that had to wait would give up at once.
    impatient = connect_to(database.url, database.schema, lock_wait="1s")
    slow = SlowFile()
    with ThreadPoolExecutor() as pool:
        importing = pool.submit(
            import_file, database.backend, "leads", slow.buffered(), name="leads.csv", dry_run=dry_run
        )
        try:
            assert slow.reached.wait(60)
            before = len(database.execute("SELECT run_id FROM dbo.assignment_run"))
            import_file(impatient, "agents", cast(IO[bytes], io.BytesIO(b"agent,status\nNew,active\n")), name="agents")
            deal_today(database, lock_wait="1s")
            assert len(database.execute("SELECT run_id FROM dbo.assignment_run")) == before + 1
        finally:
            slow.go.set()
        assert importing.result().added == 2
    found = database.execute("SELECT number FROM dbo.wafunnel WHERE number IN ('+491701', '+491702')")
    assert len(found) == (0 if dry_run else 2)


def test_an_import_whose_file_breaks_off_leaves_nothing(database: TestedDatabase) -> None:
    seed_tables(database)
    before = snapshot(database)
    slow = SlowFile(breaks=True)
    slow.go.set()
    with pytest.raises(ImportRefused, match="cannot be read: Input/output error"):
        import_file(database.backend, "leads", slow.buffered(), name="leads.csv")
    assert snapshot(database) == before
    # The temporary table is gone, too.
    assert import_file(database.backend, "leads", cast(IO[bytes], io.BytesIO(START)), name="x").added == 1


def test_repeated_rows_are_named_in_the_order_of_the_file_and_the_first_one_is_imported(
    database: TestedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.imports.CHUNK", 2)
    path = tmp_path / "leads.csv"
    rows = ("+491", "+4911", "x", "+4911", "+4922", "+4911", "y", "+4922")
    path.write_text("number,stage,date\n" + "".join(f"{each},{1 + i % 4},2026-11-01\n" for i, each in enumerate(rows)))
    with pytest.raises(BadRows) as refused:
        import_file(database.backend, "leads", path)
    expected = [
        (2, "'+491' is too"), (4, "“x” is not a "), (5, "same number as on line 3"),
        (7, "same number as on line 3"), (8, "“y” is not a "), (9, "same number as on line 6"),
    ]  # fmt: skip
    found = [
        (row.line, row.reason[: len(reason)]) for row, (_, reason) in zip(refused.value.bad, expected, strict=True)
    ]
    assert found == expected
    assert refused.value.count == 6
    done = import_file(database.backend, "leads", path, skip_bad=True)
    assert (done.rows, done.added, done.kept, done.bad_rows) == (8, 2, 0, 6)
    stored = database.execute("SELECT number, stage FROM dbo.wafunnel ORDER BY number")
    assert [tuple(row) for row in stored] == [("+4911", 2), ("+4922", 1)]


def test_a_thousand_bad_rows_are_named_and_all_are_counted(
    database: TestedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.files.tally.REPORTED_BAD_ROWS", 3)
    path = tmp_path / "leads.csv"
    path.write_text("number,stage,date\n" + "+4911,1,2026-11-01\nx,1,2026-11-01\n" * 4)
    with pytest.raises(BadRows) as refused:
        import_file(database.backend, "leads", path)
    assert [row.line for row in refused.value.bad] == [3, 4, 5]
    assert refused.value.count == 7
