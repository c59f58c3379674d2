/*
The table of version 16: columns that people chose for files. Frozen once shipped; new tables only.
*/

-- The columns of each kind of file that has these names of columns: a JSON object of fields and names. header_hash is
-- the SHA-256 of the names in plain form.
IF OBJECT_ID(N'dbo.import_mapping') IS NULL
    CREATE TABLE dbo.import_mapping (
        kind VARCHAR(20) NOT NULL,
        header_hash VARCHAR(64) NOT NULL,
        chosen NVARCHAR(4000) NOT NULL,
        chosen_at DATETIME2(3) NOT NULL,
        chosen_by NVARCHAR(255) NULL,
        CONSTRAINT pk_import_mapping PRIMARY KEY (kind, header_hash)
    );
GO
