/*
sp_assign_wafunnel_to_agents: hands the pool out to the active agents, one lead per agent per round.

One transaction, set-based throughout. `EXECUTE dbo.sp_assign_wafunnel_to_agents;` does the whole job with the
defaults; the answer is one row, the last result set.

  1. refuse bad parameters            5. the pool, in deal order, each lead with its seat's agent
  2. the locks; the claim             6. effect: the run, history, stages, assignments; what undo will need
  3. the agents and their room        7. checks
  4. seats: whose turn is when        8. the summary row

A preview takes the same way from 3 to 5, without locks and without a transaction, and then answers with the shares,
with what would change, and last with the summary row, whose run_id is 0. It writes nothing but temporary tables.

Lock order: the application locks (one run at a time; then the records that others change, such as do_not_contact, who
hold that one for a moment), assignment_run, assignment_history, wafunnel, agent_wafunnel_assignment. The last is
truncated, so its readers wait from there to COMMIT, the shortest stretch there can be.

Left out on purpose: lock hints (Babelfish ignores them, the application locks do their work), MERGE, updatable
common table expressions, dynamic SQL, and RETURN before COMMIT. Names are compared as NVARCHAR in a binary collation,
whatever the collation of an existing table, so that every engine seats and dedups alike.
*/
SET ANSI_NULLS ON;
GO
SET QUOTED_IDENTIFIER ON;
GO

-- A stub first, then ALTER: what was granted on the procedure stays granted.
IF OBJECT_ID(N'dbo.sp_assign_wafunnel_to_agents', N'P') IS NULL
    EXECUTE (N'CREATE PROCEDURE dbo.sp_assign_wafunnel_to_agents AS SET NOCOUNT ON;');
GO

ALTER PROCEDURE dbo.sp_assign_wafunnel_to_agents
    @business_date DATE = NULL, -- the civil date that the run belongs to; NULL = today by the server's clock
    @max_per_agent INT = 450, -- nobody gets more, from 1 to 1000000
    @window_days INT = 45, -- leads older than this many days stay out, from 0 to 36500
    @newest_first BIT = 0, -- 1 = within a stage, the newest lead first
    @trigger VARCHAR(20) = 'manual', -- 'manual' or 'schedule'; the latter succeeds once a business date
    @actor NVARCHAR(255) = NULL, -- who asked for it, for the record
    @preview BIT = 0, -- 1 = say what a run would do, and change nothing
    @request NVARCHAR(64) = NULL -- a mark of the caller's own, to find the run by; no two runs have the same
AS
BEGIN
    SET NOCOUNT, XACT_ABORT ON;
    -- What an index with a WHERE clause needs of a session, whatever the client has set:
    SET ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL ON;
    SET NUMERIC_ROUNDABORT OFF;

    DECLARE
        @started_at DATETIME2(3) = SYSUTCDATETIME(),
        @message NVARCHAR(2000),
        @resource NVARCHAR(255),
        @looks NVARCHAR(255),
        @lock INT,
        -- As long as the session waits for any other lock, and half a minute where it would wait for ever.
        @wait INT = CASE WHEN @@LOCK_TIMEOUT < 0 THEN 30000 ELSE @@LOCK_TIMEOUT END,
        @run_id BIGINT,
        @oldest DATE,
        @base_id BIGINT,
        @previous_agent NVARCHAR(255),
        @last_agent NVARCHAR(255),
        @agents INT,
        @pool INT,
        @duplicates INT,
        @suppressed INT,
        @due BIGINT,
        @per_agent BIGINT,
        @assigned INT,
        @copies INT,
        @advanced INT,
        @smallest INT,
        @largest INT;

    BEGIN TRY
        -- 1. Refuse bad parameters, and name the value and the limit.
        SET @business_date = COALESCE(@business_date, CAST(SYSDATETIME() AS DATE));
        SET @message = CASE
            WHEN @max_per_agent IS NULL OR @max_per_agent NOT BETWEEN 1 AND 1000000
                THEN CONCAT(
                    N'max_per_agent is ', COALESCE(CAST(@max_per_agent AS NVARCHAR(20)), N'NULL'),
                    N'; it must be from 1 to 1000000.'
                )
            WHEN @window_days IS NULL OR @window_days NOT BETWEEN 0 AND 36500
                THEN CONCAT(
                    N'window_days is ', COALESCE(CAST(@window_days AS NVARCHAR(20)), N'NULL'),
                    N'; it must be from 0 to 36500.'
                )
            WHEN @business_date NOT BETWEEN '2000-01-01' AND '9998-12-31'
                THEN CONCAT(
                    N'business_date is ', CONVERT(NVARCHAR(20), @business_date, 23),
                    N'; it must be from 2000-01-01 to 9998-12-31.'
                )
            WHEN @trigger IS NULL OR @trigger NOT IN ('manual', 'schedule')
                THEN CONCAT(N'trigger is ', COALESCE(@trigger, N'NULL'), N'; it must be manual or schedule.')
            WHEN @newest_first IS NULL
                THEN N'newest_first is NULL; it must be 0 or 1.'
            WHEN @preview IS NULL
                THEN N'preview is NULL; it must be 0 or 1.'
        END;
        IF @message IS NOT NULL
            THROW 50006, @message, 1;

        -- 2. The locks, and whether the run of this date is still to be made; its unique index lets one through anyway.
        IF @preview = 0
            BEGIN
                BEGIN TRANSACTION;

                -- Application locks are per database on SQL Server and per server on Babelfish, so the name says both.
                SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', OBJECT_SCHEMA_NAME(@@PROCID));
                EXECUTE @lock = sp_getapplock
                    @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 0;
                IF @lock < 0
                    THROW 50001, N'Another run is in progress; this one changed nothing.', 1;

                -- Shows that a run is in progress. Babelfish's APPLOCK_TEST takes the lock that it tests for a moment,
                -- so if it tested the lock above, a look could have a run refused.
                SET @looks = CONCAT(@resource, N':looks');
                EXECUTE sp_getapplock
                    @Resource = @looks, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;

                -- Who changes the records that a run reads is no other run, and done in a moment: worth waiting for.
                SET @resource = CONCAT(@resource, N':records');
                EXECUTE @lock = sp_getapplock
                    @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;
                IF @lock < 0
                    BEGIN
                        SET @message = CONCAT(
                            N'The do-not-contact list has been changing for ', @wait / 1000, N' s; nothing was done.'
                        );
                        THROW 50001, @message, 1;
                    END;

                SELECT
                    @message = CONCAT(
                        N'The scheduled run of ', CONVERT(NVARCHAR(20), @business_date, 23),
                        N' is already done: run ', r.run_id, N'.'
                    )
                FROM dbo.assignment_run AS r
                WHERE
                    @trigger = 'schedule' AND r.[trigger] = 'schedule'
                    AND r.business_date = @business_date AND r.status IN ('succeeded', 'undone');
                SELECT
                    @message = CONCAT(
                        N'The business date ', CONVERT(NVARCHAR(20), @business_date, 23), N' is recorded as ',
                        o.outcome, N'; its scheduled run is not made any more.'
                    )
                FROM dbo.schedule_outcome AS o
                WHERE @trigger = 'schedule' AND o.business_date = @business_date;
                IF @message IS NOT NULL
                    THROW 50003, @message, 1;
            END;

        -- What the last deal left: whom it ended with, and whose assignments are there, as far as nobody edited them.
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
            WHERE LOWER(LTRIM(RTRIM(g.status))) = 'active' AND LTRIM(g.agent) <> ''
        ) AS a
        LEFT JOIN (
            SELECT m.agent, MIN(m.max_records) AS max_records
            FROM dbo.agent_limit AS m
            WHERE m.starts_on <= @business_date AND (m.ends_on IS NULL OR m.ends_on >= @business_date)
            GROUP BY m.agent
        ) AS l ON a.agent = l.agent
        WHERE COALESCE(l.max_records, 1) > 0;

        SELECT @agents = COUNT(*), @due = SUM(CAST(r.room AS BIGINT)) FROM #room AS r;
        IF @agents = 0
            THROW 50002, N'No agent is active and has room tonight; nothing was changed.', 1;

        -- 4. Seats. In the rounds up to the smallest room everybody takes part; from there to the next larger room all
        -- but those who are full; and so on. A segment is such a stretch of rounds, with the positions dealt in it.
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

        -- 5. The pool. Rows equal in number, stage and date are one record; of several records of a number the first
        -- in deal order is in the pool. Positions from 1 on are the pool's, each dealt to the agent of its seat while
        -- there is room; the others come behind it, to be counted.
        SET @oldest = DATEADD(DAY, -@window_days, @business_date);

        -- Without a key: it is only read as a whole, and sorting it once more would cost a tenth of the deal.
        CREATE TABLE #record (
            position BIGINT NOT NULL,
            kind TINYINT NOT NULL, -- 0 in the pool, 1 waits behind another record of its number, 2 do not contact
            number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
            stage INT NOT NULL,
            date DATETIME2(7) NOT NULL,
            copies INT NOT NULL,
            agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL -- who gets it; NULL = nobody tonight
        );

        INSERT INTO #record (position, kind, number, stage, date, copies, agent)
        SELECT p.position, p.kind, p.number, p.stage, p.date, p.copies, h.agent
        FROM (
            SELECT
                k.kind, k.number, k.stage, k.date, k.copies,
                ROW_NUMBER() OVER (
                    ORDER BY
                        -- By kind, then by stage, as one number: one key sorts faster than two.
                        CAST(k.kind AS BIGINT) * 4294967296 + k.stage,
                        CASE WHEN @newest_first = 0 THEN k.date END,
                        CASE WHEN @newest_first = 1 THEN k.date END DESC,
                        k.number
                ) AS position
            FROM (
                SELECT
                    e.number, e.stage, e.date, e.copies,
                    CASE
                        WHEN d.number IS NOT NULL THEN 2
                        WHEN ROW_NUMBER() OVER (
                            PARTITION BY e.number
                            ORDER BY
                                e.stage,
                                CASE WHEN @newest_first = 0 THEN e.date END,
                                CASE WHEN @newest_first = 1 THEN e.date END DESC
                        ) > 1 THEN 1
                        ELSE 0
                    END AS kind
                FROM (
                    SELECT v.number, v.stage, v.date, COUNT(*) AS copies
                    FROM (
                        SELECT
                            CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
                            w.stage,
                            CAST(w.date AS DATETIME2(7)) AS date
                        FROM dbo.wafunnel AS w
                        -- Blanks alone are equal to an empty string. The query pool_report has these conditions, too.
                        WHERE w.stage < 4 AND w.date >= @oldest AND w.number <> ''
                    ) AS v
                    GROUP BY v.number, v.stage, v.date
                ) AS e
                LEFT JOIN dbo.do_not_contact AS d ON e.number = d.number
            ) AS k
        ) AS p
        LEFT JOIN #segment AS s ON p.kind = 0 AND p.position BETWEEN s.first_position AND s.last_position
        LEFT JOIN #seat AS h
            ON s.first_position = h.first_position AND h.seat = (p.position - s.first_position) % s.agents;

        SELECT
            @pool = COALESCE(SUM(CASE WHEN c.kind = 0 THEN 1 ELSE 0 END), 0),
            @duplicates = COALESCE(SUM(CASE WHEN c.kind = 1 THEN 1 ELSE 0 END), 0),
            @suppressed = COALESCE(SUM(CASE WHEN c.kind = 2 THEN 1 ELSE 0 END), 0),
            @copies = COALESCE(SUM(CASE WHEN c.agent IS NOT NULL THEN c.copies ELSE 0 END), 0)
        FROM #record AS c;
        SET @due = CASE WHEN @due < @pool THEN @due ELSE @pool END;

        SELECT @last_agent = c.agent FROM #record AS c
        WHERE c.position = @due AND c.kind = 0;

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

                -- Per agent the share, and its mix of stages and of ages in days.
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
                    SUM(CASE WHEN DATEDIFF(DAY, d.date, @business_date) > 30 THEN 1 ELSE 0 END) AS days_31_and_more
                FROM #room AS r
                LEFT JOIN #record AS d ON r.agent = d.agent
                GROUP BY r.agent, r.room
                ORDER BY r.agent;

                -- What would change for the assignments that are there: leads with the same agent and with another one,
                -- leads that nobody has now, and leads that nobody would have then.
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
                    ) AS leave
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
                    CAST(SYSUTCDATETIME() AS DATETIME2(3)) AS finished_at
                FROM #share AS s;

                -- No transaction of its own is open here.
                RETURN;
            END;

        -- 6. Effect. Each table is written in the order of its key, and nobody sees it before COMMIT.
        INSERT INTO dbo.assignment_run
        (business_date, [trigger], actor, status, max_per_agent, window_days, newest_first, started_at)
        VALUES
        (@business_date, @trigger, @actor, 'running', @max_per_agent, @window_days, @newest_first, @started_at);
        SET @run_id = SCOPE_IDENTITY();

        INSERT INTO dbo.assignment_request (request, run_id)
        SELECT @request, @run_id
        WHERE @request IS NOT NULL;

        INSERT INTO dbo.assignment_history (run_id, agent, number, date, stage)
        SELECT @run_id, c.agent, c.number, c.date, c.stage
        FROM #record AS c
        WHERE c.agent IS NOT NULL
        ORDER BY c.number;

        UPDATE w
        SET stage = w.stage + 1
        FROM dbo.wafunnel AS w
        INNER JOIN #record AS c
            ON
                CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = c.number
                AND w.stage = c.stage AND CAST(w.date AS DATETIME2(7)) = c.date
        WHERE c.agent IS NOT NULL;
        SET @advanced = @@ROWCOUNT;

        -- Somebody else changed a lead between the reading of the pool and here.
        IF @advanced <> @copies
            BEGIN
                SET @message = CONCAT(
                    N'The pool changed while it was being dealt: ', @advanced, N' stages advanced for ',
                    @copies, N' rows dealt; nothing was changed.'
                );
                THROW 50004, @message, 1;
            END;

        -- What others have put into the assignments since the last deal, or taken out of them: without it, undo could
        -- not bring them back as they are.
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

        TRUNCATE TABLE dbo.agent_wafunnel_assignment;

        INSERT INTO dbo.agent_wafunnel_assignment (agent, number)
        SELECT h.agent, h.number
        FROM dbo.assignment_history AS h
        WHERE h.run_id = @run_id
        ORDER BY h.number;

        -- 7. Checks, on what the agents are about to see.
        INSERT INTO #share (agent, room, leads)
        SELECT r.agent, r.room, COALESCE(a.leads, 0)
        FROM #room AS r
        LEFT JOIN (
            SELECT CAST(w.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent, COUNT(*) AS leads
            FROM dbo.agent_wafunnel_assignment AS w
            GROUP BY CAST(w.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
        ) AS a ON r.agent = a.agent;

        SELECT @assigned = SUM(s.leads), @smallest = MIN(s.leads), @largest = MAX(s.leads) FROM #share AS s;

        SELECT @message = CONCAT(N'Check failed: ', @assigned, N' leads assigned, ', @due, N' due.')
        WHERE @assigned <> @due;

        SELECT TOP (1) @message = CONCAT(N'Check failed: …', RIGHT(MAX(w.number), 3), N' is assigned twice.')
        FROM dbo.agent_wafunnel_assignment AS w
        GROUP BY CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
        HAVING COUNT(*) > 1;

        SELECT TOP (1)
            @message
            = CONCAT(N'Check failed: agent ', s.agent, N' got ', s.leads, N' leads and has room for ', s.room, N'.')
        FROM #share AS s
        WHERE s.leads > s.room;

        SELECT TOP (1)
            @message
            = CONCAT(N'Check failed: agent ', s.agent, N' got ', s.leads, N' leads where another got ', @largest, N'.')
        FROM #share AS s
        WHERE s.leads < s.room AND s.leads < @largest - 1;

        IF @message IS NOT NULL
            THROW 50007, @message, 1;

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
        r.finished_at
    FROM dbo.assignment_run AS r
    WHERE r.run_id = @run_id;
END;
GO
