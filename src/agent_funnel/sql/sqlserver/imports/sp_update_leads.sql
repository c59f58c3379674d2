/*
sp_update_leads: sets stages and dates of leads to those of an import's file.

The import calls it in its own transaction, after it has staged the rows of the file in #staged, and what is there of
them in #staged_there (see imports.sql). It changes only records that are still as they were when these were compared,
and keeps them on the record of the import with what they were before.

The last result set is one row: how many leads were changed.

Lock order: the records lock, which keeps it apart from runs and undos until the transaction ends; it waits for them,
and they wait for it. Then rows of wafunnel and import_lead.
*/
SET ANSI_NULLS ON;
GO
SET QUOTED_IDENTIFIER ON;
GO

-- A stub first, then ALTER, so that the rights granted on the procedure stay.
IF OBJECT_ID(N'dbo.sp_update_leads', N'P') IS NULL
    EXECUTE (N'CREATE PROCEDURE dbo.sp_update_leads AS SET NOCOUNT ON;');
GO

ALTER PROCEDURE dbo.sp_update_leads
    @import_id INT, -- the import
    @with_stage BIT, -- 1 = the file has stages
    @with_date BIT -- 1 = the file has dates
AS
BEGIN
    SET NOCOUNT ON;
    -- An error ends the transaction of the import.
    SET XACT_ABORT ON;
    IF @@TRANCOUNT = 0
        THROW 50006, N'The call is outside the transaction of an import; nothing was changed.', 1;
    IF OBJECT_ID(N'tempdb..#staged') IS NULL OR OBJECT_ID(N'tempdb..#staged_there') IS NULL
        THROW 50006, N'The rows of a file are not staged; nothing was changed.', 1;

    DECLARE
        @resource NVARCHAR(255),
        @lock INT,
        @wait INT = CASE WHEN @@LOCK_TIMEOUT = -1 THEN 30000 ELSE @@LOCK_TIMEOUT END,
        @changed INT;

    SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', OBJECT_SCHEMA_NAME(@@PROCID), N':records');
    EXECUTE @lock = sp_getapplock
        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;
    IF @lock < 0
        THROW 50001, N'A run is still in progress; nothing was imported. Try again when the run has ended.', 1;

    -- Equal rows are one record. The record has the date as the column keeps it: ISNULL takes the type of its first
    -- argument.
    INSERT INTO dbo.import_lead (import_id, number, stage, date, is_changed, stage_before, date_before)
    SELECT DISTINCT
        @import_id,
        t.number,
        CASE WHEN @with_stage = 1 THEN CAST(s.second AS INT) ELSE CAST(w.stage AS INT) END,
        CASE
            WHEN @with_date = 1
                THEN CAST(
                    ISNULL(
                        (
                            SELECT f.date FROM dbo.wafunnel AS f
                            WHERE 1 = 0
                        ),
                        CAST(REPLACE(s.third, ' ', 'T') AS DATETIME)
                    ) AS DATETIME2(7)
                )
            ELSE CAST(w.date AS DATETIME2(7))
        END,
        1,
        CAST(w.stage AS INT),
        CAST(w.date AS DATETIME2(7))
    FROM #staged_there AS t
    INNER JOIN #staged AS s ON t.line = s.line
    INNER JOIN dbo.wafunnel AS w
        ON
            CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = t.number
            AND (CAST(w.stage AS INT) = t.stage OR (w.stage IS NULL AND t.stage IS NULL))
            AND (TRY_CAST(w.date AS DATETIME) = t.date OR (w.date IS NULL AND t.date IS NULL))
    WHERE
        t.is_different = 1
        AND (@with_stage = 1 OR w.stage IS NOT NULL)
        AND (@with_date = 1 OR w.date IS NOT NULL);
    SET @changed = @@ROWCOUNT;

    UPDATE w
    SET w.stage = l.stage, w.date = l.date
    FROM dbo.wafunnel AS w
    INNER JOIN dbo.import_lead AS l
        ON
            CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = l.number
            AND (CAST(w.stage AS INT) = l.stage_before OR (w.stage IS NULL AND l.stage_before IS NULL))
            AND (CAST(w.date AS DATETIME2(7)) = l.date_before OR (w.date IS NULL AND l.date_before IS NULL))
    WHERE l.import_id = @import_id AND l.is_changed = 1;

    SELECT @changed AS changed;
END;
GO
