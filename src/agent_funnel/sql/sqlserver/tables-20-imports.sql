/*
The table of version 20: what imports of agents, limits and holidays wrote. Frozen once shipped; new tables only.
*/

-- The agents, limits and holidays that an import added, as it wrote them, and the agents whose status it changed from
-- value_before. key_text is the agent or the day, value_text the status, the most leads or the name, and days_text the
-- first and last day of a limit. An undo removes the rows that it takes back.
IF OBJECT_ID(N'dbo.import_row') IS NULL
    CREATE TABLE dbo.import_row (
        import_id INT NOT NULL,
        line INT NOT NULL,
        key_text NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        value_text NVARCHAR(255) NULL,
        days_text NVARCHAR(255) NULL,
        is_changed BIT NOT NULL,
        value_before NVARCHAR(255) NULL,
        CONSTRAINT pk_import_row PRIMARY KEY (import_id, line)
    );
GO
