"""The message about the bad rows of a refused file."""

from __future__ import annotations

import pytest

from agent_funnel.files.tally import BadRow
from agent_funnel.imports import BadRows


@pytest.mark.parametrize(("count", "more"), [(1, ""), (20, ""), (21, "\n  and 1 more"), (2_000, "\n  and 1980 more")])
def test_twenty_bad_rows_are_named_and_the_others_counted(count: int, more: str) -> None:
    kept = [BadRow(line, f"reason {line}") for line in range(1, min(count, 1_000) + 1)]
    error = BadRows("leads.csv", kept, count)
    rows = "row" if count == 1 else "rows"
    named = "".join(f"\n  line {line}: reason {line}" for line in range(1, min(count, 20) + 1))
    assert str(error) == f"leads.csv has {count} bad {rows}; nothing was imported.{named}{more}"
    assert (error.bad, error.count) == (tuple(kept), count)
