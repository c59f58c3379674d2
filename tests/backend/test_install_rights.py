"""A login with the role of the service can do the service's work, and nothing else.

Babelfish has no ownership chaining, so a run by such a login fails there; the rest is tested there too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pymssql
import pytest
from sqlalchemy.engine import make_url

from agent_funnel.access.audit import list_entries, record_entry
from agent_funnel.access.idempotency import StoredResponse, claim_request, release_request, store_response
from agent_funnel.access.keys import (
    add_key,
    begin_session,
    end_session,
    holder_of_key,
    holder_of_session,
    note_key_use,
    revoke_key,
)
from agent_funnel.agents import add_limit, list_agents, list_limits, remove_limit, rename_agent, set_agent_status
from agent_funnel.deal import deal, preview, undo
from agent_funnel.do_not_contact import add_do_not_contact, list_do_not_contact, remove_do_not_contact
from agent_funnel.errors import DatabaseError, NoActiveAgent
from agent_funnel.imports import load_rows
from agent_funnel.leads import pool_report
from agent_funnel.rules import effective, record_rules
from agent_funnel.runs import find_run, holders, last_run, purge, shares
from agent_funnel.schedule.store import record_failure, schedule_state
from agent_funnel.settings import load
from support.databases import TestedDatabase
from support.nights import TODAY

PASSWORD = "For-an-hour-only-1"
NOW = datetime(2026, 11, 23, 20, 40, tzinfo=UTC)

# Statements that the role must not be able to run; the last three do not concern the product at all.
FORBIDDEN = (
    "UPDATE dbo.wafunnel SET stage = 1",
    "DELETE FROM dbo.wafunnel",
    "UPDATE dbo.audit_entry SET actor = 'somebody else'",
    "DELETE FROM dbo.audit_entry",
    "DELETE FROM dbo.access_key",
    "DELETE FROM dbo.agents",
    "INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES ('a', '1')",
    "UPDATE dbo.agent_wafunnel_assignment SET agent = 'a'",
    "UPDATE dbo.assignment_run SET status = 'undone'",
    "DELETE FROM dbo.assignment_run",
    "UPDATE dbo.floor_rule SET value = '1'",
    "DELETE FROM dbo.floor_rule",
    "UPDATE dbo.assignment_history SET agent = 'a'",
    "DELETE FROM dbo.assignment_undo",
    "DELETE FROM dbo.assignment_request",
    "DELETE FROM dbo.do_not_contact",
    "DROP PROCEDURE dbo.sp_assign_wafunnel_to_agents",
    "DROP TABLE dbo.assignment_run",
    "TRUNCATE TABLE dbo.agent_wafunnel_assignment",
    "ALTER TABLE dbo.agent_wafunnel_assignment ADD more INT",
    "CREATE TRIGGER dbo.mine ON dbo.agent_wafunnel_assignment AFTER DELETE AS SELECT 1",
    "CREATE INDEX ix_mine ON dbo.agent_wafunnel_assignment (agent)",
    "SELECT secret FROM dbo.payroll",
    "INSERT INTO dbo.payroll (secret) VALUES (2)",
    "CREATE TABLE dbo.mine (id INT)",
)


@dataclass
class Roles:
    """The same database, once for its owner and once for the service."""

    owner: TestedDatabase
    service: TestedDatabase
    babelfish: bool


@pytest.fixture(scope="module")
def _roles(_sqlserver_ours: TestedDatabase) -> Iterator[Roles]:
    owner = _sqlserver_ours
    login = f"funnel_test_role_{os.getpid()}"
    owner.execute_patiently(f"CREATE LOGIN {login} WITH PASSWORD = '{PASSWORD}'")
    owner.execute_patiently(f"CREATE USER {login} FOR LOGIN {login}")
    owner.execute(f"ALTER ROLE agent_funnel_service ADD MEMBER {login}")
    owner.execute("CREATE TABLE dbo.payroll (secret INT)")
    url = make_url(owner.url).set(username=login, password=PASSWORD)
    member = TestedDatabase(url.render_as_string(hide_password=False), owner.schema)
    babelfish = owner.execute("SELECT SERVERPROPERTY('BabelfishVersion')") != [(None,)]
    try:
        yield Roles(owner, member, babelfish)
    finally:
        member.close()
        owner.execute("DROP TABLE dbo.payroll")
        owner.execute(f"ALTER ROLE agent_funnel_service DROP MEMBER {login}")
        owner.execute_patiently(f"DROP USER {login}")
        owner.execute_patiently(f"DROP LOGIN {login}")


@pytest.fixture
def roles(_roles: Roles) -> Roles:
    """A database with two agents and nine leads."""
    _roles.owner.clear()
    _roles.owner.insert("agents", ("agent", "status"), [("a", "active"), ("b", "active")])
    leads = [(f"4930{n:04}", 1, "2026-11-10 08:00:00.000") for n in range(9)]
    _roles.owner.insert("wafunnel", ("number", "stage", "date"), leads)
    return _roles


def test_a_login_with_the_role_alone_can_do_all_that_the_service_does(roles: Roles) -> None:
    backend = roles.service.backend
    assert load_rows(backend, "leads", [("+491", "1", "2026-11-10 08:00:00.000")]) == 1
    assert load_rows(backend, "agents", [("c", "active")]) == 1
    limit = add_limit(backend, "c", starts_on=TODAY, ends_on=None, max_records=1)
    assert limit.known
    assert list_limits(backend) == [limit]
    assert add_do_not_contact(backend, "+491")["leads"] == 1
    assert [entry.number for entry in list_do_not_contact(backend)] == ["+491"]
    remove_do_not_contact(backend, "+491")
    remove_limit(backend, limit.limit_id)

    if roles.babelfish:
        with pytest.raises(DatabaseError, match="permission denied"):
            deal(backend, load(), business_date=TODAY, again=True)
        # The owner deals instead, so that there are runs to read and to purge.
        for _ in range(3):
            deal(roles.owner.backend, load(), business_date=TODAY, again=True)
    else:
        assert preview(backend, load(), business_date=TODAY).run.assigned == 10
        assert deal(backend, load(), business_date=TODAY, again=True).assigned == 10
        assert undo(backend).restored == 10
        for _ in range(3):
            assert deal(backend, load(), business_date=TODAY, again=True).assigned == 10

    newest = last_run(backend)
    assert newest is not None
    assert sum(share.leads for share in shares(backend, newest.run_id)) == 10
    assert find_run(backend, newest.run_id).assigned == 10
    assert len(holders(backend, "49300000")) >= 3
    assert schedule_state(backend, TODAY).settled is None
    assert purge(backend, datetime(2100, 1, 1, tzinfo=UTC)).rows >= 10
    assert backend.one("run_of_request", request="0" * 32) is None

    set_agent_status(backend, "c", active=False)
    if not roles.babelfish:
        rename_agent(backend, "c", "d")
    assert [agent.active for agent in list_agents(backend, TODAY)] == [True, True, False]
    assert pool_report(backend, load(), TODAY).total == 10
    assert record_rules(backend, {"country": "BR"}, actor="Ana") == ["country"]
    assert effective(backend, load()).country == "BR"
    assert record_failure(
        backend, load(), TODAY, NoActiveAgent(), attempt=1, started_at=NOW, finished_at=NOW, actor="tests"
    )
    key, secret = add_key(backend, "Ana", "viewer")
    note_key_use(backend, key.key_id)
    token = begin_session(backend, key.key_id)
    assert holder_of_session(backend, token).holder == holder_of_key(backend, secret).holder
    end_session(backend, token)
    revoke_key(backend, key.key_id)
    record_entry(
        backend, actor="Ana", key_id=key.key_id, operation="POST", target=None, address="-", status=200, detail=None
    )
    assert len(list_entries(backend, count=5)) == 1
    claimed = claim_request(backend, scope="s", key="k", content=[b""])
    store_response(backend, claimed, StoredResponse(200, "{}"))
    release_request(backend, claimed)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_login_with_the_role_alone_can_do_nothing_else(roles: Roles, statement: str) -> None:
    with pytest.raises(pymssql.Error, match=r"(?i)permission|not exist|must be owner|denied"):
        roles.service.execute(statement)
    # Only the right is missing: the owner can run the statement.
    roles.owner.execute("BEGIN TRANSACTION")
    roles.owner.execute(statement)
    roles.owner.execute("ROLLBACK TRANSACTION")
