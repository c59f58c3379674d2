-- The tables of version 14: what agents report of their leads. Frozen once shipped; new tables only.

-- The outcomes. report is the id that whoever reports it chose: the same report twice is one outcome. agent, number,
-- date and stage are those of the run's history: the lead as it was dealt. reported_on is the civil date in the floor's
-- zone. stands is 1 for the newest outcome of a run and number that is not taken back, and 0 for the others.
-- stage_back is 1 while an outcome not_worked has the lead's stage put back. unassigned is 1 if an outcome opted_out
-- took the lead out of the present assignments; NULL is 0.
CREATE TABLE IF NOT EXISTS assignment_outcome (
    outcome_id INTEGER PRIMARY KEY AUTOINCREMENT,
    report TEXT NOT NULL UNIQUE,
    run_id INTEGER NOT NULL,
    agent TEXT NOT NULL,
    number TEXT NOT NULL,
    date TEXT NOT NULL,
    stage INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (
        outcome IN ('won', 'lost', 'wrong_number', 'opted_out', 'call_back', 'talked', 'no_answer', 'not_worked')
    ),
    call_back_on TEXT CHECK (date(call_back_on, '+0 days') IS call_back_on),
    same_agent INTEGER NOT NULL,
    note TEXT,
    reported_at TEXT NOT NULL,
    reported_on TEXT NOT NULL,
    reported_by TEXT,
    taken_back_at TEXT,
    taken_back_by TEXT,
    stands INTEGER NOT NULL,
    stage_back INTEGER NOT NULL,
    unassigned INTEGER,
    CHECK ((outcome = 'call_back') = (call_back_on IS NOT NULL))
);

-- At most one outcome of a run and number stands. It also finds the outcomes of a run.
CREATE UNIQUE INDEX IF NOT EXISTS ux_assignment_outcome_stands ON assignment_outcome (run_id, number) WHERE stands = 1;

-- Finds the outcomes of a number.
CREATE INDEX IF NOT EXISTS ix_assignment_outcome_number ON assignment_outcome (number, run_id);

-- Which run handed out which call-back. A call-back is due again when all such runs are undone.
CREATE TABLE IF NOT EXISTS assignment_call_back (
    outcome_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    PRIMARY KEY (outcome_id, run_id)
) WITHOUT ROWID;

-- What outcomes did to a run: the records that they kept out of its pool, the call-backs that it dealt, and the leads
-- that stayed with their agent.
CREATE TABLE IF NOT EXISTS assignment_outcome_effect (
    run_id INTEGER NOT NULL PRIMARY KEY,
    kept_out INTEGER NOT NULL,
    call_backs INTEGER NOT NULL,
    stayed INTEGER NOT NULL
);
