"""Locks that are left out, and transactions that are left open, in T-SQL; and the run lock of SQLite."""

from __future__ import annotations

from mistakes.places import (
    ON_LOCKS,
    ON_T_SQL,
    P_SQLITE,
    SCHEDULE,
    T_AGENTS,
    T_DEAL,
    T_DO_NOT_CONTACT,
    T_RUNS,
    T_SCHEDULE,
    T_UNDO,
    Mistake,
)


def lock(message: str) -> str:
    """How a query takes its lock, with the message for who does not get it."""
    return (
        "    EXECUTE @lock = sp_getapplock\n"
        "        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', "
        "@LockTimeout = @@LOCK_TIMEOUT;\n"
        f"    IF @lock < 0\n        THROW 50001, N'{message}', 1;\n"
    )


MISTAKES = (
    Mistake(
        "T-SQL settle: without its lock",
        T_RUNS, lock("A run has been in progress all this time."), "",
        ON_LOCKS, "still_going", "sqlserver",
    ),
    Mistake(
        "T-SQL purge: without its lock",
        T_RUNS, lock("A run has been in progress all this time; nothing was purged."), "",
        ON_LOCKS, "purge", "sqlserver",
    ),
    Mistake(
        "T-SQL record_failure: without its lock",
        T_SCHEDULE, lock("A run has been in progress all this time; the failure was not recorded."), "",
        ON_LOCKS, "eight_copies or failed", "sqlserver",
    ),
    Mistake(
        "T-SQL settle_date: without its lock",
        T_SCHEDULE, lock("A run has been in progress all this time; nothing was recorded."), "",
        ON_LOCKS, "about_to_end", "sqlserver",
    ),
    Mistake(
        "T-SQL do-not-contact: without its lock",
        T_DO_NOT_CONTACT, lock("A run has been in progress all this time; the number was not put on the list."), "",
        ON_LOCKS, "number", "sqlserver",
    ),
    Mistake(
        "T-SQL add_agent: without its lock",
        T_AGENTS, lock("Somebody else has been adding an agent all this time; nothing was changed."), "",
        ON_LOCKS, "new", "sqlserver",
    ),
    Mistake(
        "T-SQL add_agent: the lock is that of the records",
        T_AGENTS, "@schema, N':agents')", "@schema, N':records')",
        ON_LOCKS, "waits_for_its_lock", "sqlserver",
    ),
    Mistake(
        "T-SQL settle_date: whether the lock was had is not asked",
        T_SCHEDULE,
        "    IF @lock < 0\n"
        "        THROW 50001, N'A run has been in progress all this time; nothing was recorded.', 1;\n",
        "",
        ON_T_SQL, "every_lock_is_checked",
    ),
    Mistake(
        "T-SQL purge: refused, it leaves its transaction open",
        T_RUNS,
        "    SET @runs = @@ROWCOUNT;\n\n    COMMIT TRANSACTION;\nEND TRY\nBEGIN CATCH\n"
        "    IF XACT_STATE() <> 0\n        ROLLBACK TRANSACTION;\n",
        "    SET @runs = @@ROWCOUNT;\n\n    COMMIT TRANSACTION;\nEND TRY\nBEGIN CATCH\n",
        ON_LOCKS, "leaves_nothing_open and purge", "sqlserver",
    ),
    Mistake(
        "T-SQL add_agent: refused, it leaves its transaction open",
        T_AGENTS, "    IF XACT_STATE() <> 0\n        ROLLBACK TRANSACTION;\n", "",
        ON_T_SQL, "rolls_it_back",
    ),
    Mistake(
        "T-SQL settle_date: the schema is locked as it is spelt",
        T_SCHEDULE,
        "@closes_at DATETIME2(3) = %(closes_at)s,\n    @schema NVARCHAR(255) = SCHEMA_NAME(SCHEMA_ID(%(schema)s)),",
        "@closes_at DATETIME2(3) = %(closes_at)s,\n    @schema NVARCHAR(255) = %(schema)s,",
        ON_LOCKS, "another_spelling", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the lock of the records is not taken",
        T_DEAL, "SET @resource = CONCAT(@resource, N':records');", "SET @resource = CONCAT(@resource, N':nothing');",
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
        "the run lock of SQLite is not taken by an undo",
        P_SQLITE, 'RUNS = {"assign", "undo"}', 'RUNS = {"assign"}',
        ON_LOCKS, "refused_at_once", "sqlite",
    ),
    Mistake(
        "store: a date that had its run is recorded as missed",
        SCHEDULE, "r.business_date = :business_date AND r.status IN ('succeeded', 'undone')",
        "r.business_date = :business_date AND r.status IN ('undone')",
        ON_LOCKS, "about_to_end", "sqlite",
    ),
)  # fmt: skip
