"""An agent hands the rest of a list back on a phone, where the script of the list is at work, too."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from agent_funnel.access.links import make_link
from agent_funnel.hand_backs import handed_back_by_agent
from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase
from support.outcomes import hand_back, put_floor, standing


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_rest_of_a_list_goes_back_and_comes_back(dashboard: Dashboard, database: TestedDatabase) -> None:
    put_floor(database, agents=("Al",))
    path = f"/mine/{make_link(database.backend, 'Al')[1]}"
    page = dashboard.page(path, role=None, viewport=(360, 740), has_touch=True, is_mobile=True)
    with page.expect_response("**/outcomes"):
        page.get_by_role("button", name="No answer").first.click()
    # Those that are put off, which only the phone knows, go back, too.
    going_home = page.get_by_role("link", name="Going home?")
    page.locator("summary:visible").first.click()
    page.get_by_role("button", name="Later, on this list").click()
    expect(page.locator("#later-ones li")).to_have_count(1)
    going_home.click()
    expect(page.get_by_role("main")).to_contain_text(
        "You have put 1 lead off to later on your list; it goes back, too."
    )
    page.get_by_role("link", name="Cancel").click()
    # Those of a list that was replaced are not on the new one.
    page.evaluate("lists.inert = true")
    going_home.click()
    expect(page.get_by_role("main")).not_to_contain_text("off to later")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Back to the list").click()
    going_home.click()
    expect(page.get_by_role("main")).not_to_contain_text("off to later")
    expect(page.get_by_role("main")).to_contain_text("You have 2 leads without an outcome")
    fits(page, 360)
    axe(page)
    page.get_by_role("button", name="Hand back 2 leads").click()
    expect(page.get_by_text("You handed back 2 leads")).to_be_visible()
    assert [outcome for _, outcome in standing(database)] == ["no_answer", "not_worked", "not_worked"]
    # It is at the top, and the list does not say that the agent has done everything.
    said = page.get_by_text("You handed back the 2 leads that were left.")
    expect(said).to_be_in_viewport()
    expect(page.get_by_text("Every lead of this list is done.")).to_have_count(0)
    fits(page, 360)
    axe(page)
    shoot(page, "own-list-handed-back")
    page.get_by_role("button", name="Bring them back").click()
    expect(page.get_by_text("2 of 2 leads are back on the list.")).to_be_visible()
    expect(said).to_have_count(0)
    assert [outcome for _, outcome in standing(database)] == ["no_answer"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_tonight_leads_to_where_a_hand_back_is_undone(dashboard: Dashboard, database: TestedDatabase) -> None:
    run_id = put_floor(database)
    hand_back(database, "Al")
    page = dashboard.page("/", role="operator", viewport=(360, 800))
    expect(page.get_by_text("Since then, Al handed back 2 leads today at")).to_be_visible()
    shoot(page, "handed-back")
    hand_back(database, "Bo")
    page.reload()
    page.get_by_text("Since then, 2 agents handed back 3 leads").click()
    fits(page, 360)
    axe(page)
    shoot(page, "handed-back-by-two")
    page.get_by_role("link", name="Bo", exact=True).last.click()
    page.get_by_role("button", name="Undo this hand-back").click()
    expect(page.get_by_text("The lead is back on the list.")).to_be_visible()
    assert [each.agent for each in handed_back_by_agent(database.backend, run_id)] == ["Al"]
