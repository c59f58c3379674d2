"""The running service, called at random: every answer is one that the OpenAPI document promises."""

from __future__ import annotations

import json
import re
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from schemathesis.checks import CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.engine import Status, events, from_schema
from schemathesis.generation.case import Case

from agent_funnel.access.keys import add_key
from agent_funnel.characters import invisible_in
from agent_funnel.web.fields import Text
from agent_funnel.web.routing import RUNS, SIGN_INS, WRONG_KEYS
from support import LONG
from support.databases import TestedDatabase, seed_tables
from support.served import UNLIMITED, served

# Operations whose body is a text, so that a number is a text as well:
TEXT_BODIES = ("import_leads", "import_agents", "import_limits", "import_holidays", "import_do_not_contact")
# Refusals for reasons that no schema can express, by words of their messages:
UNSAID = {
    "list_runs": ("cursor does not come from this list",),
    "list_imports": ("cursor does not come from this list",),
    "list_audit": ("cursor does not come from this list",),
    "list_leads": ("cursor does not come from this list", "by number or by import, not by both"),
    "list_assignments": ("cursor does not come from this list",),
    "run_assignments": ("cursor does not come from this list",),
    "add_limit": ("it must not be before starts_on",),
    # The schema says only that the body is text.
    **dict.fromkeys(TEXT_BODIES, ("othing was imported",)),
    "list_do_not_contact": ("cursor does not come from this list",),
    # What is neither a number nor an id is refused only if no lead has it.
    "add_do_not_contact": ("no lead has it",),
    "add_several_numbers": ("no lead has it",),
    "report_outcome": ("othing was kept", "othing was changed", "not only blanks"),
    "take_back_outcome": ("There is no outcome with the report",),
    "hand_back_leads": ("nothing was handed back",),
    "undo_hand_back_of_leads": ("There is no hand-back",),
    "list_outcomes": ("cursor does not come from this list",),
    "list_open_call_backs": ("cursor does not come from this list",),
    "show_results": ("is after the last one",),
    "forget_person": ("it is stored nowhere",),
}
# A preview has the run_id 0, and a client that follows the links of the document asks for that run.
PREVIEWED = '"field":"run_id","detail":"Input should be greater than or equal to 1"'
# The statuses that a request may get although it follows the document; a 422 must be one of UNSAID.
ACCEPTED = ["2xx", "304", "404", "409", "422"]


class Running(NamedTuple):
    """The service on a port of this machine, and an admin's header."""

    address: str
    headers: dict[str, str]

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return requests.request(method, self.address + path, headers=headers, timeout=60, **more)


@pytest.fixture
def running(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """The running service, over real HTTP: some mistakes in headers show only there."""
    for rate in (RUNS, SIGN_INS, WRONG_KEYS):
        monkeypatch.setattr(rate, "limit", UNLIMITED)
    # The server checks more often whether it has to stop, so that the test ends sooner.
    monkeypatch.setattr("agent_funnel.web.server.LOOP_SECONDS", 0.02)
    seed_tables(database)
    _, secret = add_key(database.backend, "tester", "admin")
    with served(database) as address:
        service = Running(address, {"Authorization": f"Bearer {secret}"})
        assert service.ask("POST", "/run-now").status_code == 200
        yield service


@schemathesis.check
def a_refusal_is_one_that_no_schema_can_say(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """The other half of `positive_data_acceptance`, which is set to let a 422 pass."""
    if response.status_code == 422 and case.meta and case.meta.generation.mode.is_positive:
        operation = case.operation.definition.raw["operationId"]
        assert any(words in response.text for words in (*UNSAID.get(operation, ()), PREVIEWED, "beyond U+FFFF")), (
            response.text
        )


def keeps_its_promises(
    running: Running,
    database: TestedDatabase,
    phase: str,
    *,
    examples: int = 1,
    modes: str = "all",
    only: Sequence[str] = (),
) -> None:
    """Calls every operation, and fails with the answers that the document does not promise."""
    config = SchemathesisConfig.from_dict(
        {
            "headers": running.headers,
            "request-timeout": 60,
            "continue-on-failure": True,
            # The same requests each time, so that no change fails by chance; the long version varies them.
            "generation": {
                "deterministic": not LONG, "max-examples": examples, "mode": modes, "no-shrink": not LONG,
                "database": "none",
            },
            "phases": {name: {"enabled": name == phase} for name in ("examples", "coverage", "fuzzing", "stateful")},
            "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
            # The same address has a page for people, which is not in the document.
            "operations": [
                {"include-operation-id": "run_now", "checks": {"allow_header_conformance": {"enabled": False}}},
                {
                    "include-operation-id": list(TEXT_BODIES),
                    "checks": {"negative_data_rejection": {"enabled": False}},
                },
                # By the schema's own `include`, the engine would ask all of them all the same.
                *([{"exclude-operation-id": list(only), "enabled": False}] if only else []),
            ],
        }
    )  # fmt: skip
    schema: Any = schemathesis.openapi.from_url(f"{running.address}/api/openapi.json", config=config)

    def before_call(ctx: Any, case: Case[Any], kwargs: Any) -> None:
        # Makes each Idempotency-Key new: a known one would be refused, or would not reach the view.
        if "Idempotency-Key" in (case.headers or {}):
            database.execute("DELETE FROM dbo.request_answer")

    def after_call(ctx: Any, case: Case[Any], response: Response) -> None:
        if case.method == "DELETE" and "key_id" in case.path_parameters:
            # The revoked key may be the one that these requests use.
            database.execute("UPDATE dbo.access_key SET revoked_at = NULL WHERE name = 'tester'")

    schemathesis.hook(before_call)
    schemathesis.hook(after_call)
    found: set[str] = set()
    asked = 0
    try:
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                asked += len(event.recorder.interactions)
                for checks in event.recorder.checks.values():
                    for check in checks:
                        if check.status == Status.FAILURE and (info := check.failure_info):
                            failure = info.failure
                            found.add(f"{event.label}: {check.name}: {failure.message[:500]}\n  {info.code_sample}")
            elif isinstance(event, events.NonFatalError | events.FatalError):
                found.add(str(getattr(event, "info", event)))
    finally:
        schemathesis.hooks.unregister(before_call)
        schemathesis.hooks.unregister(after_call)
    # Each operation was called at least once.
    assert asked > (10 if phase == "stateful" else 30)
    assert not found, "\n".join(sorted(found))


# Operations whose texts, numbers and dates reach the database:
TELLING = ["list_leads", "show_lead", "preview", "add_agent", "add_limit", "remove_limit", "show_run"]


@pytest.mark.sqlserver_if_long
def test_each_bound_of_the_document_holds(running: Running, database: TestedDatabase) -> None:
    # Bad requests are refused before the database is asked, so one engine is enough in the short version.
    if LONG:
        keeps_its_promises(running, database, "coverage")
    elif database.engine == "sqlite":
        # Every eighth operation, and those above; a test below asks all of them at random.
        document = running.ask("GET", "/api/openapi.json").json()
        found = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
        keeps_its_promises(running, database, "coverage", only=[*sorted(found)[::8], *TELLING])
    else:
        keeps_its_promises(running, database, "coverage", modes="positive", only=TELLING)


def test_every_answer_to_a_random_request_is_in_the_document(running: Running, database: TestedDatabase) -> None:
    short = 3
    keeps_its_promises(running, database, "fuzzing", examples=300 if LONG else short)


@pytest.mark.sqlserver_if_long
def test_an_operation_finds_what_another_one_made(running: Running, database: TestedDatabase) -> None:
    short = 5 if database.engine == "sqlite" else 2
    keeps_its_promises(running, database, "stateful", examples=100 if LONG else short)


def is_promised(answer: requests.Response, status: int) -> None:
    """Checks that the answer is a problem document with this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


SOME_KEYS = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.integers(),
    st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**30]),
    st.text(max_size=300),
    st.sampled_from(["\0", "\ud800", "😀", "2026-01-31T00:00:00+02:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59"]),
)


@pytest.mark.parametrize("path", ["runs", "runs/{run}/assignments", "assignments", "leads", "audit"])
def test_a_made_up_cursor_is_refused_or_leads_to_a_page(running: Running, path: str) -> None:
    place = path.format(run=running.ask("GET", "/api/runs?count=1").json()["items"][0]["run_id"])

    @settings(max_examples=200 if LONG else 8, derandomize=not LONG, suppress_health_check=list(HealthCheck))
    @given(keys=st.lists(SOME_KEYS, max_size=4))
    @example(keys=["x"])
    @example(keys=[10**30])
    @example(keys=[2**63 - 1])
    @example(keys=["\ud800"])
    @example(keys=["\0"])
    @example(keys=["\0", "\0", "\0"])
    @example(keys=["😀" * 200, "x", "y"])
    @example(keys=["x", "no stage", "2026-01-31T00:00:00"])
    @example(keys=["x", 1, "no date"])
    @example(keys=["x", 10**30, None])
    @example(keys=["x", -(2**31), "0001-01-01T00:00:00"])
    @example(keys=["x", 2**31 - 1, "9999-12-31T23:59:59.999999"])
    @example(keys=["x", 1, "2026-01-31T00:00:00+02:00"])
    def each(keys: list[Any]) -> None:
        cursor = urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")
        answer = running.ask("GET", f"/api/{place}", params={"cursor": cursor, "count": 2})
        if answer.status_code != 200:
            # 409 says that there was another deal since: a made-up cursor belongs to no deal.
            is_promised(answer, 409 if path == "assignments" and answer.status_code == 409 else 422)

    each()


BODIES = {
    "nothing": (b"", "application/json"),
    "no JSON": (b"{", "application/json"),
    "no object": (b"[]", "application/json"),
    "no UTF-8": (b'{"agent": "a\xff"}', "application/json"),
    "half of a pair": (b'{"agent": "\\ud800"}', "application/json"),
    "character 0": (b'{"agent": "a\\u0000"}', "application/json"),
    "no number": (b'{"agent": NaN}', "application/json"),
    "deep": (b"[" * 100_000, "application/json"),
    "another kind of value": (b'{"agent": ["somebody"]}', "application/json"),
    "another kind of body": (b"agent=somebody", "application/x-www-form-urlencoded"),
}


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("body", BODIES)
def test_an_invalid_body_is_refused_and_not_quoted(running: Running, database: TestedDatabase, body: str) -> None:
    before = database.execute("SELECT * FROM dbo.agents")
    content, kind = BODIES[body]
    answer = running.ask("POST", "/api/agents", data=content, headers={"Content-Type": kind})
    is_promised(answer, 422)
    assert "somebody" not in answer.text
    assert database.execute("SELECT * FROM dbo.agents") == before
    assert running.ask("POST", "/api/agents", json={"agent": "somebody"}).status_code == 201


def test_a_name_that_the_document_accepts_is_not_all_blank() -> None:
    pattern = TypeAdapter(Text).json_schema()["pattern"]
    for blank in filter(str.isspace, map(chr, range(sys.maxunicode + 1))):
        assert not re.search(pattern, blank), ascii(blank)
        with pytest.raises(ValidationError):
            TypeAdapter(Text).validate_python(blank)
        if invisible_in(blank) is None:
            assert TypeAdapter(Text).validate_python(f"{blank}a{blank}")


@pytest.mark.sqlserver_if_long
def test_a_file_of_leads_must_be_sent_as_csv(running: Running) -> None:
    content = b"number,stage,date\n+49301234567,1,2026-01-31\n"
    for kind in ("application/json", "multipart/form-data; boundary=x", ""):
        is_promised(running.ask("POST", "/api/leads/import", data=content, headers={"Content-Type": kind}), 415)
    taken = running.ask("POST", "/api/leads/import", data=content, headers={"Content-Type": "text/csv"})
    assert taken.json()["added"] == 1


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/runs?count=1&count=2", 422),
        ("/api/runs?cursor=", 422),
        ("/api/runs?more=1", 422),
        ("/api/runs/0", 422),
        (f"/api/runs/{2**53}", 422),
        (f"/api/runs/{2**64}", 422),
        (f"/api/runs/{2**53 - 1}", 404),
        ("/api/runs/-1", 404),
        ("/api/runs/1/", 404),
        ("/api/nowhere", 404),
        ("/%ff", 404),
        ("/api/lead?number=%00", 422),
        ("/api/leads?number=%00", 422),
        (f"/api/leads?number={quote('😀' * 128)}", 422),
        ("/api/lead?number=%ED%A0%80", 404),
        ("/api/leads?stage=2147483648", 422),
        ("/api/leads?date_from=20260131", 422),
        ("/api/preview?business_date=0001-01-01", 422),
        ("/api/preview?business_date=9999-12-31", 422),
        ("/api/preview?max_per_agent=1000001", 422),
        ("/api/preview?window_days=1_0", 422),
        ("/api/leads?stage=1.0", 422),
        ("/api/leads?stage=%D9%A1", 422),
        ("/api/runs?count=%205", 422),
    ],
)
def test_an_impossible_address_gets_a_problem_document(running: Running, path: str, status: int) -> None:
    is_promised(running.ask("GET", path), status)


@pytest.mark.parametrize(
    "query",
    [
        *("number=%ED%A0%80", f"number={quote('😀' * 127)}", "number=%27%3B--", "stage=-2147483648"),
        *("date_from=0001-01-01", "date_from=9999-12-31", "date_to=0001-01-01", "date_to=9999-12-31"),
    ],
)
def test_a_search_that_no_lead_can_match_succeeds(running: Running, query: str) -> None:
    assert running.ask("GET", f"/api/leads?{query}").status_code == 200


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_limit_may_be_for_any_day(running: Running, day: str) -> None:
    given = {"agent": "agent 0 😀", "starts_on": day, "ends_on": day}
    added = running.ask("POST", "/api/limits", json={**given, "new_agent": True})
    assert added.status_code == 201
    assert {name: added.json()["limit"][name] for name in given} == given


@pytest.mark.parametrize("what", ["limits", "keys"])
def test_an_id_beyond_those_of_every_table_is_not_found_or_refused(
    running: Running, database: TestedDatabase, what: str
) -> None:
    before = database.execute("SELECT * FROM dbo.access_key WHERE revoked_at IS NOT NULL")
    for number, status in ((0, 422), (2**31 - 1, 404), (2**31, 422), (10**30, 422)):
        is_promised(running.ask("DELETE", f"/api/{what}/{number}"), status)
    assert database.execute("SELECT * FROM dbo.access_key WHERE revoked_at IS NOT NULL") == before


@pytest.mark.sqlserver_if_long
def test_a_wrong_method_is_refused_with_the_methods_that_exist(running: Running) -> None:
    for method in ("PUT", "PATCH", "TRACE", "UNHEARD"):
        answer = running.ask(method, "/api/runs")
        is_promised(answer, 405)
        assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.sqlserver_if_long
def test_head_is_get_without_a_body(running: Running) -> None:
    for path in ("/api/runs", "/api/agents", "/api/lead?number=nobody", "/api/assignments?format=csv"):
        get, head = running.ask("GET", path), running.ask("HEAD", path)
        assert (head.status_code, head.headers["Content-Type"]) == (get.status_code, get.headers["Content-Type"])
        assert get.content
        assert head.content == b""


def test_a_name_in_any_language_is_accepted_everywhere(running: Running, database: TestedDatabase) -> None:
    name = "Ελένη 😀 山田"
    headers = {"Idempotency-Key": "one"}
    made = running.ask("POST", "/api/keys", json={"name": name, "role": "viewer"}, headers=headers)
    assert (made.status_code, made.json()["key"]["name"]) == (201, name)
    again = running.ask("POST", "/api/keys", json={"name": name, "role": "viewer"}, headers=headers)
    assert (again.status_code, again.json()["key"], again.json()["secret"]) == (201, made.json()["key"], None)
    assert running.ask("POST", "/api/agents", json={"agent": name}).status_code == 201
    assert running.ask("POST", "/api/agents/deactivate", json={"agent": name}).status_code == 200
    assert running.ask("POST", "/api/schedule/pause", json={"reason": name}).status_code == 200
    assert running.ask("POST", "/api/do-not-contact", json={"number": "+4930111", "reason": name}).status_code == 200
    assert name in [entry["target"] for entry in running.ask("GET", "/api/audit").json()["items"]]
