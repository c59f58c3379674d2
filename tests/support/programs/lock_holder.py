"""Holds the two locks of a run on an SQLite database, as a deal does, until it gets a line or dies.

Its argument is the path of the database.
"""

from __future__ import annotations

import sqlite3
import sys


def main() -> None:
    """Takes the locks, says so, and waits."""
    run = sqlite3.connect(f"{sys.argv[1]}-run", timeout=0, isolation_level=None)
    run.execute("BEGIN IMMEDIATE")
    looks = sqlite3.connect(f"{sys.argv[1]}-looks", timeout=5, isolation_level=None)
    looks.execute("BEGIN EXCLUSIVE")
    print("held", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
