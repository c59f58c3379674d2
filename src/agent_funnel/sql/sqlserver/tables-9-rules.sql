/*
The tables of version 9: the rules of the deal. Frozen once shipped; new tables only.
*/

-- The rules of the deal, by name: country, max_per_agent, window_days, newest_first. Rows are only added; of each name,
-- the newest one holds. A value is written as a text: BR or none, 450, 45, 0 or 1. recorded_by is a person.
IF OBJECT_ID(N'dbo.floor_rule') IS NULL
    CREATE TABLE dbo.floor_rule (
        rule_id INT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_floor_rule PRIMARY KEY,
        name VARCHAR(40) COLLATE Latin1_General_BIN2 NOT NULL,
        value VARCHAR(40) COLLATE Latin1_General_BIN2 NOT NULL,
        recorded_at DATETIME2(3) NOT NULL,
        recorded_by NVARCHAR(255) NOT NULL
    );
GO

-- The country of a run's rules; no row if the run had none. The other rules of a run are in assignment_run.
IF OBJECT_ID(N'dbo.assignment_country') IS NULL
    CREATE TABLE dbo.assignment_country (
        run_id BIGINT NOT NULL CONSTRAINT pk_assignment_country PRIMARY KEY,
        country VARCHAR(2) NOT NULL
    );
GO
