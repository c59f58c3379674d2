/*
sp_hand_back_leads: hands the rest of an agent's list back, or undoes that.

Everything happens in one transaction. The rest of the list are the leads of the last run that the agent has now, as far
as nobody has reported an outcome of them; those that the run gave to somebody else, and a person to this agent, are
among them. Each of these leads gets the outcome not_worked, so the rule of sp_report_outcome holds: the stage goes back
to that of before the run, if the lead still has the stage that the run gave it, and forward again when the outcome is
taken back or replaced. The leads leave the present assignments and wait for the next run. Leads with an outcome, and
assignments that no run made, stay.

An undo takes these outcomes back, except those that somebody has taken back already, and gives the leads to the agent
again. It is possible until the next run. A number that somebody has put on the do-not-contact list meanwhile, or given
to another agent, does not come back to the agent.

The last result set is one row: the hand-back.

Examples:

    EXECUTE dbo.sp_hand_back_leads @agent = N'Ana Souza', @actor = N'Eva';

    -- Undo the newest hand-back of this agent:
    EXECUTE dbo.sp_hand_back_leads @agent = N'Ana Souza', @undo = 1;

Lock order: the records lock, which keeps it apart from runs and undos; it waits for them, and they wait for it. Then
agent_wafunnel_assignment as a whole, as in a run, so that readers wait but never deadlock; then rows of wafunnel,
assignment_hand_back, assignment_outcome and assignment_hand_back_lead. A call inside a transaction is refused.
*/
SET ANSI_NULLS ON;
GO
SET QUOTED_IDENTIFIER ON;
GO

-- A stub first, then ALTER, so that the rights granted on the procedure stay.
IF OBJECT_ID(N'dbo.sp_hand_back_leads', N'P') IS NULL
    EXECUTE (N'CREATE PROCEDURE dbo.sp_hand_back_leads AS SET NOCOUNT ON;');
GO

ALTER PROCEDURE dbo.sp_hand_back_leads
    @agent NVARCHAR(255) = NULL, -- the agent; with @hand_back_id, NULL = any
    @run_id BIGINT = NULL, -- refuse the leads of any other run; NULL = those of the last run
    @undo BIT = 0, -- 1 = undo a hand-back
    @hand_back_id BIGINT = NULL, -- of an undo: the hand-back; NULL = the newest one of @agent
    @reported_on DATE = NULL, -- the date in the zone of the sales floor; NULL = by the server's clock
    @actor NVARCHAR(255) = NULL, -- the person or program that asked for it, for the record; NULL = the login
    @country VARCHAR(20) = NULL -- of numbers that are written without one, as in a deal; NULL = the recorded rule
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
        @now DATETIME2(3) = SYSUTCDATETIME(),
        @message NVARCHAR(2000),
        @resource NVARCHAR(255),
        @lock INT,
        @wait INT = @@LOCK_TIMEOUT, -- the longest wait for a lock, in milliseconds
        @newest_id BIGINT,
        @status VARCHAR(20),
        @undone_at DATETIME2(3),
        @legacy BIT = 0, -- 1 = wafunnel.date is a DATETIME
        -- The greatest number that each column can hold if it has whole numbers; NULL if it has text. See leads.sql.
        @greatest_lead BIGINT,
        @greatest_held BIGINT,
        @greatest_holding BIGINT, -- that of the agents
        @step INT = CASE @undo WHEN 1 THEN 1 ELSE -1 END, -- of the stages
        @taken INT,
        @rows INT,
        @moved INT,
        @leads INT;

    SET @reported_on = COALESCE(@reported_on, CAST(SYSDATETIME() AS DATE));
    SET @actor = COALESCE(@actor, SUSER_SNAME(), N'SQL');
    -- In a binary collation, because a Turkish one has another capital of i.
    SET @country = UPPER(@country COLLATE Latin1_General_BIN2);
    SET @message = CASE
        WHEN @undo IS NULL THEN N'undo must be 0 or 1.'
        WHEN COALESCE(LTRIM(@agent), N'') = N'' AND (@undo = 0 OR @hand_back_id IS NULL)
            THEN N'The agent is missing or blank.'
        WHEN @country <> 'NONE' AND LEN(@country) NOT IN (0, 2)
            THEN N'country must be none, or the two letters of a country.'
        WHEN ABS(DATEDIFF(DAY, @now, @reported_on)) > 1
            THEN CONCAT(
                N'reported_on is ', CONVERT(NVARCHAR(10), @reported_on, 23), N'; it must be within a day of ',
                CONVERT(NVARCHAR(10), @now, 23), N'.'
            )
    END;
    IF @message IS NOT NULL
        BEGIN
            SET @message = CONCAT(@message, N' Nothing was changed.');
            THROW 50006, @message, 1;
        END;

    BEGIN TRY
        SET @country = CASE
            WHEN @country = 'NONE' THEN '' ELSE COALESCE(@country, (SELECT f.country FROM dbo.floor_country AS f))
        END;

        BEGIN TRANSACTION;

        SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', OBJECT_SCHEMA_NAME(@@PROCID), N':records');
        EXECUTE @lock = sp_getapplock
            @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;
        IF @lock < 0
            THROW 50001, N'A run is still in progress; nothing was changed. Try again when the run has ended.', 1;

        SELECT @newest_id = MAX(r.run_id) FROM dbo.assignment_run AS r
        WHERE r.status = 'succeeded';

        IF @undo = 0
            SET @message = CASE
                WHEN @newest_id IS NULL THEN N'There is no run yet, so nobody has a lead; nothing was handed back.'
                WHEN @run_id <> @newest_id
                    THEN CONCAT(
                        N'The agents'' leads are those of run ', @newest_id, N', not of run ', @run_id,
                        N'; nothing was handed back. Look at the present list.'
                    )
                WHEN
                    EXISTS (
                        SELECT 1 FROM dbo.assignment_purge AS p
                        WHERE p.run_id = @newest_id
                    )
                    THEN CONCAT(N'The history of run ', @newest_id, N' has been purged; nothing was handed back.')
            END;
        ELSE
            BEGIN
                IF @hand_back_id IS NULL
                    SELECT TOP (1) @hand_back_id = b.hand_back_id FROM dbo.assignment_hand_back AS b
                    WHERE b.agent = @agent
                    ORDER BY CASE WHEN b.undone_at IS NULL THEN 0 ELSE 1 END, b.hand_back_id DESC;

                SET @run_id = NULL;
                SELECT
                    @run_id = b.run_id, @undone_at = b.undone_at, @status = r.status, @agent = b.agent, @leads = b.leads
                FROM dbo.assignment_hand_back AS b
                INNER JOIN dbo.assignment_run AS r ON b.run_id = r.run_id
                WHERE b.hand_back_id = @hand_back_id AND b.agent = COALESCE(@agent, b.agent);

                SET @message = CASE
                    WHEN @run_id IS NULL AND @hand_back_id IS NULL
                        THEN CONCAT(@agent, N' has handed nothing back; nothing was changed.')
                    WHEN @run_id IS NULL
                        THEN CONCAT(
                            N'There is no hand-back ', @hand_back_id, N' of ' + @agent, N'; nothing was changed.'
                        )
                    WHEN @undone_at IS NULL AND (@run_id <> @newest_id OR @newest_id IS NULL)
                        THEN CONCAT(
                            CASE
                                WHEN @status = 'undone' THEN CONCAT(N'Run ', @run_id, N' was undone')
                                ELSE CONCAT(N'A newer run has replaced run ', @run_id)
                            END,
                            N', so its hand-back cannot be undone; nothing was changed.'
                        )
                END;
            END;
        IF @message IS NOT NULL
            THROW 50006, @message, 1;

        -- A second time, nothing changes.
        IF @undone_at IS NULL
            BEGIN
                -- The whole table of the assignments is locked before any row, as in a run.
                SELECT @taken = COUNT(*)
                FROM (SELECT TOP (1) a.number FROM dbo.agent_wafunnel_assignment AS a WITH (TABLOCKX, HOLDLOCK)) AS n;

                SELECT
                    @greatest_lead = CASE
                        WHEN z.lead = '00'
                            THEN CASE DATALENGTH(z.lead) WHEN 4 THEN 2147483647 ELSE 9223372036854775807 END
                    END,
                    @greatest_held = CASE
                        WHEN z.held = '00'
                            THEN CASE DATALENGTH(z.held) WHEN 4 THEN 2147483647 ELSE 9223372036854775807 END
                    END,
                    @greatest_holding = CASE
                        WHEN z.holding = '00'
                            THEN CASE DATALENGTH(z.holding) WHEN 4 THEN 2147483647 ELSE 9223372036854775807 END
                    END
                FROM (
                    SELECT
                        ISNULL((
                            SELECT f.number FROM dbo.wafunnel AS f
                            WHERE 1 = 0
                        ), '0') AS lead,
                        ISNULL((
                            SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                            WHERE 1 = 0
                        ), '0') AS held,
                        ISNULL((
                            SELECT b.agent FROM dbo.agent_wafunnel_assignment AS b
                            WHERE 1 = 0
                        ), '0') AS holding
                ) AS z;

                -- moves is 1 if the stage of the lead moves; back, if it is back already, because somebody had changed
                -- it when an outcome not_worked was taken back; and returns, if an undo gives the lead to the agent.
                CREATE TABLE #rest (
                    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
                    agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
                    date DATETIME2(7) NOT NULL,
                    stage INT NOT NULL,
                    moves INT NOT NULL,
                    back INT NOT NULL,
                    returns INT NOT NULL,
                    outcome_id BIGINT NULL,
                    report NVARCHAR(64) COLLATE Latin1_General_BIN2 NOT NULL
                );

                IF @undo = 0
                    INSERT INTO #rest (number, agent, date, stage, moves, back, returns, report)
                    SELECT
                        h.number, h.agent, h.date, h.stage,
                        CASE WHEN h.stage < 4 AND b.outcome_id IS NULL THEN 1 ELSE 0 END,
                        CASE WHEN b.outcome_id IS NULL THEN 0 ELSE 1 END,
                        0,
                        LOWER(CAST(NEWID() AS NVARCHAR(36)))
                    FROM dbo.assignment_history AS h
                    LEFT JOIN dbo.assignment_outcome AS b
                        ON h.run_id = b.run_id AND h.number = b.number AND b.stage_back = 1
                    WHERE
                        h.run_id = @newest_id
                        AND h.number IN (
                            SELECT CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
                            FROM dbo.agent_wafunnel_assignment AS a
                            WHERE
                                a.agent = ISNULL(
                                    (
                                        SELECT b.agent FROM dbo.agent_wafunnel_assignment AS b
                                        WHERE 1 = 0
                                    ),
                                    CASE
                                        WHEN
                                            @greatest_holding IS NULL
                                            OR TRY_CAST(@agent AS BIGINT)
                                            BETWEEN -@greatest_holding AND @greatest_holding
                                            THEN CAST(CAST(@agent AS SQL_VARIANT) AS NVARCHAR(255))
                                    END
                                )
                                AND CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
                        )
                        AND NOT EXISTS (
                            SELECT 1 FROM dbo.assignment_outcome AS o
                            WHERE o.run_id = h.run_id AND o.number = h.number AND o.stands = 1
                        );
                ELSE
                    INSERT INTO #rest (number, agent, date, stage, moves, back, returns, outcome_id, report)
                    SELECT
                        o.number, o.agent, o.date, o.stage, o.stage_back, 0, COALESCE(o.unassigned, 0), o.outcome_id,
                        o.report
                    FROM dbo.assignment_hand_back_lead AS l
                    INNER JOIN dbo.assignment_outcome AS o ON l.outcome_id = o.outcome_id
                    WHERE l.hand_back_id = @hand_back_id AND o.taken_back_at IS NULL;
                SET @rows = @@ROWCOUNT;

                IF @undo = 0 AND @rows = 0
                    BEGIN
                        SET @message = CONCAT(
                            @agent, N' has no lead of run ', @newest_id,
                            N' without an outcome; nothing was handed back.'
                        );
                        THROW 50006, @message, 1;
                    END;

                -- A lead is identified as in an undo of a run, by its number, its date and the stage that it has now.
                SELECT
                    @legacy = CASE
                        WHEN
                            CAST(SQL_VARIANT_PROPERTY(CAST(d.date AS SQL_VARIANT), 'BaseType') AS NVARCHAR(128))
                            = N'datetime'
                            THEN 1
                        ELSE 0
                    END
                FROM (
                    SELECT TOP (1) w.date FROM dbo.wafunnel AS w
                    WHERE w.date IS NOT NULL
                ) AS d;

                UPDATE t
                SET moves = 0
                FROM #rest AS t
                WHERE
                    t.moves = 1
                    AND NOT EXISTS (
                        SELECT 1 FROM dbo.wafunnel AS w
                        WHERE
                            w.number = ISNULL(
                                (
                                    SELECT f.number FROM dbo.wafunnel AS f
                                    WHERE 1 = 0
                                ),
                                CASE
                                    WHEN
                                        @greatest_lead IS NULL
                                        OR TRY_CAST(t.number AS BIGINT) BETWEEN -@greatest_lead AND @greatest_lead
                                        THEN CAST(CAST(t.number AS SQL_VARIANT) AS NVARCHAR(255))
                                END
                            )
                            AND CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = t.number
                            AND w.stage = t.stage + CASE @undo WHEN 1 THEN 0 ELSE 1 END
                            AND (
                                CAST(w.date AS DATETIME2(7)) = t.date
                                OR (@legacy = 1 AND CAST(w.date AS DATETIME2(3)) = CAST(t.date AS DATETIME2(3)))
                            )
                    );

                UPDATE w
                SET stage = w.stage + @step
                FROM dbo.wafunnel AS w
                INNER JOIN #rest AS t
                    ON
                        w.number = ISNULL(
                            (
                                SELECT f.number FROM dbo.wafunnel AS f
                                WHERE 1 = 0
                            ),
                            CASE
                                WHEN
                                    @greatest_lead IS NULL
                                    OR TRY_CAST(t.number AS BIGINT) BETWEEN -@greatest_lead AND @greatest_lead
                                    THEN CAST(CAST(t.number AS SQL_VARIANT) AS NVARCHAR(255))
                            END
                        )
                        AND CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = t.number
                        AND w.stage = t.stage + CASE @undo WHEN 1 THEN 0 ELSE 1 END
                        AND (
                            CAST(w.date AS DATETIME2(7)) = t.date
                            OR (@legacy = 1 AND CAST(w.date AS DATETIME2(3)) = CAST(t.date AS DATETIME2(3)))
                        )
                WHERE t.moves = 1;
                SET @taken = @@ROWCOUNT;

                SELECT @moved = COALESCE(SUM(t.moves), 0) FROM #rest AS t;
                -- Rows that are equal are one record, so there can be more of them.
                IF @taken < @moved
                    BEGIN
                        SET @message = CONCAT(
                            N'The leads changed while they were being handed back: ', @taken,
                            N' rows moved instead of ', @moved, N'; nothing was changed. Try again.'
                        );
                        THROW 50004, @message, 1;
                    END;

                IF @undo = 0
                    BEGIN
                        INSERT INTO dbo.assignment_hand_back
                        (run_id, agent, handed_back_at, handed_back_by, leads, put_back)
                        VALUES
                        (@newest_id, @agent, @now, @actor, @rows, @moved);
                        SET @hand_back_id = SCOPE_IDENTITY();

                        INSERT INTO dbo.assignment_outcome
                        (
                            report, run_id, agent, number, date, stage, outcome, same_agent, reported_at, reported_on,
                            reported_by, stands, stage_back, unassigned
                        )
                        SELECT
                            t.report, @newest_id, t.agent, t.number, t.date, t.stage, 'not_worked', 0, @now,
                            @reported_on, @actor, 1, t.moves + t.back, 1
                        FROM #rest AS t
                        ORDER BY t.number;

                        UPDATE dbo.assignment_outcome
                        SET stage_back = 0
                        WHERE
                            run_id = @newest_id AND stage_back = 1 AND taken_back_at IS NOT NULL
                            AND number IN (SELECT t.number FROM #rest AS t);

                        INSERT INTO dbo.assignment_hand_back_lead (outcome_id, hand_back_id)
                        SELECT o.outcome_id, @hand_back_id
                        FROM #rest AS t
                        INNER JOIN dbo.assignment_outcome AS o ON t.report = o.report;

                        DELETE a
                        FROM dbo.agent_wafunnel_assignment AS a
                        INNER JOIN #rest AS t
                            ON
                                a.number = ISNULL(
                                    (
                                        SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                                        WHERE 1 = 0
                                    ),
                                    CASE
                                        WHEN
                                            @greatest_held IS NULL
                                            OR TRY_CAST(t.number AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                                            THEN CAST(CAST(t.number AS SQL_VARIANT) AS NVARCHAR(255))
                                    END
                                )
                                AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = t.number
                                AND CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent;
                    END;
                ELSE
                    BEGIN
                        -- Where another outcome of the lead holds, it came later from a phone without a connection.
                        UPDATE o
                        SET
                            taken_back_at = @now,
                            taken_back_by = @actor,
                            stands = 0,
                            unassigned = 0,
                            stage_back = CASE WHEN t.moves = 1 THEN 0 ELSE o.stage_back END
                        FROM dbo.assignment_outcome AS o
                        INNER JOIN #rest AS t ON o.outcome_id = t.outcome_id;

                        INSERT INTO dbo.agent_wafunnel_assignment (agent, number)
                        SELECT @agent, t.number
                        FROM #rest AS t
                        WHERE
                            t.returns = 1
                            AND NOT EXISTS (
                                SELECT 1 FROM dbo.suppressed_number AS d
                                WHERE d.number = t.number AND d.country IN ('*', @country)
                            )
                            AND NOT EXISTS (
                                SELECT 1 FROM dbo.agent_wafunnel_assignment AS a
                                WHERE
                                    a.number = ISNULL(
                                        (
                                            SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                                            WHERE 1 = 0
                                        ),
                                        CASE
                                            WHEN
                                                @greatest_held IS NULL
                                                OR TRY_CAST(t.number AS BIGINT)
                                                BETWEEN -@greatest_held AND @greatest_held
                                                THEN CAST(CAST(t.number AS SQL_VARIANT) AS NVARCHAR(255))
                                        END
                                    )
                                    AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = t.number
                            )
                            AND NOT EXISTS (
                                SELECT 1
                                FROM dbo.number_key AS k
                                INNER JOIN dbo.number_key AS s
                                    ON k.match_key = s.match_key AND s.country = @country
                                INNER JOIN dbo.agent_wafunnel_assignment AS a
                                    ON
                                        a.number = ISNULL(
                                            (
                                                SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                                                WHERE 1 = 0
                                            ),
                                            CASE
                                                WHEN
                                                    @greatest_held IS NULL
                                                    OR TRY_CAST(s.number AS BIGINT)
                                                    BETWEEN -@greatest_held AND @greatest_held
                                                    THEN CAST(CAST(s.number AS SQL_VARIANT) AS NVARCHAR(255))
                                            END
                                        )
                                        AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.number
                                WHERE k.number = t.number AND k.country = @country
                            )
                        ORDER BY t.number;
                        SET @taken = @@ROWCOUNT;

                        UPDATE dbo.assignment_hand_back
                        SET undone_at = @now, undone_by = @actor, returned = @taken
                        WHERE hand_back_id = @hand_back_id;
                    END;
            END;

        COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF XACT_STATE() <> 0
            ROLLBACK TRANSACTION;
        THROW;
    END CATCH;

    SELECT
        b.hand_back_id, b.run_id, r.business_date, b.agent, b.handed_back_at, b.handed_back_by, b.leads, b.put_back,
        b.undone_at, b.undone_by, b.returned
    FROM dbo.assignment_hand_back AS b
    INNER JOIN dbo.assignment_run AS r ON b.run_id = r.run_id
    WHERE b.hand_back_id = @hand_back_id;
END;
GO
