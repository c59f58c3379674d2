"""When a key or a link was last used: kept to five minutes, so that reading hardly ever writes. On each engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_funnel import access, links
from agent_funnel.settings import load
from agent_funnel.web import create_app
from databases import Database, small_floor


@pytest.mark.parametrize("what", ["key", "link"])
@pytest.mark.parametrize(("seconds", "noted"), [(290, False), (310, True)])
def test_a_use_is_noted_again_after_five_minutes(database: Database, what: str, seconds: int, noted: bool) -> None:
    small_floor(database)
    _, secret = access.add_key(database.backend, "Ana", "viewer")
    _, link = links.make(database.backend, "agent 1")
    client = create_app(load(), database.backend).test_client()

    def use() -> None:
        path = "/api/limits" if what == "key" else f"/mine/{link}"
        headers = {"Authorization": f"Bearer {secret}"} if what == "key" else {}
        assert client.get(path, headers=headers).status_code == 200

    def last_used() -> datetime | None:
        found = access.keys(database.backend)[0] if what == "key" else links.of_agent(database.backend, "agent 1")
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
    assert (last_used() != kept) is noted
