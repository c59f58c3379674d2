/*
The table of version 13: rules of a run. Frozen once shipped; new tables only.
*/

-- The rules of a run that have no column in assignment_run, where they were not the default: the name and the value,
-- both as in floor_rule. The country of a run is in assignment_country.
IF OBJECT_ID(N'dbo.assignment_rule') IS NULL
    CREATE TABLE dbo.assignment_rule (
        run_id BIGINT NOT NULL,
        name VARCHAR(40) COLLATE Latin1_General_BIN2 NOT NULL,
        value VARCHAR(40) COLLATE Latin1_General_BIN2 NOT NULL,
        CONSTRAINT pk_assignment_rule PRIMARY KEY (run_id, name)
    );
GO
