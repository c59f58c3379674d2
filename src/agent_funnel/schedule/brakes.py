"""The scheduled run, and the brakes that hold it until a person has looked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from agent_funnel.database import Database
from agent_funnel.deal import NewRun, deal, preview
from agent_funnel.doctor import check_procedures
from agent_funnel.errors import BrakeApplied
from agent_funnel.runs import HELD, list_runs
from agent_funnel.sentences import counted, joined, sentence, shown_as
from agent_funnel.settings import Settings
from agent_funnel.stored_sentences import as_sentence

# The usual pool is the median of this many runs:
USUAL_RUNS = 14
# With fewer runs than this, no pool counts as unusual:
FEWEST_RUNS = 3


@dataclass(frozen=True)
class UnusualPool:
    """The pool for which a brake held a deal, and the usual one."""

    pool: int
    usual: int

    @property
    def is_smaller(self) -> bool:
        """Whether there were too few leads, and not too many."""
        return self.pool < self.usual


def scheduled_run(
    database: Database, settings: Settings, business_date: date, *, now: datetime, actor: str, overrule: bool
) -> NewRun:
    """Makes the scheduled run of a business date.

    Raises BrakeApplied if a brake of the settings holds the run, unless a person makes it (`overrule`).
    """

    def unusual() -> str | None:
        return unusual_pool(database, settings, preview(database, settings, business_date=business_date).run.pool)

    if not overrule and (warning := reason_to_hold(database, settings, unusual, now=now)):
        raise BrakeApplied(
            shown_as(
                f"{warning} {HELD}",
                joined(warning, sentence("So the deal waits until a person makes it; nothing was changed.")),
            )
        )
    return deal(database, settings, business_date=business_date, trigger="schedule", actor=actor)


def reason_to_hold(
    database: Database, settings: Settings, unusual: Callable[[], str | None], *, now: datetime
) -> str | None:
    """The reason why a brake would hold a scheduled run; None if none would.

    `unusual` is asked only if it matters, since it may need a preview: the warning that the pool is, or None.
    """
    if "procedure" in settings.brake and (warning := changed_procedure(database, now=now)):
        return warning
    return unusual() if "pool" in settings.brake else None


def unusual_pool(database: Database, settings: Settings, pool: int, *, before: int | None = None) -> str | None:
    """Warns in a sentence if a pool differs from the usual one by more than `pool_factor` of the settings.

    Returns None if it does not, or if there are too few runs to know. With `before`, only runs before that one count.
    """
    pools = last_pools(database, before=before)
    if len(pools) < FEWEST_RUNS:
        return None
    usual = median(pools)
    if usual / settings.pool_factor <= pool <= usual * settings.pool_factor:
        return None
    given = {"deals": len(pools), "usual": round(usual)}
    kept = counted(
        "%(count)s lead is ready to deal, but the median of the last %(deals)s deals is %(usual)s.",
        "%(count)s leads are ready to deal, but the median of the last %(deals)s deals is %(usual)s.",
        pool,
        **given,
    )
    shown = counted(
        "%(count)s lead to deal, but in the last %(deals)s deals there were usually about %(usual)s.",
        "%(count)s leads to deal, but in the last %(deals)s deals there were usually about %(usual)s.",
        pool,
        **given,
    )
    # Pages say it without the term.
    return shown_as(kept, shown)


def pool_in(reason: str) -> UnusualPool | None:
    """The pool in the recorded reason of a brake; None if that held the deal for another reason."""
    values = getattr(as_sentence(reason), "values", {})
    pool, usual = values.get("count"), values.get("usual")
    return UnusualPool(pool, usual) if isinstance(pool, int) and isinstance(usual, int) else None


def last_pools(database: Database, *, before: int | None = None) -> list[int]:
    """The pools of the last runs, of which the median is the usual one."""
    runs = [run for run in list_runs(database, count=4 * USUAL_RUNS, before=before) if run.status == "succeeded"]
    return [run.pool for run in runs if run.pool is not None][:USUAL_RUNS]


def usual_length(database: Database) -> timedelta | None:
    """The median of the times that the last runs took; None without a run."""
    found = list_runs(database, count=4 * USUAL_RUNS)
    lengths = [run.finished_at - run.started_at for run in found if run.finished_at and run.status != "failed"]
    seconds = [length.total_seconds() for length in lengths[:USUAL_RUNS]]
    return timedelta(seconds=median(seconds)) if seconds else None


def changed_procedure(database: Database, *, now: datetime) -> str | None:
    """Warns in a sentence if an installed procedure is not that of this version; returns None if all are."""
    found = check_procedures(database, now=now)
    return next((finding.text for finding in found if finding.level in ("warning", "error")), None)
