"""The do-not-contact lists over HTTP: lists, imports, and many numbers at once."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from agent_funnel.access.audit import list_entries
from agent_funnel.do_not_contact import list_do_not_contact
from support.databases import TestedDatabase
from support.pages import bearer, key_of

REGISTER = "national register"
NUMBERS = [f"+5511900000{n:03}" for n in range(20)]


def create(client: FlaskClient) -> None:
    """Creates a list besides that of own requests."""
    body = {"name": REGISTER, "reason": "the law", "source": "the office"}
    assert client.post("/api/do-not-contact/lists", json=body).status_code == 200


def upload(client: FlaskClient, text: str, **query: Any) -> Any:
    return client.post(
        "/api/do-not-contact/import", query_string={"list_name": REGISTER, **query}, data=text.encode(),
        content_type="text/plain",
    )  # fmt: skip


def test_a_list_is_created_imported_and_replaced(client: FlaskClient, database: TestedDatabase) -> None:
    create(client)
    assert client.post("/api/do-not-contact/lists", json={"name": REGISTER}).status_code == 409
    done = upload(client, "\n".join(NUMBERS)).get_json()
    assert (done["rows"], done["added"], done["bad"]) == (20, 20, [])
    lists = {each["name"]: each for each in client.get("/api/do-not-contact/lists").get_json()["items"]}
    assert (lists[REGISTER]["entries"], lists[REGISTER]["imported"], lists[REGISTER]["bound_days"]) == (20, 20, 30)
    assert (lists["own requests"]["bound_days"], lists[REGISTER]["age_days"]) == (None, 0)

    refused = upload(client, NUMBERS[0], replace=True)
    assert (refused.status_code, "19 of the 20 numbers" in refused.get_json()["detail"]) == (422, True)
    assert upload(client, NUMBERS[0], replace=True, dry_run=True).get_json()["needs_confirmation"]
    assert upload(client, NUMBERS[0], replace=True, confirm=True).get_json()["removed"] == 19
    assert [entry.number for entry in list_do_not_contact(database.backend)] == NUMBERS[:1]
    assert upload(client, "no number").status_code == 422
    assert upload(client, NUMBERS[0], list_name="other").status_code == 404
    wrong = client.post(f"/api/do-not-contact/import?list_name={REGISTER}", data=b"1", content_type="application/json")
    assert wrong.status_code == 415
    # The audit has the lists, and no number.
    targets = {entry.target for entry in list_entries(database.backend, count=50)}
    assert {REGISTER, f"import, {REGISTER}", f"dry run, {REGISTER}"} <= targets
    assert not [target for target in targets if target and "90000" in target]


def test_the_numbers_of_all_lists_come_in_pages(client: FlaskClient) -> None:
    create(client)
    upload(client, "\n".join(NUMBERS))
    client.post("/api/do-not-contact", json={"number": NUMBERS[3]})
    found: list[tuple[str, str]] = []
    query: dict[str, Any] = {"count": 4}
    while True:
        page = client.get("/api/do-not-contact", query_string=query).get_json()
        found += [(each["number"], each["list_name"]) for each in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == sorted([*((number, REGISTER) for number in NUMBERS), (NUMBERS[3], "own requests")])
    own = client.get("/api/do-not-contact?list_name=own requests").get_json()["items"]
    assert [each["number"] for each in own] == [NUMBERS[3]]


def test_several_numbers_are_added_looked_up_and_removed(client: FlaskClient, database: TestedDatabase) -> None:
    def post(path: str, **body: Any) -> Any:
        return client.post(f"/api/do-not-contact/several{path}", json=body)

    create(client)
    added = post("", numbers=NUMBERS[:3], list_name=REGISTER, reason="because")
    assert added.get_json() == {"numbers": 3, "kept": 0, "assignments": 0, "leads": 0}
    found = post("/look-up", numbers=NUMBERS[2:9]).get_json()["items"]
    assert [(each["number"], each["list_name"]) for each in found] == [(NUMBERS[2], REGISTER)]
    assert post("/remove", numbers=NUMBERS[:9]).get_json() == {"removed": 0}
    assert post("/remove", numbers=NUMBERS[:2], list_name=REGISTER).get_json() == {"removed": 2}
    assert [entry.number for entry in list_do_not_contact(database.backend)] == [NUMBERS[2]]
    refused = post("", numbers=[NUMBERS[0], "hello"])
    assert (refused.status_code, "Number 2 of 2" in refused.get_json()["detail"]) == (422, True)
    for numbers in ([], [NUMBERS[0]] * 1_001):
        assert post("", numbers=numbers).status_code == 422
    assert len(list_do_not_contact(database.backend)) == 1
    targets = [entry.target for entry in list_entries(database.backend, count=50)]
    assert {f"3 numbers, {REGISTER}", "9 numbers, own requests", "7 numbers"} <= set(targets)


def test_a_list_is_downloaded_as_a_file_that_is_masked_for_viewers(
    client: FlaskClient, database: TestedDatabase
) -> None:
    create(client)
    upload(client, "\n".join(NUMBERS[:2]))
    viewer, operator = (bearer(key_of(database, role)) for role in ("viewer", "operator"))
    path = f"/api/do-not-contact?list_name={REGISTER}&format=csv"
    whole = client.get(path, headers=operator)
    assert [row.split(",")[0] for row in whole.text.splitlines()] == ["number", *NUMBERS[:2]]
    assert (whole.mimetype, "do-not-contact.csv" in whole.headers["Content-Disposition"]) == ("text/csv", True)
    assert NUMBERS[0] not in client.get(path, headers=viewer).text
    assert client.get(path.replace(REGISTER, "none"), headers=operator).status_code == 404
