"""The right that shows who holds a lock, by the edition and the version of the server."""

from __future__ import annotations

import pytest

from agent_funnel.database.lock_waits import state_right


@pytest.mark.parametrize(
    ("edition", "version", "babelfish", "sessions", "connections"),
    [
        (3, "13.0.6300.2", None, "VIEW SERVER STATE", "VIEW SERVER STATE"),
        (2, "15.0.4430.1", None, "VIEW SERVER STATE", "VIEW SERVER STATE"),
        (3, "16.0.4135.4", None, "VIEW SERVER PERFORMANCE STATE", "VIEW SERVER SECURITY STATE"),
        (4, "17.0.1000.7", None, "VIEW SERVER PERFORMANCE STATE", "VIEW SERVER SECURITY STATE"),
        (5, "12.0.2000.8", None, "VIEW DATABASE STATE", "VIEW DATABASE STATE"),
        (12, "12.0.2000.8", None, "VIEW DATABASE STATE", "VIEW DATABASE STATE"),
        (8, "12.0.2000.8", None, "VIEW SERVER STATE", "VIEW SERVER STATE"),
        (3, "16.0.1000.6", "5.1.0", "VIEW SERVER STATE", "VIEW SERVER STATE"),
    ],
)
def test_the_smallest_right_that_shows_the_state_of_a_server_is_named(
    edition: int, version: str, babelfish: str | None, sessions: str, connections: str
) -> None:
    server = {"engine_edition": edition, "product_version": version, "babelfish_version": babelfish}
    assert state_right(server, "PERFORMANCE") == sessions
    assert state_right(server, "SECURITY") == connections
    assert state_right(None, "SECURITY") == "VIEW SERVER STATE"
