/*
sp_rename_agent: renames an agent in every table that names them.

Everything happens in one transaction. The history and the last agent of runs are renamed, too: an undo brings back the
agents of the history, and the next deal begins after the last agent. If no agent has the old name but one has the new
name, somebody has renamed only the row in agents; the other tables then follow. Nothing is renamed if both names are
agents (taken is 1 in the answer) or neither is. A new name that another agent has in another spelling (case, blanks,
accents) is taken, too. The audit has an entry of it.

The last result set is one row: whether the old name was an agent (known), whether the new name was one (taken), and how
many rows were renamed: limits, links, assignments, leads in the history (dealt), and rows of other records (others).

Example:

    EXECUTE dbo.sp_rename_agent @agent = N'Ana Souza', @new_name = N'Ana Lima';

Lock order: the records lock, which keeps it apart from runs and undos; it waits for them, and they wait for it. Then
the tables: agent_wafunnel_assignment as a whole, as in a run, so that readers wait but never deadlock; then rows of
agents, agent_limit, agent_link, assignment_history, assignment_edit, assignment_forgotten, assignment_outcome,
assignment_hand_back, assignment_limit, assignment_run and audit_entry. A call inside a transaction is refused.
*/
SET ANSI_NULLS ON;
GO
SET QUOTED_IDENTIFIER ON;
GO

-- A stub first, then ALTER, so that the rights granted on the procedure stay.
IF OBJECT_ID(N'dbo.sp_rename_agent', N'P') IS NULL
    EXECUTE (N'CREATE PROCEDURE dbo.sp_rename_agent AS SET NOCOUNT ON;');
GO

ALTER PROCEDURE dbo.sp_rename_agent
    @agent NVARCHAR(255), -- the name that the agent has
    @new_name NVARCHAR(255), -- the name that the agent gets
    @actor NVARCHAR(255) = NULL, -- the person or program that asked for it, for the audit; NULL = the login
    @recorded BIT = 0 -- 1 = the caller makes the entry of the audit
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
        @known INT,
        @taken INT,
        @limits INT = 0,
        @links INT = 0,
        @assignments INT = 0,
        @dealt INT = 0,
        @others INT = 0,
        @count INT;

    IF COALESCE(LTRIM(@agent), N'') = N'' OR COALESCE(LTRIM(@new_name), N'') = N''
        THROW 50006, N'A name is missing or blank; nothing was changed.', 1;

    BEGIN TRY
        BEGIN TRANSACTION;

        SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', OBJECT_SCHEMA_NAME(@@PROCID), N':records');
        EXECUTE @lock = sp_getapplock
            @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @wait;
        IF @lock < 0
            THROW 50001, N'A run is still in progress; nothing was renamed. Try again when the run has ended.', 1;

        SELECT @count = COUNT(*)
        FROM (SELECT TOP (1) a.number FROM dbo.agent_wafunnel_assignment AS a WITH (TABLOCKX, HOLDLOCK)) AS n;

        SELECT @known = COUNT(*) FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent;

        SELECT @taken = COUNT(*) FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @new_name;

        -- A name in another spelling (case, blanks, accents) is easily taken for the same.
        IF
            @known > 0
            AND EXISTS (
                SELECT 1 FROM dbo.agents AS a
                WHERE
                    CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 <> @agent
                    AND REPLACE(REPLACE(CAST(a.agent AS NVARCHAR(255)), N' ', N''), NCHAR(160), N'')
                    COLLATE Latin1_General_CI_AI
                    = REPLACE(REPLACE(@new_name, N' ', N''), NCHAR(160), N'') COLLATE Latin1_General_CI_AI
            )
            SET @taken = 1;

        SET @taken = SIGN(@taken);

        IF @known > 0 AND @taken = 0
            BEGIN TRY
                UPDATE dbo.agents
                SET agent = @new_name
                WHERE CAST(agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent;

                -- A VARCHAR column stores a question mark for a character that its code page lacks.
                IF
                    NOT EXISTS (
                        SELECT 1 FROM dbo.agents AS a
                        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @new_name
                    )
                    THROW 50006, N'agents.agent cannot store all characters of this name; nothing was changed.', 1;
            END TRY
            BEGIN CATCH
                -- A key of the table treats the new name as that of another agent.
                IF ERROR_NUMBER() NOT IN (2601, 2627)
                    THROW;
                ROLLBACK TRANSACTION;
                SET @taken = 1;
            END CATCH;

        IF SIGN(@known) <> @taken
            BEGIN
                UPDATE dbo.agent_limit
                SET agent = @new_name
                WHERE agent = @agent;
                SET @limits = @@ROWCOUNT;

                -- An agent has one link in use. That of the new name stays.
                UPDATE dbo.agent_link
                SET revoked_at = SYSUTCDATETIME(), revoked_by = @actor
                WHERE
                    agent = @agent AND revoked_at IS NULL
                    AND EXISTS (
                        SELECT 1 FROM dbo.agent_link AS l
                        WHERE l.agent = @new_name AND l.revoked_at IS NULL
                    );

                UPDATE dbo.agent_link
                SET agent = @new_name
                WHERE agent = @agent;
                SET @links = @@ROWCOUNT;

                UPDATE dbo.agent_wafunnel_assignment
                SET agent = @new_name
                WHERE CAST(agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent;
                SET @assignments = @@ROWCOUNT;

                UPDATE dbo.assignment_history
                SET agent = @new_name
                WHERE agent = @agent;
                SET @dealt = @@ROWCOUNT;

                UPDATE dbo.assignment_edit
                SET agent = @new_name
                WHERE agent = @agent;
                SET @others = @others + @@ROWCOUNT;

                UPDATE dbo.assignment_forgotten
                SET agent = @new_name
                WHERE agent = @agent;
                SET @others = @others + @@ROWCOUNT;

                UPDATE dbo.assignment_outcome
                SET agent = @new_name
                WHERE agent = @agent;
                SET @others = @others + @@ROWCOUNT;

                UPDATE dbo.assignment_hand_back
                SET agent = @new_name
                WHERE agent = @agent;
                SET @others = @others + @@ROWCOUNT;

                -- If the same run has limits of both names, that of the new one stays.
                DELETE FROM dbo.assignment_limit
                WHERE
                    agent = @agent
                    AND run_id IN (
                        SELECT l.run_id FROM dbo.assignment_limit AS l
                        WHERE l.agent = @new_name
                    );
                SET @others = @others + @@ROWCOUNT;

                UPDATE dbo.assignment_limit
                SET agent = @new_name
                WHERE agent = @agent;
                SET @others = @others + @@ROWCOUNT;

                UPDATE dbo.assignment_run
                SET last_agent = @new_name
                WHERE last_agent = @agent;
                SET @others = @others + @@ROWCOUNT;

                IF COALESCE(@recorded, 0) = 0 AND @known + @limits + @links + @assignments + @dealt + @others > 0
                    INSERT INTO dbo.audit_entry (recorded_at, actor, operation, target, address, status)
                    VALUES
                    (
                        SYSUTCDATETIME(), COALESCE(@actor, SUSER_SNAME(), N'SQL'), N'rename agent',
                        LEFT(CONCAT(@agent, N' → ', @new_name), 255), N'database', 200
                    );
            END;

        IF @@TRANCOUNT > 0
            COMMIT TRANSACTION;
    END TRY
    BEGIN CATCH
        IF XACT_STATE() <> 0
            ROLLBACK TRANSACTION;
        THROW;
    END CATCH;

    SELECT
        @known AS known,
        @taken AS taken,
        @limits AS limits,
        @links AS links,
        @assignments AS assignments,
        @dealt AS dealt,
        @others AS others;
END;
GO
