/*
An index of version 21: the call-backs. Frozen once shipped; new tables only.
*/

-- Finds the call-backs that hold, by their day, for the list of those to come.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.assignment_outcome') AND i.name LIKE N'ix_assignment_outcome_call_back%'
    )
    CREATE INDEX ix_assignment_outcome_call_back
        ON dbo.assignment_outcome (call_back_on, outcome_id)
        WHERE stands = 1 AND outcome = 'call_back';
GO
