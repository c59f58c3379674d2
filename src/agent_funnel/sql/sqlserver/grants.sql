/*
What the service's login needs, and nothing else, as a role: EXECUTE on the procedures, SELECT where the service reads,
and writing on the tables that it writes itself. What the procedures write goes by ownership chaining, except for
TRUNCATE, which wants ALTER on the one table that is truncated.

Give it to the login of the service: ALTER ROLE agent_funnel_service ADD MEMBER [name of its user];

Babelfish has neither ownership chaining nor GRANT ALTER; there the service's login owns the tables.
*/
IF DATABASE_PRINCIPAL_ID(N'agent_funnel_service') IS NULL
    EXECUTE (N'CREATE ROLE agent_funnel_service;');
GO

GRANT EXECUTE ON dbo.sp_assign_wafunnel_to_agents TO agent_funnel_service;
GO
GRANT EXECUTE ON dbo.sp_undo_wafunnel_assignment TO agent_funnel_service;
GO
GRANT SELECT ON dbo.agents TO agent_funnel_service;
GO
GRANT INSERT ON dbo.agents TO agent_funnel_service;
GO
-- Activating and deactivating.
GRANT UPDATE ON dbo.agents TO agent_funnel_service;
GO
GRANT SELECT ON dbo.wafunnel TO agent_funnel_service;
GO
GRANT INSERT ON dbo.wafunnel TO agent_funnel_service;
GO
GRANT SELECT ON dbo.agent_wafunnel_assignment TO agent_funnel_service;
GO
GRANT DELETE ON dbo.agent_wafunnel_assignment TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_run TO agent_funnel_service;
GO
-- Failed attempts, which no procedure records: a deal that failed has rolled back.
GRANT INSERT ON dbo.assignment_run TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_history TO agent_funnel_service;
GO
GRANT DELETE ON dbo.assignment_history TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_request TO agent_funnel_service;
GO
GRANT INSERT ON dbo.assignment_request TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_edit TO agent_funnel_service;
GO
GRANT DELETE ON dbo.assignment_edit TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_undo TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_purge TO agent_funnel_service;
GO
GRANT INSERT ON dbo.assignment_purge TO agent_funnel_service;
GO
GRANT SELECT ON dbo.agent_funnel_version TO agent_funnel_service;
GO
GRANT SELECT ON dbo.agent_funnel_checksum TO agent_funnel_service;
GO
GRANT SELECT ON dbo.agent_limit TO agent_funnel_service;
GO
GRANT INSERT ON dbo.agent_limit TO agent_funnel_service;
GO
GRANT DELETE ON dbo.agent_limit TO agent_funnel_service;
GO
GRANT SELECT ON dbo.do_not_contact TO agent_funnel_service;
GO
GRANT INSERT ON dbo.do_not_contact TO agent_funnel_service;
GO
GRANT DELETE ON dbo.do_not_contact TO agent_funnel_service;
GO

GRANT SELECT ON dbo.assignment_failure TO agent_funnel_service;
GO
GRANT INSERT ON dbo.assignment_failure TO agent_funnel_service;
GO
GRANT SELECT ON dbo.schedule_outcome TO agent_funnel_service;
GO
GRANT INSERT ON dbo.schedule_outcome TO agent_funnel_service;
GO
GRANT SELECT ON dbo.schedule_pause TO agent_funnel_service;
GO
GRANT INSERT ON dbo.schedule_pause TO agent_funnel_service;
GO
GRANT UPDATE ON dbo.schedule_pause TO agent_funnel_service;
GO
GRANT SELECT ON dbo.holiday TO agent_funnel_service;
GO
GRANT INSERT ON dbo.holiday TO agent_funnel_service;
GO
GRANT DELETE ON dbo.holiday TO agent_funnel_service;
GO

GRANT SELECT ON dbo.access_key TO agent_funnel_service;
GO
GRANT INSERT ON dbo.access_key TO agent_funnel_service;
GO
GRANT UPDATE ON dbo.access_key TO agent_funnel_service;
GO
GRANT SELECT ON dbo.access_session TO agent_funnel_service;
GO
GRANT INSERT ON dbo.access_session TO agent_funnel_service;
GO
GRANT DELETE ON dbo.access_session TO agent_funnel_service;
GO
GRANT SELECT ON dbo.audit_entry TO agent_funnel_service;
GO
GRANT INSERT ON dbo.audit_entry TO agent_funnel_service;
GO
GRANT SELECT ON dbo.request_answer TO agent_funnel_service;
GO
GRANT INSERT ON dbo.request_answer TO agent_funnel_service;
GO
GRANT UPDATE ON dbo.request_answer TO agent_funnel_service;
GO
GRANT DELETE ON dbo.request_answer TO agent_funnel_service;
GO

GRANT SELECT ON dbo.agent_link TO agent_funnel_service;
GO
GRANT INSERT ON dbo.agent_link TO agent_funnel_service;
GO
GRANT UPDATE ON dbo.agent_link TO agent_funnel_service;
GO

-- Dynamic, since Babelfish would refuse the whole batch at parsing. VIEW DEFINITION is for `agent-funnel doctor`, which
-- sees whether somebody changed a procedure.
IF SERVERPROPERTY(N'BabelfishVersion') IS NULL
    BEGIN
        EXECUTE (N'GRANT ALTER ON dbo.agent_wafunnel_assignment TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_assign_wafunnel_to_agents TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_undo_wafunnel_assignment TO agent_funnel_service;');
    END;
GO
