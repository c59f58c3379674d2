"""Mistakes in locks: missing locks and open transactions in T-SQL, and the locks of runs in SQLite."""

from __future__ import annotations

from mistakes.places import (
    ASSIGN,
    ON_CONCURRENCY,
    ON_LOCKS,
    ON_SQL,
    ON_SQLITE,
    ON_T_SQL,
    P_SQLITE,
    SCHEDULE,
    T_AGENTS,
    T_ASSIGN,
    T_DATABASE,
    T_DEAL,
    T_DO_NOT_CONTACT,
    T_LINKS,
    T_RUNS,
    T_SCHEDULE,
    T_UNDO,
    UNDO,
    Mistake,
)

LOOKS = "SET @looks = CONCAT(@resource, N':looks');"


def header(message: str, lock: str = "records") -> str:
    """The lines above a query that give it a lock, with the message for a caller who does not get the lock."""
    return f"-- lock: {lock}\n-- busy: {message}\n"


def run_header(consequence: str, again: str = "the run") -> str:
    """The lines above a query that waits for a run."""
    return header(f"A run is still in progress{consequence}. Try again when {again} has ended.")


RUN_OF_REQUEST = run_header(", so it is not known yet whether the call made its run", "it")
ADD_AGENT = "-- name: add_agent\n"
OF_AGENTS = header("Another session is still adding or activating agents; nothing was changed. Try again.", "agents")

MISTAKES = (
    Mistake(
        "T-SQL run of a request: without its lock",
        T_DEAL, RUN_OF_REQUEST, "",
        ON_LOCKS, "still_going", "sqlserver",
    ),
    Mistake(
        "T-SQL purge: without its lock",
        T_RUNS, run_header("; nothing was purged"), "",
        ON_LOCKS, "purge", "sqlserver",
    ),
    Mistake(
        "T-SQL record_failure: without its lock",
        T_SCHEDULE, run_header("; the failure was not recorded"), "",
        ON_LOCKS, "eight_copies or failed", "sqlserver",
    ),
    Mistake(
        "T-SQL settle_date: without its lock",
        T_SCHEDULE, run_header("; no outcome was recorded"), "",
        ON_LOCKS, "about_to_end or passed", "sqlserver",
    ),
    Mistake(
        "T-SQL do-not-contact: without its lock",
        T_DO_NOT_CONTACT, run_header("; no number was put on the list"), "",
        ON_LOCKS, "number", "sqlserver",
    ),
    Mistake(
        "T-SQL add_agent: without its lock",
        T_AGENTS, ADD_AGENT + OF_AGENTS, ADD_AGENT,
        ON_LOCKS, "new", "sqlserver",
    ),
    Mistake(
        "T-SQL add_link: without its lock",
        T_LINKS, header("Another session is still making a link; nothing was changed. Try again.", "links"), "",
        ON_LOCKS, "four_sessions", "sqlserver",
    ),
    Mistake(
        "T-SQL run of a request: without its lock, by the text",
        T_DEAL, RUN_OF_REQUEST, "",
        ON_T_SQL, "every_lock_is_checked",
    ),
    Mistake(
        "T-SQL add_agent: the lock is that of the records",
        T_AGENTS, f"{ADD_AGENT}-- lock: agents\n", f"{ADD_AGENT}-- lock: records\n",
        ON_LOCKS, "waits_for_its_lock", "sqlserver",
    ),
    Mistake(
        "T-SQL locks: the result of the lock is not checked",
        T_DATABASE, "    IF @lock < 0\n        THROW 50001, N'<busy>', 1;\n", "",
        ON_T_SQL, "every_lock_is_checked",
    ),
    Mistake(
        "T-SQL locks: a refused query leaves its transaction open",
        T_DATABASE, "    IF XACT_STATE() <> 0\n        ROLLBACK TRANSACTION;\n", "",
        ON_LOCKS, "leaves_nothing_open and purge", "sqlserver",
    ),
    Mistake(
        "T-SQL locks: a refused query leaves its transaction open, by the text",
        T_DATABASE, "    IF XACT_STATE() <> 0\n        ROLLBACK TRANSACTION;\n", "",
        ON_T_SQL, "rolls_it_back",
    ),
    Mistake(
        "T-SQL locks: the schema is locked as it is spelt",
        T_DATABASE,
        "OBJECT_SCHEMA_NAME(OBJECT_ID(N'dbo.sp_assign_wafunnel_to_agents')),\n        "
        "SCHEMA_NAME(SCHEMA_ID(%(schema)s)),",
        "%(schema)s,",
        ON_LOCKS, "another_spelling", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the lock of the records is not taken",
        T_ASSIGN, "SET @resource = CONCAT(@resource, N':records');", "SET @resource = CONCAT(@resource, N':nothing');",
        ON_LOCKS, "deal", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: the lock of the records is not taken",
        T_UNDO, "SET @resource = CONCAT(@resource, N':records');", "SET @resource = CONCAT(@resource, N':nothing');",
        ON_LOCKS, "undo", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: the run lock is not taken",
        T_UNDO, "SET @resource = CONCAT(N'agent_funnel:', DB_NAME()", "SET @resource = CONCAT(N'undo:', DB_NAME()",
        ON_LOCKS, "refused_at_once", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: a run does not wait for a look",
        T_ASSIGN, LOOKS, "SET @looks = CONCAT(@resource, N':nothing');",
        ON_CONCURRENCY, "waits_for_a_slow_look", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: a run goes on beside a slow look",
        T_ASSIGN,
        "@Resource = @looks, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;\n",
        "@Resource = @looks, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 0;\n",
        ON_CONCURRENCY, "waits_for_a_slow_look", "sqlserver",
    ),
    Mistake(
        "T-SQL look: it tests the run lock itself",
        T_DATABASE, "SET @resource = CONCAT(@resource, N':looks');", "",
        ON_LOCKS, "look_for_a_run", "sqlserver",
    ),
    Mistake(
        "SQLite look: it tests the run lock itself",
        P_SQLITE, 'self._locked_file("looks", "SELECT 1 FROM sqlite_schema", 0)',
        'self._locked_file("run", "BEGIN IMMEDIATE", 0)',
        ON_CONCURRENCY, "never_refuses_a_run", "sqlite",
    ),
    Mistake(
        "T-SQL look: two looks at once see each other",
        T_DATABASE, "@LockMode = 'Shared'", "@LockMode = 'Exclusive'",
        ON_CONCURRENCY, "two_looks_at_once", "sqlserver",
    ),
    Mistake(
        "SQLite look: two looks at once see each other",
        P_SQLITE, '"looks", "SELECT 1 FROM sqlite_schema", 0', '"looks", "BEGIN EXCLUSIVE", 0',
        ON_CONCURRENCY, "two_looks_at_once", "sqlite",
    ),
    Mistake(
        "SQLite: a run does not wait for a look",
        P_SQLITE, '"looks", "BEGIN EXCLUSIVE", LOOKS_SECONDS', '"looks", "BEGIN EXCLUSIVE", 0',
        ON_CONCURRENCY, "waits_for_a_slow_look", "sqlite",
    ),
    Mistake(
        "SQLite: two runs can refuse each other",
        P_SQLITE, 'self._locked_file("run", "BEGIN IMMEDIATE", 0)', 'self._locked_file("run", "BEGIN EXCLUSIVE", 0)',
        ON_CONCURRENCY, "never_refuse_each_other", "sqlite",
    ),
    Mistake(
        "SQLite: each read opens a connection",
        P_SQLITE, "not create and not own and (kept", "create and not own and (kept",
        ON_SQLITE, "one_connection", "sqlite",
    ),
    Mistake(
        "SQLite: a connection to a file that was replaced is used",
        P_SQLITE, "if connection.file == file:", "if True:",
        ON_SQLITE, "replaced", "sqlite",
    ),
    Mistake(
        "SQLite: a connection keeps the wait of a query that does not wait",
        P_SQLITE, "                self._set_wait(connection, self._lock_wait.total_seconds())\n", "",
        ON_SQLITE, "does_not_wait", "sqlite",
    ),
    Mistake(
        "SQLite: a connection keeps temporary tables",
        P_SQLITE, "connection.total_changes or _has_temporary_tables(connection)", "False",
        ON_SQLITE, "temporary_tables", "sqlite",
    ),
    Mistake(
        "SQLite: what was written stays beside the file",
        P_SQLITE, '                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")\n', "",
        ON_SQLITE, "after_a_write", "sqlite",
    ),
    Mistake(
        "SQLite: any number of connections stays open",
        P_SQLITE, "elif len(self._kept) < KEPT_CONNECTIONS:", "else:",
        ON_SQLITE, "eight_stay_open", "sqlite",
    ),
    Mistake(
        "SQLite: the run lock is not taken by an undo",
        UNDO, "-- traits: run\n", "",
        ON_LOCKS, "refused_at_once", "sqlite",
    ),
    Mistake(
        "SQLite: the run lock is not taken by a deal",
        ASSIGN, "-- traits: run\n", "",
        ON_CONCURRENCY, "refused_at_once", "sqlite",
    ),
    Mistake(
        "T-SQL deal: a wait of a run is not watched",
        T_DEAL, "-- traits: run\n-- Deals the pool out.", "-- Deals the pool out.",
        ON_SQL, "every_trait",
    ),
    Mistake(
        "schedule: a date that had its run is recorded as missed",
        SCHEDULE, "r.business_date = :business_date AND r.status IN ('succeeded', 'undone')",
        "r.business_date = :business_date AND r.status IN ('undone')",
        ON_LOCKS, "about_to_end", "sqlite",
    ),
)  # fmt: skip
