"""The other work of operators and admins in a browser: files, numbers, absences, keys, personal links."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import FilePayload, Page, expect

from agent_funnel.access.keys import holder_of_key
from agent_funnel.access.links import revoke_link
from agent_funnel.agents import list_limits
from agent_funnel.deal import deal
from agent_funnel.settings import load
from support.dashboard import Dashboard, axe
from support.databases import TestedDatabase, seed_tables

ONE_ENGINE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def csv_file(*rows: str) -> FilePayload:
    return {"name": "leads.csv", "mimeType": "text/csv", "buffer": "\n".join(("number,stage,date", *rows)).encode()}


def go(page: Page, name: str) -> None:
    link = page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True)
    # The lesser pages are in a menu.
    if not link.is_visible():
        page.get_by_role("navigation", name="Pages").get_by_text("More", exact=True).click()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


# Only the long version runs this on the T-SQL engine, too; the main path, in test_deal.py, always runs on both.
@pytest.mark.sqlserver_if_long
def test_an_operator_imports_searches_opts_out_and_sends_somebody_on_holiday(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    today = datetime.now(UTC).date()
    good = [f"+4930000000{index},1,{today}" for index in range(6)]
    page = dashboard.page(role="operator")
    for name in ("Ana", "Bruno", "Carla"):
        go(page, "Agents")
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text(name)

    # For a file with a bad row, the page shows that row and nothing is imported.
    dashboard.watch.expect("422")
    go(page, "Leads")
    page.get_by_role("link", name="Import leads").first.click()
    page.get_by_label(re.compile("CSV file")).set_input_files(csv_file(*good, "12x,1,2026-01-01"))
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="Checked: nothing was imported yet")).to_be_visible()
    expect(page.get_by_role("group", name="Bad rows").get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("group", name="The first rows of the file").get_by_role("row")).to_have_count(8)
    axe(page)
    # That file is imported, without choosing it again.
    page.get_by_role("button", name="Import this file").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was imported")
    assert database.execute("SELECT COUNT(*) FROM dbo.wafunnel") == [(0,)]
    page.get_by_label(re.compile("Leave bad rows out")).check()
    page.get_by_role("button", name="Import this file").click()
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    assert database.execute("SELECT COUNT(*) FROM dbo.wafunnel") == [(6,)]

    # An agent who is away gets no leads.
    go(page, "Agents")
    page.get_by_role("link", name="Carla").click()
    page.get_by_label(re.compile("Until")).fill(str(today + timedelta(days=1)))
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Carla")
    expect(page.locator("table.calendar td.today")).to_contain_text("away")
    run = deal(database.backend, load(), business_date=today)
    assert (run.agents, run.assigned) == (2, 6)

    # A number is found in another spelling; one click removes it from the present deal.
    go(page, "Leads")
    page.get_by_label("Number", exact=True).fill("0049 30 / 000-0003")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="+49 30 0000003").click()
    expect(page.get_by_role("heading", name="+49 30 0000003")).to_be_visible()
    page.get_by_role("button", name="Do not contact").click()
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.get_by_text("On the list").first).to_be_visible()
    left = database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")
    assert len(left) == 5
    assert ("+49300000003",) not in left

    # Back from holiday.
    page.goto("/agents/of?agent=Carla")
    page.get_by_role("button", name=re.compile("Remove")).first.click()
    expect(page.get_by_text("No absences or limits.")).to_be_visible()
    assert list_limits(database.backend) == []
    go(page, "Agents")
    page.get_by_role("button", name="Deactivate Carla").click()
    expect(page.get_by_role("button", name="Activate Carla", exact=True)).to_be_visible()


@ONE_ENGINE
def test_a_link_opens_the_agents_own_list_and_nothing_else(dashboard: Dashboard, database: TestedDatabase) -> None:
    seed_tables(database, leads=9)
    deal(database.backend, load(), business_date=date(2026, 11, 24))
    office = dashboard.page("/agents/of?agent=agent%201", role="operator")
    office.get_by_role("button", name="Make a personal link").click()
    address = office.locator("code, output, a").filter(has_text="/mine/").first.inner_text().strip()
    assert address.startswith(f"{dashboard.address}/mine/")
    page = dashboard.page("/sign-in", role=None, viewport=(360, 800), has_touch=True)
    page.goto(address)
    mine = {number for (number,) in database.execute(
        "SELECT number FROM dbo.agent_wafunnel_assignment WHERE agent = 'agent 1'"
    )}  # fmt: skip
    assert len(mine) == 3
    assert {link.get_attribute("href") for link in page.locator("a.tel").all()} == {f"tel:{each}" for each in mine}
    whatsapp = page.locator("a[href^='https://wa.me/']")
    chats = [str(link.get_attribute("href")).split("?text=") for link in whatsapp.all()]
    assert {chat for chat, _ in chats} == {f"https://wa.me/{each[1:]}" for each in mine}
    for link in [*page.locator("a.tel").all(), *whatsapp.all()]:
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    with page.expect_download() as download:
        page.get_by_text("Download CSV").click()
    with download.value.path().open(encoding="utf-8", newline="") as file:
        assert {row["number"] for row in csv.DictReader(file)} == mine
    assert page.get_by_role("navigation", name="Pages").count() == 0
    page.goto("/agents")
    expect(page).to_have_url(re.compile("/sign-in$"))
    # The sign-in takes the secret of the link, too; a revoked link opens nothing.
    page.get_by_label("key").fill(address.rsplit("/", 1)[1])
    page.get_by_role("main").get_by_role("button").click()
    expect(page).to_have_url(address)
    revoke_link(database.backend, "agent 1")
    dashboard.watch.expect("404")
    page.reload()
    expect(page.locator("a.tel")).to_have_count(0)
    expect(page.get_by_role("main")).to_contain_text("link")


@ONE_ENGINE
def test_an_admin_makes_a_key_sees_it_once_and_revokes_it(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = dashboard.page("/keys", role="admin")
    page.get_by_label("Name of the holder").fill("Vera")
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#secret").inner_text()
    holder = holder_of_key(database.backend, secret).holder
    assert holder is not None
    assert (holder.name, holder.role) == ("Vera", "viewer")
    go(page, "Keys")
    expect(page.get_by_role("main")).not_to_contain_text(secret)
    page.get_by_text("Revoke Vera …").click()
    page.get_by_role("button", name="Revoke the key of Vera").click()
    expect(page.get_by_role("status")).to_contain_text("is revoked")
    assert holder_of_key(database.backend, secret).holder is None
    go(page, "Audit")
    expect(page.get_by_role("table")).to_contain_text("Vera")
