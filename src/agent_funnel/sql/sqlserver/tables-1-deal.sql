/*
The tables of version 1. Frozen once shipped: a later change is a new tables file with the next number.

Your three tables come first; a table that exists is left exactly as it is. The script is written for the schema dbo;
the installer replaces it by FUNNEL_SCHEMA. In the system's own tables, names and numbers are NVARCHAR, so that no
character of an existing table is lost. The binary collation compares them byte by byte, as SQLite does.
*/
IF OBJECT_ID(N'dbo.agents') IS NULL
    CREATE TABLE dbo.agents (
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_agents PRIMARY KEY,
        status VARCHAR(20) NOT NULL CONSTRAINT ck_agents_status CHECK (status IN ('active', 'inactive'))
    );
GO

IF OBJECT_ID(N'dbo.wafunnel') IS NULL
    CREATE TABLE dbo.wafunnel (
        number VARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_wafunnel PRIMARY KEY,
        stage INT NOT NULL CONSTRAINT ck_wafunnel_stage CHECK (stage BETWEEN 1 AND 4),
        date DATETIME NOT NULL
    );
GO

-- The second constraint has an index that finds the list of an agent, which each agent asks for all evening.
IF OBJECT_ID(N'dbo.agent_wafunnel_assignment') IS NULL
    CREATE TABLE dbo.agent_wafunnel_assignment (
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        number VARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_agent_wafunnel_assignment PRIMARY KEY,
        CONSTRAINT uq_agent_wafunnel_assignment UNIQUE (agent, number)
    );
GO

-- Runs. The amounts are NULL in a run that failed before it counted.
IF OBJECT_ID(N'dbo.assignment_run') IS NULL
    CREATE TABLE dbo.assignment_run (
        run_id BIGINT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_assignment_run PRIMARY KEY,
        business_date DATE NOT NULL,
        [trigger] VARCHAR(20) NOT NULL CONSTRAINT ck_assignment_run_trigger CHECK ([trigger] IN ('manual', 'schedule')),
        actor NVARCHAR(255) NULL,
        status VARCHAR(20) NOT NULL,
        max_per_agent INT NOT NULL,
        window_days INT NOT NULL,
        newest_first BIT NOT NULL,
        agents INT NULL,
        pool INT NULL,
        per_agent INT NULL,
        assigned INT NULL,
        left_over INT NULL,
        duplicates INT NULL,
        suppressed INT NULL,
        smallest_share INT NULL,
        largest_share INT NULL,
        last_agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL,
        started_at DATETIME2(3) NOT NULL,
        finished_at DATETIME2(3) NULL
    );
GO

-- At most one scheduled run per business date, whatever the callers do.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.assignment_run') AND i.name LIKE N'ux_assignment_run_schedule%'
    )
    CREATE UNIQUE INDEX ux_assignment_run_schedule
        ON dbo.assignment_run (business_date)
        WHERE [trigger] = 'schedule' AND status IN ('running', 'succeeded', 'undone');
GO

-- Every lead that was ever dealt: the agent who got it, and its date and stage before the run.
IF OBJECT_ID(N'dbo.assignment_history') IS NULL
    CREATE TABLE dbo.assignment_history (
        run_id BIGINT NOT NULL,
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        date DATETIME2(7) NOT NULL,
        stage INT NOT NULL,
        CONSTRAINT pk_assignment_history PRIMARY KEY (run_id, number)
    );
GO

-- Finds the agents who held a number.
IF
    NOT EXISTS (
        SELECT 1 FROM sys.indexes AS i
        WHERE i.object_id = OBJECT_ID(N'dbo.assignment_history') AND i.name LIKE N'ix_assignment_history_number%'
    )
    CREATE INDEX ix_assignment_history_number ON dbo.assignment_history (number, run_id);
GO

-- Limits of agents. Both days are inclusive, and NULL in ends_on means no end. 0 means absent. The lowest limit that
-- covers the business date counts.
IF OBJECT_ID(N'dbo.agent_limit') IS NULL
    CREATE TABLE dbo.agent_limit (
        limit_id INT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_agent_limit PRIMARY KEY,
        agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        starts_on DATE NOT NULL,
        ends_on DATE NULL,
        max_records INT NOT NULL CONSTRAINT ck_agent_limit_max_records CHECK (max_records >= 0),
        CONSTRAINT ck_agent_limit_ends_on CHECK (ends_on >= starts_on)
    );
GO

IF OBJECT_ID(N'dbo.do_not_contact') IS NULL
    CREATE TABLE dbo.do_not_contact (
        number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT pk_do_not_contact PRIMARY KEY,
        reason NVARCHAR(1000) NULL,
        added_at DATETIME2(3) NOT NULL
    );
GO

IF OBJECT_ID(N'dbo.agent_funnel_version') IS NULL
    CREATE TABLE dbo.agent_funnel_version (
        version INT NOT NULL CONSTRAINT pk_agent_funnel_version PRIMARY KEY,
        installed_at DATETIME2(3) NOT NULL
    );
GO
