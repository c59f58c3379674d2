/*
The tables of version 3: the records of the schedule. Frozen once shipped; new tables only.
*/

-- Failed attempts at the scheduled run of a business date. The unique key lets only one copy of the service record each
-- attempt.
IF OBJECT_ID(N'dbo.assignment_failure') IS NULL
    CREATE TABLE dbo.assignment_failure (
        run_id BIGINT NOT NULL CONSTRAINT pk_assignment_failure PRIMARY KEY,
        business_date DATE NOT NULL,
        attempt INT NOT NULL,
        error_number INT NULL,
        message NVARCHAR(1000) NOT NULL,
        CONSTRAINT uq_assignment_failure UNIQUE (business_date, attempt)
    );
GO

-- Business dates that passed without a scheduled run, and the reason. A date in this table never gets a scheduled run.
IF OBJECT_ID(N'dbo.schedule_outcome') IS NULL
    CREATE TABLE dbo.schedule_outcome (
        business_date DATE NOT NULL CONSTRAINT pk_schedule_outcome PRIMARY KEY,
        outcome VARCHAR(20) NOT NULL
        CONSTRAINT ck_schedule_outcome CHECK (outcome IN ('missed', 'failed', 'holiday', 'paused')),
        recorded_at DATETIME2(3) NOT NULL
    );
GO

-- Pauses of the schedule, with the person and the reason. NULL in resumed_at means that the pause is in effect.
IF OBJECT_ID(N'dbo.schedule_pause') IS NULL
    CREATE TABLE dbo.schedule_pause (
        pause_id INT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_schedule_pause PRIMARY KEY,
        paused_at DATETIME2(3) NOT NULL,
        paused_by NVARCHAR(255) NULL,
        reason NVARCHAR(1000) NULL,
        resumed_at DATETIME2(3) NULL,
        resumed_by NVARCHAR(255) NULL
    );
GO

-- Days on which no scheduled run is due.
IF OBJECT_ID(N'dbo.holiday') IS NULL
    CREATE TABLE dbo.holiday (
        day DATE NOT NULL CONSTRAINT pk_holiday PRIMARY KEY,
        name NVARCHAR(255) NULL
    );
GO
