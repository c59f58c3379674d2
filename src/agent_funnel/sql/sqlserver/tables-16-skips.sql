/*
The table of version 16: dates whose scheduled run is skipped. Frozen once shipped; new tables only.
*/

-- Business dates that get no scheduled run because a person said so. run_id is the run by hand that was made instead;
-- an undo of it before closes_at, the end of the window of that date, ends the skip. Read date_without_run.
IF OBJECT_ID(N'dbo.schedule_skip') IS NULL
    CREATE TABLE dbo.schedule_skip (
        business_date DATE NOT NULL CONSTRAINT pk_schedule_skip PRIMARY KEY,
        run_id BIGINT NULL,
        skipped_at DATETIME2(3) NOT NULL,
        skipped_by NVARCHAR(255) NULL,
        closes_at DATETIME2(3) NULL
    );
GO
