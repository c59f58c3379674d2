"""The state of tonight's scheduled run, for the headline of the dashboard."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent_funnel.schedule.status import Tonight, assess
from agent_funnel.schedule.store import NightRecord, Pause, ScheduleState
from agent_funnel.settings import load

BERLIN = ZoneInfo("Europe/Berlin")
# A Tuesday; in Berlin the deal is due at 20:40, and may be made until 23:40.
TODAY = date(2026, 11, 24)
PAUSE = Pause(1, datetime(2026, 11, 24, 8, tzinfo=UTC), "Ana", "stocktaking", None, None)


def at(clock: str, day: date = TODAY) -> datetime:
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=BERLIN).astimezone(UTC)


def night(
    clock: str,
    *outcomes: tuple[int, str],
    day: date = TODAY,
    failures: int = 0,
    holiday: bool = False,
    pause: Pause | None = None,
    running: bool = False,
    dealt_at: datetime | None = None,
    weekdays: str = "mon-sun",
) -> Tonight:
    """Tonight's state at a time of the day; each of `outcomes` has the number of days before TODAY, and the outcome."""
    state = ScheduleState(None, None, pause is not None, failures, None, holiday)
    known = [
        NightRecord(
            TODAY - timedelta(days=back),
            outcome,
            100 - back if outcome in ("succeeded", "undone") else None,
            at("20:40:03", TODAY - timedelta(days=back)),
        )
        for back, outcome in outcomes
    ]
    settings = load(timezone="Europe/Berlin", weekdays=weekdays)
    return assess(at(clock, day), settings, state=state, nights=known, pause=pause, running=running, dealt_at=dealt_at)


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (night("18:26", (1, "succeeded")), "due"),
        (night("18:26"), "due"),
        (night("20:40:20"), "due"),
        (night("20:42"), "late"),
        (night("20:42", failures=2), "failed"),
        (night("23:45"), "missed"),
        (night("23:45", failures=2), "failed"),
        (night("20:41", (0, "succeeded")), "done"),
        (night("20:41", (0, "succeeded"), failures=1), "done"),
        (night("22:00", (0, "undone")), "undone"),
        (night("23:55", (0, "missed")), "missed"),
        (night("23:55", (0, "failed")), "failed"),
        (night("23:55", (0, "holiday")), "off"),
        (night("23:55", (0, "paused")), "paused"),
        (night("18:26", pause=PAUSE), "paused"),
        (night("20:50", pause=PAUSE), "paused"),
        (night("22:00", (0, "succeeded"), pause=PAUSE), "done"),
        (night("18:26", holiday=True), "off"),
        (night("21:00", holiday=True), "off"),
        (night("18:26", weekdays="wed-fri"), "off"),
        (night("12:00", running=True), "running"),
        (night("20:50", running=True, failures=1), "running"),
    ],
)
def test_the_state_fits_the_time_and_the_records(found: Tonight, word: str) -> None:
    assert found.state == word


def test_the_end_of_the_window_is_given_only_while_a_deal_is_still_possible() -> None:
    for early in (night("20:40:20"), night("20:42"), night("20:42", failures=1)):
        assert early.closes_at == at("23:40")
    for late in (night("18:00"), night("23:45"), night("23:45", failures=1), night("21:00", (0, "succeeded"))):
        assert late.closes_at is None


@pytest.mark.parametrize("outcome", ["missed", "failed"])
def test_in_the_morning_a_bad_night_is_shown_until_somebody_deals(outcome: str) -> None:
    morning = night("08:00", (1, outcome), (2, "succeeded"))
    assert (morning.state, morning.business_date) == (outcome, date(2026, 11, 23))
    assert morning.next_at == at("20:40")
    # A deal before that night does not make up for it; a deal after it does.
    assert night("08:00", (1, outcome), dealt_at=at("12:00", date(2026, 11, 23))).state == outcome
    assert night("08:00", (1, outcome), dealt_at=at("20:40", date(2026, 11, 23))).state == outcome
    assert night("08:00", (1, outcome), dealt_at=at("20:40:01", date(2026, 11, 23))).state == "due"
    made_up = night("08:00", (1, outcome), dealt_at=at("07:30"))
    assert (made_up.state, made_up.business_date) == ("due", TODAY)
    # A pause or a skipped deal does not mend it.
    for paused in (night("08:00", (1, outcome), pause=PAUSE), night("08:00", (0, "skipped"), (1, outcome))):
        assert (paused.state, paused.business_date) == (outcome, date(2026, 11, 23))
    assert night("08:00", (1, outcome), pause=PAUSE, dealt_at=at("07:30")).state == "paused"
    assert night("20:50", (1, outcome), pause=PAUSE).state == "paused"
    # In the evening the state is tonight's again.
    assert night("20:40:10", (1, outcome)).state == "due"
    assert night("20:45", (0, "succeeded"), (1, outcome)).state == "done"


def test_after_midnight_a_night_whose_window_is_open_is_still_tonight() -> None:
    settings = load(timezone="Europe/Berlin", run_at="22:30", catch_up="3h")
    state = ScheduleState(None, None, False, 0, None, False)
    found = assess(at("00:30"), settings, state=state, nights=[], pause=None, running=False, dealt_at=None)
    assert (found.state, found.business_date) == ("late", date(2026, 11, 23))
    done = assess(
        at("00:30"), settings, state=state, pause=None, running=False, dealt_at=None,
        nights=[NightRecord(date(2026, 11, 23), "succeeded", 7, at("00:29"))],
    )  # fmt: skip
    assert (done.state, done.run_id) == ("done", 7)


def test_the_run_of_the_night_is_named() -> None:
    assert night("21:00", (0, "succeeded")).run_id == 100
    assert night("18:00", (1, "succeeded")).run_id is None
