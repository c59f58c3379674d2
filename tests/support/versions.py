"""Databases whose tables say that they are of another version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from support.databases import TestedDatabase


@contextmanager
def recorded_versions(database: TestedDatabase, *versions: int) -> Iterator[None]:
    """Makes exactly these versions the recorded ones, until the end of the block."""
    kept = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    try:
        record_versions(database, *versions)
        yield
    finally:
        database.execute("DELETE FROM dbo.agent_funnel_version")
        for version, moment in kept:
            database.execute(
                "INSERT INTO dbo.agent_funnel_version (version, installed_at) VALUES (%s, %s)", version, moment
            )


def record_versions(database: TestedDatabase, *versions: int) -> None:
    """Makes exactly these versions the recorded ones."""
    database.execute("DELETE FROM dbo.agent_funnel_version")
    for version in versions:
        database.execute(
            "INSERT INTO dbo.agent_funnel_version (version, installed_at) VALUES (%s, '2026-06-01T08:00:00')", version
        )
