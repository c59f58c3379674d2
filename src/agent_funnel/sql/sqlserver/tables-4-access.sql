/*
The tables of version 4: keys, sessions, the audit and stored responses. Frozen once shipped; new tables only.
*/

-- Keys to the service. The secret is not stored, only its hash; it is shown once, when the key is made.
IF OBJECT_ID(N'dbo.access_key') IS NULL
    CREATE TABLE dbo.access_key (
        key_id INT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_access_key PRIMARY KEY,
        name NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        role VARCHAR(20) NOT NULL CONSTRAINT ck_access_key CHECK (role IN ('viewer', 'operator', 'admin')),
        secret_hash CHAR(64) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT uq_access_key UNIQUE,
        created_at DATETIME2(3) NOT NULL,
        created_by NVARCHAR(255) NULL,
        last_used_at DATETIME2(3) NULL,
        revoked_at DATETIME2(3) NULL,
        revoked_by NVARCHAR(255) NULL
    );
GO

-- Sessions of signed-in browsers, by the hash of the token in the cookie.
IF OBJECT_ID(N'dbo.access_session') IS NULL
    CREATE TABLE dbo.access_session (
        token_hash CHAR(64) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_access_session PRIMARY KEY,
        key_id INT NOT NULL,
        created_at DATETIME2(3) NOT NULL,
        expires_at DATETIME2(3) NOT NULL
    );
GO

-- The audit: what was changed, or tried, through the service, with the person and the time.
IF OBJECT_ID(N'dbo.audit_entry') IS NULL
    CREATE TABLE dbo.audit_entry (
        entry_id BIGINT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_audit_entry PRIMARY KEY,
        recorded_at DATETIME2(3) NOT NULL,
        actor NVARCHAR(255) NOT NULL,
        key_id INT NULL,
        operation NVARCHAR(100) NOT NULL,
        target NVARCHAR(255) NULL,
        address NVARCHAR(100) NOT NULL,
        status INT NOT NULL,
        detail NVARCHAR(1000) NULL
    );
GO

-- Stored responses to requests with an Idempotency-Key. NULL in status means that the request is still in progress.
IF OBJECT_ID(N'dbo.request_answer') IS NULL
    CREATE TABLE dbo.request_answer (
        request_hash CHAR(64) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_request_answer PRIMARY KEY,
        content_hash CHAR(64) COLLATE Latin1_General_BIN2 NOT NULL,
        asked_at DATETIME2(3) NOT NULL,
        status INT NULL,
        answer NVARCHAR(MAX) NULL
    );
GO
