"""Imports the leads of leads.csv into funnel.db, both in the working directory.

Prints the number of leads that are new, and the largest memory of this process, in megabytes.
"""

from __future__ import annotations

import re
from pathlib import Path

from agent_funnel.imports import import_file
from support.databases import connect_to


def main() -> None:
    """Imports and measures; the memory is read from /proc, which only Linux has."""
    added = import_file(connect_to("sqlite:///funnel.db"), "leads", Path("leads.csv")).added
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    print(added, int(found[1]) // 1024)


if __name__ == "__main__":
    main()
