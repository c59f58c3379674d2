/*
The tables of version 11: what is kept of people who are forgotten. Frozen once shipped; new tables only.
*/

-- The salt of the hashes: a random text, which the first erasure makes. It has at most one row. The role of the service
-- cannot read it; without it, nobody can try out which numbers have the hashes.
IF OBJECT_ID(N'dbo.forgotten_salt') IS NULL
    CREATE TABLE dbo.forgotten_salt (
        row_id INT NOT NULL CONSTRAINT pk_forgotten_salt PRIMARY KEY
        CONSTRAINT ck_forgotten_salt CHECK (row_id = 1),
        salt NVARCHAR(100) COLLATE Latin1_General_BIN2 NOT NULL
    );
GO

-- The forgotten numbers: SHA-256 of the salt and the match key. With only_without_country = 1, the key is that of a
-- number without its country, and holds only in a deal without one: elsewhere, other people's numbers may look like it.
IF OBJECT_ID(N'dbo.forgotten_number') IS NULL
    CREATE TABLE dbo.forgotten_number (
        hash BINARY(32) NOT NULL CONSTRAINT pk_forgotten_number PRIMARY KEY,
        only_without_country BIT NOT NULL,
        forgotten_at DATETIME2(3) NOT NULL
    );
GO

-- The dealt leads that are not in the history any more, because they are forgotten: how many of a run, an agent and a
-- stage before the run. With them, the sums of a run still agree.
IF OBJECT_ID(N'dbo.assignment_forgotten') IS NULL
    CREATE TABLE dbo.assignment_forgotten (
        forgotten_id BIGINT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_assignment_forgotten PRIMARY KEY,
        run_id BIGINT NOT NULL,
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        stage INT NOT NULL,
        leads INT NOT NULL
    );
GO

IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.assignment_forgotten') AND i.name LIKE N'ix_assignment_forgotten_run%'
    )
    CREATE INDEX ix_assignment_forgotten_run ON dbo.assignment_forgotten (run_id);
GO
