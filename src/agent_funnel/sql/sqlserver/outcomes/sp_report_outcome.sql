/*
sp_report_outcome: keeps the outcome that an agent reports of a lead, or takes one back.

Everything happens in one transaction. An outcome belongs to a run and to a lead that this run dealt, in any spelling of
its number. Each report has an id of its own: the same report a second time is one outcome, with the same answer. All
outcomes are kept. The newest one of a lead holds (stands = 1), unless it is taken back.

The leads of a run take reports until the next run ends, or until the undo of the run. The time of the report decides,
not the time at which it arrives: a phone may have been without a connection. Without @run_id, the report is of the run
whose leads the agents had at that time.

What an outcome does here; the rest happens in the next deal:

  opted_out    puts the number on the do-not-contact list "opted out", and takes it out of the present assignments. Only
               a taking back removes that entry; a later outcome does not, because somebody asked for it. Nobody but
               this procedure adds to that list, so a taking back removes nothing that a person or an import put there.
               The lead comes back to its agent if that agent still had it, and its run is still the newest.
               The same holds for a lead that was handed back; see sp_hand_back_leads.
  not_worked   puts the lead's stage back to that of before the run, once. It goes forward again when the outcome is
               taken back or replaced. The stage moves only while the run is the newest, not undone, that dealt the
               record; otherwise the outcome is kept all the same, and the answer says so (notice).

An outcome can be taken back at any time, because wrong_number and opted_out hold until somebody does so. Where @agent
is given, only as long as the leads of the run take reports.

The last result set is one row: the outcome, and a sentence about anything that the reporter may not expect (notice).

Examples:

    EXECUTE dbo.sp_report_outcome @number = N'+5511987654321', @outcome = 'won';

    EXECUTE dbo.sp_report_outcome
        @number = N'+5511987654321', @outcome = 'call_back', @call_back_on = '2026-12-01', @same_agent = 1,
        @report = N'crm 4711', @note = N'after six', @actor = N'CRM';

    EXECUTE dbo.sp_report_outcome @report = N'crm 4711', @take_back = 1;

    -- The parameters, and the outcomes with their meanings:
    EXECUTE dbo.sp_report_outcome @help = 1;

Lock order: the records lock, which keeps it apart from runs and undos; it waits for them, and they wait for it, for a
few milliseconds. Then, of an opt-out or a hand-back, agent_wafunnel_assignment as a whole, as in a run, so that readers
wait but never deadlock; then rows of assignment_outcome, wafunnel, number_key, do_not_contact_list and
do_not_contact_entry. A call inside a transaction is refused.
*/
SET ANSI_NULLS ON;
GO
SET QUOTED_IDENTIFIER ON;
GO

-- A stub first, then ALTER, so that the rights granted on the procedure stay.
IF OBJECT_ID(N'dbo.sp_report_outcome', N'P') IS NULL
    EXECUTE (N'CREATE PROCEDURE dbo.sp_report_outcome AS SET NOCOUNT ON;');
GO

ALTER PROCEDURE dbo.sp_report_outcome
    -- Texts are wider than they may be, so that a longer one is refused and not cut.
    @number NVARCHAR(255) = NULL, -- the number of the lead, in any spelling
    @outcome VARCHAR(40) = NULL, -- won, lost, wrong_number, opted_out, call_back, talked, no_answer or not_worked
    @report NVARCHAR(255) = NULL, -- the caller's own id of this report, up to 64 characters; NULL = a new one
    @run_id BIGINT = NULL, -- the run that dealt the lead; NULL = the run whose leads the agents had at @reported_at
    @agent NVARCHAR(255) = NULL, -- refuse leads of other agents; NULL = any agent's
    @call_back_on DATE = NULL, -- of a call-back: the day
    @same_agent BIT = 0, -- of a call-back: 1 = to the same agent, if they are there and have room
    @note NVARCHAR(2000) = NULL, -- up to 1,000 characters
    @reported_at DATETIME2(3) = NULL, -- the time of the report or of the taking back, in UTC; NULL = now
    @reported_on DATE = NULL, -- the date of the report in the zone of the sales floor; NULL = by the server's clock
    @take_back BIT = 0, -- 1 = take the outcome of @report back
    @actor NVARCHAR(255) = NULL, -- the person or program that reports, for the record; NULL = the login
    @country VARCHAR(20) = NULL, -- of numbers that are written without one, as in a deal; NULL = the recorded rule
    @help BIT = 0 -- 1 = return the parameters and the outcomes, and do nothing else
AS
BEGIN
    SET NOCOUNT ON;

    IF @help = 1
        BEGIN
            SELECT p.parameter, p.[type], p.[default], p.meaning
            FROM (
                VALUES
                (1, '@number', 'NVARCHAR(255)', 'NULL', 'the number of the lead, in any spelling'),
                (2, '@outcome', 'VARCHAR(40)', 'NULL', 'one of the outcomes below'),
                (3, '@report', 'NVARCHAR(255)', 'NULL', 'your own id of the report, up to 64 characters'),
                (4, '@run_id', 'BIGINT', 'NULL', 'the run that dealt the lead; NULL = the one at that time'),
                (5, '@agent', 'NVARCHAR(255)', 'NULL', 'refuse leads of other agents'),
                (6, '@call_back_on', 'DATE', 'NULL', 'the day of a call-back, at most 90 days ahead'),
                (7, '@same_agent', 'BIT', '0', '1 = the call-back goes to the same agent if possible'),
                (8, '@note', 'NVARCHAR(2000)', 'NULL', 'up to 1,000 characters'),
                (9, '@reported_at', 'DATETIME2(3)', 'NULL', 'when it was reported, in UTC; NULL = now'),
                (10, '@reported_on', 'DATE', 'NULL', 'the date of the report on the sales floor'),
                (11, '@take_back', 'BIT', '0', '1 = take the outcome of @report back'),
                (12, '@actor', 'NVARCHAR(255)', 'NULL', 'the person or program that reports, for the record'),
                (13, '@country', 'VARCHAR(20)', 'NULL', 'BR, …, or none; NULL = the rule, or none'),
                (14, '@help', 'BIT', '0', '1 = this help')
            ) AS p(place, parameter, [type], [default], meaning)
            ORDER BY p.place;

            SELECT o.outcome, o.meaning
            FROM (
                VALUES
                (1, 'won', 'out of the pool, until a lead of a later date has the number'),
                (2, 'lost', 'the same'),
                (3, 'wrong_number', 'the number is out, until this is taken back'),
                (4, 'opted_out', 'the number is on a do-not-contact list, until this is taken back'),
                (5, 'call_back', 'out until that day, then first in the deal'),
                (6, 'talked', 'goes on; stays with its agent'),
                (7, 'no_answer', 'goes on'),
                (8, 'not_worked', 'goes on, with the stage of before the run')
            ) AS o(place, outcome, meaning)
            ORDER BY o.place;
            RETURN;
        END;

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
        @now DATETIME2(3) = SYSUTCDATETIME(), -- before the wait for a deal: the report is of this moment
        @at DATETIME2(3),
        @message NVARCHAR(2000),
        @resource NVARCHAR(255),
        @lock INT,
        @wait INT = @@LOCK_TIMEOUT, -- the longest wait for a lock, in milliseconds
        @floor VARCHAR(2), -- the country of the match keys; '' = none
        @match_key NVARCHAR(255),
        @ending NVARCHAR(4) = CONCAT(N'…', RIGHT(@number, 3)), -- messages never have a whole number
        @known BIGINT, -- the outcome that has the id of the report already
        @outcome_id BIGINT,
        @business_date DATE,
        @status VARCHAR(20),
        @newest_id BIGINT,
        @closes_at DATETIME2(3),
        @dealt NVARCHAR(255), -- the number as it was dealt
        @holder NVARCHAR(255),
        @date DATETIME2(7),
        @stage INT,
        @unassigned BIT = 0,
        @taken INT,
        @list_id INT,
        @standing_id BIGINT,
        @goes_back BIT = 0,
        @back_id BIGINT,
        @legacy BIT = 0, -- 1 = wafunnel.date is a DATETIME
        @moved INT = 0,
        -- The greatest number that each column can hold if it has whole numbers; NULL if it has text. See leads.sql.
        @greatest_lead BIGINT,
        @greatest_held BIGINT;

    SET @at = CASE WHEN @reported_at < @now THEN @reported_at ELSE @now END;
    -- A report of long ago is refused below. The date of a moment at the beginning of the calendar may not exist in the
    -- zone of the server.
    IF @reported_on IS NULL AND @at > DATEADD(DAY, -8, @now)
        SET @reported_on = CAST(DATEADD(MINUTE, DATEDIFF(MINUTE, SYSUTCDATETIME(), SYSDATETIME()), @at) AS DATE);
    SET @actor = COALESCE(@actor, SUSER_SNAME(), N'SQL');
    SET @note = NULLIF(LTRIM(RTRIM(@note)), N'');
    -- In a binary collation, because a Turkish one has another capital of i.
    SET @country = UPPER(@country COLLATE Latin1_General_BIN2);
    SET @message = CASE
        WHEN @take_back IS NULL OR @same_agent IS NULL THEN N'take_back and same_agent must be 0 or 1.'
        WHEN @take_back = 1 AND @report IS NULL THEN N'To take an outcome back, give its report.'
        WHEN LEN(@report) NOT BETWEEN 1 AND 64
            THEN CONCAT(N'report has ', LEN(@report), N' characters; it must have 1 to 64.')
        WHEN @country <> 'NONE' AND LEN(@country) NOT IN (0, 2)
            THEN N'country must be none, or the two letters of a country.'
        WHEN @take_back = 1 THEN NULL
        WHEN COALESCE(LTRIM(@number), N'') = N'' THEN N'The number is missing or blank.'
        WHEN
            @outcome IS NULL
            OR @outcome NOT IN (
                'won', 'lost', 'wrong_number', 'opted_out', 'call_back', 'talked', 'no_answer', 'not_worked'
            )
            THEN CONCAT(
                N'outcome is ', COALESCE(@outcome, N'NULL'), N'; it must be won, lost, wrong_number, opted_out, ',
                N'call_back, talked, no_answer or not_worked.'
            )
        WHEN @outcome = 'call_back' AND @call_back_on IS NULL THEN N'A call_back needs call_back_on, its day.'
        WHEN @outcome <> 'call_back' AND (@call_back_on IS NOT NULL OR @same_agent = 1)
            THEN N'Only a call_back has call_back_on and same_agent.'
        WHEN DATALENGTH(@note) > 2000
            THEN CONCAT(N'note has ', DATALENGTH(@note) / 2, N' characters; it must have at most 1000.')
        WHEN @at < DATEADD(DAY, -7, @now)
            THEN CONCAT(N'reported_at is ', CONVERT(NVARCHAR(19), @at, 120), N'; it must be at most 7 days ago.')
        WHEN ABS(DATEDIFF(DAY, @at, @reported_on)) > 1
            THEN CONCAT(
                N'reported_on is ', CONVERT(NVARCHAR(10), @reported_on, 23),
                N'; it must be the date of the report, within a day of ', CONVERT(NVARCHAR(10), @at, 23), N'.'
            )
    END;
    IF @message IS NOT NULL
        BEGIN
            SET @message = CONCAT(@message, N' Nothing was changed.');
            THROW 50006, @message, 1;
        END;
    SET @report = COALESCE(@report, LOWER(CAST(NEWID() AS NVARCHAR(36))));

    BEGIN TRY
        SELECT @floor = CASE WHEN @country = 'NONE' THEN '' ELSE COALESCE(@country, c.country) END
        FROM dbo.floor_country AS c;
        SET @match_key = dbo.fn_match_key(@number, @floor);

        BEGIN TRANSACTION;

        SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', OBJECT_SCHEMA_NAME(@@PROCID), N':records');
        EXECUTE @lock = sp_getapplock
            @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;
        IF @lock < 0
            THROW 50001, N'A run is still in progress; nothing was kept. Send the report again when it has ended.', 1;

        SELECT @newest_id = MAX(r.run_id) FROM dbo.assignment_run AS r
        WHERE r.status = 'succeeded';

        SELECT
            @known = o.outcome_id,
            @outcome_id = CASE WHEN o.taken_back_at IS NULL THEN o.outcome_id END,
            @message = CASE
                WHEN
                    @take_back = 0
                    AND (
                        o.outcome <> @outcome
                        OR o.call_back_on <> @call_back_on -- only call-backs have one, and all of them
                        OR o.same_agent <> @same_agent
                        OR COALESCE(o.note, N'') COLLATE Latin1_General_BIN2 <> COALESCE(@note, N'')
                        OR o.run_id <> @run_id
                        OR (o.number <> @number AND dbo.fn_match_key(o.number, @floor) <> @match_key)
                    )
                    THEN N'with other content'
            END
        FROM dbo.assignment_outcome AS o
        WHERE o.report = @report;

        SELECT
            @run_id = o.run_id,
            @outcome = o.outcome,
            @dealt = o.number,
            @holder = o.agent,
            @date = o.date,
            @stage = o.stage,
            @unassigned = COALESCE(o.unassigned, 0)
        FROM dbo.assignment_outcome AS o
        WHERE o.report = @report;

        IF @known IS NULL AND @take_back = 0
            BEGIN
                -- The run whose leads the agents had at the time of the report.
                IF @run_id IS NULL
                    SELECT @run_id = MAX(r.run_id)
                    FROM dbo.assignment_run AS r
                    LEFT JOIN dbo.assignment_undo AS u ON r.run_id = u.run_id
                    WHERE
                        r.finished_at <= @at
                        AND (r.status = 'succeeded' OR (r.status = 'undone' AND u.undone_at > @at));
                SET @run_id = COALESCE(@run_id, @newest_id);
            END;

        SELECT @business_date = r.business_date, @status = r.status FROM dbo.assignment_run AS r
        WHERE r.run_id = @run_id;

        SELECT @closes_at = MIN(r.finished_at) FROM dbo.assignment_run AS r
        WHERE r.status = 'succeeded' AND r.run_id > @run_id;
        SELECT @closes_at = u.undone_at FROM dbo.assignment_undo AS u
        WHERE u.run_id = @run_id;

        IF @known IS NULL AND @take_back = 0
            BEGIN
                SELECT @dealt = h.number, @holder = h.agent, @date = h.date, @stage = h.stage
                FROM dbo.assignment_history AS h
                WHERE h.run_id = @run_id AND h.number = @number;

                IF @dealt IS NULL
                    SELECT TOP (1) @dealt = h.number, @holder = h.agent, @date = h.date, @stage = h.stage
                    FROM dbo.number_key AS k
                    INNER JOIN dbo.assignment_history AS h ON k.number = h.number AND h.run_id = @run_id
                    WHERE k.match_key = @match_key AND k.country = @floor
                    ORDER BY h.number;

                -- The numbers of the run whose match keys nobody has kept for the present country. They go into a table
                -- first: in one statement, the server may compute the match keys of all numbers.
                IF @dealt IS NULL
                    BEGIN
                        CREATE TABLE #unkeyed (number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

                        INSERT INTO #unkeyed (number)
                        SELECT h.number FROM dbo.assignment_history AS h
                        WHERE
                            h.run_id = @run_id
                            AND NOT EXISTS (
                                SELECT 1 FROM dbo.number_key AS k
                                WHERE k.number = h.number AND k.country = @floor
                            );

                        SELECT TOP (1) @dealt = h.number, @holder = h.agent, @date = h.date, @stage = h.stage
                        FROM #unkeyed AS n
                        INNER JOIN dbo.assignment_history AS h ON n.number = h.number AND h.run_id = @run_id
                        WHERE dbo.fn_match_key(n.number, @floor) = @match_key
                        ORDER BY h.number;
                    END;
            END;

        SELECT
            @greatest_lead = CASE
                WHEN z.lead = '00'
                    THEN CASE DATALENGTH(z.lead) WHEN 4 THEN 2147483647 ELSE 9223372036854775807 END
            END,
            @greatest_held = CASE
                WHEN z.held = '00'
                    THEN CASE DATALENGTH(z.held) WHEN 4 THEN 2147483647 ELSE 9223372036854775807 END
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
                ), '0') AS held
        ) AS z;

        -- A lead that somebody gave to another agent by hand is also that agent's. Nobody learns which leads others
        -- have.
        IF
            @holder <> @agent COLLATE Latin1_General_BIN2
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
                                OR TRY_CAST(@dealt AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                                THEN CAST(CAST(@dealt AS SQL_VARIANT) AS NVARCHAR(255))
                        END
                    )
                    AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @dealt
                    AND CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
            )
            SELECT @dealt = NULL, @message = CASE WHEN @known IS NOT NULL THEN N'with other content' END;

        SET @message = CASE
            WHEN @take_back = 1 AND @dealt IS NULL
                THEN CONCAT(N'There is no outcome with the report ', @report, N'; nothing was changed.')
            WHEN @take_back = 1 AND @outcome_id IS NOT NULL AND @agent IS NOT NULL AND @at >= @closes_at
                THEN CONCAT(
                    CASE
                        WHEN @status = 'undone' THEN CONCAT(N'Run ', @run_id, N' was undone')
                        ELSE CONCAT(N'A newer run has replaced run ', @run_id)
                    END,
                    N', so you cannot take this outcome back; nothing was changed. An operator can.'
                )
            WHEN @take_back = 1 THEN NULL
            WHEN @known IS NOT NULL AND @message IS NOT NULL
                THEN CONCAT(
                    N'The report ', @report, N' is there already, with other content; nothing was changed. Give each ',
                    N'report an id of its own.'
                )
            WHEN @known IS NOT NULL THEN NULL
            WHEN @run_id IS NULL THEN N'There is no run yet, so nobody has a lead; nothing was kept.'
            WHEN @status IS NULL THEN CONCAT(N'There is no run ', @run_id, N'; nothing was kept.')
            WHEN @status NOT IN ('succeeded', 'undone')
                THEN CONCAT(N'Run ', @run_id, N' did not succeed; nothing was kept.')
            WHEN
                @dealt IS NULL
                AND EXISTS (
                    SELECT 1 FROM dbo.assignment_purge AS p
                    WHERE p.run_id = @run_id
                )
                THEN CONCAT(N'The history of run ', @run_id, N' has been purged; nothing was kept.')
            WHEN @dealt IS NULL
                THEN CONCAT(
                    N'Run ', @run_id, N' dealt ', @agent + N' ', N'no lead with the number ', @ending,
                    N'; nothing was kept.'
                )
            WHEN @at >= @closes_at AND @status = 'undone'
                THEN CONCAT(
                    N'Run ', @run_id, N' was undone, so its leads take no new report; nothing was kept.'
                )
            WHEN @at >= @closes_at
                THEN CONCAT(
                    N'A newer run has replaced run ', @run_id, N', so its leads take no new report; nothing was kept. ',
                    N'Report the lead from the present list.'
                )
            WHEN @call_back_on <= @business_date
                THEN CONCAT(
                    N'call_back_on is ', CONVERT(NVARCHAR(10), @call_back_on, 23),
                    N'; it must be after the business date of run ', @run_id, N', ',
                    CONVERT(NVARCHAR(10), @business_date, 23), N'. Nothing was kept.'
                )
            WHEN @call_back_on > DATEADD(DAY, 90, @reported_on)
                THEN CONCAT(
                    N'call_back_on is ', CONVERT(NVARCHAR(10), @call_back_on, 23),
                    N'; it must be at most 90 days ahead, until ',
                    CONVERT(NVARCHAR(10), DATEADD(DAY, 90, @reported_on), 23), N'. Nothing was kept.'
                )
        END;
        IF @message IS NOT NULL
            THROW 50006, @message, 1;

        -- A second time, nothing changes.
        IF (@take_back = 1 AND @outcome_id IS NOT NULL) OR @known IS NULL
            BEGIN
                -- All spellings of the lead's number.
                CREATE TABLE #spelling (number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

                SET @match_key = dbo.fn_match_key(@dealt, @floor);
                INSERT INTO #spelling (number)
                SELECT @dealt COLLATE Latin1_General_BIN2
                UNION
                SELECT k.number FROM dbo.number_key AS k
                WHERE k.match_key = @match_key AND k.country = @floor;

                -- The whole table of the assignments is locked before any row, as in a run. Only opt-outs, and taking
                -- back what took a lead out of it, write there.
                IF @outcome = 'opted_out' OR (@take_back = 1 AND @unassigned = 1)
                    SELECT @taken = COUNT(*)
                    FROM (
                        SELECT TOP (1) a.number FROM dbo.agent_wafunnel_assignment AS a WITH (TABLOCKX, HOLDLOCK)
                    ) AS n;

                IF @take_back = 1
                    UPDATE dbo.assignment_outcome
                    SET taken_back_at = @at, taken_back_by = @actor, stands = 0, unassigned = 0
                    WHERE outcome_id = @outcome_id;
                ELSE
                    BEGIN
                        IF
                            @outcome = 'opted_out'
                            AND EXISTS (
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
                                                OR TRY_CAST(@dealt AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                                                THEN CAST(CAST(@dealt AS SQL_VARIANT) AS NVARCHAR(255))
                                        END
                                    )
                                    AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @dealt
                                    AND CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @holder
                            )
                            SET @unassigned = 1;

                        INSERT INTO dbo.assignment_outcome
                        (
                            report, run_id, agent, number, date, stage, outcome, call_back_on, same_agent, note,
                            reported_at, reported_on, reported_by, stands, stage_back, unassigned
                        )
                        VALUES
                        (
                            @report, @run_id, @holder, @dealt, @date, @stage, @outcome, @call_back_on, @same_agent,
                            @note, @at, @reported_on, @actor, 0, 0, @unassigned
                        );
                    END;

                -- Which outcome of the lead holds now. A filtered index allows one. That of a hand-back holds only
                -- if there is no other: one from before it may come later, from a phone without a connection.
                SELECT TOP (1)
                    @standing_id = o.outcome_id,
                    @goes_back = CASE o.outcome WHEN 'not_worked' THEN 1 ELSE 0 END
                FROM dbo.assignment_outcome AS o
                WHERE o.number = @dealt AND o.run_id = @run_id AND o.taken_back_at IS NULL
                ORDER BY
                    CASE
                        WHEN
                            EXISTS (
                                SELECT 1 FROM dbo.assignment_hand_back_lead AS l
                                WHERE l.outcome_id = o.outcome_id
                            )
                            THEN 1
                        ELSE 0
                    END,
                    o.reported_at DESC,
                    o.outcome_id DESC;

                UPDATE dbo.assignment_outcome
                SET stands = 0
                WHERE number = @dealt AND run_id = @run_id AND stands = 1 AND outcome_id <> COALESCE(@standing_id, 0);

                UPDATE dbo.assignment_outcome
                SET stands = 1
                WHERE outcome_id = @standing_id AND stands = 0;

                -- The stage is that of before the run while the outcome that holds is not_worked. A lead is identified
                -- as in an undo, by its number, its date and the stage that it has now.
                SELECT @back_id = o.outcome_id FROM dbo.assignment_outcome AS o
                WHERE o.number = @dealt AND o.run_id = @run_id AND o.stage_back = 1;

                IF @goes_back = 1 AND @back_id IS NOT NULL
                    SET @moved = 1;

                IF @goes_back <> CASE WHEN @back_id IS NULL THEN 0 ELSE 1 END
                    BEGIN
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

                        UPDATE w
                        SET stage = CASE @goes_back WHEN 1 THEN @stage ELSE @stage + 1 END
                        FROM dbo.wafunnel AS w
                        WHERE
                            w.number = ISNULL(
                                (
                                    SELECT f.number FROM dbo.wafunnel AS f
                                    WHERE 1 = 0
                                ),
                                CASE
                                    WHEN
                                        @greatest_lead IS NULL
                                        OR TRY_CAST(@dealt AS BIGINT) BETWEEN -@greatest_lead AND @greatest_lead
                                        THEN CAST(CAST(@dealt AS SQL_VARIANT) AS NVARCHAR(255))
                                END
                            )
                            AND CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @dealt
                            AND w.stage = CASE @goes_back WHEN 1 THEN @stage + 1 ELSE @stage END
                            AND @stage < 4
                            AND (
                                CAST(w.date AS DATETIME2(7)) = @date
                                OR (@legacy = 1 AND CAST(w.date AS DATETIME2(3)) = CAST(@date AS DATETIME2(3)))
                            )
                            AND @status = 'succeeded'
                            AND NOT EXISTS (
                                SELECT 1
                                FROM dbo.assignment_history AS h
                                INNER JOIN dbo.assignment_run AS r ON h.run_id = r.run_id AND r.status = 'succeeded'
                                WHERE
                                    h.number = @dealt AND h.run_id > @run_id
                                    AND (
                                        h.date = @date
                                        OR (
                                            @legacy = 1
                                            AND CAST(h.date AS DATETIME2(3)) = CAST(@date AS DATETIME2(3))
                                        )
                                    )
                            );
                        SET @moved = @@ROWCOUNT;
                    END;

                IF @moved > 0
                    UPDATE dbo.assignment_outcome
                    SET stage_back = CASE WHEN outcome_id = @standing_id AND @goes_back = 1 THEN 1 ELSE 0 END
                    WHERE outcome_id IN (@standing_id, @back_id);

                -- Nobody may have kept the match key of this number in the present country.
                INSERT INTO dbo.number_key (country, number, match_key, ending)
                SELECT @floor, @dealt, @match_key, RIGHT(@match_key, 4)
                WHERE NOT EXISTS (
                    SELECT 1 FROM dbo.number_key AS k
                    WHERE k.number = @dealt AND k.country = @floor
                );

                SELECT @list_id = l.list_id FROM dbo.do_not_contact_list AS l
                WHERE l.name = N'opted out';

                IF @outcome = 'opted_out' AND @take_back = 0
                    BEGIN
                        IF @list_id IS NULL
                            BEGIN
                                INSERT INTO dbo.do_not_contact_list (name, reason, added_at)
                                VALUES (N'opted out', N'outcomes that agents report', SYSUTCDATETIME());
                                SELECT @list_id = l.list_id FROM dbo.do_not_contact_list AS l
                                WHERE l.name = N'opted out';
                            END;

                        INSERT INTO dbo.do_not_contact_entry (number, list_id, reason, added_at, imported)
                        SELECT @dealt, @list_id, CONCAT(N'outcome of run ', @run_id), SYSUTCDATETIME(), 0
                        WHERE NOT EXISTS (
                            SELECT 1
                            FROM #spelling AS s
                            INNER JOIN dbo.do_not_contact_entry AS d ON s.number = d.number AND d.list_id = @list_id
                        );

                        DELETE a
                        FROM dbo.agent_wafunnel_assignment AS a
                        INNER JOIN #spelling AS s
                            ON
                                a.number = ISNULL(
                                    (
                                        SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                                        WHERE 1 = 0
                                    ),
                                    CASE
                                        WHEN
                                            @greatest_held IS NULL
                                            OR TRY_CAST(s.number AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                                            THEN CAST(CAST(s.number AS SQL_VARIANT) AS NVARCHAR(255))
                                    END
                                )
                                AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.number;
                    END;

                -- Another outcome of this number may say the same.
                IF
                    @outcome = 'opted_out' AND @take_back = 1
                    AND NOT EXISTS (
                        SELECT 1
                        FROM #spelling AS s
                        INNER JOIN dbo.assignment_outcome AS o ON s.number = o.number
                        WHERE o.outcome = 'opted_out' AND o.taken_back_at IS NULL
                    )
                    DELETE FROM dbo.do_not_contact_entry
                    WHERE list_id = @list_id AND number IN (SELECT s.number FROM #spelling AS s);

                -- A lead that was handed back comes back to the agent who handed it back.
                SELECT @holder = b.agent
                FROM dbo.assignment_hand_back_lead AS l
                INNER JOIN dbo.assignment_hand_back AS b ON l.hand_back_id = b.hand_back_id
                WHERE l.outcome_id = @outcome_id;

                IF @take_back = 1 AND @unassigned = 1 AND @run_id = @newest_id
                    INSERT INTO dbo.agent_wafunnel_assignment (agent, number)
                    SELECT @holder, @dealt
                    WHERE
                        NOT EXISTS (
                            SELECT 1 FROM dbo.suppressed_number AS d
                            WHERE d.number = @dealt AND d.country IN ('*', @floor)
                        )
                        AND NOT EXISTS (
                            SELECT 1
                            FROM #spelling AS s
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
        o.outcome_id, o.report, o.run_id, r.business_date, o.agent, o.number, o.outcome, o.call_back_on, o.same_agent,
        o.note, o.reported_at, o.reported_on, o.reported_by, o.taken_back_at, o.taken_back_by, o.stands, o.stage_back,
        CASE
            WHEN o.taken_back_at IS NOT NULL AND o.stage_back = 1
                THEN
                    N'Taken back. The lead''s stage did not move: a newer run has dealt it, its run was undone, or '
                    + N'somebody changed the lead.'
            WHEN
                o.taken_back_at IS NOT NULL AND o.outcome = 'opted_out'
                AND EXISTS (
                    SELECT 1 FROM dbo.do_not_contact_entry AS d
                    WHERE d.number = o.number
                )
                THEN N'Taken back. The number stays out: another entry of a do-not-contact list has it.'
            WHEN o.taken_back_at IS NOT NULL THEN NULL
            WHEN o.stands = 0
                THEN CONCAT(
                    N'Kept. A later outcome of this lead holds: ',
                    (
                        SELECT s.outcome FROM dbo.assignment_outcome AS s
                        WHERE s.number = o.number AND s.run_id = o.run_id AND s.stands = 1
                    ),
                    N'.'
                )
            WHEN o.outcome = 'not_worked' AND o.stage_back = 0
                THEN
                    N'Kept. The lead''s stage did not move: a newer run has dealt it, its run was undone, or '
                    + N'somebody changed the lead.'
            WHEN
                o.outcome <> 'opted_out'
                AND EXISTS (
                    SELECT 1 FROM dbo.assignment_outcome AS s
                    WHERE
                        s.number = o.number AND s.run_id = o.run_id AND s.outcome = 'opted_out'
                        AND s.taken_back_at IS NULL
                )
                THEN N'Kept. The number stays on the do-not-contact list until the outcome opted_out is taken back.'
        END AS notice
    FROM dbo.assignment_outcome AS o
    INNER JOIN dbo.assignment_run AS r ON o.run_id = r.run_id
    WHERE o.report = @report;
END;
GO
