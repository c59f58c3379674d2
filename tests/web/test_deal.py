"""Dealing and undoing from the pages, in a browser without scripts; on each engine."""

from __future__ import annotations

import re
from datetime import date

from agent_funnel.agents import add_limit
from agent_funnel.runs import list_runs
from support.databases import TestedDatabase, seed_tables, snapshot
from support.nights import active_agents, deal_today, put_agents
from support.pages import BROWSER, Page, Reader, reader_in_the_morning, reader_of
from support.processes import run_in_progress


def test_the_preview_changes_nothing_and_its_button_deals_once(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database)
    before = snapshot(database)
    preview = reader.get("/run-now/preview")
    assert "3 agents get 7 leads, 2 or 3 each. 7 are new on a list." in preview
    assert "Deal 7 leads to 3 agents" in preview.text
    assert "after the last deal" not in preview.text
    assert snapshot(database) == before
    fields = preview.forms["/deal"]
    page = reader.done("/deal", **fields)
    assert "Dealt: 7 of 7 leads to 3 agents." in page.text
    assert len(list_runs(database.backend)) == 1
    # Sent again, by a second click or by going back, it shows the same run.
    again = reader.send("/deal", **fields)
    assert (again.status_code, again.location) == (303, f"/runs/{list_runs(database.backend)[0].run_id}")
    assert len(list_runs(database.backend)) == 1
    # Only the next page shows this message.
    assert "Dealt: 7 of 7" not in reader.get("/runs").text
    # The next preview warns a viewer, too, who cannot deal.
    warned = reader_of(database, "viewer").get("/run-now/preview")
    assert re.search(r"\d+ s after the last deal: agents who have already started", warned.text)


def test_just_after_a_deal_the_button_deals_only_with_the_box_ticked(database: TestedDatabase) -> None:
    seed_tables(database)
    # No scheduled deal waits to be made by this button.
    reader = reader_in_the_morning(database)
    assert "probably a mistake" not in reader.get("/run-now/preview")
    run = deal_today(database)
    page = reader.get("/run-now/preview")
    assert f"This deal is probably a mistake. Deal {run.run_id} of " in page
    assert '<input form="deal" type="checkbox" name="again" value="1" required>' in page.source
    # It is one warning, not three of the same.
    assert "after the last deal" not in page
    assert "5 leads count a second call that day." not in page
    before = snapshot(database)
    refused = reader.refused(409, "/deal", **page.forms["/deal"])
    assert "confirm it in the box below" in refused
    assert snapshot(database) == before
    done = reader.done("/deal", **refused.forms["/deal"], again="1")
    assert "5 leads count a second call that day. An undo takes that back." in done


def test_a_button_below_an_old_preview_deals_nothing(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database)
    fields = reader.get("/run-now/preview").forms["/deal"]
    deal_today(database)
    before = snapshot(database)
    answer = reader.send("/deal", **fields)
    assert answer.status_code == 409
    assert "came since this preview. Nothing was changed" in answer.text
    assert snapshot(database) == before
    # The refusal comes with a new preview.
    assert reader.done("/deal", **Page(answer.text).forms["/deal"], again="1")


def test_without_agents_or_during_a_run_the_page_says_so(database: TestedDatabase, reader: Reader) -> None:
    nobody = "A deal is not possible now Nobody can get leads tonight: "
    page = reader.get("/run-now/preview")
    assert f"{nobody}no agent is active." in page.text
    assert "Go on with the first steps" in page
    put_agents(database, active_agents("Ana", "Bia"))
    for agent in ("Ana", "Bia"):
        add_limit(database.backend, agent, starts_on=date(2020, 1, 1), ends_on=None, max_records=0)
    assert f"{nobody}all 2 active agents are away." in reader.get("/run-now/preview").text
    database.execute("DELETE FROM dbo.assignment_limit")
    seed_tables(database)
    fields = reader.get("/run-now/preview").forms["/deal"]
    with run_in_progress(database):
        assert "A deal is running." in reader.get("/").text
        answer = reader.send("/deal", **fields)
        assert answer.status_code == 409
        shown = Page(answer.text)
        assert "in progress" in shown.text
        # Nothing offers what would be refused.
        assert ("A deal is running now." in shown, "Look again" in shown) == (True, True)
        assert "/deal" not in shown.forms
        assert "Deal 7 leads" not in shown
    assert "A deal is running." not in reader.get("/").text
    assert list_runs(database.backend) == []


def test_undo_first_says_what_it_does_and_then_takes_back_only_that_run(
    database: TestedDatabase, reader: Reader
) -> None:
    seed_tables(database)
    before = snapshot(database)["wafunnel"]
    first, second = (deal_today(database) for _ in range(2))
    assert "Only the last deal can be undone" in reader.get(f"/runs/{first.run_id}/undo").text
    refused = reader.send(f"/runs/{first.run_id}/undo")
    assert refused.status_code == 409
    assert "That was not done." in refused.text
    page = reader.get(f"/runs/{second.run_id}/undo")
    assert f"Undo deal {second.run_id}: take {second.assigned} leads back" in page.text
    done = reader.done(f"/runs/{second.run_id}/undo")
    assert f"Deal {second.run_id} is undone: {second.assigned} leads count one call less." in done.text
    assert reader.send(f"/runs/{second.run_id}/undo").status_code == 409
    # Before the first deal nobody had leads, so there is nothing to say of them.
    done = reader.done(f"/runs/{first.run_id}/undo")
    assert f"Deal {first.run_id} is undone:" in done
    assert "from before it" not in done
    assert snapshot(database)["wafunnel"] == before
    assert "There is no deal 99" in reader.get("/runs/99999/undo", 404).text


def test_a_viewer_sees_no_form_and_is_refused(database: TestedDatabase) -> None:
    seed_tables(database)
    run = deal_today(database)
    viewer = reader_of(database, "viewer")
    before = snapshot(database)
    for path in ("/", "/run-now", "/run-now/preview", "/runs", f"/runs/{run.run_id}"):
        page = viewer.get(path)
        assert set(page.forms) <= {"/run-now/preview", "/search", "/language"}
        assert not any(link.startswith(("/settings", "/audit", "/keys")) for link in page.links)
    viewer.get(f"/runs/{run.run_id}/undo", 403)
    for path in ("/deal", f"/runs/{run.run_id}/undo", "/pause", "/resume"):
        answer = viewer.send(path)
        assert answer.status_code == 403
        assert "this needs an operator" in answer.text
    assert snapshot(database) == before
    nobody = Reader(viewer.client)
    answer = nobody.client.get("/", headers=BROWSER)
    assert (answer.status_code, answer.location) == (302, "/sign-in")
    assert nobody.send("/deal").status_code == 401
