"""The first steps: what ticks each of them, names that are pasted, and the sample file."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pytest

from agent_funnel.agents import roster
from agent_funnel.deal import deal
from agent_funnel.import_records import list_imports
from agent_funnel.imports import import_file
from agent_funnel.rules import record_rules
from agent_funnel.schedule.store import pause
from agent_funnel.settings import load
from support.databases import TestedDatabase
from support.pages import Reader, key_of, reader_in_the_morning, reader_of

pytestmark = pytest.mark.sqlserver_if_long

NOW = datetime.now(UTC)


def states(reader: Reader) -> dict[str, bool]:
    """Which steps are done."""
    page = reader.get("/start")
    found = {}
    for title in ("Agents", "Leads", "Rules", "Schedule", "Notices", "Keys"):
        assert f"{title} : done" in page or f"{title} : to do" in page
        found[title] = f"{title} : done" in page
    return found


def test_each_step_ticks_itself(database: TestedDatabase) -> None:
    assert states(reader_of(database)) == dict.fromkeys(
        ("Agents", "Leads", "Rules", "Schedule", "Notices", "Keys"), False
    )
    backend = database.backend
    reader = reader_of(database, timezone="Europe/Berlin", notify_urls="json://127.0.0.1:9/hook")
    assert states(reader)["Schedule"]
    assert states(reader)["Notices"]
    # A rule of this program alone is not recorded in the database, which the settings page warns of.
    only_here = reader_of(database, country="BR").get("/start")
    assert "Rules : to do Only the settings of this program choose some; none is recorded in the database." in only_here
    assert "Added 2 agents; they get leads from the next deal on." in reader.done(
        "/start/agents", names="Ana\n\n Bruno "
    )
    sample = reader.client.get("/start/sample.csv", headers=reader.headers)
    assert "attachment" in sample.headers["Content-Disposition"]
    assert import_file(backend, "leads", BytesIO(sample.data)).added == 10
    record_rules(backend, {"country": "DE"}, actor="Sonia")
    reader = Reader(reader.client, key_of(database, "admin"))
    done = reader.get("/start")
    assert "6 of 6 done." in done
    # The count of before is kept for some seconds; the step is done at once.
    assert "There are some." in done
    assert "Chosen, with the country DE for numbers without one." in done
    pause(backend, now=NOW, actor="Sonia", reason=None)
    assert not states(reader)["Schedule"]


def test_tonight_shows_the_steps_until_the_first_deal(database: TestedDatabase) -> None:
    reader = reader_in_the_morning(database)
    page = reader.get("/")
    # The first start gives no alarm.
    assert '<section class="headline due">' in page.source
    assert "0 of 6 steps to the first deal are done. A deal needs agents and leads. The next deal is due to" in page
    assert "will fail" not in page
    assert page.source.count("Go on with the first steps") == 1
    assert "The last 14 nights" not in page
    reader.done("/start/agents", names="Ana")
    import_file(database.backend, "leads", BytesIO(b"number,stage,date\n+12025550101,1,2026-11-01\n"))
    page = reader.get("/")
    assert "There was no deal yet 2 of 6 steps to the first one are done." in page
    assert "steps to the first deal" not in page
    deal(database.backend, load(), business_date=NOW.date())
    page = reader.get("/")
    assert "steps to the first one" not in page
    assert "The last 14 nights" in page
    assert "Deals are being made." in reader.get("/start")


def test_pasted_names_are_all_added_or_none(database: TestedDatabase) -> None:
    reader = reader_of(database)
    for names, words in (
        (" \n\n", "There are 0 names; 1 to 1,000 are possible at once"),
        ("\n".join(f"agent {number}" for number in range(1001)), "There are 1,001 names"),
        ("Ana\nBruno\x07\nCarla", "Nothing was changed."),
        (f"Ana\n{'x' * 300}", "Nothing was changed."),
    ):
        refused = reader.refused(422, "/start/agents", names=names)
        assert words in refused
        assert roster(database.backend, NOW.date()) == []
    # Commas, quotation marks and formulas are only characters of a name.
    odd = ['O"Neill, Ana', "'Zé", "=1+1", "name"]
    assert "Added 4 agents" in reader.done("/start/agents", names="\r\n".join(odd))
    assert sorted(each.agent for each in roster(database.backend, NOW.date())) == sorted(odd)
    assert "1 was there already" in reader.done("/start/agents", names='Diego\nO"Neill, Ana')
    assert list_imports(database.backend, count=1)[0].file_name == "pasted names"


def test_viewers_see_the_steps_without_forms(database: TestedDatabase) -> None:
    viewer = reader_of(database, "viewer")
    assert "/start/agents" not in viewer.get("/start").forms
    assert viewer.send("/start/agents", names="Ana").status_code == 403
