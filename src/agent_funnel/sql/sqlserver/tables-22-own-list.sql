/*
Indexes of version 22: an agent's own list. Frozen once shipped; new tables only.
*/

-- Finds the outcomes of an agent's list that hold.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.assignment_outcome') AND i.name LIKE N'ix_assignment_outcome_list%'
    )
    CREATE INDEX ix_assignment_outcome_list
        ON dbo.assignment_outcome (run_id, agent)
        WHERE stands = 1;
GO

-- Finds the call-backs that a run handed out.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.assignment_call_back') AND i.name LIKE N'ix_assignment_call_back_run%'
    )
    CREATE INDEX ix_assignment_call_back_run ON dbo.assignment_call_back (run_id);
GO
