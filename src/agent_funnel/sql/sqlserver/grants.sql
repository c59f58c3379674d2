/*
What the service's login needs, and nothing else, as a role: EXECUTE on the procedure, SELECT where the service reads,
and writing on the tables that it writes itself. The deal's own writing goes by ownership chaining, except for TRUNCATE,
which wants ALTER on the one table that is truncated.

Give it to the login of the service: ALTER ROLE agent_funnel_service ADD MEMBER [name of its user];

Babelfish has neither ownership chaining nor GRANT ALTER; there the service's login owns the tables.
*/
IF DATABASE_PRINCIPAL_ID(N'agent_funnel_service') IS NULL
    EXECUTE (N'CREATE ROLE agent_funnel_service;');
GO

GRANT EXECUTE ON dbo.sp_assign_wafunnel_to_agents TO agent_funnel_service;
GO
GRANT SELECT ON dbo.agents TO agent_funnel_service;
GO
GRANT INSERT ON dbo.agents TO agent_funnel_service;
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
GRANT SELECT ON dbo.assignment_history TO agent_funnel_service;
GO
GRANT SELECT ON dbo.agent_funnel_version TO agent_funnel_service;
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

-- Dynamic, since Babelfish would refuse the whole batch at parsing.
IF SERVERPROPERTY(N'BabelfishVersion') IS NULL
    EXECUTE (N'GRANT ALTER ON dbo.agent_wafunnel_assignment TO agent_funnel_service;');
GO
