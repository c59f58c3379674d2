"""Hand-backs by plain forms on an agent's own list and on the operators' pages, and by the API."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from agent_funnel.access.audit import list_entries
from agent_funnel.access.links import make_link
from agent_funnel.hand_backs import undo_hand_back
from agent_funnel.web.outcomes import REPORTS_AT_ONCE
from support.databases import TestedDatabase
from support.nights import stages
from support.outcomes import ANAS, BRUNOS, CARLOS, DORAS, deal_again, hand_back, now, put_floor, standing, tell
from support.pages import BROWSER, Reader, bearer, client_of, key_of

# tests/backend runs the procedure on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long


@pytest.fixture
def phone(database: TestedDatabase) -> tuple[Reader, str]:
    """The phone of Al, who has two of three leads and has reported one, and the address of the own list."""
    put_floor(database)
    tell(database, BRUNOS, "talked")
    key_of(database, "admin")
    return Reader(client_of(database)), f"/mine/{make_link(database.backend, 'Al')[1]}"


def test_an_agent_hands_the_rest_back_after_a_question_and_takes_it_back(
    phone: tuple[Reader, str], database: TestedDatabase
) -> None:
    reader, path = phone
    assert f"{path}/hand-back" in reader.get(path).links
    answer = reader.client.get(f"{path}/hand-back", headers=BROWSER)
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    page = reader.get(f"{path}/hand-back")
    assert "You have 1 lead without an outcome" in page
    fields = page.forms[f"{path}/hand-back"]
    said = reader.done(f"{path}/hand-back", **fields)
    assert "You handed back 1 lead; the next deal deals it again." in said
    assert stages(database) == {BRUNOS: 2, ANAS: 2, CARLOS: 1}
    assert "nothing was handed back" in reader.refused(422, f"{path}/hand-back", **fields)
    assert "There is nothing to hand back" in reader.get(f"{path}/hand-back")
    undo = f"{path}/hand-back/undo"
    assert "You handed back the 1 lead that was left." in said
    assert "Bring it back" in said
    assert "The lead is back on the list." in reader.done(undo, **said.forms[undo])
    hand_back(database, "Al")
    by_another = reader.get(path)
    assert "1 lead was handed back" in by_another
    assert "You handed back" not in by_another
    assert "The lead is back on the list." in reader.done(undo, **by_another.forms[undo])
    assert standing(database) == [(BRUNOS, "talked")]
    deal_again(database)
    # The question was about the list before the deal.
    assert "not of deal" in reader.refused(422, f"{path}/hand-back", **fields)
    entries = [(entry.actor, entry.operation) for entry in list_entries(database.backend, count=9)]
    assert ("link: Al", "POST /mine/<secret>/hand-back/undo") in entries


def test_a_link_hands_back_its_own_list_only_and_nothing_once_the_agent_is_inactive(
    phone: tuple[Reader, str], database: TestedDatabase
) -> None:
    reader, path = phone
    of_al = reader.get(f"{path}/hand-back").forms[f"{path}/hand-back"]
    reader.done(f"{path}/hand-back", **of_al)
    of_bo = f"/mine/{make_link(database.backend, 'Bo')[1]}"
    assert "There is no hand-back" in reader.refused(422, f"{of_bo}/hand-back/undo", hand_back_id="1")
    with ExitStack() as stack:
        for _ in range(REPORTS_AT_ONCE):
            stack.enter_context(reader.client.application.extensions["agent_funnel"].reports.take(1))
        busy = reader.send(f"{of_bo}/hand-back", **of_al)
        assert busy.status_code == 409
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent = 'Bo'")
    assert reader.send(f"{of_bo}/hand-back", **of_al).status_code == 404
    assert stages(database)[ANAS] == 2


def test_operators_hand_back_for_any_agent_and_the_record_says_who_and_when(
    phone: tuple[Reader, str], database: TestedDatabase
) -> None:
    reader = Reader(client_of(database), key_of(database, "operator", "Olga"))
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent = 'Al'")
    assert "Hand back 1 lead without an outcome" in reader.get("/agents/of", agent="Al")
    fields = reader.get("/agents/hand-back", agent="Al").forms["/agents/hand-back"]
    said = reader.done("/agents/hand-back", **fields)
    assert "Al handed back 1 lead; the next deal deals it again." in said
    assert "1 lead was handed back" in said
    assert "Al handed back 1 lead" in reader.get(f"/runs/{fields['run_id']}")
    done = reader.done("/agents/hand-back/undo", **said.forms["/agents/hand-back/undo"])
    assert "The lead is back on the list." in done
    assert "by Olga; undone" in reader.get(f"/runs/{fields['run_id']}")


def test_tonight_says_what_was_handed_back_since_the_deal(database: TestedDatabase) -> None:
    run_id = put_floor(database, BRUNOS, ANAS, CARLOS, DORAS)
    reader = Reader(client_of(database), key_of(database, "operator", "Olga"))
    viewer = Reader(client_of(database), key_of(database, "viewer"))
    assert "handed back" not in reader.get("/")
    hand_back(database, "Al")
    said = "Since then, Al handed back 2 leads today at "
    assert said in reader.get("/")
    assert "; they wait for the next deal. Undo it" in reader.get("/")
    assert "/agents/of?agent=Al" in reader.get("/", partial="1").links
    assert said in viewer.get("/")
    assert "Undo it" not in viewer.get("/")
    hand_back(database, "Bo")
    both = reader.get("/")
    assert "Since then, 2 agents handed back 4 leads, the last of them today at " in both
    assert "Bo : 2 leads, " in both
    assert "/agents/of?agent=Bo" in both.links
    database.insert(
        "assignment_hand_back", ("run_id", "agent", "handed_back_at", "leads", "put_back"),
        [(run_id, f"agent {n}", now(), 1, 1) for n in range(20)],
    )  # fmt: skip
    many = reader.get("/")
    assert "Since then, 22 agents handed back 24 leads, the last of them today at " in many
    assert "and 2 more" in many
    assert "agent 0 : 1 lead, " in many
    assert "Bo : 2 leads, " not in many
    database.execute("DELETE FROM dbo.assignment_hand_back WHERE leads = 1")
    # Undone, the leads are on the list again; and dealt again, nothing waits.
    undo_hand_back(database.backend, actor="Olga", now=now(), agent="Al")
    assert "Since then, Bo handed back 2 leads today at " in reader.get("/")
    deal_again(database)
    assert "handed back" not in reader.get("/")


def test_the_api_hands_back_lists_and_undoes(phone: tuple[Reader, str], database: TestedDatabase) -> None:
    client, key = client_of(database), bearer(key_of(database, "operator"))
    done = client.post("/api/hand-backs", json={"agent": "Bo"}, headers=key).get_json()
    assert (done["agent"], done["leads"], done["put_back"], done["undone_at"]) == ("Bo", 1, 1, None)
    viewer = bearer(key_of(database, "viewer"))
    assert client.get("/api/hand-backs?agent=Bo", headers=viewer).get_json() == {"items": [done]}
    refused = client.post("/api/hand-backs", json={"agent": "Bo"}, headers=key)
    assert (refused.status_code, refused.get_json()["code"]) == (422, 50006)
    undone = client.post("/api/hand-backs/undo", json={"hand_back_id": done["hand_back_id"]}, headers=key).get_json()
    assert (undone["returned"], undone["undone_by"]) == (1, "http: operator")
