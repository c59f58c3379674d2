"""Attacks on masked numbers in each state of Tonight: nothing there depends on digits that a viewer does not see."""

from __future__ import annotations

import random
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.deal import undo
from support.databases import TestedDatabase
from support.masked import Schedule, fill, fill_texts, hide_others, numbers, written
from support.pages import BROWSER, Page, bearer, client_of, key_of
from support.processes import run_in_progress

pytestmark = pytest.mark.sqlserver_if_long

TODAY = datetime.now(UTC).date()
DUE = datetime.combine(TODAY, time(20, 40), UTC)
MORNING = datetime.combine(TODAY, time(8), UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RESUMED = "UPDATE dbo.schedule_pause SET resumed_at = paused_at WHERE resumed_at IS NULL"
# No attempt at tonight's deal has failed, and nobody has taken a record of tonight back:
UNTRIED = (
    "UPDATE dbo.assignment_failure SET business_date = '2020-01-01'",
    "UPDATE dbo.schedule_void SET business_date = '2020-01-01'",
)
CLEAR = (RESUMED, *UNTRIED)
YESTERDAY = f"{TODAY - DAY}"
LAST_WEEK = f"finished_at = '{TODAY - 7 * DAY} 20:41:00'"
# The newest deal is older than a night that went wrong, of which this is the record:
OLD_DEAL = f"UPDATE dbo.assignment_run SET {LAST_WEEK} WHERE status = 'succeeded'"
FAILED = (
    f"UPDATE dbo.assignment_failure SET business_date = '{YESTERDAY}'",
    UNTRIED[1],
    "INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at) "
    f"VALUES ('{YESTERDAY}', 'failed', '{YESTERDAY} 23:40:00')",
)
BY_SCHEDULE = (
    f"UPDATE dbo.assignment_run SET [trigger] = 'schedule', business_date = '{TODAY}' "
    "WHERE run_id = (SELECT MAX(r.run_id) FROM dbo.assignment_run AS r)"
)
COLUMNS = (
    "business_date, [trigger], actor, status, max_per_agent, window_days, newest_first, started_at, finished_at, "
    "agents, per_agent, assigned, left_over, duplicates, suppressed, smallest_share, largest_share"
)
# Four deals that found much more than there is now:
LARGE_POOLS = (
    f"INSERT INTO dbo.assignment_run ({COLUMNS}) SELECT {COLUMNS} FROM dbo.assignment_run WHERE status = 'succeeded'",
) * 2 + ("UPDATE dbo.assignment_run SET pool = 10000 WHERE status = 'succeeded'",)


@dataclass(frozen=True)
class State:
    """A state of Tonight: the statements that bring it about, the moment, and words of the page.

    `text` is a statement that writes a text of a person.
    """

    statements: tuple[str, ...]
    words: tuple[str, ...]
    now: datetime = MORNING
    settings: dict[str, Any] = field(default_factory=dict)
    text: str | None = None
    undone: int = 0
    running: timedelta | None = None


STATES = {
    "paused": State(UNTRIED, ("Automatic deals are paused.", "by asked by …")),
    "due": State(CLEAR, ("The deal is due in 12 h 40 min.", "Next holiday: tomorrow (asked by …")),
    "due now": State(CLEAR, ("Tonight’s deal is due now.",), DUE + timedelta(seconds=9)),
    "late": State(CLEAR, ("The deal is late.", "A deal would work now:"), DUE + 12 * MINUTE),
    "failing": State((RESUMED, UNTRIED[1]), ("Tonight’s deal has failed so far.", "Why: asked by …"), DUE + HOUR),
    "failed": State((RESUMED, *FAILED, OLD_DEAL), (" failed.", "Why: asked by …", "A deal would work now:")),
    "failed, in a pause": State((*FAILED, OLD_DEAL), (" failed.", "Automatic deals are paused since")),
    "made up for": State((RESUMED, *FAILED), ("asked by …", "made up for it")),
    "missed": State(
        (*CLEAR, OLD_DEAL, FAILED[-1].replace("'failed'", "'missed'")),
        ("was missed.", "the service or its database was down"),
    ),
    "running": State(CLEAR, ("A deal is running.",), running=timedelta(0)),
    "hanging": State(CLEAR, ("A deal has been running for 1 h.", "It takes much longer than usual."), running=HOUR),
    "skipped": State(
        (*CLEAR, f"UPDATE dbo.schedule_skip SET business_date = '{TODAY}'"),
        ("Tonight’s deal is skipped.", "Decided by asked by …"),
    ),
    "holiday": State((*CLEAR, f"UPDATE dbo.holiday SET day = '{TODAY}'"), ("No deal today.", "Holiday: asked by …")),
    "taken back": State((RESUMED, UNTRIED[0]), ("No deal today.",), DUE + 2 * HOUR),
    "done": State((*CLEAR, BY_SCHEDULE), ("Tonight’s deal is done.",), DUE + HOUR),
    "undone": State((*CLEAR, BY_SCHEDULE), ("Tonight’s deal was undone.",), DUE + HOUR, undone=1),
    "first start": State(
        (*CLEAR, "DELETE FROM dbo.agents"), ("steps to the first deal", "There was no deal yet"), undone=1
    ),
    "nobody active": State(
        (*CLEAR, "UPDATE dbo.agents SET status = 'inactive'"), ("Tonight’s deal will fail: no agent is active.",)
    ),
    "bad rule": State(
        (
            *CLEAR,
            "INSERT INTO dbo.floor_rule (name, value, recorded_at, recorded_by) "
            "VALUES ('window_days', '-', '2026-01-01T00:00:00', 'somebody')",
        ),
        ("Tonight’s deal will fail.", "The recorded rule window_days is 'asked by …"),
        text="UPDATE dbo.floor_rule SET value = %s",
    ),
    "held": State((*CLEAR, *LARGE_POOLS), ("Tonight’s deal will wait for a person.",), settings={"brake": "pool"}),
    "smaller": State((*CLEAR, *LARGE_POOLS), ("Tonight’s deal is much smaller than usual.",)),
    "nothing to deal": State((*CLEAR, "UPDATE dbo.wafunnel SET stage = 4"), ("There is nothing to deal tonight.",)),
    "hand-backs": State(
        (*CLEAR, "UPDATE dbo.assignment_hand_back SET undone_at = NULL"), ("2 agents handed back 2 leads",)
    ),
}


def look(client: FlaskClient, viewer: dict[str, str]) -> dict[str, str]:
    """All that a viewer sees of tonight, by address."""
    nights = (f"/nights/{TODAY}", f"/nights/{YESTERDAY}")
    pages = {path: client.get(path, headers={**BROWSER, **viewer}) for path in ("/", "/?partial=1", *nights)}
    pages |= {path: client.get(path, headers=viewer) for path in ("/api/schedule",)}
    assert {answer.status_code for answer in pages.values()} == {200}
    return {path: answer.text for path, answer in pages.items()}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_tonight_depends_on_no_hidden_digit_in_any_state(database: TestedDatabase, state: State) -> None:
    old, new = fill(database), numbers(random.Random(2))
    fill_texts(database, old)
    for statement in state.statements:
        database.execute(statement)
    for _ in range(state.undone):
        undo(database.backend)
    client, viewer = client_of(database, **state.settings), bearer(key_of(database, "viewer"))
    given = client.application.extensions["agent_funnel"]
    since = None if state.running is None else state.now - state.running
    schedule: Any = Schedule(database, state.now, since)
    client.application.extensions["agent_funnel"] = replace(given, now=lambda: state.now, schedule=schedule)

    def written_and_seen(number: str) -> dict[str, str]:
        if state.text:
            # A rule has at most 40 characters.
            database.execute(state.text, written(number)[:21])
        with nullcontext() if since is None else run_in_progress(database):
            return look(client, viewer)

    before = written_and_seen(old[0])
    page = Page(before["/"])
    for words in state.words:
        assert words in page
    hide_others(database, old, new)
    given.counts.forget_forecast()
    assert written_and_seen(new[0]) == before
