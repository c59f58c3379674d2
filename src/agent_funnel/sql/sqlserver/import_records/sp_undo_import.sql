/*
sp_undo_import: undoes an import of leads, agents, limits or holidays.

It takes back the leads that the import added, and puts back stage and date of those that it changed, as far as a lead
is still as the import wrote it, and since then no run has dealt its match key, and nobody has reported an outcome of
it. A run that was undone counts, too: an agent had the number. The other leads are left and counted. Everything happens
in one transaction.

Agents, limits and holidays go if they are as the import wrote them, an agent only if nobody has a lead, a limit or a
link under that name, and no run had it. Agents whose status it changed get back the one that they had.

The last result set is one row: the kind of the import, when and by whom it was undone before (NULL if it was not), and
how many leads were taken back, put back and left. No row: there is no such import. An import that was undone before,
or that is one of other things, changes nothing.

Examples:

    -- What it would do. This changes nothing:
    EXECUTE dbo.sp_undo_import @import_id = 12, @preview = 1;

    EXECUTE dbo.sp_undo_import @import_id = 12, @actor = N'Ana Lima';

Lock order: the records lock, which keeps it apart from runs and undos; it waits for them, and they wait for it. Then
rows of wafunnel, import_lead, holiday, agent_limit, agents, import_row and import_undo. A call inside a transaction is
refused.
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
        @legacy BIT = 0, -- 1 = wafunnel.date is a DATETIME
        @last_run BIGINT,
        @imported_at DATETIME2(3),
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
            @imported_at = r.imported_at,
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

        -- As in the undo of a run, the dates of a DATETIME column are compared to the millisecond.
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
        ) AS v
            ON
                n.number = v.number AND n.stage = v.stage
                AND (
                    n.date = v.date
                    OR (@legacy = 1 AND CAST(n.date AS DATETIME2(3)) = CAST(v.date AS DATETIME2(3)))
                );

        UPDATE #undoable
        SET is_left = 1
        WHERE
            is_left = 0
            AND (
                number IN (
                    SELECT h.number FROM dbo.assignment_history AS h
                    WHERE h.run_id > @last_run
                    UNION ALL
                    SELECT o.number FROM dbo.assignment_outcome AS o
                    WHERE o.reported_at >= @imported_at
                )
                OR match_key IN (
                    SELECT k.match_key
                    FROM dbo.assignment_history AS h
                    INNER JOIN dbo.number_key AS k ON h.number = k.number AND k.country = @floor
                    WHERE h.run_id > @last_run
                    UNION ALL
                    SELECT k.match_key
                    FROM dbo.assignment_outcome AS o
                    INNER JOIN dbo.number_key AS k ON o.number = k.number AND k.country = @floor
                    WHERE o.reported_at >= @imported_at
                )
            );

        CREATE TABLE #undoable_row (
            line INT NOT NULL PRIMARY KEY,
            key_text NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            value_text NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL,
            days_text NVARCHAR(255) NULL,
            is_changed BIT NOT NULL,
            value_before NVARCHAR(255) NULL,
            is_left BIT NOT NULL
        );

        -- At first as if none were as the import wrote it.
        INSERT INTO #undoable_row (line, key_text, value_text, days_text, is_changed, value_before, is_left)
        SELECT w.line, w.key_text, w.value_text, w.days_text, w.is_changed, w.value_before, 1
        FROM dbo.import_row AS w
        WHERE w.import_id = @import_id AND @undone_at IS NULL;

        UPDATE n
        SET n.is_left = 0
        FROM #undoable_row AS n
        INNER JOIN dbo.holiday AS h
            ON
                h.day = TRY_CAST(n.key_text AS DATE)
                AND COALESCE(h.name, N'') COLLATE Latin1_General_BIN2 = COALESCE(n.value_text, N'')
        WHERE @kind = 'holidays';

        UPDATE n
        SET n.is_left = 0
        FROM #undoable_row AS n
        WHERE
            @kind = 'limits'
            AND (
                SELECT COUNT(*) FROM dbo.agent_limit AS l
                WHERE
                    l.agent = n.key_text AND l.starts_on = TRY_CAST(LEFT(n.days_text, 10) AS DATE)
                    AND COALESCE(CONVERT(NVARCHAR(10), l.ends_on, 23), N'') = SUBSTRING(n.days_text, 12, 10)
                    AND l.max_records = TRY_CAST(n.value_text AS INT)
            ) = 1;

        UPDATE n
        SET n.is_left = 0
        FROM #undoable_row AS n
        INNER JOIN (
            SELECT
                CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent,
                MIN(LOWER(LTRIM(RTRIM(a.status)) COLLATE Latin1_General_BIN2)) AS status
            FROM dbo.agents AS a
            GROUP BY CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
            HAVING COUNT(*) = 1
        ) AS g ON n.key_text = g.agent AND n.value_text = g.status
        WHERE @kind = 'agents';

        UPDATE #undoable_row
        SET is_left = 1
        WHERE
            @kind = 'agents' AND is_left = 0 AND is_changed = 0
            AND key_text IN (
                SELECT CAST(s.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
                FROM dbo.agent_wafunnel_assignment AS s
                UNION ALL
                SELECT h.agent COLLATE Latin1_General_BIN2 FROM dbo.assignment_history AS h
                UNION ALL
                SELECT l.agent COLLATE Latin1_General_BIN2 FROM dbo.agent_limit AS l
                UNION ALL
                SELECT k.agent COLLATE Latin1_General_BIN2 FROM dbo.agent_link AS k
            );

        SELECT
            @taken_back = COALESCE(SUM(CASE WHEN n.is_left = 0 AND n.is_changed = 0 THEN 1 ELSE 0 END), 0),
            @put_back = COALESCE(SUM(CASE WHEN n.is_left = 0 AND n.is_changed = 1 THEN 1 ELSE 0 END), 0),
            @left_alone = COALESCE(SUM(CASE WHEN n.is_left = 1 THEN 1 ELSE 0 END), 0)
        FROM (
            SELECT l.is_left, l.is_changed FROM #undoable AS l
            UNION ALL
            SELECT o.is_left, o.is_changed FROM #undoable_row AS o
        ) AS n;

        IF @preview = 0 AND @undone_at IS NULL AND @kind IN ('leads', 'agents', 'limits', 'holidays')
            BEGIN
                DELETE w
                FROM dbo.wafunnel AS w
                INNER JOIN #undoable AS n
                    ON
                        CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = n.number
                        AND CAST(w.stage AS INT) = n.stage
                        AND (
                            CAST(w.date AS DATETIME2(7)) = n.date
                            OR (@legacy = 1 AND CAST(w.date AS DATETIME2(3)) = CAST(n.date AS DATETIME2(3)))
                        )
                WHERE n.is_left = 0 AND n.is_changed = 0;
                IF @kind = 'leads'
                    SET @taken_back = @@ROWCOUNT;

                UPDATE w
                SET w.stage = n.stage_before, w.date = n.date_before
                FROM dbo.wafunnel AS w
                INNER JOIN #undoable AS n
                    ON
                        CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = n.number
                        AND CAST(w.stage AS INT) = n.stage
                        AND (
                            CAST(w.date AS DATETIME2(7)) = n.date
                            OR (@legacy = 1 AND CAST(w.date AS DATETIME2(3)) = CAST(n.date AS DATETIME2(3)))
                        )
                WHERE n.is_left = 0 AND n.is_changed = 1;
                IF @kind = 'leads'
                    SET @put_back = @@ROWCOUNT;

                DELETE FROM dbo.import_lead
                WHERE
                    import_id = @import_id
                    AND number IN (
                        SELECT n.number FROM #undoable AS n
                        WHERE n.is_left = 0
                    );

                DELETE h
                FROM dbo.holiday AS h
                INNER JOIN #undoable_row AS n ON h.day = TRY_CAST(n.key_text AS DATE)
                WHERE @kind = 'holidays' AND n.is_left = 0;

                DELETE l
                FROM dbo.agent_limit AS l
                INNER JOIN #undoable_row AS n
                    ON
                        l.agent = n.key_text AND l.starts_on = TRY_CAST(LEFT(n.days_text, 10) AS DATE)
                        AND COALESCE(CONVERT(NVARCHAR(10), l.ends_on, 23), N'') = SUBSTRING(n.days_text, 12, 10)
                        AND l.max_records = TRY_CAST(n.value_text AS INT)
                WHERE @kind = 'limits' AND n.is_left = 0;

                UPDATE a
                SET a.status = n.value_before
                FROM dbo.agents AS a
                INNER JOIN #undoable_row AS n
                    ON CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = n.key_text
                WHERE @kind = 'agents' AND n.is_left = 0 AND n.is_changed = 1;

                DELETE a
                FROM dbo.agents AS a
                INNER JOIN #undoable_row AS n
                    ON CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = n.key_text
                WHERE @kind = 'agents' AND n.is_left = 0 AND n.is_changed = 0;

                DELETE FROM dbo.import_row
                WHERE
                    import_id = @import_id
                    AND line IN (
                        SELECT n.line FROM #undoable_row AS n
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
