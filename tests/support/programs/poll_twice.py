"""Asks the database of the settings twice for the version of the deal, and prints the error if no answer comes."""

from __future__ import annotations

from agent_funnel.database import connect
from agent_funnel.errors import ConnectionLost
from agent_funnel.settings import load


def main() -> None:
    """Prints the message of the error; the first time, the database must answer."""
    database = connect(load())
    database.one("deal_version")
    try:
        database.one("deal_version")
    except ConnectionLost as error:
        print(error)


if __name__ == "__main__":
    main()
