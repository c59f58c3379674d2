/*
The table of version 12: fresh voices. Frozen once shipped; new tables only.
*/

-- How many of the leads of a run had been dealt before, and how many of these met the agent who had them last.
IF OBJECT_ID(N'dbo.assignment_voice') IS NULL
    CREATE TABLE dbo.assignment_voice (
        run_id BIGINT NOT NULL CONSTRAINT pk_assignment_voice PRIMARY KEY,
        came_round INT NOT NULL,
        same_agent INT NOT NULL
    );
GO
