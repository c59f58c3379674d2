/*
sp_undo_wafunnel_assignment: takes back the last run that is not undone.

Everything happens in one transaction. A second call undoes the run before, and so on, as far as the history reaches.
The last result set is one row, the record of the undo.

Examples:

    -- Undo the last run:
    EXECUTE dbo.sp_undo_wafunnel_assignment;

    -- Undo run 42, but only if it is the last run that is not undone. So a repeated call cannot undo two runs:
    EXECUTE dbo.sp_undo_wafunnel_assignment @run_id = 42, @actor = N'Ana';

Contents:

  1. the locks, which are those of a run     3. stages: each lead goes back, unless somebody has changed it since
  2. which run, and whether its history      4. assignments: as they were before the run, edits by others included
     and that of the deal before it exist    5. the record, and its row

Lock order: the three application locks of a run, in the order of a run; see sp_assign_wafunnel_to_agents. Then the
tables: agent_wafunnel_assignment as a whole, then rows of wafunnel, number_key, assignment_run and assignment_undo. The
same sessions wait as with a run, and a call inside a transaction is refused in the same way.

A number that is on the do-not-contact list now, of a forgotten person, or reported as wrong, does not come back into
the assignments. It is so in every spelling that is the same number in the country that holds now. Outcomes stay, and
call-backs that the run handed out are due again, because it is not in force any more.
*/
SET ANSI_NULLS ON;
GO
SET QUOTED_IDENTIFIER ON;
GO

-- A stub first, then ALTER, so that the rights granted on the procedure stay.
IF OBJECT_ID(N'dbo.sp_undo_wafunnel_assignment', N'P') IS NULL
    EXECUTE (N'CREATE PROCEDURE dbo.sp_undo_wafunnel_assignment AS SET NOCOUNT ON;');
GO

ALTER PROCEDURE dbo.sp_undo_wafunnel_assignment
    @run_id BIGINT = NULL, -- the run to undo; it must be the last run that is not undone; NULL = that run
    @actor NVARCHAR(255) = NULL, -- the person or program that asked for the undo, for the record
    -- The country of numbers that are written without one: 'BR', …, or 'none'; NULL = the recorded rule, or none.
    @country VARCHAR(20) = NULL
AS
BEGIN
    SET NOCOUNT ON;
    -- The caller's setting could roll the caller's transaction back. All SET options revert when the procedure ends.
    SET XACT_ABORT OFF;
    IF @@TRANCOUNT > 0
        THROW 50006, N'The call is inside a transaction; nothing was changed. End the transaction first.', 1;
    SET XACT_ABORT ON;
    -- Whatever the session has set, each statement affects all its rows, and COMMIT commits.
    SET IMPLICIT_TRANSACTIONS OFF;
    SET ROWCOUNT 0;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    -- A session without a limit would wait for ever for one long report, and everybody behind it.
    IF @@LOCK_TIMEOUT = -1
        SET LOCK_TIMEOUT 30000;
    -- A filtered index requires these settings of the session, whatever the client has set:
    SET ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL ON;
    SET NUMERIC_ROUNDABORT OFF;

    DECLARE
        @message NVARCHAR(2000),
        @resource NVARCHAR(255),
        @looks NVARCHAR(255),
        @lock INT,
        @wait INT = @@LOCK_TIMEOUT, -- the longest wait for a lock, in milliseconds
        @last_id BIGINT,
        @base_id BIGINT,
        @status VARCHAR(20),
        @purged BIGINT,
        @leads INT,
        @restored INT,
        @moved INT,
        @assignments INT,
        @suppressed INT,
        @legacy BIT = 0, -- 1 = wafunnel.date is a DATETIME
        @taken INT,
        @rows INT,
        @copy INT,
        @copies INT;

    BEGIN TRY
        -- In a binary collation, because a Turkish one has another capital of i.
        SET @country = UPPER(@country COLLATE Latin1_General_BIN2);
        IF @country NOT IN ('', 'NONE', 'BR', 'MX', 'AR', 'US', 'CA', 'DE', 'GB', 'ES', 'PT', 'FR', 'IT', 'RU')
            BEGIN
                SET @message = CONCAT(
                    N'country is ''', @country, N'''; it must be none or one of BR, MX, AR, US, CA, DE, GB, ES, PT, ',
                    N'FR, IT, RU. Nothing was changed.'
                );
                THROW 50006, @message, 1;
            END;

        BEGIN TRANSACTION;

        -- 1. The locks.
        SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', OBJECT_SCHEMA_NAME(@@PROCID));
        EXECUTE @lock = sp_getapplock
            @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 0;
        IF @lock < 0
            THROW 50001, N'A run or an undo is in progress; nothing was changed. Try again when it ends.', 1;

        -- Shows that an undo is in progress. Without this lock the undo goes on all the same.
        SET @looks = CONCAT(@resource, N':looks');
        EXECUTE sp_getapplock
            @Resource = @looks, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;

        SET @resource = CONCAT(@resource, N':records');
        EXECUTE @lock = sp_getapplock
            @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;
        IF @lock < 0
            BEGIN
                SET @message = CONCAT(
                    N'A change to the do-not-contact list or the records of runs has been in progress for ',
                    @wait / 1000, N' s; nothing was changed. Try again.'
                );
                THROW 50001, @message, 1;
            END;

        -- 2. Which run. The deal before it is the newest earlier run that is not undone; its assignments come back.
        SELECT @last_id = MAX(r.run_id) FROM dbo.assignment_run AS r
        WHERE r.status = 'succeeded';
        SELECT @base_id = MAX(r.run_id) FROM dbo.assignment_run AS r
        WHERE r.status = 'succeeded' AND r.run_id < @last_id;
        SELECT @status = r.status FROM dbo.assignment_run AS r
        WHERE r.run_id = @run_id;
        SELECT @purged = MAX(p.run_id) FROM dbo.assignment_purge AS p
        WHERE p.run_id IN (@last_id, @base_id);

        SET @message = CASE
            WHEN @last_id IS NULL AND @run_id IS NULL THEN N'There is no run to undo; nothing was changed.'
            WHEN @run_id <> @last_id OR @last_id IS NULL
                THEN CONCAT(
                    CASE
                        WHEN @status IS NULL THEN CONCAT(N'There is no run ', @run_id)
                        WHEN @status = 'undone' THEN CONCAT(N'Run ', @run_id, N' is undone already')
                        WHEN @status <> 'succeeded' THEN CONCAT(N'Run ', @run_id, N' did not succeed')
                        ELSE CONCAT(N'Run ', @run_id, N' is not the last run')
                    END,
                    CASE
                        WHEN @last_id IS NULL THEN N'; nothing was changed. There is no run to undo.'
                        WHEN @purged IS NOT NULL
                            THEN N'; nothing was changed. No run can be undone: the history needed has been purged.'
                        ELSE CONCAT(N'; nothing was changed. Only run ', @last_id, N' can be undone now.')
                    END
                )
            WHEN @purged IS NOT NULL
                THEN CONCAT(
                    N'Run ', @last_id, N' cannot be undone: the history of run ', @purged,
                    N' has been purged; nothing was changed.'
                )
        END;
        IF @message IS NOT NULL
            THROW 50005, @message, 1;

        IF EXISTS (SELECT 1 FROM dbo.forgotten_number) AND NOT EXISTS (SELECT 1 FROM dbo.forgotten_salt)
            BEGIN
                SET @message = CONCAT(
                    N'Check failed: forgotten_salt has no row, so nobody knows which assignments are of forgotten ',
                    N'people; nothing was changed. Restore that row from a backup.'
                );
                THROW 50007, @message, 1;
            END;

        -- From here on, no country is the empty text.
        SET @country = COALESCE(@country, (SELECT f.country FROM dbo.floor_country AS f));
        IF @country = 'NONE'
            SET @country = '';

        -- The whole table of the assignments is locked before any row, as in a run.
        SELECT @taken = COUNT(*)
        FROM (SELECT TOP (1) a.number FROM dbo.agent_wafunnel_assignment AS a WITH (TABLOCKX, HOLDLOCK)) AS n;

        -- 3. Stages. A lead is identified by its number, its date and the stage that the run gave it. A call-back that
        -- was finished before the run is so after it, and counts as restored. A DATETIME as DATETIME2 depends on the
        -- compatibility level, which may have changed since the run: .003 s before level 130, .0033333 s from it on. So
        -- such dates are compared to the millisecond. The rows are counted first and compared afterwards, because an
        -- UPDATE with OUTPUT takes its table from the wrong schema on Babelfish.
        SELECT
            @legacy = CASE
                WHEN CAST(SQL_VARIANT_PROPERTY(CAST(d.date AS SQL_VARIANT), 'BaseType') AS NVARCHAR(128)) = N'datetime'
                    THEN 1
                ELSE 0
            END
        FROM (
            SELECT TOP (1) w.date FROM dbo.wafunnel AS w
            WHERE w.date IS NOT NULL
        ) AS d;

        SELECT @restored = COUNT(DISTINCT h.number), @rows = COUNT(*)
        FROM dbo.assignment_history AS h
        INNER JOIN dbo.wafunnel AS w
            ON
                h.number = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
                AND CASE WHEN h.stage < 4 THEN h.stage + 1 ELSE h.stage END = w.stage
                AND (
                    h.date = CAST(w.date AS DATETIME2(7))
                    OR (@legacy = 1 AND CAST(h.date AS DATETIME2(3)) = CAST(w.date AS DATETIME2(3)))
                )
        WHERE h.run_id = @last_id;

        UPDATE w
        SET stage = h.stage
        FROM dbo.wafunnel AS w
        INNER JOIN dbo.assignment_history AS h
            ON
                CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = h.number
                AND w.stage = CASE WHEN h.stage < 4 THEN h.stage + 1 ELSE h.stage END
                AND (
                    CAST(w.date AS DATETIME2(7)) = h.date
                    OR (@legacy = 1 AND CAST(w.date AS DATETIME2(3)) = CAST(h.date AS DATETIME2(3)))
                )
        WHERE h.run_id = @last_id;
        SET @moved = @@ROWCOUNT;

        -- If the counts differ, another session changed a lead in between.
        IF @moved <> @rows
            BEGIN
                SET @message = CONCAT(
                    N'The leads changed while they were being taken back: ', @moved, N' rows went back instead of ',
                    @rows, N'; nothing was changed. Try again.'
                );
                THROW 50004, @message, 1;
            END;

        -- Forgotten leads are not in the history any more; they are counted, so that the sums still agree.
        SELECT @leads = COUNT(*) FROM dbo.assignment_history AS h
        WHERE h.run_id = @last_id;
        SELECT @leads = @leads + COALESCE(SUM(f.leads), 0) FROM dbo.assignment_forgotten AS f
        WHERE f.run_id = @last_id;

        -- 4. Assignments: those of the deal before, except the pairs that others had edited. These come back with as
        -- many rows as they had.
        DELETE FROM dbo.agent_wafunnel_assignment WITH (TABLOCKX);

        -- Nobody may have kept the match keys of these numbers, or of the lists, in the present country. Without them,
        -- a number of a list, of a forgotten person, or a wrong one would not be recognised in another spelling.
        IF
            EXISTS (SELECT 1 FROM dbo.do_not_contact_entry)
            OR EXISTS (SELECT 1 FROM dbo.forgotten_number)
            OR EXISTS (
                SELECT 1 FROM dbo.assignment_outcome AS o
                WHERE o.stands = 1 AND o.outcome = 'wrong_number'
            )
            INSERT INTO dbo.number_key (country, number, match_key, ending)
            SELECT @country, u.number, u.match_key, RIGHT(u.match_key, 4)
            FROM (
                SELECT n.number, dbo.fn_match_key(n.number, @country) AS match_key
                FROM (
                    SELECT h.number FROM dbo.assignment_history AS h
                    WHERE h.run_id = @base_id
                    UNION
                    SELECT e.number FROM dbo.assignment_edit AS e
                    WHERE e.run_id = @last_id AND e.copies > 0 AND e.number IS NOT NULL
                    UNION
                    SELECT d.number FROM dbo.do_not_contact_entry AS d
                    UNION
                    SELECT o.number FROM dbo.assignment_outcome AS o
                    WHERE o.stands = 1 AND o.outcome = 'wrong_number'
                ) AS n
                WHERE
                    NOT EXISTS (
                        SELECT 1 FROM dbo.number_key AS k
                        WHERE k.number = n.number AND k.country = @country
                    )
            ) AS u;

        -- The numbers that are reported as wrong, in each spelling that is the same number.
        CREATE TABLE #wrong (number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

        INSERT INTO #wrong (number)
        SELECT DISTINCT n.number
        FROM dbo.assignment_outcome AS o
        INNER JOIN dbo.number_key AS k ON o.number = k.number AND k.country = @country
        INNER JOIN dbo.number_key AS n ON k.match_key = n.match_key AND n.country = @country
        WHERE o.stands = 1 AND o.outcome = 'wrong_number';

        INSERT INTO dbo.agent_wafunnel_assignment (agent, number)
        SELECT h.agent, h.number
        FROM dbo.assignment_history AS h
        WHERE
            h.run_id = @base_id
            AND NOT EXISTS (
                SELECT 1 FROM dbo.assignment_edit AS e
                WHERE e.run_id = @last_id AND e.number = h.number AND e.agent = h.agent
            )
            AND NOT EXISTS (
                SELECT 1 FROM dbo.suppressed_number AS d
                WHERE d.number = h.number AND d.country IN ('*', @country)
            )
            AND NOT EXISTS (
                SELECT 1 FROM #wrong AS o
                WHERE o.number = h.number
            )
        ORDER BY h.number;
        SET @assignments = @@ROWCOUNT;

        SELECT @copies = MAX(e.copies) FROM dbo.assignment_edit AS e
        WHERE e.run_id = @last_id;
        SET @copy = 1;
        WHILE @copy <= @copies
            BEGIN
                INSERT INTO dbo.agent_wafunnel_assignment (agent, number)
                SELECT e.agent, e.number
                FROM dbo.assignment_edit AS e
                WHERE
                    e.run_id = @last_id AND e.copies >= @copy
                    AND NOT EXISTS (
                        SELECT 1 FROM dbo.suppressed_number AS d
                        WHERE d.number = e.number AND d.country IN ('*', @country)
                    )
                    AND NOT EXISTS (
                        SELECT 1 FROM #wrong AS o
                        WHERE o.number = e.number
                    );
                SET @assignments = @assignments + @@ROWCOUNT;
                SET @copy = @copy + 1;
            END;

        SELECT
            @suppressed = (
                SELECT COUNT(*) FROM dbo.assignment_history AS h
                WHERE
                    h.run_id = @base_id
                    AND (
                        EXISTS (
                            SELECT 1 FROM dbo.suppressed_number AS d
                            WHERE d.number = h.number AND d.country IN ('*', @country)
                        )
                        OR EXISTS (
                            SELECT 1 FROM #wrong AS o
                            WHERE o.number = h.number
                        )
                    )
                    AND NOT EXISTS (
                        SELECT 1 FROM dbo.assignment_edit AS e
                        WHERE e.run_id = @last_id AND e.number = h.number AND e.agent = h.agent
                    )
            ) + (
                SELECT COALESCE(SUM(e.copies), 0) FROM dbo.assignment_edit AS e
                WHERE
                    e.run_id = @last_id
                    AND (
                        EXISTS (
                            SELECT 1 FROM dbo.suppressed_number AS d
                            WHERE d.number = e.number AND d.country IN ('*', @country)
                        )
                        OR EXISTS (
                            SELECT 1 FROM #wrong AS o
                            WHERE o.number = e.number
                        )
                    )
            ) + (
                SELECT COALESCE(SUM(f.leads), 0) FROM dbo.assignment_forgotten AS f
                WHERE f.run_id = @base_id
            );

        -- 5. The record.
        UPDATE dbo.assignment_run
        SET status = 'undone'
        WHERE run_id = @last_id;

        INSERT INTO dbo.assignment_undo
        (run_id, undone_at, actor, restored, changed_since, assignments, suppressed)
        VALUES
        (@last_id, SYSUTCDATETIME(), @actor, @restored, @leads - @restored, @assignments, @suppressed);

        COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF XACT_STATE() <> 0
            ROLLBACK TRANSACTION;
        THROW;
    END CATCH;

    SELECT u.run_id, r.business_date, u.undone_at, u.actor, u.restored, u.changed_since, u.assignments, u.suppressed
    FROM dbo.assignment_undo AS u
    INNER JOIN dbo.assignment_run AS r ON u.run_id = r.run_id
    WHERE u.run_id = @last_id;
END;
GO
