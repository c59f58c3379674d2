"""A database that starts, fails over or is at a limit: it is told from a wrong password, and a deal waits for it."""

from __future__ import annotations

import logging
from threading import Timer
from typing import Any

import pytest

from agent_funnel.database.not_ready import not_ready
from agent_funnel.deal import deal
from agent_funnel.doctor import server
from agent_funnel.errors import ConnectionLost, DatabaseNotReady, DatabaseUnavailable
from agent_funnel.settings import load
from support.databases import connect_to, disconnect
from support.doctor import examination
from support.faketds import DEAL, RUN, RUN_OF_REQUEST, Answer, FakeServer, error
from support.nights import TODAY

NUMBERS = {
    40613: "starting", 921: "starting", 922: "starting", 18401: "starting",
    40501: "limit", 10928: "limit", 10929: "limit", 49918: "limit", 49919: "limit", 49920: "limit",
    976: "failing over", 978: "failing over", 983: "failing over",
}  # fmt: skip


@pytest.mark.parametrize("login", [False, True])
def test_every_number_that_passes_is_named_with_its_reason_and_no_other(login: bool) -> None:
    for number, why in NUMBERS.items():
        said = str(not_ready(number, "The database 'funnel'", login=login))
        assert said.startswith(f"The database 'funnel' is not ready (error {number}): ")
        assert why in said
        assert said.endswith("; nothing was changed. Try again in a minute.")
    assert (not_ready(40197, "The database", login=login) is not None) == login
    for number in (18456, 4060, 208, 1205, 1222, 3906, 50001):
        assert not_ready(number, "The database", login=login) is None


def test_a_deal_waits_for_a_database_that_wakes_up_and_not_for_a_wrong_password(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One test, because the driver shows a message only if it is more severe than all those before in this process.
    refused = error(18456, "Login failed for user 'sa'.", 14)
    login: dict[str, Answer] = {"funnel": error(40613, "Database 'funnel' is not currently available.", 17)}
    with FakeServer(answers={DEAL: [RUN]}, login=login) as server:
        backend = connect_to(server.url())
        for _ in range(2):
            with pytest.raises(DatabaseNotReady, match="error 40613"):
                backend.ping()
        Timer(1, login.clear).start()
        with caplog.at_level(logging.WARNING):
            assert deal(backend, load(), business_date=TODAY).run_id == 7
        assert server.count(DEAL) == 1
        assert "not ready (error 40613)" in caplog.text
        disconnect(backend)
        # Much later the password is wrong; the driver gives the number of the first message again.
        login |= {"funnel": refused, "": refused}
        monkeypatch.setattr("agent_funnel.database.not_ready.BELIEVED_SECONDS", 0.0)
        with pytest.raises(DatabaseUnavailable, match="check user, password") as refusal:
            backend.ping()
        assert not isinstance(refusal.value, DatabaseNotReady)


@pytest.mark.parametrize("number", [40501, 983])
def test_a_deal_waits_longer_for_a_failover_than_it_tries_again_after_other_errors(number: int) -> None:
    passing = error(number, "not now", 20 if number == 40501 else 14)
    with FakeServer(answers={DEAL: [*[passing] * 5, RUN]}) as server:
        backend = connect_to(server.url())
        assert deal(backend, load(), business_date=TODAY).run_id == 7
        assert server.count(DEAL) == 6
        # Nothing was done, so there is nothing to find out.
        assert server.count(RUN_OF_REQUEST) == 0
        disconnect(backend)


def test_a_deal_gives_up_when_the_database_is_not_ready_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.deal.READY_SECONDS", 0.5)
    with FakeServer(answers={DEAL: [error(10928, "limit", 16)]}) as server:
        backend = connect_to(server.url())
        with pytest.raises(DatabaseNotReady, match="nothing was changed"):
            deal(backend, load(), business_date=TODAY)
        disconnect(backend)


def test_a_server_that_failed_on_the_way_is_asked_what_it_did() -> None:
    failed = error(40197, "The service has encountered an error processing your request.", 17)
    with FakeServer(answers={DEAL: [failed, RUN]}) as server:
        backend = connect_to(server.url())
        assert deal(backend, load(), business_date=TODAY).run_id == 7
        assert server.count(RUN_OF_REQUEST) == 1
        disconnect(backend)


def test_both_are_kinds_of_an_unavailable_database() -> None:
    assert issubclass(DatabaseNotReady, DatabaseUnavailable)
    assert not issubclass(DatabaseNotReady, ConnectionLost)


@pytest.mark.parametrize(("count", "level"), [(1, "ok"), (2, "warning")])
def test_the_doctor_warns_of_a_name_with_several_addresses(
    count: int, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: Any) -> list[Any]:
        return [(2, 1, 6, "", (f"10.0.{subnet}.5", 0)) for subnet in range(count)] * 2

    with FakeServer() as fake:
        exam = examination(connect_to(fake.url()))
        monkeypatch.setattr("socket.getaddrinfo", resolve)
        ((found, text, remedy),) = server.addresses(exam)
    assert found == level
    assert ("10.0.0.5, 10.0.1.5" in text) == (count > 1)
    assert ("RegisterAllProvidersIP" in (remedy or "")) == (count > 1)
