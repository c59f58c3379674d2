/*
The tables of version 19: leads that agents hand back. Frozen once shipped; new tables only.
*/

-- The hand-backs: the agent whose leads of a run went back, how many, and of how many the stage went back. returned is
-- the number of leads that came back to the agent when the hand-back was undone.
IF OBJECT_ID(N'dbo.assignment_hand_back') IS NULL
    CREATE TABLE dbo.assignment_hand_back (
        hand_back_id BIGINT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_assignment_hand_back PRIMARY KEY,
        run_id BIGINT NOT NULL,
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        handed_back_at DATETIME2(3) NOT NULL,
        handed_back_by NVARCHAR(255) NULL,
        leads INT NOT NULL,
        put_back INT NOT NULL,
        undone_at DATETIME2(3) NULL,
        undone_by NVARCHAR(255) NULL,
        returned INT NULL
    );
GO

-- The outcomes not_worked that a hand-back made, one for each of its leads.
IF OBJECT_ID(N'dbo.assignment_hand_back_lead') IS NULL
    CREATE TABLE dbo.assignment_hand_back_lead (
        outcome_id BIGINT NOT NULL CONSTRAINT pk_assignment_hand_back_lead PRIMARY KEY,
        hand_back_id BIGINT NOT NULL
    );
GO

IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE
            i.object_id = OBJECT_ID(N'dbo.assignment_hand_back_lead')
            AND i.name LIKE N'ix_hand_back_lead_hand_back%'
    )
    CREATE INDEX ix_hand_back_lead_hand_back ON dbo.assignment_hand_back_lead (hand_back_id);
GO
