/*
The tables of version 2: the records of requests, edits, undos and purges. Frozen once shipped; new tables only, so that
nothing of version 1 is altered.
*/

-- The run that each call made, so that a caller whose connection broke can find it. NULL in run_id: the call made no
-- run, and never will.
IF OBJECT_ID(N'dbo.assignment_request') IS NULL
    CREATE TABLE dbo.assignment_request (
        request NVARCHAR(64) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_assignment_request PRIMARY KEY,
        run_id BIGINT NULL
    );
GO

-- The edits: how the assignments before a run differed from the deal before it. Copies is the number of rows of a pair;
-- it is 0 for a pair that the deal had made and somebody had removed. Agent and number can be NULL, as in the
-- assignments.
IF OBJECT_ID(N'dbo.assignment_edit') IS NULL
    CREATE TABLE dbo.assignment_edit (
        edit_id BIGINT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_assignment_edit PRIMARY KEY,
        run_id BIGINT NOT NULL,
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL,
        number NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL,
        copies INT NOT NULL
    );
GO

IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.assignment_edit') AND i.name LIKE N'ix_assignment_edit_run%'
    )
    CREATE INDEX ix_assignment_edit_run ON dbo.assignment_edit (run_id);
GO

-- Each undo: the person and the time, how many leads went back, how many did not because somebody had changed them, how
-- many assignments came back, and how many did not because their number was on the do-not-contact list.
IF OBJECT_ID(N'dbo.assignment_undo') IS NULL
    CREATE TABLE dbo.assignment_undo (
        run_id BIGINT NOT NULL CONSTRAINT pk_assignment_undo PRIMARY KEY,
        undone_at DATETIME2(3) NOT NULL,
        actor NVARCHAR(255) NULL,
        restored INT NOT NULL,
        changed_since INT NOT NULL,
        assignments INT NOT NULL,
        suppressed INT NOT NULL
    );
GO

-- Runs whose history is purged or being purged. The row is written before the first row of history is deleted.
IF OBJECT_ID(N'dbo.assignment_purge') IS NULL
    CREATE TABLE dbo.assignment_purge (
        run_id BIGINT NOT NULL CONSTRAINT pk_assignment_purge PRIMARY KEY,
        purged_at DATETIME2(3) NOT NULL
    );
GO

-- The checksums (SHA-256) of each procedure at its installation: of its text as the server returns it (NULL if the
-- server does not), and of its script. They distinguish a procedure that somebody has changed from one that is only
-- older.
IF OBJECT_ID(N'dbo.agent_funnel_checksum') IS NULL
    CREATE TABLE dbo.agent_funnel_checksum (
        name NVARCHAR(128) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_agent_funnel_checksum PRIMARY KEY,
        installed CHAR(64) NULL,
        script CHAR(64) NOT NULL,
        recorded_at DATETIME2(3) NOT NULL
    );
GO
