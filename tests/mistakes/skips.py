"""Mistakes in dates whose scheduled run is skipped."""

from __future__ import annotations

from mistakes.places import ASSIGN, PLAN, SCHEDULE, T_ASSIGN, VOIDS, Mistake

_SQLITE, _SQLSERVER = "src/agent_funnel/sql/sqlite/schedule", "src/agent_funnel/sql/sqlserver/schedule"
VIEW, T_VIEW = f"{_SQLITE}/vw_date_without_run.sql", f"{_SQLSERVER}/vw_date_without_run.sql"
SKIPS, P_VOIDS = "src/agent_funnel/schedule/skips.py", "src/agent_funnel/schedule/voids.py"
STATUS = "src/agent_funnel/schedule/status.py"
ON_SKIPS = "tests/backend/test_schedule_skips.py"

MISTAKES = (
    Mistake(
        "skips: an undo of the deal leaves the date skipped",
        VIEW, "u.run_id = s.run_id AND (s.closes_at IS NULL OR u.undone_at < s.closes_at)", "FALSE",
        ON_SKIPS, "undo_of_the_deal_ends", "sqlite",
    ),
    Mistake(
        "skips: an undo after the window ends the skip",
        VIEW, "u.run_id = s.run_id AND (s.closes_at IS NULL OR u.undone_at < s.closes_at)", "u.run_id = s.run_id",
        ON_SKIPS, "after_the_window", "sqlite",
    ),
    Mistake(
        "T-SQL skips: an undo after the window ends the skip",
        T_VIEW, "u.run_id = s.run_id AND (s.closes_at IS NULL OR u.undone_at < s.closes_at)", "u.run_id = s.run_id",
        ON_SKIPS, "after_the_window", "sqlserver",
    ),
    Mistake(
        "skips: a deal does not record the skip that it is made for",
        ASSIGN, "FROM temp.this_run AS t\nWHERE :skip_date IS NOT NULL;", "FROM temp.this_run AS t\nWHERE FALSE;",
        ON_SKIPS, "made_instead_skips", "sqlite",
    ),
    Mistake(
        "skips: a job of the database deals for a skipped date",
        ASSIGN, "FROM date_without_run AS o\nWHERE :trigger = 'schedule' AND",
        "FROM schedule_outcome AS o\nWHERE :trigger = 'schedule' AND",
        ON_SKIPS, "made_instead_skips", "sqlite",
    ),
    Mistake(
        "T-SQL skips: a job of the database deals for a skipped date",
        T_ASSIGN, "FROM dbo.date_without_run AS o\n                WHERE @trigger = 'schedule' AND",
        "FROM dbo.schedule_outcome AS o\n                WHERE @trigger = 'schedule' AND",
        ON_SKIPS, "made_instead_skips", "sqlserver",
    ),
    Mistake(
        "skips: a run that is done can be skipped",
        ASSIGN, 'WHERE r."trigger" = \'schedule\' AND r.business_date = :skip_date AND', "WHERE FALSE AND",
        ON_SKIPS, "refused_skips_nothing", "sqlite",
    ),
    Mistake(
        "T-SQL skips: the run that is skipped asks for a confirmation",
        T_ASSIGN, "(@skip_date IS NULL OR n.business_date <> @skip_date)", "1 = 1",
        ON_SKIPS, "needs_no_again", "sqlserver",
    ),
    Mistake(
        "skips: the run that is skipped asks for a confirmation",
        PLAN, "        AND n.business_date IS NOT :skip_date\n", "",
        ON_SKIPS, "needs_no_again", "sqlite",
    ),
    Mistake(
        "skips: a look takes a skip for the record of a clock that is ahead",
        P_VOIDS, 'not in ("void", "skipped")', 'not in ("void",)',
        ON_SKIPS, "skipped_alone", "sqlite",
    ),
    Mistake(
        "skips: a skipped date ends as missed",
        VOIDS, "FROM date_without_run AS o\nWHERE o.business_date >= :since",
        "FROM schedule_outcome AS o\nWHERE o.business_date >= :since",
        ON_SKIPS, "made_instead_skips", "sqlite",
    ),
    Mistake(
        "skips: a skipped date has no outcome",
        SCHEDULE, "NULL AS run_id, o.recorded_at AS at FROM date_without_run AS o",
        "NULL AS run_id, o.recorded_at AS at FROM schedule_outcome AS o",
        ON_SKIPS, "made_instead_skips", "sqlite",
    ),
    Mistake(
        "skips: the next deal is the one that is skipped",
        STATUS, "*skipped}", "}",
        ON_SKIPS, "made_instead_skips", "sqlite",
    ),
    Mistake(
        "skips: a date whose window has closed is skipped",
        SKIPS, "if closes_at(day, rules) <= now:", "if False:",
        ON_SKIPS, "must_be_a_scheduled_deal", "sqlite",
    ),
)  # fmt: skip
