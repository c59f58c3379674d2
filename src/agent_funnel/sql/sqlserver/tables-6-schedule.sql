/*
The tables of version 6: what the copies of the service know of one another, and of their clocks. Frozen once shipped;
new tables only.
*/

-- The terms of the schedule: time, zone, weekdays (mon,tue,…) and catch-up in seconds. The newest row holds; the others
-- are its history. recorded_by is the name of a copy of the service, or a person.
IF OBJECT_ID(N'dbo.schedule_terms') IS NULL
    CREATE TABLE dbo.schedule_terms (
        terms_id INT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_schedule_terms PRIMARY KEY,
        run_at VARCHAR(8) NOT NULL,
        timezone VARCHAR(255) NOT NULL,
        weekdays VARCHAR(40) NOT NULL,
        catch_up INT NOT NULL,
        recorded_at DATETIME2(3) NOT NULL,
        recorded_by NVARCHAR(255) NOT NULL
    );
GO

-- The copies of the service: their own terms, their last look, and by how many seconds their clock is ahead of the
-- database's. A copy that stops removes its row; rows of others that look no more are removed after a while.
IF OBJECT_ID(N'dbo.schedule_copy') IS NULL
    CREATE TABLE dbo.schedule_copy (
        name NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_schedule_copy PRIMARY KEY,
        run_at VARCHAR(8) NOT NULL,
        timezone VARCHAR(255) NOT NULL,
        weekdays VARCHAR(40) NOT NULL,
        catch_up INT NOT NULL,
        clock_difference FLOAT NOT NULL,
        looked_at DATETIME2(3) NOT NULL
    );
GO

-- The next scheduled run by the recorded terms; no row during a pause. It has at most one row.
IF OBJECT_ID(N'dbo.schedule_next') IS NULL
    CREATE TABLE dbo.schedule_next (
        row_id INT NOT NULL CONSTRAINT pk_schedule_next PRIMARY KEY
        CONSTRAINT ck_schedule_next CHECK (row_id = 1),
        business_date DATE NOT NULL,
        due_at DATETIME2(3) NOT NULL
    );
GO

-- Records of the schedule that hold no more: a date's outcome, a scheduled run (which counts as a run by hand since
-- then) or a failed attempt. recorded_at is the record's own moment. With window_closed = 1 a person voided the outcome
-- of a date whose window had closed, and the date has no other outcome.
IF OBJECT_ID(N'dbo.schedule_void') IS NULL
    CREATE TABLE dbo.schedule_void (
        void_id INT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_schedule_void PRIMARY KEY,
        business_date DATE NOT NULL,
        outcome VARCHAR(20) NOT NULL,
        run_id BIGINT NULL,
        recorded_at DATETIME2(3) NULL,
        voided_at DATETIME2(3) NOT NULL,
        voided_by NVARCHAR(255) NULL,
        reason NVARCHAR(1000) NOT NULL,
        window_closed BIT NOT NULL
    );
GO
