"""The days that an agent's own list offers for a call-back, its messages to leads, and the notices of reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import agent_funnel.sql
from agent_funnel.settings import load
from agent_funnel.web.messages import messages
from agent_funnel.web.outcomes import LATER_OUTCOME, NOTICES
from agent_funnel.web.own_list import call_back_days

SQL = Path(agent_funnel.sql.__file__).parent
THURSDAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("today", "dealt_on", "offered"),
    [
        (THURSDAY, THURSDAY - timedelta(days=1), ["Tomorrow 2026-11-27", "Monday 2026-11-30", "In a week 2026-12-03"]),
        (date(2026, 11, 29), THURSDAY, ["Tomorrow 2026-11-30", "In a week 2026-12-06"]),
        (date(2026, 11, 30), THURSDAY, ["Tomorrow 2026-12-01", "In a week 2026-12-07"]),
        # A deal that was made for a later date:
        (THURSDAY, THURSDAY + timedelta(days=1), ["Monday 2026-11-30", "In a week 2026-12-03"]),
    ],
)
def test_the_days_of_a_call_back_are_after_the_deal(today: date, dealt_on: date, offered: list[str]) -> None:
    days = call_back_days(today, dealt_on)
    assert [" ".join(choice) for choice in days["choices"]] == offered
    assert days["first"] == str(max(today, dealt_on + timedelta(days=1)))
    assert days["last"] == str(today + timedelta(days=90))


@pytest.mark.parametrize(
    ("today", "off", "offered"),
    [
        # Monday is a holiday.
        (THURSDAY, [4], ["Tomorrow 2026-11-27", "In a week 2026-12-03"]),
        # On a Friday; the weekend has no deal, and then Monday has none, either.
        (date(2026, 11, 27), [1, 2], ["Monday 2026-11-30", "In a week 2026-12-04"]),
        (date(2026, 11, 27), [1, 2, 3], ["Tuesday 2026-12-01", "In a week 2026-12-04"]),
        (THURSDAY, range(105), []),
    ],
)
def test_days_without_a_deal_are_not_offered(today: date, off: Sequence[int], offered: list[str]) -> None:
    days_off = [today + timedelta(days=ahead) for ahead in off]
    days = call_back_days(today, today - timedelta(days=1), days_off)
    assert [" ".join(choice) for choice in days["choices"]] == offered
    assert days["off"] == [str(day) for day in days_off]
    assert days["known"] == str(today + timedelta(days=104))


@pytest.mark.parametrize(
    ("hour", "country", "greeting"),
    [(11, "BR", "Bom dia"), (12, "BR", "Boa tarde"), (18, "MX", "Buenas noches"), (17, None, "Good afternoon")],
)
def test_a_message_greets_by_the_time_of_day(hour: int, country: str | None, greeting: str) -> None:
    settings = load(message_first="{greeting}, {agent}", message_third="")
    found = messages(settings, agent="{greeting}", country=country, now=datetime(2026, 11, 26, hour, tzinfo=UTC))
    assert (found["first"], found["call_back"], found["third"]) == (f"{greeting}, {{greeting}}", f"{greeting}!", "")


@pytest.mark.parametrize("file", ["sqlite/outcomes.sql", "sqlserver/outcomes/sp_report_outcome.sql"])
def test_pages_know_the_notices_of_reports(file: str) -> None:
    text = (SQL / file).read_text(encoding="utf-8").replace("''", "’")
    # Long texts are joined from parts.
    text = re.sub(r"'\s*(?:\|\||\+)\s*N?'", "", text)
    found = {each.replace("’", "'") for each in re.findall(r"'((?:Kept|Taken back)\. [^']+)'", text)}
    assert found == {*NOTICES, LATER_OUTCOME}
