/*
sp_forget_number: erases all that is kept of a person, who is named by a number in any spelling.

Everything happens in one transaction: leads, assignments, history, edits, outcomes, entries of the do-not-contact
lists, leads on the records of imports, match keys and stored responses go; of audit and failures the last three
characters of the number go. Each run keeps its totals, and a count of the forgotten leads. What is kept of the person
is a hash of the match key and of a salt, so that a number that somebody stores again is not dealt. The audit gets an
entry with that hash, the certificate, and never the number.

The last result set is one row: how many rows went, the certificate, when the number was forgotten before (NULL if it
was not), and whether anything was changed (applied).

Examples:

    -- What would go. This changes nothing:
    EXECUTE dbo.sp_forget_number @number = N'+5511987654321', @preview = 1;

    EXECUTE dbo.sp_forget_number @number = N'+5511987654321', @actor = N'Ana Lima';

Lock order: the records lock, which keeps it apart from runs and undos; it waits for them, and they wait for it. Then
the tables: agent_wafunnel_assignment as a whole, as in a run, so that readers wait but never deadlock; then rows of
wafunnel, assignment_history, assignment_forgotten, assignment_edit, assignment_call_back, assignment_hand_back_lead,
assignment_outcome, do_not_contact_entry, do_not_contact, import_lead, request_answer, audit_entry, assignment_failure,
number_key, forgotten_salt and forgotten_number. A call inside a transaction is refused.

A table that gets a column with numbers must be cleared here, too, and in sqlite/person.sql.
*/
SET ANSI_NULLS ON;
GO
SET QUOTED_IDENTIFIER ON;
GO

-- A stub first, then ALTER, so that the rights granted on the procedure stay.
IF OBJECT_ID(N'dbo.sp_forget_number', N'P') IS NULL
    EXECUTE (N'CREATE PROCEDURE dbo.sp_forget_number AS SET NOCOUNT ON;');
GO

ALTER PROCEDURE dbo.sp_forget_number
    @number NVARCHAR(255), -- the number, in any spelling
    @actor NVARCHAR(255) = NULL, -- the person or program that asked for it, for the audit; NULL = the login
    @country VARCHAR(20) = NULL, -- of numbers that are written without one, as in a deal; NULL = the recorded rule
    @preview BIT = 0 -- 1 = show what would go, and change nothing
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
        @match_key NVARCHAR(255),
        @salt NVARCHAR(100),
        @hash BINARY(32),
        @certificate VARCHAR(64) = '',
        @place INT = 1,
        @digit INT,
        @before DATETIME2(3),
        @mask NVARCHAR(4), -- an ellipsis and the last three characters of a number
        @count INT,
        @leads INT,
        @assignments INT,
        @dealt INT,
        @runs INT,
        @edits INT,
        @outcomes INT,
        @listed INT,
        @imports INT,
        @answers INT,
        @entries INT = 0;

    IF COALESCE(LTRIM(@number), N'') = N''
        THROW 50006, N'The number is missing or blank; nothing was changed.', 1;
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
        SET @match_key = dbo.fn_match_key(@number, @floor);

        -- The numbers that others have stored since match keys were last kept. They go into a table first: in one
        -- statement, the server may compute the match keys of all numbers.
        CREATE TABLE #unkeyed (number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

        INSERT INTO #unkeyed (number)
        SELECT n.number
        FROM (
            SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number FROM dbo.wafunnel AS w
            WHERE w.number <> ''
            UNION
            SELECT CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
            FROM dbo.agent_wafunnel_assignment AS a
            WHERE a.number <> ''
            UNION
            SELECT h.number FROM dbo.assignment_history AS h
            UNION
            SELECT e.number FROM dbo.assignment_edit AS e
            WHERE e.number <> N''
            UNION
            SELECT d.number FROM dbo.do_not_contact_entry AS d
            UNION
            SELECT o.number FROM dbo.do_not_contact AS o
            UNION
            SELECT r.number FROM dbo.assignment_outcome AS r
            UNION
            SELECT i.number FROM dbo.import_lead AS i
        ) AS n
        WHERE NOT EXISTS (
            SELECT 1 FROM dbo.number_key AS k
            WHERE k.number = n.number AND k.country = @floor
        );

        -- All spellings: the given one, and those that are stored.
        CREATE TABLE #spelling (number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

        INSERT INTO #spelling (number)
        SELECT @number COLLATE Latin1_General_BIN2
        UNION
        SELECT k.number FROM dbo.number_key AS k
        WHERE k.match_key = @match_key AND k.country = @floor
        UNION
        SELECT u.number FROM #unkeyed AS u
        WHERE dbo.fn_match_key(u.number, @floor) = @match_key;

        SELECT @salt = s.salt FROM dbo.forgotten_salt AS s;
        SELECT @before = f.forgotten_at FROM dbo.forgotten_number AS f
        WHERE f.hash = HASHBYTES('SHA2_256', CONCAT(@salt, @match_key)) AND f.only_without_country = 0;

        SELECT @leads = COUNT(*) FROM dbo.wafunnel AS w
        WHERE CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 IN (SELECT s.number FROM #spelling AS s);
        SELECT @assignments = COUNT(*) FROM dbo.agent_wafunnel_assignment AS a
        WHERE CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 IN (SELECT s.number FROM #spelling AS s);
        SELECT @dealt = COUNT(*), @runs = COUNT(DISTINCT h.run_id) FROM dbo.assignment_history AS h
        WHERE h.number IN (SELECT s.number FROM #spelling AS s);
        SELECT @edits = COUNT(*) FROM dbo.assignment_edit AS e
        WHERE e.number IN (SELECT s.number FROM #spelling AS s);
        SELECT @outcomes = COUNT(*) FROM dbo.assignment_outcome AS o
        WHERE o.number IN (SELECT s.number FROM #spelling AS s);
        SELECT @listed = COUNT(*) FROM dbo.do_not_contact_entry AS d
        WHERE d.number IN (SELECT s.number FROM #spelling AS s);

        SELECT @imports = COUNT(*) FROM dbo.import_lead AS i
        WHERE i.number IN (SELECT s.number FROM #spelling AS s);

        -- A text of a few characters is in many responses that have nothing to do with it. A response may have a
        -- spelling that is stored nowhere else, such as a bad row of a file; most end with the same eight digits.
        SELECT @answers = COUNT(*) FROM dbo.request_answer AS r
        WHERE
            EXISTS (
                SELECT 1 FROM #spelling AS s
                WHERE LEN(s.number) > 6 AND CHARINDEX(s.number, r.answer COLLATE Latin1_General_BIN2) > 0
            )
            OR (LEN(@match_key) > 9 AND CHARINDEX(RIGHT(@match_key, 8), r.answer) > 0);

        IF @preview = 0
            BEGIN
                -- The whole table of the assignments is locked before any row, as in a run.
                SELECT @count = COUNT(*)
                FROM (SELECT TOP (1) a.number FROM dbo.agent_wafunnel_assignment AS a WITH (TABLOCKX, HOLDLOCK)) AS n;

                DELETE FROM dbo.agent_wafunnel_assignment
                WHERE
                    CAST(number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 IN (SELECT s.number FROM #spelling AS s);
                SET @assignments = @@ROWCOUNT;

                DELETE FROM dbo.wafunnel
                WHERE
                    CAST(number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 IN (SELECT s.number FROM #spelling AS s);
                SET @leads = @@ROWCOUNT;

                INSERT INTO dbo.assignment_forgotten (run_id, agent, stage, leads)
                SELECT h.run_id, h.agent, h.stage, COUNT(*)
                FROM dbo.assignment_history AS h
                WHERE h.number IN (SELECT s.number FROM #spelling AS s)
                GROUP BY h.run_id, h.agent, h.stage;

                DELETE FROM dbo.assignment_history
                WHERE number IN (SELECT s.number FROM #spelling AS s);

                DELETE FROM dbo.assignment_edit
                WHERE number IN (SELECT s.number FROM #spelling AS s);

                DELETE FROM dbo.assignment_call_back
                WHERE
                    outcome_id IN (
                        SELECT o.outcome_id FROM dbo.assignment_outcome AS o
                        WHERE o.number IN (SELECT s.number FROM #spelling AS s)
                    );

                DELETE FROM dbo.assignment_hand_back_lead
                WHERE
                    outcome_id IN (
                        SELECT o.outcome_id FROM dbo.assignment_outcome AS o
                        WHERE o.number IN (SELECT s.number FROM #spelling AS s)
                    );

                DELETE FROM dbo.assignment_outcome
                WHERE number IN (SELECT s.number FROM #spelling AS s);

                DELETE FROM dbo.do_not_contact_entry
                WHERE number IN (SELECT s.number FROM #spelling AS s);

                DELETE FROM dbo.do_not_contact
                WHERE number IN (SELECT s.number FROM #spelling AS s);

                DELETE FROM dbo.import_lead
                WHERE number IN (SELECT s.number FROM #spelling AS s);

                DELETE r
                FROM dbo.request_answer AS r
                WHERE
                    EXISTS (
                        SELECT 1 FROM #spelling AS s
                        WHERE LEN(s.number) > 6 AND CHARINDEX(s.number, r.answer COLLATE Latin1_General_BIN2) > 0
                    )
                    OR (LEN(@match_key) > 9 AND CHARINDEX(RIGHT(@match_key, 8), r.answer) > 0);

                -- Audit and failures have only the last three characters of a number, after an ellipsis.
                CREATE TABLE #mask (mask NVARCHAR(4) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

                INSERT INTO #mask (mask)
                SELECT CONCAT(N'…', RIGHT(s.number, 3)) COLLATE Latin1_General_BIN2 FROM #spelling AS s
                WHERE LEN(s.number) > 3
                UNION
                SELECT CONCAT(N'…', RIGHT(@match_key, 3)) COLLATE Latin1_General_BIN2
                WHERE LEN(@match_key) > 3;

                SELECT @mask = MIN(m.mask) FROM #mask AS m;
                WHILE @mask IS NOT NULL
                    BEGIN
                        UPDATE dbo.audit_entry
                        SET target = REPLACE(target, @mask, N'…'), detail = REPLACE(detail, @mask, N'…')
                        WHERE CHARINDEX(@mask, target) > 0 OR CHARINDEX(@mask, detail) > 0;
                        SET @entries = @entries + @@ROWCOUNT;

                        UPDATE dbo.assignment_failure
                        SET message = REPLACE(message, @mask, N'…')
                        WHERE CHARINDEX(@mask, message) > 0;

                        SELECT @mask = MIN(m.mask) FROM #mask AS m
                        WHERE m.mask > @mask;
                    END;

                DELETE FROM dbo.number_key
                WHERE number IN (SELECT s.number FROM #spelling AS s);

                -- Babelfish has no CRYPT_GEN_RANDOM; each NEWID has 122 random bits.
                IF @salt IS NULL
                    BEGIN
                        IF EXISTS (SELECT 1 FROM dbo.forgotten_number)
                            THROW 50007, N'Check failed: forgotten_salt has no row. Restore it. Nothing changed.', 1;
                        SET @salt = CONCAT(NEWID(), NEWID());
                        INSERT INTO dbo.forgotten_salt (row_id, salt) VALUES (1, @salt);
                    END;
                SET @hash = HASHBYTES('SHA2_256', CONCAT(@salt, @match_key));

                UPDATE dbo.forgotten_number
                SET only_without_country = 0
                WHERE hash = @hash;

                INSERT INTO dbo.forgotten_number (hash, only_without_country, forgotten_at)
                SELECT @hash, 0, SYSUTCDATETIME()
                WHERE NOT EXISTS (
                    SELECT 1 FROM dbo.forgotten_number AS f
                    WHERE f.hash = @hash
                );

                -- The keys that the spellings have in a deal without a country.
                INSERT INTO dbo.forgotten_number (hash, only_without_country, forgotten_at)
                SELECT b.hash, 1, SYSUTCDATETIME()
                FROM (
                    SELECT DISTINCT
                        CAST(HASHBYTES('SHA2_256', CONCAT(@salt, dbo.fn_match_key(s.number, ''))) AS BINARY(32)) AS hash
                    FROM #spelling AS s
                ) AS b
                WHERE NOT EXISTS (
                    SELECT 1 FROM dbo.forgotten_number AS f
                    WHERE f.hash = b.hash
                );

                -- Babelfish does not write binary values as text.
                WHILE @place <= 32
                    BEGIN
                        SET @digit = CAST(SUBSTRING(@hash, @place, 1) AS INT);
                        SET @certificate = CONCAT(
                            @certificate,
                            SUBSTRING('0123456789abcdef', @digit / 16 + 1, 1),
                            SUBSTRING('0123456789abcdef', @digit % 16 + 1, 1)
                        );
                        SET @place = @place + 1;
                    END;

                INSERT INTO dbo.audit_entry (recorded_at, actor, operation, target, address, status, detail)
                VALUES (
                    SYSUTCDATETIME(), COALESCE(@actor, SUSER_SNAME(), N'SQL'), N'forget', @certificate, N'', 200,
                    CONCAT(
                        N'erased: ', @leads, N' leads, ', @assignments, N' assignments, ', @dealt, N' of ', @runs,
                        N' runs in the history, ', @listed, N' of do-not-contact lists'
                    )
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
        @leads AS leads,
        @assignments AS assignments,
        @dealt AS dealt,
        @runs AS runs,
        @edits AS edits,
        @outcomes AS outcomes,
        @listed AS listed,
        @imports AS imports,
        @answers AS answers,
        @entries AS audit_entries,
        NULLIF(@certificate, '') AS certificate,
        @before AS forgotten_at,
        CAST(1 - @preview AS BIT) AS applied;
END;
GO
