"""Metrics for Prometheus, computed from the database when they are asked for, so that every copy tells the same."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from agent_funnel import planning, service
from agent_funnel.backends import Backend
from agent_funnel.schedule import next_run
from agent_funnel.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(backend: Backend, settings: Settings, *, now: datetime, beat_age: float | None) -> bytes:
    """The metrics as text. `beat_age` is that of the clock in seconds, None without one. Raises DatabaseError."""
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float | None) -> None:
        if value is not None:
            Gauge(f"agent_funnel_{name}", meaning, registry=registry).set(value)

    last = service.last_run(backend)
    if last is not None:
        gauge(
            "last_success_timestamp_seconds", "When the last run that is not undone ended", last.finished_at.timestamp()
        )
        gauge("last_duration_seconds", "How long it took", last.seconds)
        gauge("last_agents", "Agents that it dealt to", last.agents)
        gauge("last_pool_leads", "Leads that it could deal", last.pool)
        gauge("last_assigned_leads", "Leads that it dealt", last.assigned)
        gauge("last_left_over_leads", "Leads that it left for another night", last.left_over)
    dated = [each for each in planning.outcomes(backend, count=14) if each.run_id is not None]
    if dated:
        gauge("last_scheduled_success_timestamp_seconds", "When the last scheduled run ended", dated[0].at.timestamp())
    gauge("next_run_timestamp_seconds", "When the next scheduled run is due", next_run(now, settings).timestamp())
    gauge("paused", "1 while the clock is paused", float(planning.current_pause(backend) is not None))
    gauge("heartbeat_age_seconds", "Since the clock of this copy has last shown that it is alive", beat_age)

    failures = Gauge(
        "agent_funnel_failures", "Failed attempts at scheduled runs on record", ["code"], registry=registry
    )
    for code, count in planning.failure_counts(backend).items():
        failures.labels(code).set(count)
    outcomes = planning.outcome_counts(backend)
    dates = Gauge(
        "agent_funnel_dates_without_run", "Business dates without a scheduled run", ["outcome"], registry=registry
    )
    for outcome in ("missed", "failed", "holiday", "paused"):
        dates.labels(outcome).set(outcomes.get(outcome, 0))
    return generate_latest(registry)
