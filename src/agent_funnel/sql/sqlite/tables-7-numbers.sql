-- The table of version 7: the match keys of numbers. Frozen once shipped; new tables only.

-- The match key of each number that is known, for a country of the sales floor ('' = none), and the key's last four
-- characters. The deal, the import and
-- the service add the numbers that are missing; a number is added as it is written, and never changed.
CREATE TABLE IF NOT EXISTS number_key (
    country TEXT NOT NULL,
    number TEXT NOT NULL,
    match_key TEXT NOT NULL,
    ending TEXT NOT NULL,
    PRIMARY KEY (number, country)
) WITHOUT ROWID;

-- Finds the numbers of a key.
CREATE INDEX IF NOT EXISTS ix_number_key_match_key ON number_key (match_key, country, number);

-- Finds the numbers that end alike.
CREATE INDEX IF NOT EXISTS ix_number_key_ending ON number_key (ending, match_key);
