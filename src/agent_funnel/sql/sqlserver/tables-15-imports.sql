/*
The tables of version 15: imports on record. Frozen once shipped; new tables only.
*/

-- The imports: what, by whom, from where, of which file, and by which rules (JSON). source is command, api, page or
-- program, and address that of the client. last_run_id is the last run when the import was made; NULL without one.
IF OBJECT_ID(N'dbo.import_record') IS NULL
    CREATE TABLE dbo.import_record (
        import_id INT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_import_record PRIMARY KEY,
        kind VARCHAR(20) NOT NULL,
        imported_at DATETIME2(3) NOT NULL,
        actor NVARCHAR(255) NULL,
        source VARCHAR(10) NOT NULL,
        address NVARCHAR(255) NULL,
        file_name NVARCHAR(255) NOT NULL,
        sha256 VARCHAR(64) NOT NULL,
        rules NVARCHAR(4000) NOT NULL,
        last_run_id BIGINT NULL
    );
GO

-- The amounts of each import; data_rows are the rows of the file. Written in the transaction of the import.
IF OBJECT_ID(N'dbo.import_result') IS NULL
    CREATE TABLE dbo.import_result (
        import_id INT NOT NULL CONSTRAINT pk_import_result PRIMARY KEY,
        data_rows INT NOT NULL,
        added INT NOT NULL,
        changed INT NOT NULL,
        removed INT NOT NULL,
        kept INT NOT NULL,
        bad_rows INT NOT NULL
    );
GO

-- The leads that an import added, or changed from stage_before and date_before, with stage and date as it wrote them.
-- An undo removes the rows of the leads that it takes back.
IF OBJECT_ID(N'dbo.import_lead') IS NULL
    CREATE TABLE dbo.import_lead (
        import_id INT NOT NULL,
        number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        stage INT NOT NULL,
        date DATETIME2(7) NOT NULL,
        is_changed BIT NOT NULL,
        stage_before INT NULL,
        date_before DATETIME2(7) NULL,
        CONSTRAINT pk_import_lead PRIMARY KEY (import_id, number)
    );
GO

-- Finds the imports of a number.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.import_lead') AND i.name LIKE N'ix_import_lead_number%'
    )
    CREATE INDEX ix_import_lead_number ON dbo.import_lead (number, import_id);
GO

-- The undone imports: how many leads were taken back, got their stage and date back, and were left.
IF OBJECT_ID(N'dbo.import_undo') IS NULL
    CREATE TABLE dbo.import_undo (
        import_id INT NOT NULL CONSTRAINT pk_import_undo PRIMARY KEY,
        undone_at DATETIME2(3) NOT NULL,
        undone_by NVARCHAR(255) NULL,
        taken_back INT NOT NULL,
        put_back INT NOT NULL,
        left_alone INT NOT NULL
    );
GO
