"""The product's locks on the T-SQL engine."""

from __future__ import annotations

from support.databases import TestedDatabase


def lock_name(database: TestedDatabase, name: str = "") -> str:
    """The resource of the run lock of a schema, or of another lock of it."""
    found = database.execute("SELECT DB_NAME()")[0][0]
    return f"agent_funnel:{found}:{database.schema}{':' if name else ''}{name}"


def take_lock(database: TestedDatabase, name: str = "", *, mode: str = "Exclusive") -> None:
    """Takes a lock within the transaction of a session: the run lock, or the one of this name."""
    database.execute(
        """
        DECLARE @lock INT;
        EXECUTE @lock = sp_getapplock
            @Resource = %s, @LockMode = %s, @LockOwner = 'Transaction', @LockTimeout = 0;
        IF @lock < 0
            THROW 50000, N'the lock is taken', 1;
        """,
        lock_name(database, name),
        mode,
    )


def lock_is_held(database: TestedDatabase, name: str = "", *, wait_seconds: float = 0) -> bool:
    """Whether another session still holds a lock after this time: the run lock, or the one of this name."""
    ((result,),) = database.execute(
        """
        DECLARE @lock INT;
        BEGIN TRANSACTION;
        EXECUTE @lock = sp_getapplock
            @Resource = %s, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = %d;
        ROLLBACK TRANSACTION;
        SELECT @lock;
        """,
        lock_name(database, name),
        round(1000 * wait_seconds),
    )
    return int(result) < 0
