/*
A job of SQL Server Agent that deals every evening at 20:40 by the server's clock, in the database in which this script
runs. It replaces the job of the same name. SQL Server Express and Azure SQL Database have no SQL Server Agent.

- It can run beside the service: where the service was first, the step succeeds and does nothing (error 50003).
- It can run on every replica of an availability group. The step runs in master, because a secondary replica does not
  let a job into the database, and it deals on the primary replica only.
- It tries again six times, ten minutes apart. It never deals twice on one date.

    sqlcmd -S server -d your_database -I -b -f 65001 -i job.sql
*/
SET NOCOUNT, XACT_ABORT ON;

DECLARE
    @job SYSNAME = CONCAT(N'Agent Funnel, ', DB_NAME(), N', dbo'),
    @text NVARCHAR(400) = REPLACE(DB_NAME(), N'''', N''''''),
    @command NVARCHAR(MAX);

IF DB_NAME() IN (N'master', N'model', N'msdb', N'tempdb')
    THROW 50006, N'This script must run in the database of the leads (sqlcmd -d); nothing was changed.', 1;
IF OBJECT_ID(N'dbo.sp_assign_wafunnel_to_agents', N'P') IS NULL
    THROW 50006, N'This database has no procedure sp_assign_wafunnel_to_agents: run install.sql; no job was made.', 1;

SET @command = CONCAT(
    N'IF DATABASEPROPERTYEX(N''', @text, N''', ''Status'') <> ''ONLINE''
    OR sys.fn_hadr_is_primary_replica(N''', @text, N''') = 0
    BEGIN
        PRINT N''This server does not have the primary replica; nothing was done.'';
        RETURN;
    END;
SET LOCK_TIMEOUT 30000;
BEGIN TRY
    EXECUTE ', QUOTENAME(DB_NAME()), N'.dbo.sp_assign_wafunnel_to_agents
        @trigger = ''schedule'', @actor = N''SQL Server Agent'';
END TRY
BEGIN CATCH
    IF ERROR_NUMBER() <> 50003
        THROW;
    PRINT ERROR_MESSAGE();
END CATCH;'
);

BEGIN TRANSACTION;

IF
    EXISTS (
        SELECT 1 FROM msdb.dbo.sysjobs AS j
        WHERE j.name = @job
    )
    EXECUTE msdb.dbo.sp_delete_job @job_name = @job;

EXECUTE msdb.dbo.sp_add_job
    @job_name = @job,
    @description = N'Deals the leads to the agents. Made by job.sql of Agent Funnel.';

EXECUTE msdb.dbo.sp_add_jobstep
    @job_name = @job,
    @step_name = N'deal',
    @subsystem = N'TSQL',
    @database_name = N'master',
    @command = @command,
    @retry_attempts = 6,
    @retry_interval = 10;

EXECUTE msdb.dbo.sp_add_jobschedule
    @job_name = @job,
    @name = N'every evening',
    @freq_type = 4,
    @freq_interval = 1,
    @active_start_time = 204000;

EXECUTE msdb.dbo.sp_add_jobserver @job_name = @job;

COMMIT TRANSACTION;

PRINT CONCAT(N'The job ', @job, N' deals every evening at 20:40. It is enabled.');
GO
