/*
The table of version 5: the personal links of agents. Frozen once shipped; new tables only.
*/

-- Links that open an agent's own list. The secret is not stored, only its hash; it is shown once, when the link is
-- made.
IF OBJECT_ID(N'dbo.agent_link') IS NULL
    CREATE TABLE dbo.agent_link (
        link_id INT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_agent_link PRIMARY KEY,
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        secret_hash CHAR(64) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT uq_agent_link UNIQUE,
        created_at DATETIME2(3) NOT NULL,
        created_by NVARCHAR(255) NULL,
        last_used_at DATETIME2(3) NULL,
        revoked_at DATETIME2(3) NULL,
        revoked_by NVARCHAR(255) NULL
    );
GO
