"""Outcomes: a small floor that has been dealt, and reports of its leads."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agent_funnel.hand_backs import HandBack, hand_back_leads
from agent_funnel.outcomes import OutcomeReport, ReportedOutcome, report_outcome, take_back_outcome
from support.databases import TestedDatabase
from support.nights import active_agents, put_agents, put_leads, run_deal

ZONE = ZoneInfo("America/Sao_Paulo")
# The procedures compare with the database's clock, so the tests deal on the present date:
DEALT_ON = datetime.now(UTC).date()
ARRIVED = datetime.combine(DEALT_ON - timedelta(days=3), time(9))
ANAS = "+5511987654321"
BRUNOS = "+5511912345678"
CARLOS = "+5521912345678"
DORAS = "+5521987654321"


def put_floor(database: TestedDatabase, *numbers: str, agents: tuple[str, ...] = ("Al", "Bo")) -> int:
    """Puts agents and leads, deals, and returns the number of the run. Al gets the first lead, Bo the second, …"""
    put_agents(database, active_agents(*agents))
    put_leads(database, [(number, 1, ARRIVED) for number in numbers or (BRUNOS, ANAS, CARLOS)])
    return deal_again(database)


def deal_again(database: TestedDatabase, business_date: date = DEALT_ON) -> int:
    """Deals, and returns the number of the run."""
    return run_deal(database, business_date).run_id


def now() -> datetime:
    """The present moment, to the millisecond as databases keep it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def tell(database: TestedDatabase, number: str, outcome: str, *, actor: str = "Eva", **fields: Any) -> ReportedOutcome:
    """Reports an outcome."""
    reported = OutcomeReport(number, outcome, **fields)
    return report_outcome(database.backend, reported, actor=actor, now=now(), zone=ZONE)


def take_back(database: TestedDatabase, told: ReportedOutcome, **fields: Any) -> ReportedOutcome:
    """Takes an outcome back."""
    return take_back_outcome(database.backend, told.report, actor="Eva", now=now(), **fields)


def hand_back(database: TestedDatabase, agent: str = "Al", run_id: int | None = None) -> HandBack:
    """Hands back the rest of an agent's list."""
    return hand_back_leads(database.backend, agent, actor="Eva", now=now(), zone=ZONE, run_id=run_id)


def standing(database: TestedDatabase) -> list[tuple[str, str]]:
    """The number and the outcome of each lead whose outcome holds."""
    return sorted(database.execute("SELECT number, outcome FROM dbo.assignment_outcome WHERE stands = 1"))
