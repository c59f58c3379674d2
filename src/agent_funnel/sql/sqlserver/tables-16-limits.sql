/*
The table of version 16: limits of the day. Frozen once shipped; new tables only.
*/

-- The agents who had a limit below that of the rules when a run was made. max_records 0: the agent was away.
IF OBJECT_ID(N'dbo.assignment_limit') IS NULL
    CREATE TABLE dbo.assignment_limit (
        run_id BIGINT NOT NULL,
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        max_records INT NOT NULL,
        CONSTRAINT pk_assignment_limit PRIMARY KEY (run_id, agent)
    );
GO
