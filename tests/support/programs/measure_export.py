"""Exports all leads and then the present assignments of funnel.db, in the working directory, to the file `out`.

Prints the number of rows, and the largest memory of this process, in megabytes.
"""

from __future__ import annotations

import re
from pathlib import Path

from agent_funnel.exports import export
from support.databases import connect_to


def main() -> None:
    """Exports and measures; the memory is read from /proc, which only Linux has."""
    database = connect_to("sqlite:///funnel.db")
    with Path("out").open("wb") as file:
        export(database, "leads", file, "excel-csv")
    with Path("out").open("wb") as file:
        rows = export(database, "assignments", file, "csv")
    # The maximum of getrusage is wrong here: it includes that of the process that started this one.
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    print(rows, int(found[1]) // 1024)


if __name__ == "__main__":
    main()
