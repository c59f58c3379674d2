"""Metrics for Prometheus. They are read from the database on each request, so all copies of the service agree."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from agent_funnel.database import Database
from agent_funnel.do_not_contact import number_lists
from agent_funnel.masking import mask_digits
from agent_funnel.runs import last_run
from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.runway import Runway
from agent_funnel.schedule.skips import skipped_dates
from agent_funnel.schedule.store import current_pause, failure_counts, list_nights, outcome_counts
from agent_funnel.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(
    database: Database, settings: Settings, *, now: datetime, beat_age: float | None, runway: Runway | None = None
) -> bytes:
    """The metrics as text. `beat_age` is the age of the scheduler's heartbeat in seconds, None without a scheduler.
    `runway` is None if it is not known yet.

    Raises DatabaseError if the database does not answer.
    """
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float | None) -> None:
        if value is not None:
            Gauge(f"agent_funnel_{name}", meaning, registry=registry).set(value)

    last = last_run(database)
    if last is not None:
        gauge("last_success_timestamp_seconds", "End of the last run that is not undone", last.finished_at.timestamp())
        gauge("last_duration_seconds", "Duration of the last run that is not undone", last.seconds)
        gauge("last_agents", "Agents with room in the last run that is not undone", last.agents)
        gauge("last_pool_leads", "Leads in the pool of the last run that is not undone", last.pool)
        gauge("last_assigned_leads", "Leads that the last run that is not undone dealt", last.assigned)
        gauge("last_left_over_leads", "Leads that the last run that is not undone left over", last.left_over)
    dated = [each for each in list_nights(database, count=14) if each.run_id is not None]
    if dated:
        gauge("last_scheduled_success_timestamp_seconds", "End of the last scheduled run", dated[0].at.timestamp())
    skipped = skipped_dates(database, now)
    gauge("next_run_timestamp_seconds", "Time of the next scheduled run", next_run(now, settings, skipped).timestamp())
    gauge("paused", "1 while the schedule is paused, otherwise 0", float(current_pause(database) is not None))
    if runway is not None:
        low = runway.as_is.low
        # Without an end in sight it is 14, also if there are fewer deals in that time, or none.
        lasts = len(runway.nights) if low.lasts is None else low.lasts
        gauge("runway_deals", "Deals of the next 14 days before leads run short, with few new leads; 14: never", lasts)
        gauge("runway_expiring_leads", "Leads that pass the window in the next 14 days", runway.as_is.high.expired)
    gauge("heartbeat_age_seconds", "Age of the last heartbeat of the scheduler of this copy", beat_age)

    failures = Gauge(
        "agent_funnel_failures", "Failed attempts at scheduled runs, by error number", ["code"], registry=registry
    )
    for code, count in failure_counts(database).items():
        failures.labels(code).set(count)
    outcomes = outcome_counts(database)
    dates = Gauge(
        "agent_funnel_dates_without_run",
        "Business dates without a scheduled run, by reason",
        ["outcome"],
        registry=registry,
    )
    for outcome in ("missed", "failed", "holiday", "paused", "skipped"):
        dates.labels(outcome).set(outcomes.get(outcome, 0))
    ages = Gauge(
        "agent_funnel_do_not_contact_age_seconds",
        "Age of the last import of a do-not-contact list",
        ["list"],
        registry=registry,
    )
    entries = Gauge(
        "agent_funnel_do_not_contact_numbers", "Numbers on a do-not-contact list", ["list"], registry=registry
    )
    oldest: dict[str, float] = {}
    for each in number_lists(database, now):
        # A viewer's key reads the metrics. Lists whose names are masked alike count as one.
        name = mask_digits(each.name)
        entries.labels(name).inc(each.entries)
        if each.bound_days is not None:
            age = (now - (each.imported_at or each.added_at)).total_seconds()
            oldest[name] = max(age, oldest.get(name, age))
    for name, age in oldest.items():
        ages.labels(name).set(age)
    return generate_latest(registry)
