-- The tables of version 10: the notices of the schedule. Frozen once shipped; new tables only.

-- Notices that people get once for a business date, whichever copy of the service finds the reason first. kind is
-- forecast: as things stood, the run of the date would not deal. noted_by is the copy that sent it.
CREATE TABLE IF NOT EXISTS schedule_notice (
    business_date TEXT NOT NULL,
    kind TEXT NOT NULL,
    noted_at TEXT NOT NULL,
    noted_by TEXT NOT NULL,
    PRIMARY KEY (business_date, kind)
);
