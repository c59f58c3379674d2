"""An agent's own list on a phone whose connection comes and goes, with two tabs, and a deal while it is open."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from agent_funnel.access.links import make_link
from agent_funnel.agents import rename_agent
from agent_funnel.do_not_contact import add_do_not_contact
from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase
from support.outcomes import deal_again, put_floor
from support.own_list import NUMBERS, kept, row_of, says

# Pages are the same on both engines.
ONE_ENGINE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def dashboard_settings() -> dict[str, Any]:
    """The next deal is in ten minutes."""
    return {"run_at": f"{datetime.now(UTC) + timedelta(minutes=10):%H:%M}", "message_first": "{greeting}, {agent} here"}


@ONE_ENGINE
def test_taps_are_kept_on_the_phone_and_sent_once(dashboard: Dashboard, database: TestedDatabase) -> None:
    put_floor(database, *NUMBERS, agents=("Al",))
    path = f"/mine/{make_link(database.backend, 'Al')[1]}"
    page = dashboard.page(path, role=None, viewport=(360, 740), has_touch=True, is_mobile=True, color_scheme="dark")
    # Somebody else's report on the same phone stays there.
    others = 'agent-funnel  "Al B" 1'
    page.evaluate("key => localStorage.setItem(key, '{}')", others)
    other = page.context.new_page()
    other.goto(path)
    page.bring_to_front()
    says(page, 6, 0)
    expect(page.get_by_text("Your list changes at")).to_be_visible()
    # A double tap counts once, although the next row comes under the finger.
    row_of(page, NUMBERS[0]).get_by_role("button", name="Talked").dblclick()
    for tab in (page, other):
        says(tab, 5, 1)
    page.context.set_offline(True)
    row_of(page, NUMBERS[1]).get_by_role("button", name="Won").click()
    page.get_by_role("button", name="Undo").click()
    says(page, 5, 1)
    row = row_of(page, NUMBERS[1])
    row.get_by_text("More").click()
    shoot(page, "own-list-more")
    axe(page)
    row.get_by_label("Note").fill("after six")
    row.get_by_label("Note").press("Enter")
    row.get_by_label("I call back myself").check()
    row.get_by_role("button", name="In a week").click()
    says(other, 4, 2)
    other.bring_to_front()
    row_of(other, NUMBERS[2]).get_by_role("button", name="No answer").click()
    for tab in (page, other):
        expect(tab.get_by_text("2 reports wait on this phone until there is a connection.")).to_be_visible()
    page.bring_to_front()
    row_of(page, NUMBERS[0]).get_by_role("button", name="Take back").click()
    says(other, 4, 2)
    assert kept(database) == [("1", "talked")]
    fits(page, 360)
    axe(page)
    shoot(page, "own-list-offline")
    page.context.set_offline(False)
    for tab in (page, other):
        expect(tab.locator("#waiting")).to_be_empty()
    # The service got the report, but the phone did not get the answer: it is sent again, and counts once.
    page.route("**/outcomes", lambda route: (route.fetch(), route.abort())[0], times=1)
    dashboard.watch.expect("ERR_FAILED")
    row_of(page, NUMBERS[3]).get_by_role("button", name="Won").click()
    expect(page.get_by_text("One report waits on this phone until the service answers.")).to_be_visible()
    # And this time, a deal is running for too long.
    busy = {"items": [{"report": None, "outcome": None, "refusal": "Another run is in progress.", "code": 50001}]}
    page.route("**/outcomes", lambda route: route.fulfill(json=busy), times=1)
    # An earlier version kept it by the name of the agent.
    page.evaluate(f"""for (const key of Object.keys(localStorage)) {{
      if (!key.startsWith('agent-funnel ') || key === '{others}') continue;
      localStorage.setItem('agent-funnel  "Al" ' + key.split(' ').at(-1), localStorage.getItem(key));
      localStorage.removeItem(key);
    }}""")
    page.reload()
    says(page, 3, 3)
    expect(page.get_by_text("One report waits on this phone until the service answers.")).to_be_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#waiting")).to_be_empty()
    other.close()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('agent-funnel '))") == [others]
    assert kept(database) == [("1", "talked taken back"), ("2", "call_back"), ("3", "no_answer"), ("4", "won")]
    assert database.execute("SELECT same_agent, note FROM dbo.assignment_outcome WHERE outcome = 'call_back'") == [
        (1, "after six")
    ]


@ONE_ENGINE
def test_an_open_list_says_when_a_deal_has_replaced_it(dashboard: Dashboard, database: TestedDatabase) -> None:
    put_floor(database, *NUMBERS, agents=("Al",))
    path = f"/mine/{make_link(database.backend, 'Al')[1]}"
    page = dashboard.context(viewport=(360, 740), has_touch=True, is_mobile=True).new_page()
    page.clock.install()
    with page.expect_response("**/state"):
        page.goto(path)
    page.context.set_offline(True)
    row_of(page, NUMBERS[0]).get_by_role("button", name="Talked").click()
    says(page, 5, 1)
    deal_again(database)
    page.clock.fast_forward(20_000)
    row_of(page, NUMBERS[1]).get_by_role("button", name="Won").click()
    page.context.set_offline(False)
    # What was tapped before the deal is kept for its own list. What was tapped later is refused, and said.
    expect(page.get_by_text("There is a new list: 6 leads. This one takes no more reports.")).to_be_visible()
    expect(row_of(page, NUMBERS[1])).to_contain_text("A newer deal has replaced deal")
    says(page, 5, 1)
    assert kept(database) == [("1", "talked")]
    axe(page)
    shoot(page, "own-list-replaced")
    page.get_by_role("link", name="Show it").click()
    says(page, 6, 0)
    # A person who asked somebody else not to be called leaves the list, and the page says so.
    add_do_not_contact(database.backend, NUMBERS[5])
    page.clock.run_for(30_000)
    expect(page.get_by_text("Some of these leads have been taken off your list.")).to_be_visible()
    # Nobody can call or report that person any longer; the others stay as they are.
    expect(row_of(page, NUMBERS[5])).to_have_js_property("inert", True)
    expect(row_of(page, NUMBERS[5])).to_have_class(re.compile("has-left"))
    expect(row_of(page, NUMBERS[4])).to_have_js_property("inert", False)
    shoot(page, "own-list-left")
    page.get_by_role("link", name="Show it").click()
    says(page, 5, 0)
    # The link was replaced meanwhile: what waits is sent by the new one.
    page.context.set_offline(True)
    row_of(page, NUMBERS[2]).get_by_role("button", name="Won").click()
    path = f"/mine/{make_link(database.backend, 'Al')[1]}"
    page.context.set_offline(False)
    dashboard.watch.expect("404")
    expect(page.get_by_text("One report waits on this phone until you have a link that works.")).to_be_visible()
    expect(page.get_by_text("Ask your team lead for a new one.")).to_be_visible()
    page.goto(path)
    says(page, 4, 1)
    # The agent gets another name while a report waits.
    page.route("**/outcomes", lambda route: route.abort())
    dashboard.watch.expect("ERR_FAILED")
    row_of(page, NUMBERS[3]).get_by_role("button", name="Won").click()
    expect(page.get_by_text("One report waits on this phone until the service answers.")).to_be_visible()
    rename_agent(database.backend, "Al", "Ana")
    page.clock.run_for(30_000)
    expect(page.get_by_text("Your name here is now Ana.")).to_be_visible()
    page.unroute("**/outcomes")
    page.get_by_role("link", name="Show it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana 3 to call · 2 done")
    # Nothing happens on the page, and it still knows within thirty seconds.
    deal_again(database)
    expect(page.get_by_text("There is a new list")).to_have_count(0)
    page.clock.run_for(30_000)
    expect(page.get_by_text("There is a new list")).to_be_visible()
    expect(page.locator("#lists")).to_have_js_property("inert", True)
