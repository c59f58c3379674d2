"""The last use of a key or a link: recorded at most every five minutes, so that reads rarely write. On each engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_funnel.access.keys import list_keys
from agent_funnel.access.links import link_of_agent, make_link
from support.databases import TestedDatabase, seed_tables
from support.pages import bearer, client_of, key_of


@pytest.mark.parametrize("what", ["key", "link"])
@pytest.mark.parametrize(("seconds", "recorded"), [(290, False), (310, True)])
def test_a_use_is_recorded_again_after_five_minutes(
    database: TestedDatabase, what: str, seconds: int, recorded: bool
) -> None:
    seed_tables(database)
    secret = key_of(database, "viewer")
    _, link = make_link(database.backend, "agent 1")
    client = client_of(database)

    def use() -> None:
        path = "/api/limits" if what == "key" else f"/mine/{link}"
        headers = bearer(secret) if what == "key" else {}
        assert client.get(path, headers=headers).status_code == 200

    def last_used() -> datetime | None:
        found = list_keys(database.backend)[0] if what == "key" else link_of_agent(database.backend, "agent 1")
        assert found is not None
        return found.last_used_at

    assert last_used() is None
    use()
    assert last_used() is not None
    before = datetime.now(UTC) - timedelta(seconds=seconds)
    table = {"key": "access_key", "link": "agent_link"}[what]
    text = before.replace(tzinfo=None).isoformat(" ", "milliseconds")
    database.execute(f"UPDATE dbo.{table} SET last_used_at = %s", text)
    kept = last_used()
    use()
    assert (last_used() != kept) is recorded
