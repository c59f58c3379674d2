"""The role of the service in a schema of one's own: its exact rights, its locks, and its work.

`test_install_rights.py` tries what the role may do and what not; here the server itself lists its rights.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from sqlalchemy.engine import make_url

from agent_funnel.agents import assignments
from agent_funnel.runs import deal_version
from agent_funnel.sql import grants
from support.databases import TestedDatabase, sqlserver_schema
from support.nights import active_agents, fresh, put_agents, put_leads, run_deal, undo
from support.processes import run_in_progress

PASSWORD = "For-an-hour-only-1"
# Rights that only show the definition of an object; some servers list further ones of this kind.
TO_LOOK = {"VIEW DEFINITION", "VIEW SECURITY DEFINITION", "VIEW PERFORMANCE DEFINITION"}
# Every right on the whole database that everybody has on every server:
EVERYBODY = {"CONNECT"}


class Floor(NamedTuple):
    """A schema of one's own, for its owner, and for a login that has the role and nothing else."""

    owner: TestedDatabase
    service: TestedDatabase


@pytest.fixture(scope="module")
def floor(sqlserver: str) -> Iterator[Floor]:
    login = f"funnel_test_exact_{os.getpid()}"
    with sqlserver_schema(sqlserver, "floor") as owner:
        owner.execute_patiently(f"CREATE LOGIN {login} WITH PASSWORD = '{PASSWORD}'")
        owner.execute_patiently(f"CREATE USER {login} FOR LOGIN {login}")
        owner.execute(f"ALTER ROLE agent_funnel_service ADD MEMBER {login}")
        url = make_url(owner.url).set(username=login, password=PASSWORD)
        service = TestedDatabase(url.render_as_string(hide_password=False), owner.schema)
        try:
            yield Floor(owner, service)
        finally:
            service.close()
            owner.execute(f"ALTER ROLE agent_funnel_service DROP MEMBER {login}")
            owner.execute_patiently(f"DROP USER {login}")
            owner.execute_patiently(f"DROP LOGIN {login}")


def test_a_login_that_has_rights_on_objects_alone_looks_at_the_lock_of_the_deal(floor: Floor) -> None:
    """The name of the lock has the name of the schema, which a login with few rights must be able to see."""
    assert not floor.service.backend.run_in_progress()
    with run_in_progress(floor.owner):
        assert floor.service.backend.run_in_progress()
    assert not floor.service.backend.run_in_progress()


@pytest.mark.microsoft_engine
def test_a_login_with_the_role_alone_deals_polls_and_undoes(floor: Floor) -> None:
    floor.owner.clear()
    put_agents(floor.owner, active_agents("A", "B"))
    put_leads(floor.owner, fresh(10))
    before = deal_version(floor.service.backend)
    assert run_deal(floor.service).assigned == 10
    assert deal_version(floor.service.backend) != before
    assert len(assignments(floor.service.backend, agent="A", count=100)) == 5
    assert undo(floor.service).restored == 10
    assert assignments(floor.service.backend, count=100) == []


@pytest.mark.microsoft_engine
def test_the_server_lists_the_granted_rights_and_no_others(floor: Floor) -> None:
    granted = {(name, right) for _, right, name in grants("sqlserver")}
    objects = [row["name"] for row in floor.owner.backend.all("objects")]
    listed = {
        (name, right)
        for name in objects
        for (right,) in floor.service.execute(
            "SELECT p.permission_name FROM sys.fn_my_permissions(%s, 'OBJECT') AS p WHERE p.subentity_name = ''",
            f"floor.{name}",
        )
    }
    assert {(name, right) for name, right in listed if right not in TO_LOOK} == {
        (name, right) for name, right in granted if right not in TO_LOOK
    }
    assert not [right for name, right in listed | granted if right == "ALTER"]


@pytest.mark.microsoft_engine
def test_the_role_has_no_right_on_the_schema_the_database_or_the_server(floor: Floor) -> None:
    for securable, kind in (("floor", "SCHEMA"), (None, "DATABASE")):
        rights = floor.service.execute(
            "SELECT p.permission_name FROM sys.fn_my_permissions(%s, %s) AS p", securable, kind
        )
        # Everybody may see that there are keys for encrypted columns.
        assert {right for (right,) in rights if not right.startswith("VIEW ANY COLUMN")} <= EVERYBODY, kind
    (found,) = floor.service.execute("SELECT IS_SRVROLEMEMBER('sysadmin'), IS_ROLEMEMBER('db_owner')")
    assert found == (0, 0)
