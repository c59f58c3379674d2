/*
The tables of version 2: what preview, undo and purge keep. Frozen once shipped; new tables only, so that nothing that
version 1 made is altered.
*/

-- Which call made which run, so that a caller whose connection broke finds out. No run_id: that call never deals now.
IF OBJECT_ID(N'dbo.assignment_request') IS NULL
    CREATE TABLE dbo.assignment_request (
        request NVARCHAR(64) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_assignment_request PRIMARY KEY,
        run_id BIGINT NULL
    );
GO

-- How the assignments before a run differed from the deal before it: how many rows there were of a pair that the deal
-- had not made, or that had gone (0). Agent and number are what was there, NULL included.
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

-- Each undo: by whom, when, how many leads went back, how many stayed because somebody had changed them, how many
-- assignments came back, and how many were kept out because their number is on the do-not-contact list now.
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

-- Runs whose history is gone, or is going: written before the first row of it is deleted.
IF OBJECT_ID(N'dbo.assignment_purge') IS NULL
    CREATE TABLE dbo.assignment_purge (
        run_id BIGINT NOT NULL CONSTRAINT pk_assignment_purge PRIMARY KEY,
        purged_at DATETIME2(3) NOT NULL
    );
GO

-- What each procedure was when it was installed, as SHA-256: its text as the server gives it (NULL if it did not), and
-- the script that it was made of. So one that somebody changed is told from one that is merely older.
IF OBJECT_ID(N'dbo.agent_funnel_checksum') IS NULL
    CREATE TABLE dbo.agent_funnel_checksum (
        name NVARCHAR(128) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_agent_funnel_checksum PRIMARY KEY,
        installed CHAR(64) NULL,
        script CHAR(64) NOT NULL,
        recorded_at DATETIME2(3) NOT NULL
    );
GO
