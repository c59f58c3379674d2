/*
The tables of version 14: what agents report of their leads. Frozen once shipped; new tables only.
*/

-- The outcomes. report is the id that whoever reports it chose: the same report twice is one outcome. agent, number,
-- date and stage are those of the run's history: the lead as it was dealt. reported_on is the civil date in the floor's
-- zone. stands is 1 for the newest outcome of a run and number that is not taken back, and 0 for the others.
-- stage_back is 1 while an outcome not_worked has the lead's stage put back. unassigned is 1 if an outcome opted_out
-- took the lead out of the present assignments; NULL is 0.
IF OBJECT_ID(N'dbo.assignment_outcome') IS NULL
    CREATE TABLE dbo.assignment_outcome (
        outcome_id BIGINT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_assignment_outcome PRIMARY KEY,
        report NVARCHAR(64) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT uq_assignment_outcome_report UNIQUE,
        run_id BIGINT NOT NULL,
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        date DATETIME2(7) NOT NULL,
        stage INT NOT NULL,
        outcome VARCHAR(20) NOT NULL
        CONSTRAINT ck_assignment_outcome CHECK (
            outcome IN ('won', 'lost', 'wrong_number', 'opted_out', 'call_back', 'talked', 'no_answer', 'not_worked')
        ),
        call_back_on DATE NULL,
        same_agent BIT NOT NULL,
        note NVARCHAR(1000) NULL,
        reported_at DATETIME2(3) NOT NULL,
        reported_on DATE NOT NULL,
        reported_by NVARCHAR(255) NULL,
        taken_back_at DATETIME2(3) NULL,
        taken_back_by NVARCHAR(255) NULL,
        stands BIT NOT NULL,
        stage_back BIT NOT NULL,
        unassigned BIT NULL,
        CONSTRAINT ck_assignment_outcome_call_back_on CHECK (
            (outcome = 'call_back' AND call_back_on IS NOT NULL)
            OR (outcome <> 'call_back' AND call_back_on IS NULL)
        )
    );
GO

-- At most one outcome of a run and number stands. It also finds the outcomes of a run.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.assignment_outcome') AND i.name LIKE N'ux_assignment_outcome_stands%'
    )
    CREATE UNIQUE INDEX ux_assignment_outcome_stands
        ON dbo.assignment_outcome (run_id, number)
        WHERE stands = 1;
GO

-- Finds the outcomes of a number.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.assignment_outcome') AND i.name LIKE N'ix_assignment_outcome_number%'
    )
    CREATE INDEX ix_assignment_outcome_number ON dbo.assignment_outcome (number, run_id);
GO

-- Which run handed out which call-back. A call-back is due again when all such runs are undone.
IF OBJECT_ID(N'dbo.assignment_call_back') IS NULL
    CREATE TABLE dbo.assignment_call_back (
        outcome_id BIGINT NOT NULL,
        run_id BIGINT NOT NULL,
        CONSTRAINT pk_assignment_call_back PRIMARY KEY (outcome_id, run_id)
    );
GO

-- What outcomes did to a run: the records that they kept out of its pool, the call-backs that it dealt, and the leads
-- that stayed with their agent.
IF OBJECT_ID(N'dbo.assignment_outcome_effect') IS NULL
    CREATE TABLE dbo.assignment_outcome_effect (
        run_id BIGINT NOT NULL CONSTRAINT pk_assignment_outcome_effect PRIMARY KEY,
        kept_out INT NOT NULL,
        call_backs INT NOT NULL,
        stayed INT NOT NULL
    );
GO
