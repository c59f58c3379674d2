-- An index of version 21: the call-backs. Frozen once shipped; new tables only.

-- Finds the call-backs that hold, by their day, for the list of those to come.
CREATE INDEX IF NOT EXISTS ix_assignment_outcome_call_back ON assignment_outcome (call_back_on, outcome_id)
WHERE stands = 1 AND outcome = 'call_back';
