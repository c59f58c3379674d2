-- Indexes of version 22: an agent's own list. Frozen once shipped; new tables only.

-- Finds the outcomes of an agent's list that hold.
CREATE INDEX IF NOT EXISTS ix_assignment_outcome_list ON assignment_outcome (run_id, agent) WHERE stands = 1;

-- Finds the call-backs that a run handed out.
CREATE INDEX IF NOT EXISTS ix_assignment_call_back_run ON assignment_call_back (run_id);
