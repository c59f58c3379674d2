"""Asks the configured database once, and prints the error if it does not answer."""

from __future__ import annotations

from agent_funnel.database import connect
from agent_funnel.errors import DatabaseUnavailable
from agent_funnel.settings import load


def main() -> None:
    """Prints the class of the error and its message."""
    try:
        connect(load()).one("ping")
    except DatabaseUnavailable as error:
        print(type(error).__name__, error)


if __name__ == "__main__":
    main()
