/*
Removes Agent Funnel from a database: the procedures, the function and the view, the system's own tables with all runs,
history, limits and the do-not-contact list, and the role. Your three tables stay, with their rows, and so does the job
of SQL Server Agent.

As it is, this script prints what it would do. To do it, set @do_it to 1 in the first line below. It is one transaction:
all of it, or nothing.

    sqlcmd -S server -d your_database -I -b -f 65001 -i uninstall.sql
*/
SET NOCOUNT, XACT_ABORT ON;

DECLARE
    @do_it BIT = 0, -- 1 = do it
    @step INT = 1,
    @steps INT,
    @statement NVARCHAR(1000);

DECLARE @todo TABLE (
    step INT IDENTITY (1, 1) NOT NULL PRIMARY KEY,
    statement NVARCHAR(1000) NOT NULL
);

INSERT INTO @todo (statement)
SELECT
    CONCAT(
        CASE o.type
            WHEN 'P' THEN N'DROP PROCEDURE '
            WHEN 'FN' THEN N'DROP FUNCTION '
            WHEN 'V' THEN N'DROP VIEW '
            ELSE N'DROP TABLE '
        END,
        N'dbo.', QUOTENAME(n.name), N';'
    )
FROM (
    VALUES
    (1, N'assignment_run') -- every object of ours
) AS n(place, name)
INNER JOIN sys.objects AS o
    ON o.object_id = OBJECT_ID(CONCAT(N'dbo.', QUOTENAME(n.name))) AND o.type IN ('U', 'P', 'FN', 'V')
ORDER BY n.place;

-- A role can be dropped when it has no members and no rights. Another schema of this database may use it, too.
INSERT INTO @todo (statement)
SELECT CONCAT(N'ALTER ROLE agent_funnel_service DROP MEMBER ', QUOTENAME(m.name), N';')
FROM sys.database_role_members AS r
INNER JOIN sys.database_principals AS m ON r.member_principal_id = m.principal_id
WHERE
    r.role_principal_id = DATABASE_PRINCIPAL_ID(N'agent_funnel_service')
    AND NOT EXISTS (
        SELECT 1 FROM sys.objects AS o
        WHERE
            o.name = N'sp_assign_wafunnel_to_agents' AND o.type = 'P'
            AND o.object_id <> COALESCE(OBJECT_ID(N'dbo.sp_assign_wafunnel_to_agents'), 0)
    );

INSERT INTO @todo (statement)
SELECT N'DROP ROLE agent_funnel_service;'
WHERE
    DATABASE_PRINCIPAL_ID(N'agent_funnel_service') IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM sys.objects AS o
        WHERE
            o.name = N'sp_assign_wafunnel_to_agents' AND o.type = 'P'
            AND o.object_id <> COALESCE(OBJECT_ID(N'dbo.sp_assign_wafunnel_to_agents'), 0)
    );

SELECT @steps = COUNT(t.step) FROM @todo AS t;

PRINT CONCAT(
    CASE WHEN @do_it = 1 THEN N'In the database ' ELSE N'Nothing was changed. In the database ' END, DB_NAME(), N', ',
    @steps, CASE WHEN @do_it = 1 THEN N' statements run:' ELSE N' statements would run, if @do_it were 1:' END
);

BEGIN TRANSACTION;

WHILE @step <= @steps
    BEGIN
        SELECT @statement = t.statement FROM @todo AS t
        WHERE t.step = @step;
        PRINT @statement;
        IF @do_it = 1
            EXECUTE (@statement);
        SET @step = @step + 1;
    END;

COMMIT TRANSACTION;
GO
