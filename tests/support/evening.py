"""A floor on which something of everything has happened, and the pages that show it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

from agent_funnel.access.links import make_link
from agent_funnel.agents import add_limit
from agent_funnel.deal import deal, undo
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.imports import import_file
from agent_funnel.outcomes import OutcomeReport, report_outcome
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables

AGENT = "agent 1"


def evening(database: TestedDatabase) -> dict[str, str]:
    """Makes a floor on which something of everything has happened; returns the addresses of its pages by name."""
    seed_tables(database, leads=60, agents=5)
    today = datetime.now(UTC).date()
    backend = database.backend
    add_limit(backend, AGENT, starts_on=today, ends_on=today + timedelta(days=2), max_records=5)
    add_limit(backend, "agent 2", starts_on=today + timedelta(days=1), ends_on=None, max_records=0)
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent = 'agent 4'")
    first = deal(backend, load(), business_date=today - timedelta(days=1), trigger="schedule")
    undone = deal(backend, load(), business_date=today, again=True)
    undo(backend, actor="http: the operator")
    last = deal(backend, load(), business_date=today, trigger="schedule")
    ((number,),) = database.execute("SELECT min(number) FROM dbo.assignment_history WHERE run_id = %s", last.run_id)
    asked = OutcomeReport(number, "call_back", call_back_on=today + timedelta(days=3), note="after six")
    report_outcome(backend, asked, actor="the operator", now=datetime.now(UTC), zone=ZoneInfo("UTC"))
    add_do_not_contact(backend, "+49300000007", "asked us")
    for back, outcome in {2: "missed", 3: "failed", 4: "holiday", 5: "paused"}.items():
        day = today - timedelta(days=back)
        database.execute(
            "INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at) VALUES (%s, %s, %s)",
            day.isoformat(), outcome, f"{day} 23:40:00",
        )  # fmt: skip
    imported = import_file(backend, "leads", BytesIO(b"number,date\n+49300000777,2026-11-20\n"), name="fair.csv")
    _, secret = make_link(backend, "agent 0", actor="the operator")
    return {
        "tonight": "/",
        "call-backs": "/call-backs",
        "results": "/results",
        "runway": "/runway",
        "deal": "/run-now",
        "preview": "/run-now/preview",
        "runs": "/runs",
        "run": f"/runs/{last.run_id}",
        "run-undone": f"/runs/{undone.run_id}",
        "undo": f"/runs/{last.run_id}/undo",
        "undo-refused": f"/runs/{first.run_id}/undo",
        "letter": f"/runs/{last.run_id}/letter",
        "night": f"/nights/{today}",
        "night-missed": f"/nights/{today - timedelta(days=2)}",
        "agents": "/agents",
        "agent": f"/agents/of?agent={AGENT}",
        "agent-list": f"/agents/list?agent={AGENT}",
        "calendar": "/calendar",
        "calendar-public": "/calendar/public?country=DE&region=BY&year=2027",
        "do-not-contact": "/do-not-contact?number=%2B49300000007",
        "links": "/agents/links",
        "hand-back": f"/agents/hand-back?agent={AGENT}",
        "leads": "/leads?number=%2B49%203000%200000",
        "leads-found": "/leads?number=0049%20300000%20007",
        "leads-stage": "/leads?stage=4",
        "lead": "/leads/of?number=%2B49300000007",
        "lead-to-call": "/leads/of?number=%2B49300000008",
        "import": "/leads/import",
        "import-limits": "/limits/import",
        "imports": "/imports",
        "import-record": f"/imports/{imported.import_id}",
        "import-undo": f"/imports/{imported.import_id}/undo",
        "notices": "/notices",
        "start": "/start",
        "settings": "/settings",
        "audit": "/audit",
        "keys": "/keys",
        "mine": f"/mine/{secret}",
    }
