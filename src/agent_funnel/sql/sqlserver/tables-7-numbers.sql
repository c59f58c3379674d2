/*
The table of version 7: the match keys of numbers. Frozen once shipped; new tables only.
*/

-- The match key of each number that is known, for a country of the sales floor ('' = none), and the key's last four
-- characters. The deal, the import and
-- the service add the numbers that are missing; a number is added as it is written, and never changed.
IF OBJECT_ID(N'dbo.number_key') IS NULL
    CREATE TABLE dbo.number_key (
        country VARCHAR(2) COLLATE Latin1_General_BIN2 NOT NULL,
        number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        match_key NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        ending NVARCHAR(8) COLLATE Latin1_General_BIN2 NOT NULL,
        CONSTRAINT pk_number_key PRIMARY KEY (number, country)
    );
GO

-- Finds the numbers of a key.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.number_key') AND i.name LIKE N'ix_number_key_match_key%'
    )
    CREATE INDEX ix_number_key_match_key ON dbo.number_key (match_key, country, number);
GO

-- Finds the numbers that end alike.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.number_key') AND i.name LIKE N'ix_number_key_ending%'
    )
    CREATE INDEX ix_number_key_ending ON dbo.number_key (ending, match_key);
GO
