/*
The role agent_funnel_service: the rights that the service's login needs, and no others. It has EXECUTE on the
procedures, SELECT on the tables that the service reads, and INSERT, UPDATE or DELETE on the tables that the service
itself writes. Ownership chaining covers the writes of the procedures. It has ALTER on nothing: a login that may alter
a table can add a trigger to it, which then runs with the rights of the next login that deals.

To give the role to the service's login: ALTER ROLE agent_funnel_service ADD MEMBER [name of its user];

Babelfish has no ownership chaining; there the service's login must own the tables.
*/
IF DATABASE_PRINCIPAL_ID(N'agent_funnel_service') IS NULL
    EXECUTE (N'CREATE ROLE agent_funnel_service;');
GO

GRANT EXECUTE ON dbo.sp_assign_wafunnel_to_agents TO agent_funnel_service;
GO
GRANT EXECUTE ON dbo.sp_undo_wafunnel_assignment TO agent_funnel_service;
GO
GRANT EXECUTE ON dbo.sp_rename_agent TO agent_funnel_service;
GO
GRANT EXECUTE ON dbo.sp_forget_number TO agent_funnel_service;
GO
GRANT EXECUTE ON dbo.sp_report_outcome TO agent_funnel_service;
GO
GRANT EXECUTE ON dbo.sp_hand_back_leads TO agent_funnel_service;
GO
GRANT EXECUTE ON dbo.sp_undo_import TO agent_funnel_service;
GO
GRANT EXECUTE ON dbo.sp_update_leads TO agent_funnel_service;
GO
GRANT EXECUTE ON dbo.fn_match_key TO agent_funnel_service;
GO
GRANT SELECT ON dbo.agents TO agent_funnel_service;
GO
GRANT INSERT ON dbo.agents TO agent_funnel_service;
GO
-- To activate and deactivate agents.
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
-- To record failed attempts. No procedure can record them, because a failed deal is rolled back.
GRANT INSERT ON dbo.assignment_run TO agent_funnel_service;
GO
-- To count a scheduled run that was made long before its time as a run by hand.
GRANT UPDATE ([trigger]) ON dbo.assignment_run TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_country TO agent_funnel_service;
GRANT SELECT ON dbo.assignment_rule TO agent_funnel_service;
GO
GRANT INSERT ON dbo.assignment_country TO agent_funnel_service;
GRANT INSERT ON dbo.assignment_rule TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_voice TO agent_funnel_service;
GO
GRANT INSERT ON dbo.assignment_voice TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_outcome TO agent_funnel_service;
GO
GRANT DELETE ON dbo.assignment_outcome TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_call_back TO agent_funnel_service;
GO
GRANT DELETE ON dbo.assignment_call_back TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_hand_back TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_hand_back_lead TO agent_funnel_service;
GO
GRANT DELETE ON dbo.assignment_hand_back_lead TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_outcome_effect TO agent_funnel_service;
GO
GRANT INSERT ON dbo.assignment_outcome_effect TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_limit TO agent_funnel_service;
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
-- The numbers were in this table before there were lists. Nothing is written to it any more.
GRANT SELECT ON dbo.do_not_contact TO agent_funnel_service;
GO
REVOKE INSERT ON dbo.do_not_contact FROM agent_funnel_service;
GO
REVOKE DELETE ON dbo.do_not_contact FROM agent_funnel_service;
GO
GRANT SELECT ON dbo.do_not_contact_list TO agent_funnel_service;
GO
GRANT INSERT ON dbo.do_not_contact_list TO agent_funnel_service;
GO
GRANT UPDATE ON dbo.do_not_contact_list TO agent_funnel_service;
GO
GRANT SELECT ON dbo.do_not_contact_entry TO agent_funnel_service;
GO
GRANT INSERT ON dbo.do_not_contact_entry TO agent_funnel_service;
GO
-- A number that an import put on a list becomes a person's.
GRANT UPDATE ON dbo.do_not_contact_entry TO agent_funnel_service;
GO
GRANT DELETE ON dbo.do_not_contact_entry TO agent_funnel_service;
GO
GRANT SELECT ON dbo.number_key TO agent_funnel_service;
GO
GRANT INSERT ON dbo.number_key TO agent_funnel_service;
GO
GRANT SELECT ON dbo.suppressed_number TO agent_funnel_service;
GO
-- Not the salt: without it, nobody can try out which numbers have the hashes. The view and the procedures read it.
GRANT SELECT ON dbo.forgotten_number TO agent_funnel_service;
GO
GRANT SELECT ON dbo.assignment_forgotten TO agent_funnel_service;
GO
GRANT SELECT ON dbo.floor_country TO agent_funnel_service;
GO

-- Imports are only recorded. Nobody changes a row: undos have a table of their own, which sp_undo_import writes.
GRANT SELECT ON dbo.import_record TO agent_funnel_service;
GO
GRANT INSERT ON dbo.import_record TO agent_funnel_service;
GO
GRANT SELECT ON dbo.import_result TO agent_funnel_service;
GO
GRANT INSERT ON dbo.import_result TO agent_funnel_service;
GO
GRANT SELECT ON dbo.import_lead TO agent_funnel_service;
GO
GRANT INSERT ON dbo.import_lead TO agent_funnel_service;
GO
GRANT INSERT ON dbo.import_row TO agent_funnel_service;
GO
GRANT SELECT ON dbo.import_undo TO agent_funnel_service;
GO
GRANT SELECT ON dbo.import_mapping TO agent_funnel_service;
GO
GRANT INSERT ON dbo.import_mapping TO agent_funnel_service;
GO
GRANT DELETE ON dbo.import_mapping TO agent_funnel_service;
GO

GRANT SELECT ON dbo.assignment_failure TO agent_funnel_service;
GO
GRANT INSERT ON dbo.assignment_failure TO agent_funnel_service;
GO
-- To void records of dates that are still to come.
GRANT DELETE ON dbo.assignment_failure TO agent_funnel_service;
GO
GRANT SELECT ON dbo.schedule_outcome TO agent_funnel_service;
GO
GRANT INSERT ON dbo.schedule_outcome TO agent_funnel_service;
GO
GRANT DELETE ON dbo.schedule_outcome TO agent_funnel_service;
GO
GRANT SELECT ON dbo.schedule_skip TO agent_funnel_service;
GO
GRANT INSERT ON dbo.schedule_skip TO agent_funnel_service;
GO
GRANT DELETE ON dbo.schedule_skip TO agent_funnel_service;
GO
GRANT SELECT ON dbo.date_without_run TO agent_funnel_service;
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

-- Rules are only added. Nobody changes a row, and the newest one holds.
GRANT SELECT ON dbo.floor_rule TO agent_funnel_service;
GO
GRANT INSERT ON dbo.floor_rule TO agent_funnel_service;
GO

GRANT SELECT ON dbo.schedule_terms TO agent_funnel_service;
GO
GRANT INSERT ON dbo.schedule_terms TO agent_funnel_service;
GO
GRANT SELECT ON dbo.schedule_copy TO agent_funnel_service;
GO
GRANT INSERT ON dbo.schedule_copy TO agent_funnel_service;
GO
GRANT UPDATE ON dbo.schedule_copy TO agent_funnel_service;
GO
GRANT DELETE ON dbo.schedule_copy TO agent_funnel_service;
GO
GRANT SELECT ON dbo.schedule_next TO agent_funnel_service;
GO
GRANT INSERT ON dbo.schedule_next TO agent_funnel_service;
GO
GRANT UPDATE ON dbo.schedule_next TO agent_funnel_service;
GO
GRANT DELETE ON dbo.schedule_next TO agent_funnel_service;
GO
GRANT SELECT ON dbo.schedule_notice TO agent_funnel_service;
GO
GRANT INSERT ON dbo.schedule_notice TO agent_funnel_service;
GO
GRANT SELECT ON dbo.schedule_void TO agent_funnel_service;
GO
GRANT INSERT ON dbo.schedule_void TO agent_funnel_service;
GO

-- Dynamic SQL, because Babelfish would refuse the whole batch when it parses it. `agent-funnel doctor` needs VIEW
-- DEFINITION to see whether somebody has changed a procedure.
IF SERVERPROPERTY(N'BabelfishVersion') IS NULL
    BEGIN
        -- The role had this right when the procedures still truncated the table.
        EXECUTE (N'REVOKE ALTER ON dbo.agent_wafunnel_assignment FROM agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_assign_wafunnel_to_agents TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_undo_wafunnel_assignment TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.fn_match_key TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_rename_agent TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_forget_number TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_report_outcome TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_hand_back_leads TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_undo_import TO agent_funnel_service;');
        EXECUTE (N'GRANT VIEW DEFINITION ON dbo.sp_update_leads TO agent_funnel_service;');
    END;
GO
