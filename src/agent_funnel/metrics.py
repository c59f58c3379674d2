"""Metrics for Prometheus, computed from the database on request, so that every copy of the service gives the same."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from agent_funnel.database import Database
from agent_funnel.runs import last_run
from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.store import current_pause, failure_counts, list_nights, outcome_counts
from agent_funnel.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(database: Database, settings: Settings, *, now: datetime, beat_age: float | None) -> bytes:
    """The metrics as text. `beat_age` is the age of the clock's heartbeat in seconds, None without a clock.

    Raises DatabaseError.
    """
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float | None) -> None:
        if value is not None:
            Gauge(f"agent_funnel_{name}", meaning, registry=registry).set(value)

    last = last_run(database)
    if last is not None:
        gauge(
            "last_success_timestamp_seconds", "When the last run that is not undone ended", last.finished_at.timestamp()
        )
        gauge("last_duration_seconds", "Duration of that run", last.seconds)
        gauge("last_agents", "Agents that it dealt to", last.agents)
        gauge("last_pool_leads", "Leads that it could deal", last.pool)
        gauge("last_assigned_leads", "Leads that it dealt", last.assigned)
        gauge("last_left_over_leads", "Leads that it left for another night", last.left_over)
    dated = [each for each in list_nights(database, count=14) if each.run_id is not None]
    if dated:
        gauge("last_scheduled_success_timestamp_seconds", "When the last scheduled run ended", dated[0].at.timestamp())
    gauge("next_run_timestamp_seconds", "When the next scheduled run is due", next_run(now, settings).timestamp())
    gauge("paused", "1 while the schedule is paused", float(current_pause(database) is not None))
    gauge("heartbeat_age_seconds", "Time since the clock of this copy last showed that it is alive", beat_age)

    failures = Gauge(
        "agent_funnel_failures", "Failed attempts at scheduled runs on record", ["code"], registry=registry
    )
    for code, count in failure_counts(database).items():
        failures.labels(code).set(count)
    outcomes = outcome_counts(database)
    dates = Gauge(
        "agent_funnel_dates_without_run", "Business dates without a scheduled run", ["outcome"], registry=registry
    )
    for outcome in ("missed", "failed", "holiday", "paused"):
        dates.labels(outcome).set(outcomes.get(outcome, 0))
    return generate_latest(registry)
