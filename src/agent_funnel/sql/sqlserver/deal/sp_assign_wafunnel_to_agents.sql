/*
sp_assign_wafunnel_to_agents: deals the pool out to the active agents, one lead per agent per round.

Everything happens in one transaction, with set-based statements. The last result set is one row, the summary.

Examples:

    -- A manual run for today, by the recorded rules:
    EXECUTE dbo.sp_assign_wafunnel_to_agents;

    -- The scheduled run of a business date. It succeeds once per date; a second call fails with error 50003:
    EXECUTE dbo.sp_assign_wafunnel_to_agents
        @business_date = '2026-11-25', @trigger = 'schedule', @actor = N'SQL Server Agent';

    -- At most 200 leads per agent, from the last 30 days, the newest of each stage first:
    EXECUTE dbo.sp_assign_wafunnel_to_agents @max_per_agent = 200, @window_days = 30, @newest_first = 1;

    -- From now on, at most 200 leads per agent in every run that does not say otherwise:
    INSERT INTO dbo.floor_rule (name, value, recorded_at, recorded_by)
    VALUES ('max_per_agent', '200', SYSUTCDATETIME(), SUSER_SNAME());

    -- Another run just after one, or just before the scheduled run: without @again, it is refused with error 50008.
    EXECUTE dbo.sp_assign_wafunnel_to_agents @again = 1;

    -- The parameters, examples, the recorded rules, and the version of the tables:
    EXECUTE dbo.sp_assign_wafunnel_to_agents @help = 1;

    -- What a run would do now. This changes nothing:
    EXECUTE dbo.sp_assign_wafunnel_to_agents @preview = 1;

Contents:

  1. refuse bad parameters            5. the pool, in deal order, each lead with its agent
  2. the locks; is the run wanted?    6. effect: the run, history, stages, assignments, and the edits for undo
     The recorded rules               7. checks
  3. the agents and their room        8. the summary row
  4. seats: whose turn is when

A preview runs part 1, reads the recorded rules, and runs parts 3 to 5, without locks and without a transaction. It
returns the share of each agent, then the changes to the present assignments, and last the summary row, whose run_id is
0. It writes temporary tables only.

Lock order:

  1. The run lock decides: one run or undo at a time. A second one is refused at once, with error 50001.
  2. The looks lock shows that a run or an undo is in progress. Sessions that look share this lock for a moment and
     never take the first one, so looking never refuses a run. The run waits for them.
  3. The records lock keeps some other changes apart from a run: an addition to the do-not-contact list, the record of a
     failed attempt, the outcome of a date, the beginning of a purge, a new rule, new match keys, and `run_of_request`,
     which finds out whether a lost call made its run. Each of them holds the lock for a moment. A run waits for them,
     and they wait for a run.
  4. The tables: agent_wafunnel_assignment as a whole, then rows of wafunnel, assignment_run, assignment_country,
     assignment_rule, assignment_voice, assignment_outcome_effect, assignment_limit, schedule_skip,
     assignment_request, assignment_history, assignment_call_back, number_key and assignment_edit.

Who waits, from the moment that part 6 begins until COMMIT:

    who                                   READ_COMMITTED_SNAPSHOT on    off (with locks)
    readers of the assignments            nobody: they see the old      wait for all of part 6
    readers of wafunnel                   deal until COMMIT             wait from the change of the stages
    readers of runs                                                     wait from the row of the run
    writers of wafunnel, assignments      wait                          wait
    a second run or undo                  50001 at once                 50001 at once
    the do-not-contact list, failures     wait for the whole run        wait for the whole run

A reader that began before part 6 holds the run up until it is done, at most for the session's LOCK_TIMEOUT; with
READ_COMMITTED_SNAPSHOT on, no reader does. A session without a limit gets one of 30 s for this call.

A call inside a transaction of the caller is refused with 50006, and that transaction stays as it was: its COMMIT would
decide when the deal takes effect, and everybody would wait until then. INSERT … EXECUTE is such a call, too.

Left out on purpose: lock hints apart from the two on the assignments (Babelfish ignores them; the application locks do
their work), MERGE, updatable common table expressions, dynamic SQL, and RETURN inside a transaction. Names are compared
as NVARCHAR in a binary collation, whatever the collation of an existing table, so that every engine seats agents and
finds duplicates in the same way.
*/
SET ANSI_NULLS ON;
GO
SET QUOTED_IDENTIFIER ON;
GO

-- A stub first, then ALTER, so that the rights granted on the procedure stay.
IF OBJECT_ID(N'dbo.sp_assign_wafunnel_to_agents', N'P') IS NULL
    EXECUTE (N'CREATE PROCEDURE dbo.sp_assign_wafunnel_to_agents AS SET NOCOUNT ON;');
GO

ALTER PROCEDURE dbo.sp_assign_wafunnel_to_agents
    @business_date DATE = NULL, -- the date that the run belongs to; NULL = today by the server's clock
    @max_per_agent INT = NULL, -- the most leads of any agent, from 1 to 1000000; NULL = the recorded rule, or 450
    @window_days INT = NULL, -- older leads stay out; from 0 to 36500 days; NULL = the recorded rule, or 45
    @newest_first BIT = NULL, -- 1 = within a stage, the newest lead comes first; NULL = the recorded rule, or 0
    @trigger VARCHAR(20) = 'manual', -- 'manual' or 'schedule'; 'schedule' succeeds once per business date
    @actor NVARCHAR(255) = NULL, -- the person or program that asked for the run, for the record
    @preview BIT = 0, -- 1 = show what a run would do, and change nothing
    @request NVARCHAR(64) = NULL, -- the caller's id of the request, to find the run by it; no two runs share one
    @again BIT = 0, -- 1 = deal all the same where a manual run is almost surely a mistake, which is refused otherwise
    -- The country of numbers that are written without one: 'BR', …, or 'none'; NULL = the recorded rule, or none. It is
    -- wider than two letters, so that a longer text is refused and not cut.
    @country VARCHAR(20) = NULL,
    @voice VARCHAR(20) = NULL, -- 'fresh', or 'as-dealt': without a fresh voice; NULL = the recorded rule, or fresh
    -- A date whose scheduled run is skipped, because this run is made instead; NULL = none. An undo of this run ends
    -- that, unless it comes after @skip_until, the end of that date's window (UTC).
    @skip_date DATE = NULL,
    @skip_until DATETIME2(3) = NULL,
    @help BIT = 0 -- 1 = return the parameters, examples, the recorded rules and the version, and do nothing else
AS
BEGIN
    SET NOCOUNT ON;

    IF @help = 1
        BEGIN
            SELECT p.parameter, p.[type], p.[default], p.meaning
            FROM (
                VALUES
                (1, '@business_date', 'DATE', 'NULL', 'the date that the run belongs to; NULL = today'),
                (2, '@max_per_agent', 'INT', 'NULL', 'the most leads of an agent; NULL = the rule, or 450'),
                (3, '@window_days', 'INT', 'NULL', 'leads older than this stay out; NULL = the rule, or 45'),
                (4, '@newest_first', 'BIT', 'NULL', '1 = the newest lead of a stage first; NULL = the rule, or 0'),
                (5, '@trigger', 'VARCHAR(20)', 'manual', 'manual, or schedule, which succeeds once per business date'),
                (6, '@actor', 'NVARCHAR(255)', 'NULL', 'the person or program that asked for the run, for the record'),
                (7, '@preview', 'BIT', '0', '1 = show what a run would do, and change nothing'),
                (8, '@request', 'NVARCHAR(64)', 'NULL', 'the caller''s id of the request; no two runs share one'),
                (9, '@again', 'BIT', '0', '1 = deal even where a manual run is refused with 50008'),
                (10, '@country', 'VARCHAR(20)', 'NULL', 'BR, …, or none; NULL = the rule, or none'),
                (11, '@voice', 'VARCHAR(20)', 'NULL', 'fresh, or as-dealt; NULL = the rule, or fresh'),
                (12, '@skip_date', 'DATE', 'NULL', 'a date whose scheduled run is skipped; this run is made instead'),
                (13, '@skip_until', 'DATETIME2(3)', 'NULL', 'until then (UTC), an undo of this run ends the skip'),
                (14, '@help', 'BIT', '0', '1 = this help')
            ) AS p(place, parameter, [type], [default], meaning)
            ORDER BY p.place;

            SELECT e.example
            FROM (
                VALUES
                (1, 'EXECUTE dbo.sp_assign_wafunnel_to_agents;'),
                (2, 'EXECUTE dbo.sp_assign_wafunnel_to_agents @preview = 1;'),
                (3, 'EXECUTE dbo.sp_assign_wafunnel_to_agents @max_per_agent = 200, @window_days = 30;'),
                (4, 'EXECUTE dbo.sp_assign_wafunnel_to_agents @trigger = ''schedule'', @actor = ''SQL Agent'';'),
                (5, 'EXECUTE dbo.sp_assign_wafunnel_to_agents @country = ''BR'';'),
                (6, 'EXECUTE dbo.sp_undo_wafunnel_assignment;')
            ) AS e(place, example)
            ORDER BY e.place;

            -- The rules on record, which hold where a call has NULL.
            SELECT f.name, f.value, f.recorded_at, f.recorded_by
            FROM dbo.floor_rule AS f
            WHERE
                f.rule_id IN (
                    SELECT MAX(n.rule_id) FROM dbo.floor_rule AS n
                    GROUP BY n.name
                )
            ORDER BY f.name;

            SELECT MAX(v.version) AS version FROM dbo.agent_funnel_version AS v;
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
        @started_at DATETIME2(3) = SYSUTCDATETIME(),
        @message NVARCHAR(2000),
        @resource NVARCHAR(255),
        @looks NVARCHAR(255),
        @lock INT,
        @wait INT = @@LOCK_TIMEOUT, -- the longest wait for a lock, in milliseconds
        -- Where the limits of the rules are changed, change settings.py and sqlite/deal/plan.sql, too.
        @countries VARCHAR(100) = 'BR, MX, AR, US, CA, DE, GB, ES, PT, FR, IT, RU',
        @rule_cap VARCHAR(40),
        @rule_window VARCHAR(40),
        @rule_order VARCHAR(40),
        @rule_country VARCHAR(40),
        @rule_voice VARCHAR(40),
        @run_id BIGINT,
        @oldest DATE,
        @salt NVARCHAR(100), -- of the hashes of forgotten people; NULL while nobody is forgotten
        @base_id BIGINT,
        @previous_agent NVARCHAR(255),
        @last_agent NVARCHAR(255),
        @agents INT,
        @pool INT,
        @duplicates INT,
        @suppressed INT,
        @kept_out INT,
        @to_deal BIGINT,
        @per_agent BIGINT,
        @assigned INT,
        @refusal NVARCHAR(2000),
        @confirm NVARCHAR(200)
        = N'; nothing was changed. To deal all the same, confirm it: @again = 1, `agent-funnel run --again`, '
        + N'{"again": true}, or the box on the page.',
        @earlier_id BIGINT,
        @notice NVARCHAR(1000),
        @keyed_id BIGINT,
        @newest_id BIGINT,
        @came_round INT,
        @same_agent INT,
        @call_backs INT = 0, -- dealt as call-backs that were due
        @kept INT = 0, -- of these, those that go to the agent who asked for them
        @stayed INT = 0, -- leads that stay with their agent, these included
        @recent DATE, -- a lead stays with an agent who talked to it in a run of this day or later
        @recent_id BIGINT,
        -- For the order of the deal in one number. The classes are the stages, and before them the call-backs, which
        -- come by their days. The records that are not in the pool come after it. Literals would make decimals of it.
        @kind_step BIGINT = 100000000000000000,
        @day_step BIGINT = 4294967296,
        @call_back_class BIGINT = -20000000000000000,
        @rows INT,
        @taken INT,
        @advanced INT,
        @smallest INT,
        @largest INT;

    BEGIN TRY
        -- 1. Refuse bad parameters, and name the value and the limit.
        SET @business_date = COALESCE(@business_date, CAST(SYSDATETIME() AS DATE));
        -- In a binary collation, because a Turkish one has another capital of i.
        SET @rule_country = UPPER(@country COLLATE Latin1_General_BIN2);
        SET @rule_voice = LOWER(@voice COLLATE Latin1_General_BIN2);
        SET @message = CASE
            WHEN @max_per_agent NOT BETWEEN 1 AND 1000000
                THEN CONCAT(
                    N'max_per_agent is ', @max_per_agent, N'; it must be from 1 to 1000000. Nothing was changed.'
                )
            WHEN @window_days NOT BETWEEN 0 AND 36500
                THEN CONCAT(N'window_days is ', @window_days, N'; it must be from 0 to 36500. Nothing was changed.')
            WHEN
                @rule_country <> 'NONE'
                AND (
                    LEN(@rule_country) <> 2
                    OR CHARINDEX(CONCAT(', ', @rule_country, ','), CONCAT(', ', @countries, ',')) = 0
                )
                THEN CONCAT(
                    N'country is ''', @country, N'''; it must be none or one of ', @countries, N'. Nothing was changed.'
                )
            WHEN @rule_voice NOT IN ('fresh', 'as-dealt')
                THEN CONCAT(N'voice is ''', @voice, N'''; it must be fresh or as-dealt. Nothing was changed.')
            WHEN @business_date NOT BETWEEN '2000-01-01' AND '9998-12-31'
                THEN CONCAT(
                    N'business_date is ', CONVERT(NVARCHAR(20), @business_date, 23),
                    N'; it must be from 2000-01-01 to 9998-12-31. Nothing was changed.'
                )
            WHEN @trigger IS NULL OR @trigger NOT IN ('manual', 'schedule')
                THEN CONCAT(
                    N'trigger is ', COALESCE(@trigger, N'NULL'),
                    N'; it must be manual or schedule. Nothing was changed.'
                )
            WHEN @skip_date IS NOT NULL AND @trigger = 'schedule'
                THEN N'skip_date is for manual runs; the trigger is schedule. Nothing was changed.'
            WHEN @preview IS NULL
                THEN N'preview is NULL; it must be 0 or 1. Nothing was changed.'
            WHEN @again IS NULL
                THEN N'again is NULL; it must be 0 or 1. Nothing was changed.'
        END;
        IF @message IS NOT NULL
            THROW 50006, @message, 1;

        -- 2. The locks, and whether the scheduled run of this date is still due. A unique index allows only one in any
        -- case.
        IF @preview = 0
            BEGIN
                BEGIN TRANSACTION;

                -- Application locks belong to a database on SQL Server and to the whole server on Babelfish, so the
                -- name contains the database, too.
                SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', OBJECT_SCHEMA_NAME(@@PROCID));
                EXECUTE @lock = sp_getapplock
                    @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 0;
                IF @lock < 0
                    THROW 50001, N'A run or an undo is in progress; nothing was changed. Try again when it ends.', 1;

                -- Shows that a run is in progress. Sessions that look share this lock for a moment; if they took the
                -- lock above, looking could refuse a run. Without this lock the run goes on all the same.
                SET @looks = CONCAT(@resource, N':looks');
                EXECUTE sp_getapplock
                    @Resource = @looks, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;

                -- A session that holds this lock is not another run and ends in a moment, so the run waits for it.
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

                SELECT
                    @message = CONCAT(
                        N'The scheduled run of ', CONVERT(NVARCHAR(20), @business_date, 23),
                        N' is already done (run ', r.run_id,
                        N'); nothing was changed. To deal again, make a manual run.'
                    )
                FROM dbo.assignment_run AS r
                WHERE
                    @trigger = 'schedule' AND r.[trigger] = 'schedule'
                    AND r.business_date = @business_date AND r.status IN ('succeeded', 'undone');
                SELECT
                    @message = CONCAT(
                        N'The scheduled run of ', CONVERT(NVARCHAR(20), @skip_date, 23), N' is already done (run ',
                        r.run_id, N'), so it cannot be skipped; nothing was changed.'
                    )
                FROM dbo.assignment_run AS r
                WHERE
                    r.[trigger] = 'schedule' AND r.business_date = @skip_date
                    AND r.status IN ('succeeded', 'undone');
                SELECT
                    @message = CONCAT(
                        N'The business date ', CONVERT(NVARCHAR(20), @business_date, 23), N' is recorded as ',
                        o.outcome, N', so it gets no scheduled run; nothing was changed. To deal, make a manual run.'
                    )
                FROM dbo.date_without_run AS o
                WHERE @trigger = 'schedule' AND o.business_date = @business_date;
                SELECT
                    @message = CONCAT(
                        N'The business date ', CONVERT(NVARCHAR(20), @skip_date, 23), N' is recorded as ', o.outcome,
                        N' already, so its scheduled run cannot be skipped; nothing was changed.'
                    )
                FROM dbo.date_without_run AS o
                WHERE o.business_date = @skip_date;
                IF @message IS NOT NULL
                    THROW 50003, @message, 1;
            END;

        -- The recorded rules, where the caller leaves one open: of each name, the newest row holds. They are read once,
        -- under the locks, so a rule that is recorded meanwhile holds from the next run on. Any client can write the
        -- table, so these values are checked, too.
        SELECT
            @rule_cap = COALESCE(
                CAST(@max_per_agent AS VARCHAR(40)),
                (
                    SELECT TOP (1) f.value FROM dbo.floor_rule AS f
                    WHERE f.name = 'max_per_agent'
                    ORDER BY f.rule_id DESC
                ),
                '450'
            ),
            @rule_window = COALESCE(
                CAST(@window_days AS VARCHAR(40)),
                (
                    SELECT TOP (1) f.value FROM dbo.floor_rule AS f
                    WHERE f.name = 'window_days'
                    ORDER BY f.rule_id DESC
                ),
                '45'
            ),
            @rule_order = COALESCE(
                CAST(@newest_first AS VARCHAR(40)),
                (
                    SELECT TOP (1) f.value FROM dbo.floor_rule AS f
                    WHERE f.name = 'newest_first'
                    ORDER BY f.rule_id DESC
                ),
                '0'
            ),
            @rule_country = COALESCE(
                @rule_country,
                (
                    SELECT TOP (1) f.value FROM dbo.floor_rule AS f
                    WHERE f.name = 'country'
                    ORDER BY f.rule_id DESC
                ),
                'none'
            ),
            @rule_voice = COALESCE(
                @rule_voice,
                (
                    SELECT TOP (1) f.value FROM dbo.floor_rule AS f
                    WHERE f.name = 'voice'
                    ORDER BY f.rule_id DESC
                ),
                'fresh'
            );
        SET @rule_country = UPPER(@rule_country COLLATE Latin1_General_BIN2);
        SET @voice = LOWER(@rule_voice COLLATE Latin1_General_BIN2);

        SET @message = CASE
            WHEN
                TRY_CAST(@rule_cap AS INT) IS NULL OR CAST(TRY_CAST(@rule_cap AS INT) AS VARCHAR(40)) <> @rule_cap
                OR TRY_CAST(@rule_cap AS INT) NOT BETWEEN 1 AND 1000000
                THEN CONCAT(N'max_per_agent is ''', @rule_cap, N'''; it must be from 1 to 1000000')
            WHEN
                TRY_CAST(@rule_window AS INT) IS NULL
                OR CAST(TRY_CAST(@rule_window AS INT) AS VARCHAR(40)) <> @rule_window
                OR TRY_CAST(@rule_window AS INT) NOT BETWEEN 0 AND 36500
                THEN CONCAT(N'window_days is ''', @rule_window, N'''; it must be from 0 to 36500')
            WHEN @rule_order NOT IN ('0', '1')
                THEN CONCAT(N'newest_first is ''', @rule_order, N'''; it must be 0 or 1')
            WHEN
                @rule_country <> 'NONE'
                AND (
                    LEN(@rule_country) <> 2
                    OR CHARINDEX(CONCAT(', ', @rule_country, ','), CONCAT(', ', @countries, ',')) = 0
                )
                THEN CONCAT(N'country is ''', @rule_country, N'''; it must be none or one of ', @countries)
            WHEN @voice NOT IN ('fresh', 'as-dealt')
                THEN CONCAT(N'voice is ''', @rule_voice, N'''; it must be fresh or as-dealt')
        END;
        IF @message IS NOT NULL
            BEGIN
                SET @message = CONCAT(
                    N'The recorded rule ', @message, N'. Nothing was changed. Record another value with ',
                    N'`agent-funnel rules set`, or in floor_rule.'
                );
                THROW 50006, @message, 1;
            END;

        SET @max_per_agent = CAST(@rule_cap AS INT);
        SET @window_days = CAST(@rule_window AS INT);
        SET @newest_first = CASE WHEN @rule_order = '1' THEN 1 ELSE 0 END;
        -- From here on, no country is the empty text.
        SET @country = CASE WHEN @rule_country = 'NONE' THEN '' ELSE @rule_country END;

        -- The reasons why a manual run is almost surely a mistake, each with what would be lost. A run is refused for
        -- them unless the caller says again; a preview returns them. The first: a run began a moment ago, as after a
        -- double click, or a call that was sent again.
        IF @trigger = 'manual'
            SELECT
                @refusal = CONCAT(
                    N'Run ', r.run_id, N' of ', CONVERT(NVARCHAR(20), r.business_date, 23), N' began ',
                    DATEDIFF(SECOND, r.started_at, SYSUTCDATETIME()), N' s ago and dealt ', r.assigned,
                    N' leads: another deal would replace these assignments, and move each lead that it deals on by ',
                    N'one more stage'
                )
            FROM dbo.assignment_run AS r
            WHERE
                r.run_id = (
                    SELECT MAX(n.run_id) FROM dbo.assignment_run AS n
                    WHERE n.status = 'succeeded'
                )
                AND r.started_at > DATEADD(MINUTE, -2, SYSUTCDATETIME())
                AND r.started_at < DATEADD(MINUTE, 2, SYSUTCDATETIME());

        -- The second: the scheduled run of this date is about to come. Until a minute after its time, it may not have
        -- begun.
        IF @trigger = 'manual'
            SELECT
                @refusal = CONCAT(
                    @refusal + N'. ', N'The scheduled run of ', CONVERT(NVARCHAR(20), n.business_date, 23),
                    CASE
                        WHEN n.due_at > SYSUTCDATETIME()
                            THEN CONCAT(N' is due in ', DATEDIFF(SECOND, SYSUTCDATETIME(), n.due_at), N' s')
                        ELSE CONCAT(
                            N' was due ', DATEDIFF(SECOND, n.due_at, SYSUTCDATETIME()), N' s ago and is about to begin'
                        )
                    END,
                    N': it would replace the assignments of this deal, and move its leads on by one more stage'
                )
            FROM dbo.schedule_next AS n
            WHERE
                n.business_date = @business_date
                AND (@skip_date IS NULL OR n.business_date <> @skip_date)
                AND NOT EXISTS (
                    SELECT 1 FROM dbo.date_without_run AS o
                    WHERE o.business_date = n.business_date
                )
                AND n.due_at > DATEADD(MINUTE, -1, SYSUTCDATETIME())
                AND n.due_at <= DATEADD(MINUTE, 10, SYSUTCDATETIME())
                AND NOT EXISTS (
                    SELECT 1 FROM dbo.assignment_run AS r
                    WHERE
                        r.[trigger] = 'schedule' AND r.business_date = n.business_date
                        AND r.status IN ('succeeded', 'undone')
                );
        IF @refusal IS NOT NULL AND @again = 0 AND @preview = 0
            BEGIN
                SET @message = CONCAT(@refusal, @confirm);
                THROW 50008, @message, 1;
            END;

        -- From the last deal: the agent who got the last lead, and the run that made the present assignments.
        SELECT TOP (1) @previous_agent = r.last_agent
        FROM dbo.assignment_run AS r
        WHERE r.status = 'succeeded' AND r.assigned > 0
        ORDER BY r.run_id DESC;

        SELECT @base_id = MAX(r.run_id) FROM dbo.assignment_run AS r
        WHERE r.status = 'succeeded';

        -- 3. The agents and their room, seated from the one after the agent who got the last lead of the last deal.
        CREATE TABLE #room (
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            room INT NOT NULL,
            turn INT NOT NULL
        );

        INSERT INTO #room (agent, room, turn)
        SELECT
            a.agent,
            CASE WHEN l.max_records < @max_per_agent THEN l.max_records ELSE @max_per_agent END,
            ROW_NUMBER() OVER (ORDER BY CASE WHEN a.agent <= @previous_agent THEN 1 ELSE 0 END, a.agent)
        FROM (
            SELECT DISTINCT CAST(g.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent
            FROM dbo.agents AS g
            WHERE LOWER(LTRIM(RTRIM(g.status)) COLLATE Latin1_General_BIN2) = 'active' AND LTRIM(g.agent) <> ''
        ) AS a
        LEFT JOIN (
            SELECT m.agent, MIN(m.max_records) AS max_records
            FROM dbo.agent_limit AS m
            WHERE m.starts_on <= @business_date AND (m.ends_on IS NULL OR m.ends_on >= @business_date)
            GROUP BY m.agent
        ) AS l ON a.agent = l.agent;

        -- The run keeps who has less room than the rules allow, or none.
        CREATE TABLE #limited (
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            max_records INT NOT NULL
        );

        INSERT INTO #limited (agent, max_records)
        SELECT r.agent, r.room FROM #room AS r
        WHERE r.room < @max_per_agent;

        DELETE FROM #room
        WHERE room <= 0;

        SELECT @agents = COUNT(*), @to_deal = SUM(CAST(r.room AS BIGINT)) FROM #room AS r;
        IF @agents = 0
            BEGIN
                -- A failed attempt keeps the message, so it says which of the two it was: all who are active have a
                -- limit of 0.
                SELECT @agents = COUNT(*) FROM #limited;
                SET @message = N'No agent is active; nothing was changed. Activate an agent.';
                IF @agents > 0
                    SET @message = CONCAT(
                        N'All active agents (', @agents, N') are away on ', CONVERT(NVARCHAR(20), @business_date, 23),
                        N'; nothing was changed. Activate another agent, or remove a limit of 0.'
                    );
                THROW 50002, @message, 1;
            END;

        -- 4. Seats. All agents take part in the rounds up to the smallest room. In the rounds from there to the next
        -- larger room, all agents but the full ones take part, and so on. A segment is such a stretch of rounds, with
        -- the positions that are dealt in it.
        CREATE TABLE #segment (
            first_position BIGINT NOT NULL PRIMARY KEY,
            last_position BIGINT NOT NULL,
            room INT NOT NULL,
            agents INT NOT NULL
        );

        INSERT INTO #segment (first_position, last_position, room, agents)
        SELECT
            1 + p.upto - p.positions,
            p.upto,
            p.room,
            p.agents
        FROM (
            SELECT
                s.room, s.agents, s.positions,
                SUM(s.positions) OVER (ORDER BY s.room ROWS UNBOUNDED PRECEDING) AS upto
            FROM (
                SELECT
                    g.room,
                    g.agents,
                    CAST(g.room - LAG(g.room, 1, 0) OVER (ORDER BY g.room) AS BIGINT) * g.agents AS positions
                FROM (
                    SELECT
                        c.room,
                        SUM(c.agents) OVER (ORDER BY c.room DESC ROWS UNBOUNDED PRECEDING) AS agents
                    FROM (
                        SELECT r.room, COUNT(*) AS agents FROM #room AS r
                        GROUP BY r.room
                    ) AS c
                ) AS g
            ) AS s
        ) AS p;

        CREATE TABLE #seat (
            first_position BIGINT NOT NULL,
            seat INT NOT NULL,
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            PRIMARY KEY (first_position, seat)
        );

        INSERT INTO #seat (first_position, seat, agent)
        SELECT
            s.first_position,
            ROW_NUMBER() OVER (PARTITION BY s.first_position ORDER BY r.turn) - 1,
            r.agent
        FROM #segment AS s
        INNER JOIN #room AS r ON s.room <= r.room;

        -- 5. The pool. Rows that are equal in number, stage and date are one record. If a match key has several
        -- records, the first in deal order is in the pool. The pool has the positions from 1 on, and each position is
        -- dealt to the agent of its seat while there is room. The other records come after the pool and are only
        -- counted.
        SET @oldest = DATEADD(DAY, -@window_days, @business_date);

        -- The agent who had a lead last is found by its match key. Each run keeps the keys of its own leads, so only
        -- leads of runs of another country, since the last run of this one, can have no key yet.
        SELECT @keyed_id = COALESCE(MAX(r.run_id), 0)
        FROM dbo.assignment_run AS r
        LEFT JOIN dbo.assignment_country AS c ON r.run_id = c.run_id
        WHERE r.status IN ('succeeded', 'undone') AND COALESCE(c.country, '') = @country;

        -- A statement that reads or writes as many rows as the pool has is compiled in each run. Its plan then knows
        -- the values of this run, such as @oldest, and the number of rows in the temporary tables: the server keeps
        -- these tables with their statistics, and a plan for a preview of a small pool would be too small for a run.

        -- The match keys that are not kept yet. A preview keeps nothing, so they have a table of their own.
        CREATE TABLE #new_key (
            number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            match_key NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
        );

        INSERT INTO #new_key (number, match_key)
        SELECT u.number, dbo.fn_match_key(u.number, @country)
        FROM (
            SELECT v.number
            FROM (
                SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
                FROM dbo.wafunnel AS w
                WHERE w.stage < 4 AND w.date >= @oldest AND w.number <> ''
            ) AS v
            WHERE
                NOT EXISTS (
                    SELECT 1 FROM dbo.number_key AS k
                    WHERE k.number = v.number AND k.country = @country
                )
            UNION
            SELECT d.number
            FROM dbo.do_not_contact_entry AS d
            WHERE
                NOT EXISTS (
                    SELECT 1 FROM dbo.number_key AS k
                    WHERE k.number = d.number AND k.country = @country
                )
            UNION
            SELECT h.number
            FROM dbo.assignment_history AS h
            WHERE
                h.run_id > @keyed_id
                AND NOT EXISTS (
                    SELECT 1 FROM dbo.number_key AS k
                    WHERE k.number = h.number AND k.country = @country
                )
            UNION
            -- The history of a run may be purged when the country changes, but not what keeps a number out.
            SELECT o.number
            FROM dbo.assignment_outcome AS o
            WHERE
                o.stands = 1 AND o.outcome IN ('wrong_number', 'won', 'lost', 'call_back')
                AND NOT EXISTS (
                    SELECT 1 FROM dbo.number_key AS k
                    WHERE k.number = o.number AND k.country = @country
                )
        ) AS u
        OPTION (RECOMPILE);

        -- The numbers whose match key another number has, too, is on the do-not-contact list or of a forgotten person,
        -- each with the first number of its key. They are few, so other numbers are compared as they are written.
        CREATE TABLE #shared_key (
            match_key NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            listed INT NOT NULL
        );

        INSERT INTO #shared_key (match_key, listed)
        SELECT s.match_key, MAX(s.listed)
        FROM (
            SELECT n.match_key, 1 AS listed
            FROM dbo.do_not_contact_entry AS d
            INNER JOIN dbo.number_key AS n ON d.number = n.number AND n.country = @country
            UNION ALL
            SELECT n.match_key, 1
            FROM dbo.do_not_contact_entry AS d
            INNER JOIN #new_key AS n ON d.number = n.number
            UNION ALL
            SELECT n.match_key, 0
            FROM dbo.number_key AS n
            WHERE n.country = @country
            GROUP BY n.match_key
            HAVING COUNT(*) > 1
            UNION ALL
            SELECT n.match_key, 0
            FROM #new_key AS n
            GROUP BY n.match_key
            HAVING COUNT(*) > 1
            UNION ALL
            SELECT n.match_key, 0
            FROM #new_key AS n
            INNER JOIN dbo.number_key AS k ON n.match_key = k.match_key AND k.country = @country
        ) AS s
        GROUP BY s.match_key;

        -- A hash is computed for each key only while there are forgotten people.
        IF EXISTS (SELECT 1 FROM dbo.forgotten_number)
            BEGIN
                SELECT @salt = s.salt FROM dbo.forgotten_salt AS s;
                IF @salt IS NULL
                    BEGIN
                        SET @message = CONCAT(
                            N'Check failed: forgotten_salt has no row, so nobody knows which leads are of forgotten ',
                            N'people; nothing was changed. Restore that row from a backup.'
                        );
                        THROW 50007, @message, 1;
                    END;

                UPDATE s
                SET listed = 1
                FROM #shared_key AS s
                INNER JOIN dbo.forgotten_number AS f ON f.hash = HASHBYTES('SHA2_256', CONCAT(@salt, s.match_key))
                WHERE f.only_without_country = 0 OR @country = '';

                INSERT INTO #shared_key (match_key, listed)
                SELECT DISTINCT k.match_key, 1
                FROM (
                    SELECT n.match_key FROM dbo.number_key AS n
                    WHERE n.country = @country
                    UNION ALL
                    SELECT n.match_key FROM #new_key AS n
                ) AS k
                INNER JOIN dbo.forgotten_number AS f ON f.hash = HASHBYTES('SHA2_256', CONCAT(@salt, k.match_key))
                WHERE
                    (f.only_without_country = 0 OR @country = '')
                    AND NOT EXISTS (
                        SELECT 1 FROM #shared_key AS s
                        WHERE s.match_key = k.match_key
                    );
            END;

        CREATE TABLE #matched (
            number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            first_number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            listed INT NOT NULL
        );

        INSERT INTO #matched (number, first_number, listed)
        SELECT n.number, MIN(n.number) OVER (PARTITION BY n.match_key), n.listed
        FROM (
            SELECT k.number, k.match_key, s.listed
            FROM #shared_key AS s
            INNER JOIN dbo.number_key AS k ON s.match_key = k.match_key AND k.country = @country
            -- Not UNION ALL: while a preview counts, an import may keep the key of a number that was new.
            UNION
            SELECT k.number, k.match_key, s.listed
            FROM #shared_key AS s
            INNER JOIN #new_key AS k ON s.match_key = k.match_key
        ) AS n;

        -- Outcomes that stand. First, the call-backs that no run in force has handed out, to come or due. Dates of
        -- leads are compared to the millisecond, as in the undo.
        CREATE TABLE #call_back (
            outcome_id BIGINT NOT NULL PRIMARY KEY,
            run_id BIGINT NOT NULL,
            number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            date DATETIME2(3) NOT NULL,
            call_back_on DATE NOT NULL,
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL -- the agent who asked to have it again
        );

        -- What keeps a number out, in each spelling: it is wrong or to be called back later (whole = 1), or its records
        -- up to a day are won or lost.
        CREATE TABLE #kept_out (
            number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            whole INT NOT NULL,
            closed_on DATE NULL
        );

        -- The records of call-backs that are due, with the newest call-back of each; and those that are won or lost,
        -- which may have a date after the day of the report.
        CREATE TABLE #reported (
            number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            date DATETIME2(3) NOT NULL,
            closed INT NOT NULL,
            call_back_on DATE NULL,
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL,
            PRIMARY KEY (number, date)
        );

        -- The rows of call-backs that are due, but finished or too old: their stage and their age do not matter.
        CREATE TABLE #outside (
            number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            stage INT NOT NULL,
            date DATETIME2(7) NOT NULL
        );

        IF EXISTS (SELECT 1 FROM dbo.assignment_outcome)
            BEGIN
                INSERT INTO #call_back (outcome_id, run_id, number, date, call_back_on, agent)
                SELECT
                    o.outcome_id, o.run_id, o.number, CAST(o.date AS DATETIME2(3)), o.call_back_on,
                    CASE WHEN o.same_agent = 1 THEN o.agent END
                FROM dbo.assignment_outcome AS o
                WHERE
                    o.stands = 1 AND o.outcome = 'call_back'
                    AND NOT EXISTS (
                        SELECT 1
                        FROM dbo.assignment_call_back AS c
                        INNER JOIN dbo.assignment_run AS r ON c.run_id = r.run_id
                        WHERE
                            c.outcome_id = o.outcome_id AND r.status = 'succeeded'
                            AND NOT EXISTS (
                                SELECT 1 FROM dbo.assignment_outcome AS n
                                WHERE
                                    n.run_id = c.run_id AND n.number = o.number AND n.stands = 1
                                    AND n.outcome = 'not_worked'
                            )
                    );

                INSERT INTO #kept_out (number, whole, closed_on)
                SELECT s.number, MAX(s.whole), MAX(s.closed_on)
                FROM (
                    SELECT COALESCE(i.number, w.number) AS number, w.whole, w.closed_on
                    FROM (
                        SELECT
                            o.number,
                            CASE WHEN o.outcome = 'wrong_number' THEN 1 ELSE 0 END AS whole,
                            CASE WHEN o.outcome <> 'wrong_number' THEN o.reported_on END AS closed_on
                        FROM dbo.assignment_outcome AS o
                        WHERE o.stands = 1 AND o.outcome IN ('wrong_number', 'won', 'lost')
                        UNION ALL
                        SELECT b.number, 1, NULL FROM #call_back AS b
                        WHERE b.call_back_on > @business_date
                    ) AS w
                    LEFT JOIN #matched AS m ON w.number = m.number
                    LEFT JOIN #matched AS i ON m.first_number = i.first_number
                ) AS s
                GROUP BY s.number;

                INSERT INTO #reported (number, date, closed, call_back_on, agent)
                SELECT s.number, s.date, MAX(s.closed), MAX(s.call_back_on), MAX(s.agent)
                FROM (
                    SELECT
                        o.number, CAST(o.date AS DATETIME2(3)) AS date, 1 AS closed, NULL AS call_back_on, NULL AS agent
                    FROM dbo.assignment_outcome AS o
                    WHERE o.stands = 1 AND o.outcome IN ('won', 'lost') AND CAST(o.date AS DATE) > o.reported_on
                    UNION ALL
                    SELECT b.number, b.date, 0, b.call_back_on, b.agent
                    FROM (
                        SELECT
                            n.number, n.date, n.call_back_on, n.agent,
                            ROW_NUMBER() OVER (PARTITION BY n.number, n.date ORDER BY n.run_id DESC) AS age
                        FROM #call_back AS n
                        WHERE n.call_back_on <= @business_date
                    ) AS b
                    WHERE b.age = 1
                ) AS s
                GROUP BY s.number, s.date;

                INSERT INTO #outside (number, stage, date)
                SELECT t.number, w.stage, CAST(w.date AS DATETIME2(7))
                FROM #reported AS t
                INNER JOIN dbo.wafunnel AS w
                    ON
                        t.number = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
                        AND t.date = CAST(w.date AS DATETIME2(3))
                WHERE
                    t.call_back_on IS NOT NULL AND w.stage IS NOT NULL
                    AND (w.stage >= 4 OR w.date < @oldest);
            END;

        -- The table has no key: it is only read as a whole, and another sort would cost a tenth of the deal.
        CREATE TABLE #record (
            position BIGINT NOT NULL,
            -- 0 = in the pool, 1 = waits behind another of its match key, 2 = must not be dealt, 3 = kept out by an
            -- outcome
            kind TINYINT NOT NULL,
            number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            stage INT NOT NULL,
            date DATETIME2(7) NOT NULL,
            equal_rows INT NOT NULL,
            class BIGINT NOT NULL, -- the stage; of a call-back that is due, @call_back_class
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL, -- the agent who gets it; NULL = left over
            stays INT NOT NULL -- 1 = it stays with this agent
        );

        INSERT INTO #record (position, kind, number, stage, date, equal_rows, class, agent, stays)
        SELECT
            p.position, p.kind, p.number, p.stage, p.date, p.equal_rows,
            CASE WHEN p.place < @call_back_class / 10 THEN @call_back_class ELSE p.stage END,
            h.agent, 0
        FROM (
            SELECT
                k.kind, k.number, k.stage, k.date, k.equal_rows, k.place,
                ROW_NUMBER() OVER (
                    ORDER BY
                        -- Kind and class in one number, because one key sorts faster than two.
                        k.kind * @kind_step + k.place,
                        CASE WHEN @newest_first = 0 THEN k.date END,
                        CASE WHEN @newest_first = 1 THEN k.date END DESC,
                        k.number
                ) AS position
            FROM (
                SELECT
                    n.number, n.stage, n.date, n.equal_rows, n.place,
                    CASE
                        WHEN n.kind > 0 THEN n.kind
                        WHEN ROW_NUMBER() OVER (
                            PARTITION BY n.first_number
                            ORDER BY
                                n.kind * @kind_step + n.place,
                                CASE WHEN @newest_first = 0 THEN n.date END,
                                CASE WHEN @newest_first = 1 THEN n.date END DESC,
                                n.number
                        ) > 1 THEN 1
                        ELSE 0
                    END AS kind
                FROM (
                    SELECT
                        e.number, e.stage, e.date, e.equal_rows,
                        COALESCE(m.first_number, e.number) AS first_number,
                        CASE
                            WHEN m.listed = 1 THEN 2
                            WHEN o.whole = 1 OR CAST(e.date AS DATE) <= o.closed_on OR t.closed = 1 THEN 3
                            ELSE 0
                        END AS kind,
                        CASE
                            WHEN t.call_back_on IS NULL THEN e.stage
                            ELSE @call_back_class + DATEDIFF(DAY, '2000-01-01', t.call_back_on) * @day_step + e.stage
                        END AS place
                    FROM (
                        SELECT v.number, v.stage, v.date, COUNT(*) AS equal_rows
                        FROM (
                            SELECT
                                CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
                                w.stage,
                                CAST(w.date AS DATETIME2(7)) AS date
                            FROM dbo.wafunnel AS w
                            -- A number of blanks equals the empty string. The query pool_report has the same
                            -- conditions.
                            WHERE w.stage < 4 AND w.date >= @oldest AND w.number <> ''
                            UNION ALL
                            SELECT q.number, q.stage, q.date FROM #outside AS q
                        ) AS v
                        GROUP BY v.number, v.stage, v.date
                    ) AS e
                    LEFT JOIN #matched AS m ON e.number = m.number
                    LEFT JOIN #kept_out AS o ON e.number = o.number
                    LEFT JOIN #reported AS t ON e.number = t.number AND CAST(e.date AS DATETIME2(3)) = t.date
                ) AS n
            ) AS k
        ) AS p
        LEFT JOIN #segment AS s ON p.kind = 0 AND p.position BETWEEN s.first_position AND s.last_position
        LEFT JOIN #seat AS h
            ON s.first_position = h.first_position AND h.seat = (p.position - s.first_position) % s.agents
        OPTION (RECOMPILE);

        SELECT
            @pool = COALESCE(SUM(CASE WHEN c.kind = 0 THEN 1 ELSE 0 END), 0),
            @duplicates = COALESCE(SUM(CASE WHEN c.kind = 1 THEN 1 ELSE 0 END), 0),
            @suppressed = COALESCE(SUM(CASE WHEN c.kind = 2 THEN 1 ELSE 0 END), 0),
            @kept_out = COALESCE(SUM(CASE WHEN c.kind = 3 THEN 1 ELSE 0 END), 0),
            @rows = COALESCE(SUM(CASE WHEN c.agent IS NOT NULL THEN c.equal_rows ELSE 0 END), 0)
        FROM #record AS c;
        SET @to_deal = CASE WHEN @to_deal < @pool THEN @to_deal ELSE @pool END;

        SELECT @last_agent = c.agent FROM #record AS c
        WHERE c.position = @to_deal AND c.kind = 0;

        -- Even in kind. The rounds decide how many leads each agent gets. An agent who is full with fewer leads than
        -- the largest share would have the first leads of the deal only, so the agents of each such number of leads are
        -- a group, and all others are the group 0. Each group deals round by round, and its slots are spread evenly
        -- over the deal. Where nobody is full early, there is one group, and the pool has its agents already.
        CREATE TABLE #quota (
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            turn INT NOT NULL,
            leads INT NOT NULL,
            group_leads INT NOT NULL -- of each agent of a group; 0 = the open group
        );

        INSERT INTO #quota (agent, turn, leads, group_leads)
        SELECT
            q.agent, q.turn, q.leads,
            CASE WHEN q.leads = q.room AND q.leads < MAX(q.leads) OVER () THEN q.leads ELSE 0 END
        FROM (
            SELECT
                r.agent, r.turn, r.room,
                SUM(s.positions / s.agents + CASE WHEN h.seat < s.positions % s.agents THEN 1 ELSE 0 END) AS leads
            FROM (
                SELECT
                    g.first_position, g.agents,
                    CASE WHEN g.last_position < @to_deal THEN g.last_position ELSE @to_deal END - g.first_position + 1
                        AS positions
                FROM #segment AS g
                WHERE g.first_position <= @to_deal
            ) AS s
            INNER JOIN #seat AS h ON s.first_position = h.first_position
            INNER JOIN #room AS r ON h.agent = r.agent
            GROUP BY r.agent, r.turn, r.room
        ) AS q;

        -- Call-backs that are to go to the same agent do so, in deal order, as far as the agent's share reaches. The
        -- agent's other leads are so many fewer, and these agents are grouped by the number that is left.
        IF
            EXISTS (
                SELECT 1 FROM #reported AS t
                WHERE t.agent IS NOT NULL
            )
            BEGIN
                CREATE TABLE #kept (
                    position BIGINT NOT NULL PRIMARY KEY,
                    agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
                );

                INSERT INTO #kept (position, agent)
                SELECT k.position, k.agent
                FROM (
                    SELECT
                        c.position, q.agent, q.leads,
                        ROW_NUMBER() OVER (PARTITION BY q.agent ORDER BY c.position) AS place
                    FROM #record AS c
                    INNER JOIN #reported AS t ON c.number = t.number AND CAST(c.date AS DATETIME2(3)) = t.date
                    INNER JOIN #quota AS q ON t.agent = q.agent
                    WHERE c.kind = 0
                ) AS k
                WHERE k.place <= k.leads;
                SET @kept = @@ROWCOUNT;
                SET @stayed = @kept;

                UPDATE q
                SET leads = q.leads - k.leads, group_leads = q.leads - k.leads
                FROM #quota AS q
                INNER JOIN (
                    SELECT p.agent, COUNT(*) AS leads FROM #kept AS p
                    GROUP BY p.agent
                ) AS k ON q.agent = k.agent;
            END;

        IF @kept > 0 OR (SELECT MAX(q.group_leads) FROM #quota AS q) > 0
            BEGIN
                -- The rounds; the first positions of the pool count them.
                CREATE TABLE #round (round_number BIGINT NOT NULL PRIMARY KEY);

                INSERT INTO #round (round_number)
                SELECT c.position
                FROM #record AS c
                CROSS JOIN (SELECT MAX(o.leads) AS leads FROM #quota AS o) AS q
                WHERE c.kind = 0 AND c.position <= q.leads;

                CREATE TABLE #slot (
                    position BIGINT NOT NULL PRIMARY KEY,
                    agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
                );

                -- The keys of two slots are equal only if their fractions are: a FLOAT is exact enough.
                INSERT INTO #slot (position, agent)
                SELECT
                    ROW_NUMBER() OVER (
                        ORDER BY
                            (2 * ((n.round_number - 1) * q.agents + q.seat) + 1) / CAST(2 * q.slots AS FLOAT),
                            q.group_leads
                    ),
                    q.agent
                FROM (
                    SELECT
                        o.agent, o.leads, o.group_leads,
                        ROW_NUMBER() OVER (PARTITION BY o.group_leads ORDER BY o.turn) - 1 AS seat,
                        COUNT(*) OVER (PARTITION BY o.group_leads) AS agents,
                        SUM(CAST(o.leads AS BIGINT)) OVER (PARTITION BY o.group_leads) AS slots
                    FROM #quota AS o
                    WHERE o.leads > 0
                ) AS q
                INNER JOIN #round AS n ON q.leads >= n.round_number;

                IF @kept = 0
                    UPDATE c
                    SET agent = o.agent
                    FROM #record AS c
                    INNER JOIN #slot AS o ON c.position = o.position
                    WHERE c.agent <> o.agent;
                ELSE
                    BEGIN
                        -- The other leads of the pool take the slots in deal order, as far as there are any.
                        UPDATE c
                        SET agent = o.agent
                        FROM #record AS c
                        INNER JOIN (
                            SELECT r.position, ROW_NUMBER() OVER (ORDER BY r.position) AS place
                            FROM #record AS r
                            WHERE
                                r.kind = 0
                                AND NOT EXISTS (
                                    SELECT 1 FROM #kept AS k
                                    WHERE k.position = r.position
                                )
                        ) AS n ON c.position = n.position
                        LEFT JOIN #slot AS o ON n.place = o.position;

                        UPDATE c
                        SET agent = k.agent, stays = 1
                        FROM #record AS c
                        INNER JOIN #kept AS k ON c.position = k.position;

                        SELECT @rows = COALESCE(SUM(c.equal_rows), 0) FROM #record AS c
                        WHERE c.agent IS NOT NULL;
                    END;
            END;

        -- Within each class, a lead whose newest outcome is that an agent talked to it, in a run at most seven days
        -- before, stays with that agent: the n-th of them takes that agent's n-th slot. The other leads take the other
        -- slots, in order.
        SET @recent = DATEADD(DAY, -7, @business_date);
        SELECT @recent_id = MIN(r.run_id) FROM dbo.assignment_run AS r
        WHERE r.business_date >= @recent;
        IF
            EXISTS (
                SELECT 1 FROM dbo.assignment_outcome AS o
                WHERE o.run_id >= @recent_id AND o.stands = 1 AND o.outcome = 'talked'
            )
            BEGIN
                CREATE TABLE #talked (
                    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY, -- the first of its match key
                    agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
                );

                INSERT INTO #talked (number, agent)
                SELECT t.number, t.agent
                FROM (
                    SELECT
                        COALESCE(m.first_number, o.number) AS number, o.agent, o.outcome, r.business_date,
                        ROW_NUMBER() OVER (
                            PARTITION BY COALESCE(m.first_number, o.number)
                            ORDER BY o.run_id DESC, o.outcome_id DESC
                        ) AS age
                    FROM dbo.assignment_outcome AS o
                    INNER JOIN dbo.assignment_run AS r ON o.run_id = r.run_id
                    LEFT JOIN #matched AS m ON o.number = m.number
                    WHERE o.run_id >= @recent_id AND o.stands = 1
                ) AS t
                WHERE t.age = 1 AND t.outcome = 'talked' AND t.business_date >= @recent;

                -- The leads that can still change places, with their slots, and whether an agent talked to them.
                CREATE TABLE #movable (
                    position BIGINT NOT NULL PRIMARY KEY,
                    class BIGINT NOT NULL,
                    agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
                    talked NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL
                );

                INSERT INTO #movable (position, class, agent, talked)
                SELECT c.position, c.class, c.agent, t.agent AS talked
                FROM #record AS c
                LEFT JOIN #matched AS m ON c.number = m.number
                LEFT JOIN #talked AS t ON t.number = COALESCE(m.first_number, c.number)
                WHERE c.agent IS NOT NULL AND c.stays = 0;

                CREATE TABLE #staying (
                    position BIGINT NOT NULL PRIMARY KEY,
                    slot BIGINT NOT NULL,
                    agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
                );

                INSERT INTO #staying (position, slot, agent)
                SELECT n.position, o.position AS slot, o.agent
                FROM (
                    SELECT
                        v.position, v.class, v.talked,
                        ROW_NUMBER() OVER (PARTITION BY v.class, v.talked ORDER BY v.position) AS place
                    FROM #movable AS v
                    WHERE v.talked IS NOT NULL
                ) AS n
                INNER JOIN (
                    SELECT
                        v.position, v.class, v.agent,
                        ROW_NUMBER() OVER (PARTITION BY v.class, v.agent ORDER BY v.position) AS place
                    FROM #movable AS v
                ) AS o ON n.class = o.class AND n.talked = o.agent AND n.place = o.place;
                SET @stayed = @stayed + @@ROWCOUNT;

                UPDATE c
                SET agent = x.agent, stays = x.stays
                FROM #record AS c
                INNER JOIN (
                    SELECT s.position, s.agent, 1 AS stays FROM #staying AS s
                    UNION ALL
                    SELECT n.position, o.agent, 0
                    FROM (
                        SELECT
                            v.position, v.class,
                            ROW_NUMBER() OVER (PARTITION BY v.class ORDER BY v.position) AS place
                        FROM #movable AS v
                        LEFT JOIN #staying AS s ON v.position = s.position
                        WHERE s.position IS NULL
                    ) AS n
                    INNER JOIN (
                        SELECT
                            v.class, v.agent,
                            ROW_NUMBER() OVER (PARTITION BY v.class ORDER BY v.position) AS place
                        FROM #movable AS v
                        LEFT JOIN #staying AS s ON v.position = s.slot
                        WHERE s.slot IS NULL
                    ) AS o ON n.class = o.class AND n.place = o.place
                ) AS x ON c.position = x.position;
            END;

        -- A fresh voice. Within each class, leads whose slot is that of the agent who had them last change places, so
        -- that as few as possible meet the same agent again. What each agent gets of each class, and whose turn is
        -- next, stay as they are. Leads that stay with their agent have no part in this. First: the runs that are not
        -- undone and have their history.
        CREATE TABLE #past_run (run_id BIGINT NOT NULL PRIMARY KEY);

        INSERT INTO #past_run (run_id)
        SELECT r.run_id
        FROM dbo.assignment_run AS r
        WHERE
            r.status = 'succeeded'
            AND NOT EXISTS (
                SELECT 1 FROM dbo.assignment_purge AS p
                WHERE p.run_id = r.run_id
            );
        SELECT @newest_id = MAX(p.run_id) FROM #past_run AS p;

        -- The agent who had each match key last that several numbers have.
        CREATE TABLE #key_heard (
            first_number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
        );

        INSERT INTO #key_heard (first_number, agent)
        SELECT k.first_number, k.agent
        FROM (
            SELECT
                m.first_number, h.agent,
                ROW_NUMBER() OVER (PARTITION BY m.first_number ORDER BY h.run_id DESC, h.number ASC) AS place
            FROM #matched AS m
            INNER JOIN dbo.assignment_history AS h ON m.number = h.number
            INNER JOIN #past_run AS p ON h.run_id = p.run_id
            WHERE m.listed = 0
        ) AS k
        WHERE k.place = 1;

        -- The agent who had each lead last. Most leads that come round were in the newest run, which is the fastest to
        -- look in.
        CREATE TABLE #heard (
            position BIGINT NOT NULL,
            class BIGINT NOT NULL,
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            last_agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL,
            stays INT NOT NULL
        );

        IF @newest_id IS NOT NULL
            INSERT INTO #heard (position, class, agent, last_agent, stays)
            SELECT
                c.position, c.class, c.agent,
                CASE
                    WHEN m.number IS NOT NULL THEN k.agent
                    WHEN n.agent IS NOT NULL THEN n.agent
                    ELSE (
                        SELECT TOP (1) h.agent
                        FROM dbo.assignment_history AS h
                        WHERE h.number = c.number AND h.run_id IN (SELECT p.run_id FROM #past_run AS p)
                        ORDER BY h.run_id DESC
                    )
                END,
                c.stays
            FROM #record AS c
            LEFT JOIN #matched AS m ON c.number = m.number
            LEFT JOIN #key_heard AS k ON m.first_number = k.first_number
            LEFT JOIN dbo.assignment_history AS n ON c.number = n.number AND n.run_id = @newest_id
            WHERE c.agent IS NOT NULL
            OPTION (RECOMPILE);

        -- The agents with clashes in each class, the agent with most clashes first. The clashes of an agent have the
        -- ranks from `first_rank` on, among all clashes of the class.
        CREATE TABLE #clashing_agent (
            class BIGINT NOT NULL,
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            first_rank INT NOT NULL,
            clashes INT NOT NULL,
            most INT NOT NULL,
            PRIMARY KEY (class, agent)
        );

        INSERT INTO #clashing_agent (class, agent, first_rank, clashes, most)
        SELECT
            c.class, c.agent,
            SUM(c.times) OVER (
                PARTITION BY c.class ORDER BY c.times DESC, c.agent ASC
                ROWS UNBOUNDED PRECEDING
            ) - c.times,
            SUM(c.times) OVER (PARTITION BY c.class),
            MAX(c.times) OVER (PARTITION BY c.class)
        FROM (
            SELECT h.class, h.agent, COUNT(*) AS times
            FROM #heard AS h
            WHERE h.agent = h.last_agent AND h.stays = 0 AND @voice = 'fresh'
            GROUP BY h.class, h.agent
        ) AS c;

        -- The clashes. Each takes the slot of the one that comes `most` ranks later, which is a slot of another agent,
        -- unless one agent has more than half of the clashes.
        CREATE TABLE #clash (
            class BIGINT NOT NULL,
            clash_rank BIGINT NOT NULL,
            position BIGINT NOT NULL,
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            clashes INT NOT NULL,
            most INT NOT NULL
        );

        INSERT INTO #clash (class, clash_rank, position, agent, clashes, most)
        SELECT
            h.class,
            g.first_rank + ROW_NUMBER() OVER (PARTITION BY h.class, h.agent ORDER BY h.position) - 1,
            h.position, h.agent, g.clashes, g.most
        FROM #heard AS h
        INNER JOIN #clashing_agent AS g ON h.class = g.class AND h.agent = g.agent
        WHERE h.agent = h.last_agent AND h.stays = 0;

        UPDATE c
        SET agent = o.agent
        FROM #record AS c
        INNER JOIN #clash AS p ON c.position = p.position
        INNER JOIN #clash AS o ON p.class = o.class AND o.clash_rank = (p.clash_rank + p.most) % p.clashes;

        -- The clashes that remain change places with the first leads of the class that neither have this agent nor had
        -- this agent last, as far as there are any.
        CREATE TABLE #stuck (
            class BIGINT NOT NULL,
            place BIGINT NOT NULL,
            position BIGINT NOT NULL,
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            PRIMARY KEY (class, place)
        );

        INSERT INTO #stuck (class, place, position, agent)
        SELECT p.class, ROW_NUMBER() OVER (PARTITION BY p.class ORDER BY p.position), p.position, p.agent
        FROM #clash AS p
        INNER JOIN #clash AS o ON p.class = o.class AND o.clash_rank = (p.clash_rank + p.most) % p.clashes
        WHERE 2 * p.most > p.clashes AND p.agent = o.agent;
        SET @same_agent = @@ROWCOUNT;

        IF @same_agent > 0
            BEGIN
                CREATE TABLE #partner (
                    class BIGINT NOT NULL,
                    place BIGINT NOT NULL,
                    position BIGINT NOT NULL,
                    agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
                    PRIMARY KEY (class, place)
                );

                INSERT INTO #partner (class, place, position, agent)
                SELECT h.class, ROW_NUMBER() OVER (PARTITION BY h.class ORDER BY h.position), h.position, c.agent
                FROM (SELECT DISTINCT s.class, s.agent FROM #stuck AS s) AS a
                INNER JOIN #heard AS h ON a.class = h.class
                INNER JOIN #record AS c ON h.position = c.position
                WHERE
                    c.agent <> a.agent AND h.stays = 0 AND (h.last_agent IS NULL OR h.last_agent <> a.agent);

                UPDATE c
                SET agent = x.agent
                FROM #record AS c
                INNER JOIN (
                    SELECT s.position, p.agent
                    FROM #stuck AS s
                    INNER JOIN #partner AS p ON s.class = p.class AND s.place = p.place
                    UNION ALL
                    SELECT p.position, s.agent
                    FROM #stuck AS s
                    INNER JOIN #partner AS p ON s.class = p.class AND s.place = p.place
                ) AS x ON c.position = x.position;

                SELECT @same_agent = COUNT(*)
                FROM #stuck AS s
                INNER JOIN #record AS c ON s.position = c.position
                WHERE s.agent = c.agent;
            END;

        SELECT @came_round = COUNT(h.last_agent) FROM #heard AS h;
        IF @voice = 'as-dealt'
            SELECT @same_agent = COUNT(*) FROM #heard AS h
            WHERE h.agent = h.last_agent AND h.stays = 0;

        -- One more reason: the pool is empty, and there are assignments to lose.
        IF @trigger = 'manual' AND @pool = 0
            SELECT
                @refusal = CONCAT(
                    @refusal + N'. ', N'No lead is in the pool, and agents have ', n.assignments,
                    N' assignments: a deal now would remove them all, and deal nothing'
                )
            FROM (SELECT COUNT(*) AS assignments FROM dbo.agent_wafunnel_assignment) AS n
            WHERE n.assignments > 0;
        IF @refusal IS NOT NULL AND @again = 0 AND @preview = 0
            BEGIN
                SET @message = CONCAT(@refusal, @confirm);
                THROW 50008, @message, 1;
            END;

        -- The notice: an earlier run of the same business date that is not undone, and how many of these leads were
        -- dealt on that date before.
        SELECT @earlier_id = MAX(r.run_id) FROM dbo.assignment_run AS r
        WHERE r.business_date = @business_date AND r.status = 'succeeded';
        IF @earlier_id IS NOT NULL
            SELECT
                @notice = CONCAT(
                    N'Run ', @earlier_id, N' of ', CONVERT(NVARCHAR(20), @business_date, 23),
                    N' came before this one: ', COUNT(*),
                    N' leads move on a second time that day. An undo takes that back.'
                )
            FROM #record AS c
            WHERE
                c.agent IS NOT NULL
                AND EXISTS (
                    SELECT 1
                    FROM dbo.assignment_history AS h
                    INNER JOIN dbo.assignment_run AS r ON h.run_id = r.run_id
                    WHERE
                        h.number = c.number AND CAST(h.date AS DATETIME2(3)) = CAST(c.date AS DATETIME2(3))
                        AND r.business_date = @business_date AND r.status = 'succeeded'
                );

        -- And call-backs that are due, for which there is no room.
        IF EXISTS (SELECT 1 FROM #call_back)
            SELECT
                @notice = CONCAT(
                    @notice + N' ', N'No agent has room for ', n.leads,
                    CASE n.leads
                        WHEN 1 THEN N' call-back that is due; the next deal has it again.'
                        ELSE N' call-backs that are due; the next deal has them again.'
                    END
                )
            FROM (
                SELECT COUNT(*) AS leads FROM #record AS c
                WHERE c.kind = 0 AND c.class = @call_back_class AND c.agent IS NULL
            ) AS n
            WHERE n.leads > 0;

        CREATE TABLE #share (
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            room INT NOT NULL,
            leads INT NOT NULL
        );

        SET @per_agent = (CAST(@pool AS BIGINT) + @agents - 1) / @agents;
        IF @per_agent > @max_per_agent
            SET @per_agent = @max_per_agent;

        IF @preview = 1
            BEGIN
                CREATE TABLE #present (
                    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
                    agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL
                );

                INSERT INTO #present (number, agent)
                SELECT DISTINCT
                    CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2,
                    CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
                FROM dbo.agent_wafunnel_assignment AS a
                WHERE a.number IS NOT NULL;

                -- The share of each agent, with its mix of stages and of ages in days, the call-backs in it, and those
                -- of them that stay with the agent.
                SELECT
                    r.agent,
                    r.room,
                    COUNT(d.number) AS leads,
                    SUM(CASE WHEN d.stage = 1 THEN 1 ELSE 0 END) AS stage_1,
                    SUM(CASE WHEN d.stage = 2 THEN 1 ELSE 0 END) AS stage_2,
                    SUM(CASE WHEN d.stage = 3 THEN 1 ELSE 0 END) AS stage_3,
                    SUM(CASE WHEN DATEDIFF(DAY, d.date, @business_date) <= 7 THEN 1 ELSE 0 END) AS days_0_to_7,
                    SUM(CASE WHEN DATEDIFF(DAY, d.date, @business_date) BETWEEN 8 AND 30 THEN 1 ELSE 0 END)
                        AS days_8_to_30,
                    SUM(CASE WHEN DATEDIFF(DAY, d.date, @business_date) > 30 THEN 1 ELSE 0 END) AS days_31_and_more,
                    SUM(CASE WHEN d.class = @call_back_class THEN 1 ELSE 0 END) AS call_backs,
                    SUM(CASE WHEN d.class = @call_back_class AND d.stays = 1 THEN 1 ELSE 0 END) AS kept_call_backs
                FROM #room AS r
                LEFT JOIN #record AS d ON r.agent = d.agent
                GROUP BY r.agent, r.room
                ORDER BY r.agent;

                -- The changes to the present assignments: leads that stay with their agent, leads that change hands,
                -- leads that nobody has now, and leads that nobody would have then; and why a deal would be refused.
                SELECT
                    COALESCE(SUM(CASE WHEN p.number IS NOT NULL THEN 1 ELSE 0 END), 0) AS stay,
                    COALESCE(SUM(CASE WHEN p.number IS NULL AND q.number IS NOT NULL THEN 1 ELSE 0 END), 0)
                        AS change_hands,
                    COALESCE(SUM(CASE WHEN q.number IS NULL THEN 1 ELSE 0 END), 0) AS come,
                    (
                        SELECT COUNT(DISTINCT o.number) FROM #present AS o
                        WHERE NOT EXISTS (
                            SELECT 1 FROM #record AS e
                            WHERE e.number = o.number AND e.agent IS NOT NULL
                        )
                    ) AS leave,
                    @refusal + N'.' AS refusal
                FROM #record AS d
                LEFT JOIN #present AS p ON d.number = p.number AND d.agent = p.agent
                LEFT JOIN (SELECT DISTINCT o.number FROM #present AS o) AS q ON d.number = q.number
                WHERE d.agent IS NOT NULL;

                INSERT INTO #share (agent, room, leads)
                SELECT r.agent, r.room, COUNT(d.number)
                FROM #room AS r
                LEFT JOIN #record AS d ON r.agent = d.agent
                GROUP BY r.agent, r.room;

                SELECT
                    CAST(0 AS BIGINT) AS run_id,
                    @business_date AS business_date,
                    @trigger AS [trigger],
                    'preview' AS status,
                    @agents AS agents,
                    @pool AS pool,
                    @per_agent AS per_agent,
                    SUM(s.leads) AS assigned,
                    @pool - SUM(s.leads) AS left_over,
                    @duplicates AS duplicates,
                    @suppressed AS suppressed,
                    MIN(s.leads) AS smallest_share,
                    MAX(s.leads) AS largest_share,
                    @started_at AS started_at,
                    CAST(SYSUTCDATETIME() AS DATETIME2(3)) AS finished_at,
                    @notice AS notice,
                    @kept_out AS kept_out,
                    @came_round AS came_round,
                    @same_agent AS same_agent,
                    @stayed AS stayed
                FROM #share AS s;

                -- A preview has opened no transaction, so there is nothing to commit.
                RETURN;
            END;

        -- 6. Effect. Each table is written in the order of its key, and nobody sees the result before COMMIT. The whole
        -- table of the assignments is locked before anything else: sessions that are reading it are done by then, so
        -- none of them can wait for a row of this run while this run waits for them.
        SELECT @taken = COUNT(*)
        FROM (SELECT TOP (1) a.number FROM dbo.agent_wafunnel_assignment AS a WITH (TABLOCKX, HOLDLOCK)) AS n;

        -- A call-back that is finished stays so, and is written all the same.
        UPDATE w
        SET stage = CASE WHEN w.stage < 4 THEN w.stage + 1 ELSE w.stage END
        FROM dbo.wafunnel AS w
        INNER JOIN #record AS c
            ON
                CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = c.number
                AND w.stage = c.stage AND CAST(w.date AS DATETIME2(7)) = c.date
        WHERE c.agent IS NOT NULL
        OPTION (RECOMPILE);
        SET @advanced = @@ROWCOUNT;

        -- If the counts differ, another session changed a lead after the pool was read.
        IF @advanced <> @rows
            BEGIN
                SET @message = CONCAT(
                    N'The pool changed while it was being dealt: ', @advanced, N' rows advanced instead of ',
                    @rows, N'; nothing was changed. Try again.'
                );
                THROW 50004, @message, 1;
            END;

        -- Pages that show runs wait for this row, unless READ_COMMITTED_SNAPSHOT is on, so it comes after the stages.
        INSERT INTO dbo.assignment_run
        (business_date, [trigger], actor, status, max_per_agent, window_days, newest_first, started_at)
        VALUES
        (@business_date, @trigger, @actor, 'running', @max_per_agent, @window_days, @newest_first, @started_at);
        SET @run_id = SCOPE_IDENTITY();

        INSERT INTO dbo.assignment_country (run_id, country)
        SELECT @run_id, @country
        WHERE @country <> '';

        INSERT INTO dbo.assignment_rule (run_id, name, value)
        SELECT @run_id, 'voice', @voice
        WHERE @voice <> 'fresh';

        INSERT INTO dbo.assignment_voice (run_id, came_round, same_agent) VALUES (@run_id, @came_round, @same_agent);

        IF EXISTS (SELECT 1 FROM #call_back)
            SELECT @call_backs = COUNT(*) FROM #record AS c
            WHERE c.class = @call_back_class AND c.agent IS NOT NULL;

        INSERT INTO dbo.assignment_outcome_effect (run_id, kept_out, call_backs, stayed)
        VALUES (@run_id, @kept_out, @call_backs, @stayed);

        INSERT INTO dbo.assignment_limit (run_id, agent, max_records)
        SELECT @run_id, m.agent, m.max_records FROM #limited AS m;

        DELETE FROM dbo.schedule_skip
        WHERE business_date = @skip_date;

        INSERT INTO dbo.schedule_skip (business_date, run_id, skipped_at, skipped_by, closes_at)
        SELECT @skip_date, @run_id, SYSUTCDATETIME(), @actor, @skip_until
        WHERE @skip_date IS NOT NULL;

        INSERT INTO dbo.assignment_request (request, run_id)
        SELECT @request, @run_id
        WHERE @request IS NOT NULL;

        INSERT INTO dbo.assignment_history (run_id, agent, number, date, stage)
        SELECT @run_id, c.agent, c.number, c.date, c.stage
        FROM #record AS c
        WHERE c.agent IS NOT NULL
        ORDER BY c.number
        OPTION (RECOMPILE);

        -- The call-backs that this run hands out. They are due again if the run is undone.
        IF @call_backs > 0
            INSERT INTO dbo.assignment_call_back (outcome_id, run_id)
            SELECT b.outcome_id, @run_id
            FROM #call_back AS b
            INNER JOIN #record AS c ON b.number = c.number AND b.date = CAST(c.date AS DATETIME2(3))
            WHERE c.agent IS NOT NULL AND b.call_back_on <= @business_date;

        INSERT INTO dbo.number_key (country, number, match_key, ending)
        SELECT @country, n.number, n.match_key, RIGHT(n.match_key, 4) FROM #new_key AS n;

        -- The edits: rows that others have added to the assignments since the last deal, or removed from them. Undo
        -- needs them to restore the assignments exactly.
        INSERT INTO dbo.assignment_edit (run_id, agent, number, copies)
        SELECT @run_id, COALESCE(v.agent, h.agent), COALESCE(v.number, h.number), COALESCE(v.copies, 0)
        FROM (
            SELECT n.agent, n.number, COUNT(*) AS copies
            FROM (
                SELECT
                    CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent,
                    CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
                FROM dbo.agent_wafunnel_assignment AS a
            ) AS n
            GROUP BY n.agent, n.number
        ) AS v
        FULL JOIN (
            SELECT b.agent, b.number FROM dbo.assignment_history AS b
            WHERE b.run_id = @base_id
        ) AS h ON v.number = h.number AND v.agent = h.agent
        WHERE v.copies IS NULL OR h.number IS NULL OR v.copies > 1;

        -- DELETE, not TRUNCATE: readers of row versions see the old deal until COMMIT without waiting, the caller needs
        -- no right to alter the table, and an identity, replication and change tracking stay as they are.
        DELETE FROM dbo.agent_wafunnel_assignment WITH (TABLOCKX);

        INSERT INTO dbo.agent_wafunnel_assignment (agent, number)
        SELECT h.agent, h.number
        FROM dbo.assignment_history AS h
        WHERE h.run_id = @run_id
        ORDER BY h.number;

        -- 7. Checks of the assignments that the agents are about to see.
        INSERT INTO #share (agent, room, leads)
        SELECT r.agent, r.room, COALESCE(a.leads, 0)
        FROM #room AS r
        LEFT JOIN (
            SELECT CAST(w.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent, COUNT(*) AS leads
            FROM dbo.agent_wafunnel_assignment AS w
            GROUP BY CAST(w.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
        ) AS a ON r.agent = a.agent;

        SELECT @assigned = SUM(s.leads), @smallest = MIN(s.leads), @largest = MAX(s.leads) FROM #share AS s;

        SELECT @message = CONCAT(N'Check failed: ', @assigned, N' leads were assigned instead of ', @to_deal)
        WHERE @assigned <> @to_deal;

        SELECT TOP (1) @message = CONCAT(N'Check failed: …', RIGHT(MAX(w.number), 3), N' is assigned twice')
        FROM dbo.agent_wafunnel_assignment AS w
        GROUP BY CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
        HAVING COUNT(*) > 1;

        SELECT TOP (1) @message = CONCAT(N'Check failed: …', RIGHT(MAX(m.number), 3), N' is assigned in two spellings')
        FROM dbo.agent_wafunnel_assignment AS w
        INNER JOIN #matched AS m ON CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = m.number
        GROUP BY m.first_number
        HAVING COUNT(*) > 1;

        SELECT TOP (1)
            @message
            = CONCAT(N'Check failed: agent ', s.agent, N' got ', s.leads, N' leads but has room for ', s.room)
        FROM #share AS s
        WHERE s.leads > s.room;

        SELECT TOP (1)
            @message
            = CONCAT(
                N'Check failed: agent ', s.agent, N' got ', s.leads,
                N' leads and has room for more, but another agent got ', @largest
            )
        FROM #share AS s
        WHERE s.leads < s.room AND s.leads < @largest - 1;

        IF @message IS NOT NULL
            BEGIN
                SET @message = CONCAT(@message, N'; nothing was changed. Run `agent-funnel doctor --deep`.');
                THROW 50007, @message, 1;
            END;

        -- 8. The summary row.
        UPDATE dbo.assignment_run
        SET
            status = 'succeeded',
            agents = @agents,
            pool = @pool,
            per_agent = @per_agent,
            assigned = @assigned,
            left_over = @pool - @assigned,
            duplicates = @duplicates,
            suppressed = @suppressed,
            smallest_share = @smallest,
            largest_share = @largest,
            last_agent = @last_agent,
            finished_at = SYSUTCDATETIME()
        WHERE run_id = @run_id;

        COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF XACT_STATE() <> 0
            ROLLBACK TRANSACTION;
        THROW;
    END CATCH;

    SELECT
        r.run_id,
        r.business_date,
        r.[trigger],
        r.status,
        r.agents,
        r.pool,
        r.per_agent,
        r.assigned,
        r.left_over,
        r.duplicates,
        r.suppressed,
        r.smallest_share,
        r.largest_share,
        r.started_at,
        r.finished_at,
        @notice AS notice,
        @kept_out AS kept_out,
        @came_round AS came_round,
        @same_agent AS same_agent,
        @stayed AS stayed
    FROM dbo.assignment_run AS r
    WHERE r.run_id = @run_id;
END;
GO
