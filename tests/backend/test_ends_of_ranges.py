"""The ends of ranges: the first and the last day, moment, length or row that counts. On both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from agent_funnel.access.idempotency import claim_request
from agent_funnel.access.keys import add_key, begin_session, holder_of_session
from agent_funnel.agents import add_agent, add_limit, limits_in_force, list_limits, roster
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import DatabaseError, NoActiveAgent, ParameterOutOfRange
from agent_funnel.leads import lead_history, search_leads
from agent_funnel.runs import failure_of, find_run, holders, list_runs
from agent_funnel.schedule.store import (
    add_holiday,
    list_holidays,
    pause,
    record_failure,
    resume,
    schedule_state,
    settle_date,
)
from agent_funnel.settings import load
from support.databases import TestedDatabase, agent_named
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    fresh,
    preview,
    put_agents,
    put_leads,
    put_limits,
    run_deal,
)

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
CLOSES = datetime(2026, 11, 23, 23, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "room"),
    [(TODAY - 2 * DAY, None), (TODAY - DAY, 3), (TODAY, 3), (TODAY + DAY, 3), (TODAY + 2 * DAY, None)],
)
def test_a_limit_applies_from_its_first_to_its_last_day_everywhere(
    database: TestedDatabase, day: date, room: int | None
) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(9))
    put_limits(database, [("A", TODAY - DAY, TODAY + DAY, 3)])
    backend = database.backend
    assert agent_named(backend, "A", day).room == room
    assert roster(backend, day)[0].room == room
    found = limits_in_force(list_limits(backend), day)
    assert (found["A"].max_records if found else None) == room
    assert preview(database, day).run.assigned == (room or 9)
    assert run_deal(database, day).assigned == (room or 9)


def test_the_lowest_of_several_limits_is_shown_and_of_equal_ones_the_longest(database: TestedDatabase) -> None:
    put_limits(
        database,
        [("A", TODAY, TODAY, 2), ("A", TODAY, TODAY + DAY, 1), ("A", TODAY, None, 1), ("A", TODAY, TODAY + 2 * DAY, 1)],
    )
    found = limits_in_force(list_limits(database.backend), TODAY)["A"]
    assert (found.max_records, found.ends_on) == (1, None)


@pytest.mark.parametrize(
    ("most", "starts_on", "ends_on", "accepted"),
    [
        (0, TODAY, TODAY, True),
        (1_000_000, TODAY, TODAY, True),
        (-1, TODAY, TODAY, False),
        (1_000_001, TODAY, TODAY, False),
        (1, TODAY, TODAY - DAY, False),
    ],
)
def test_a_limit_is_accepted_up_to_the_ends_of_its_range(
    database: TestedDatabase, most: int, starts_on: date, ends_on: date, accepted: bool
) -> None:
    def add() -> None:
        add_limit(database.backend, "A", starts_on=starts_on, ends_on=ends_on, max_records=most, new_agent=True)

    if accepted:
        add()
    else:
        with pytest.raises(ParameterOutOfRange):
            add()
    assert len(list_limits(database.backend)) == int(accepted)


def test_holidays_are_listed_from_the_given_day_on(database: TestedDatabase) -> None:
    for day in (TODAY - DAY, TODAY, TODAY + DAY):
        add_holiday(database.backend, day)
    assert [each.day for each in list_holidays(database.backend, since=TODAY)] == [TODAY, TODAY + DAY]


@pytest.mark.parametrize(
    ("paused", "resumed", "outcome"),
    [
        (CLOSES, None, "paused"),
        (CLOSES + MILLISECOND, None, "missed"),
        (CLOSES - DAY, CLOSES, "missed"),
        (CLOSES - DAY, CLOSES + MILLISECOND, "paused"),
    ],
)
def test_a_night_counts_as_paused_if_the_schedule_was_paused_when_its_window_closed(
    database: TestedDatabase, paused: datetime, resumed: datetime | None, outcome: str
) -> None:
    pause(database.backend, now=paused, actor=None, reason=None)
    if resumed is not None:
        resume(database.backend, now=resumed, actor=None)
    assert settle_date(database.backend, TODAY, workday=True, closes_at=CLOSES, now=CLOSES) == outcome


def test_holders_of_a_number_are_found_to_the_millisecond(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(1))
    ends = [CLOSES, CLOSES + DAY]
    for moment in ends:
        run = run_deal(database)
        text = moment.replace(tzinfo=None).isoformat(" ", "milliseconds")
        database.execute("UPDATE dbo.assignment_run SET finished_at = %s WHERE run_id = %s", text, run.run_id)

    def held(**bounds: Any) -> list[datetime]:
        return [each.held_from for each in reversed(holders(database.backend, "000001", **bounds))]

    assert held() == ends
    # A run that ended exactly at `until` is left out; one that ended exactly at `since` is included.
    assert held(until=ends[1]) == ends[:1]
    assert held(until=ends[1] + MILLISECOND) == ends
    assert held(since=ends[1]) == ends
    assert held(since=ends[1] + MILLISECOND) == ends[1:]


def test_runs_can_be_limited_to_a_business_date_and_to_those_before_a_run(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    first, second, third = (run_deal(database, TODAY + DAY * n).run_id for n in (0, 1, 1))

    def found(**which: Any) -> list[int]:
        return [run.run_id for run in list_runs(database.backend, **which)]

    assert found(business_date=TODAY + DAY) == [third, second]
    assert found(business_date=TODAY + 2 * DAY) == []
    assert found(before=third) == [second, first]
    assert found(business_date=TODAY + DAY, before=third) == [second]
    assert found(count=2) == [third, second]
    assert find_run(database.backend, second).run_id == second


@pytest.mark.parametrize(("hours", "stored"), [(23.9, True), (24.1, False)])
def test_a_response_is_stored_for_a_day(database: TestedDatabase, hours: float, stored: bool) -> None:
    def claim() -> bool:
        return claim_request(database.backend, scope="s", key="k", content=[b""]).mine

    assert claim()
    asked = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=hours)
    database.execute("UPDATE dbo.request_answer SET asked_at = %s", asked.isoformat(" ", "milliseconds"))
    assert claim() is not stored


def test_a_session_lasts_sixteen_hours_and_a_new_one_ends_no_other(database: TestedDatabase) -> None:
    key, _ = add_key(database.backend, "Ana", "viewer")
    first, second = (begin_session(database.backend, key.key_id) for _ in range(2))
    for token in (first, second):
        assert holder_of_session(database.backend, token).holder is not None
    for begun, ends in database.execute("SELECT created_at, expires_at FROM dbo.access_session"):
        begun, ends = (datetime.fromisoformat(str(each)) for each in (begun, ends))
        assert abs(ends - begun - timedelta(hours=16)) < timedelta(seconds=2)


def test_a_message_that_is_too_long_for_its_column_is_cut(database: TestedDatabase) -> None:
    record_failure(
        database.backend, load(), TODAY, DatabaseError("x" + "\U0001f600" * 500), attempt=1, started_at=CLOSES,
        finished_at=CLOSES, actor="tests",
    )  # fmt: skip
    (run,) = list_runs(database.backend)
    failure = failure_of(database.backend, run.run_id)
    assert failure is not None
    assert failure.message == "x" + "\U0001f600" * 499
    assert failure.error_number is None


def test_the_newest_failure_of_a_date_counts_and_only_for_that_date(database: TestedDatabase) -> None:
    for attempt in (1, 2):
        record_failure(
            database.backend, load(), TODAY, NoActiveAgent(), attempt=attempt, started_at=CLOSES,
            finished_at=CLOSES + attempt * DAY, actor="tests",
        )  # fmt: skip
    assert schedule_state(database.backend, TODAY).failed_at == CLOSES + 2 * DAY
    assert schedule_state(database.backend, TODAY + DAY).failed_at is None


def test_leads_of_a_day_include_its_first_and_its_last_moment(database: TestedDatabase) -> None:
    midnight = datetime(2026, 11, 10)
    moments = (midnight - 10 * MILLISECOND, midnight, midnight + DAY - 10 * MILLISECOND, midnight + DAY)
    put_leads(database, [(str(number), 1, moment) for number, moment in enumerate(moments)])

    def found(**which: Any) -> list[str]:
        return [lead.number for lead in search_leads(database.backend, count=9, **which)]

    assert found(date_from=midnight.date(), date_to=midnight.date()) == ["1", "2"]
    assert found(date_from=midnight.date()) == ["1", "2", "3"]
    assert found(date_to=midnight.date()) == ["0", "1", "2"]
    assert found(number="1", date_from=midnight.date(), date_to=midnight.date()) == ["1"]
    assert found(number="3", date_to=midnight.date()) == []
    assert found(number="0", date_from=midnight.date()) == []


def test_the_history_of_a_number_has_at_most_a_thousand_records(bare_database: TestedDatabase) -> None:
    put_leads(bare_database, [("1", 1, RECENT + timedelta(minutes=minute)) for minute in range(1_001)])
    records = lead_history(bare_database.backend, "1").records
    assert len(records) == 1_000
    assert records[-1].date == RECENT + timedelta(minutes=999)


@pytest.mark.parametrize("length", [255, 256])
def test_a_text_as_long_as_a_column_is_accepted_and_a_longer_one_is_refused(
    database: TestedDatabase, length: int
) -> None:
    text = "ü" * length
    if length == 255:
        add_agent(database.backend, text)
        database.execute("INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES ('Ana', %s)", text)
        add_do_not_contact(database.backend, text, text)
        assert agent_named(database.backend, text, TODAY).active
        return
    with pytest.raises(ParameterOutOfRange, match="256 characters"):
        add_agent(database.backend, text)
    with pytest.raises(ParameterOutOfRange, match="256 characters"):
        add_do_not_contact(database.backend, text)
    with pytest.raises(ParameterOutOfRange, match="256 characters"):
        add_do_not_contact(database.backend, "1", text)
