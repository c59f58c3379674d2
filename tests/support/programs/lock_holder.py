"""Holds the run lock of an SQLite database, as a deal does, until it gets a line or dies.

Its argument is the path of the file of the lock.
"""

from __future__ import annotations

import sqlite3
import sys


def main() -> None:
    """Takes the lock, says so, and waits."""
    lock = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
