"""The service on tables of another version: it refuses every request that asks the database, and says why."""

from __future__ import annotations

import pytest
from werkzeug.routing import Rule

from agent_funnel.settings import load
from agent_funnel.sql import version
from agent_funnel.web import create_app, routing
from support.databases import TestedDatabase, seed_tables, snapshot
from support.versions import recorded_versions


def address_of(rule: Rule) -> str:
    """An address that this rule matches."""
    values = {"kind": "leads"}
    with_values = {name: 1 if name.endswith("_id") else values.get(name, "2026-11-23") for name in rule.arguments}
    return str(rule.build(with_values, append_unknown=False)[1])  # type: ignore[index]


@pytest.mark.sqlserver_if_long
def test_every_request_that_needs_a_role_is_refused_and_changes_nothing(database: TestedDatabase) -> None:
    seed_tables(database)
    app = create_app(load(), database.backend)
    newer = version(database.engine) + 1
    app.url_map.bind("localhost")
    before, tried = snapshot(database), set()
    with recorded_versions(database, newer):
        for rule in app.url_map.iter_rules():
            if routing.route_of(app.view_functions[rule.endpoint]).role == routing.PUBLIC:
                continue
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                answer = app.test_client().open(address_of(rule), method=method)
                assert answer.status_code == 503, (rule, answer.text)
                assert f"version {newer}" in answer.text, rule
                tried.add(rule.endpoint)
        assert {"runs.run_now", "deal.deal_now", "tonight.show", "api.imports.import_leads"} & tried
    assert snapshot(database) == before


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_the_refusal_says_what_to_do(database: TestedDatabase, accept: str) -> None:
    client = create_app(load(), database.backend).test_client()
    with recorded_versions(database, version(database.engine) - 1):
        answer = client.post("/run-now", headers={"Accept": accept})
        assert answer.status_code == 503
        words = "agent-funnel install" if accept == "application/json" else "must run the installation again"
        assert words in answer.text
        assert "agent-funnel install" in client.get("/readyz").json["problems"]["schema"]  # type: ignore[index]
