"""The letters as pages: of a deal, of a missed night, and of what has none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_funnel.agents import add_limit, remove_limit
from agent_funnel.deal import deal
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables
from support.pages import reader_of

pytestmark = pytest.mark.sqlserver_if_long

TODAY = datetime.now(UTC).date()


def test_viewers_read_the_letter_of_a_deal_without_numbers(database: TestedDatabase) -> None:
    seed_tables(database, leads=7, agents=2)
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 1'", "Ana <b> +49 30 1234567")
    add_limit(database.backend, "Ana <b> +49 30 1234567", starts_on=TODAY, ends_on=None, max_records=2)
    run = deal(database.backend, load(), business_date=TODAY)
    viewer = reader_of(database, "viewer", notify_on="failed")
    assert f"/runs/{run.run_id}/letter" in viewer.get(f"/runs/{run.run_id}").links
    page = viewer.get(f"/runs/{run.run_id}/letter")
    assert ": 7 leads to 2 agents Dealt 7 leads of 7 that were ready went to 2 agents, by hand." in page
    assert "Full at a limit of their own: Ana <b> …567 (2)." in page
    assert "Next The next deal is due on" in page
    assert "Letters are turned off in the notices" in page
    assert not [text for text in ("1234567", "300000", "<b>") if text in page.source]


def test_a_missed_night_has_a_letter_and_other_nights_lead_to_their_own_page(database: TestedDatabase) -> None:
    seed_tables(database)
    missed, holiday = TODAY - timedelta(days=2), TODAY - timedelta(days=3)
    for day, outcome in ((missed, "missed"), (holiday, "holiday")):
        database.execute(
            "INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at) VALUES (%s, %s, %s)",
            day.isoformat(), outcome, f"{day} 23:40:00",
        )  # fmt: skip
    reader = reader_of(database)
    assert f"/nights/{missed}/letter" in reader.get(f"/nights/{missed}").links
    # Its page has the remedy that Tonight has, but no link to itself.
    page = reader.get(f"/nights/{missed}")
    assert "Preview and deal now" in page
    assert f"/nights/{missed}" not in page.links
    page = reader.get(f"/nights/{missed}/letter")
    assert "was missed What happened The service or its database was down while the deal was due." in page
    assert "To deal now, open the dashboard and press Deal now" in page
    # While a deal would be refused, it says what to do first.
    absences = [
        add_limit(database.backend, f"agent {each}", starts_on=TODAY, ends_on=None, max_records=0) for each in range(3)
    ]
    page = reader.get(f"/nights/{missed}/letter")
    assert "All active agents are away, so a deal would be refused." in page
    assert "To deal now" not in page
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    page = reader.get(f"/nights/{missed}/letter")
    assert "No agent is active, so a deal would be refused. Open the dashboard, press Activate agents there" in page
    assert "To deal now" not in page
    database.execute("UPDATE dbo.agents SET status = 'active'")
    for absence in absences:
        remove_limit(database.backend, absence.limit_id)
    done = deal(database.backend, load(), business_date=TODAY, trigger="schedule")
    # Afterwards it says who made up for it, and asks for nothing.
    page = reader.get(f"/nights/{missed}/letter")
    assert f"Since then, deal {done.run_id} was made on" in page
    assert "To deal now" not in page
    assert "Preview and deal now" not in reader.get(f"/nights/{missed}")
    for day, place in (
        (holiday, f"/nights/{holiday}"),
        (TODAY + timedelta(days=9), f"/nights/{TODAY + timedelta(days=9)}"),
        (TODAY, f"/runs/{done.run_id}/letter"),
    ):
        answer = reader.client.get(f"/nights/{day}/letter", headers=reader.headers)
        assert (answer.status_code, answer.location) == (302, place)
    reader.get("/nights/tomorrow/letter", 404)
    reader.get("/runs/99999/letter", 404)
