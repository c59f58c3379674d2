/*
sp_undo_import: undoes an import of leads.

It takes back the leads that the import added, and puts back stage and date of those that it changed, as far as a lead
is still as the import wrote it, and no run has dealt its match key since. A run that was undone counts, too: an agent
had the number. The other leads are left and counted. Everything happens in one transaction.

The last result set is one row: the kind of the import, when and by whom it was undone before (NULL if it was not), and
how many leads were taken back, put back and left. No row: there is no such import. An import that was undone before,
or that is no import of leads, changes nothing.

Examples:

    -- What it would do. This changes nothing:
    EXECUTE dbo.sp_undo_import @import_id = 12, @preview = 1;

    EXECUTE dbo.sp_undo_import @import_id = 12, @actor = N'Ana Lima';

Lock order: the records lock, which keeps it apart from runs and undos; it waits for them, and they wait for it. Then
rows of wafunnel, import_lead and import_undo. A call inside a transaction is refused.
*/
SET ANSI_NULLS ON;
GO
SET QUOTED_IDENTIFIER ON;
GO

-- A stub first, then ALTER, so that the rights granted on the procedure stay.
IF OBJECT_ID(N'dbo.sp_undo_import', N'P') IS NULL
    EXECUTE (N'CREATE PROCEDURE dbo.sp_undo_import AS SET NOCOUNT ON;');
GO

ALTER PROCEDURE dbo.sp_undo_import
    @import_id INT, -- the import
    @actor NVARCHAR(255) = NULL, -- the person or program that asked for it, for the record; NULL = the login
    @country VARCHAR(20) = NULL, -- of numbers that are written without one, as in a deal; NULL = the recorded rule
    @preview BIT = 0 -- 1 = show what would be done, and change nothing
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
        @resource NVARCHAR(255),
        @lock INT,
        @wait INT = @@LOCK_TIMEOUT, -- the longest wait for a lock, in milliseconds
        @floor VARCHAR(2), -- the country of the match keys; '' = none
        @kind VARCHAR(20),
        @last_run BIGINT,
        @undone_at DATETIME2(3),
        @undone_by NVARCHAR(255),
        @taken_back INT,
        @put_back INT,
        @left_alone INT;

    IF @preview IS NULL
        THROW 50006, N'preview is NULL; it must be 0 or 1. Nothing was changed.', 1;
    -- In a binary collation, because a Turkish one has another capital of i.
    SET @country = UPPER(@country COLLATE Latin1_General_BIN2);
    IF @country <> 'NONE' AND LEN(@country) NOT IN (0, 2)
        THROW 50006, N'country must be none, or the two letters of a country; nothing was changed.', 1;

    BEGIN TRY
        BEGIN TRANSACTION;

        SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', OBJECT_SCHEMA_NAME(@@PROCID), N':records');
        EXECUTE @lock = sp_getapplock
            @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;
        IF @lock < 0
            THROW 50001, N'A run is still in progress; nothing was changed. Try again when the run has ended.', 1;

        SELECT @floor = CASE WHEN @country = 'NONE' THEN '' ELSE COALESCE(@country, c.country) END
        FROM dbo.floor_country AS c;

        SELECT
            @kind = r.kind,
            @last_run = COALESCE(r.last_run_id, 0),
            @undone_at = u.undone_at,
            @undone_by = u.undone_by
        FROM dbo.import_record AS r
        LEFT JOIN dbo.import_undo AS u ON r.import_id = u.import_id
        WHERE r.import_id = @import_id;

        CREATE TABLE #undoable (
            number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            match_key NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL,
            stage INT NOT NULL,
            date DATETIME2(7) NOT NULL,
            is_changed BIT NOT NULL,
            stage_before INT NULL,
            date_before DATETIME2(7) NULL,
            is_left BIT NOT NULL
        );

        -- At first as if none were as the import wrote it.
        INSERT INTO #undoable (number, match_key, stage, date, is_changed, stage_before, date_before, is_left)
        SELECT l.number, k.match_key, l.stage, l.date, l.is_changed, l.stage_before, l.date_before, 1
        FROM dbo.import_lead AS l
        LEFT JOIN dbo.number_key AS k ON l.number = k.number AND k.country = @floor
        WHERE l.import_id = @import_id AND @undone_at IS NULL;

        -- In a statement of its own: otherwise the server may compute the match keys of all numbers.
        UPDATE #undoable
        SET match_key = dbo.fn_match_key(number, @floor)
        WHERE match_key IS NULL;

        UPDATE n
        SET is_left = 0
        FROM #undoable AS n
        INNER JOIN (
            SELECT c.number, c.stage, c.date
            FROM (
                SELECT
                    CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
                    CAST(w.stage AS INT) AS stage,
                    CAST(w.date AS DATETIME2(7)) AS date
                FROM dbo.wafunnel AS w
            ) AS c
            GROUP BY c.number, c.stage, c.date
            HAVING COUNT(*) = 1
        ) AS v ON n.number = v.number AND n.stage = v.stage AND n.date = v.date;

        -- Outcomes of the match key will keep a lead here, too.
        UPDATE #undoable
        SET is_left = 1
        WHERE
            is_left = 0
            AND (
                number IN (
                    SELECT h.number FROM dbo.assignment_history AS h
                    WHERE h.run_id > @last_run
                )
                OR match_key IN (
                    SELECT k.match_key
                    FROM dbo.assignment_history AS h
                    INNER JOIN dbo.number_key AS k ON h.number = k.number AND k.country = @floor
                    WHERE h.run_id > @last_run
                )
            );

        SELECT
            @taken_back = COALESCE(SUM(CASE WHEN n.is_left = 0 AND n.is_changed = 0 THEN 1 ELSE 0 END), 0),
            @put_back = COALESCE(SUM(CASE WHEN n.is_left = 0 AND n.is_changed = 1 THEN 1 ELSE 0 END), 0),
            @left_alone = COALESCE(SUM(CASE WHEN n.is_left = 1 THEN 1 ELSE 0 END), 0)
        FROM #undoable AS n;

        IF @preview = 0 AND @undone_at IS NULL AND @kind = 'leads'
            BEGIN
                DELETE w
                FROM dbo.wafunnel AS w
                INNER JOIN #undoable AS n
                    ON
                        CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = n.number
                        AND CAST(w.stage AS INT) = n.stage
                        AND CAST(w.date AS DATETIME2(7)) = n.date
                WHERE n.is_left = 0 AND n.is_changed = 0;
                SET @taken_back = @@ROWCOUNT;

                UPDATE w
                SET w.stage = n.stage_before, w.date = n.date_before
                FROM dbo.wafunnel AS w
                INNER JOIN #undoable AS n
                    ON
                        CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = n.number
                        AND CAST(w.stage AS INT) = n.stage
                        AND CAST(w.date AS DATETIME2(7)) = n.date
                WHERE n.is_left = 0 AND n.is_changed = 1;
                SET @put_back = @@ROWCOUNT;

                DELETE FROM dbo.import_lead
                WHERE
                    import_id = @import_id
                    AND number IN (
                        SELECT n.number FROM #undoable AS n
                        WHERE n.is_left = 0
                    );

                INSERT INTO dbo.import_undo (import_id, undone_at, undone_by, taken_back, put_back, left_alone)
                VALUES (
                    @import_id, SYSUTCDATETIME(), COALESCE(@actor, SUSER_SNAME(), N'SQL'), @taken_back, @put_back,
                    @left_alone
                );
            END;

        COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF XACT_STATE() <> 0
            ROLLBACK TRANSACTION;
        THROW;
    END CATCH;

    SELECT
        @kind AS kind,
        @undone_at AS undone_at,
        @undone_by AS undone_by,
        @taken_back AS taken_back,
        @put_back AS put_back,
        @left_alone AS left_alone
    WHERE @kind IS NOT NULL;
END;
GO
