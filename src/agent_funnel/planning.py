"""What the clock keeps in the database, so that all copies of the service agree: failures, outcomes, pauses, holidays.

Every function raises errors of the tree in `errors`, and changes nothing when it raises. Moments are arguments.
"""

from __future__ import annotations

from datetime import date, datetime
from statistics import median

from agent_funnel import doctor, service
from agent_funnel.backends import Backend
from agent_funnel.errors import BrakeApplied, FunnelError, NotFound
from agent_funnel.records import Holiday, Outcome, Pause, Run, ScheduleState
from agent_funnel.service import utc
from agent_funnel.settings import Settings

# How many runs say what a usual pool is, and how many there must be to say it:
USUAL_RUNS = 14
FEWEST_RUNS = 3
# What the table of failures holds of a message, in characters:
LONGEST_MESSAGE = 1_000


def state(backend: Backend, business_date: date) -> ScheduleState:
    """What the clock needs to know, with the failures of that date."""
    row = backend.one("schedule_state", business_date=business_date.isoformat())
    assert row is not None
    return ScheduleState.from_row(row)


def scheduled_run(
    backend: Backend, settings: Settings, business_date: date, *, now: datetime, actor: str, overrule: bool
) -> Run:
    """The scheduled run of a business date.

    Raises BrakeApplied where the settings want a person to look first, unless that person says `overrule`.
    """
    warning = None
    if "procedure" in settings.brake and not overrule:
        warning = changed_procedure(backend, now=now)
    if "pool" in settings.brake and not overrule and warning is None:
        pool = service.preview(backend, settings, business_date=business_date).run.pool
        warning = unusual(backend, settings, pool)
    if warning:
        raise BrakeApplied(
            f"{warning} FUNNEL_BRAKE holds the run until a person says `agent-funnel run --scheduled`; "
            "nothing was changed."
        )
    return service.assign(backend, settings, business_date=business_date, trigger="schedule", actor=actor)


def unusual(backend: Backend, settings: Settings, pool: int, *, before: int | None = None) -> str | None:
    """A sentence if a pool is unlike those of the last runs (before a run, if given), by the factor of the settings."""
    pools = [
        run.pool for run in service.runs(backend, count=4 * USUAL_RUNS, before=before) if run.status == "succeeded"
    ]
    known = [pool for pool in pools if pool is not None][:USUAL_RUNS]
    if len(known) < FEWEST_RUNS:
        return None
    usual = median(known)
    if usual / settings.pool_factor <= pool <= usual * settings.pool_factor:
        return None
    return f"The pool has {pool} leads, where the last {len(known)} runs had {usual:.0f} (median)."


def changed_procedure(backend: Backend, *, now: datetime) -> str | None:
    """A sentence if an installed procedure is not that of this program."""
    found = doctor.procedures(backend, now=now)
    return next((finding.text for finding in found if finding.level in ("warning", "error")), None)


def record_failure(
    backend: Backend,
    settings: Settings,
    business_date: date,
    error: FunnelError,
    *,
    attempt: int,
    started_at: datetime,
    finished_at: datetime,
    actor: str,
) -> bool:
    """Records a failed attempt as a run of the status `failed`; False if another copy has recorded that attempt."""
    row = backend.one(
        "record_failure",
        business_date=business_date.isoformat(),
        attempt=attempt,
        error_number=error.number,
        message=str(error)[:LONGEST_MESSAGE],
        actor=actor,
        max_per_agent=settings.max_per_agent,
        window_days=settings.window_days,
        newest_first=int(settings.newest_first),
        started_at=utc(started_at),
        finished_at=utc(finished_at),
    )
    return bool(row and row["recorded"])


def settle(backend: Backend, business_date: date, *, workday: bool, closes_at: datetime, now: datetime) -> str | None:
    """Records why a business date passed without a scheduled run; says so to the one copy that recorded it."""
    row = backend.one(
        "settle_date",
        business_date=business_date.isoformat(),
        workday=int(workday),
        closes_at=utc(closes_at),
        now=utc(now),
    )
    return str(row["outcome"]) if row else None


def outcomes(backend: Backend, *, count: int = 60) -> list[Outcome]:
    """What became of the newest business dates, the newest first."""
    return [Outcome.from_row(row) for row in backend.all("outcomes", count=count)]


def failure_counts(backend: Backend) -> dict[str, int]:
    """How many attempts at scheduled runs failed, by the number of the error; `other` has none."""
    return {str(row["error_number"] or "other"): row["failures"] for row in backend.all("failure_counts")}


def outcome_counts(backend: Backend) -> dict[str, int]:
    """How many business dates passed without a scheduled run, by why."""
    return {row["outcome"]: row["dates"] for row in backend.all("outcome_counts")}


def pauses(backend: Backend, *, count: int = 10) -> list[Pause]:
    """The newest pauses, the newest first; the first is on if it has no end."""
    return [Pause.from_row(row) for row in backend.all("pauses", count=count)]


def current_pause(backend: Backend) -> Pause | None:
    """The pause that is on, None if the clock goes."""
    return next((each for each in pauses(backend, count=1) if each.resumed_at is None), None)


def pause(backend: Backend, *, now: datetime, actor: str | None, reason: str | None) -> bool:
    """Pauses the clock, for all copies of the service; False if it is paused already."""
    row = backend.one("pause", now=utc(now), actor=actor, reason=reason)
    return bool(row and row["changed"])


def resume(backend: Backend, *, now: datetime, actor: str | None) -> bool:
    """Ends the pause; False if there is none."""
    row = backend.one("resume", now=utc(now), actor=actor)
    return bool(row and row["changed"])


def holidays(backend: Backend, *, since: date) -> list[Holiday]:
    """The holidays from a day on."""
    return [Holiday.from_row(row) for row in backend.all("holidays", since=since.isoformat())]


def add_holiday(backend: Backend, day: date, name: str | None = None) -> None:
    """Adds a holiday, or names it anew."""
    backend.one("add_holiday", day=day.isoformat(), label=name)


def remove_holiday(backend: Backend, day: date) -> None:
    """Removes a holiday. Raises NotFound if that day is none."""
    row = backend.one("remove_holiday", day=day.isoformat())
    if not row or not row["removed"]:
        raise NotFound(f"{day} is no holiday; `agent-funnel holidays` lists them.")
