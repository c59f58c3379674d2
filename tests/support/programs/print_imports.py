"""Runs `agent-funnel` with the arguments of this program, then prints the modules that it imported as the last line."""

from __future__ import annotations

import sys

before = set(sys.modules)

from agent_funnel.cli import main  # noqa: E402 the modules before it are counted first


def print_imports() -> None:
    """Runs the command to its end."""
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
    print(*sorted(set(sys.modules) - before))


if __name__ == "__main__":
    print_imports()
