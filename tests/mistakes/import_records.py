"""Mistakes in the records of imports and their undo."""

from __future__ import annotations

from mistakes.places import (
    IMPORT_RECORDS,
    IMPORTS,
    ON_IMPORT_RECORDS,
    ON_IMPORTS_COLUMNS,
    ON_IMPORTS_UPDATE,
    P_FILES_COLUMNS,
    P_FILES_TABLES,
    P_IMPORT_RECORDS,
    P_IMPORTS,
    T_IMPORTS,
    T_UNDO_IMPORT,
    T_UPDATE_LEADS,
    W_REQUESTER,
    Mistake,
)

ON_WEB_IMPORT_RECORDS = "tests/web/test_import_records.py"
ON_WEB_ATTACKS_ON_MASKS = "tests/web/test_attacks_on_masks.py"
ON_WEB_IMPORTS_KEPT = "tests/web/test_imports_kept.py"
W_KEPT_FILES = "src/agent_funnel/web/kept_files.py"

MISTAKES = (
    Mistake(
        "imports: the record is made in a transaction of its own",
        P_IMPORTS, "        with session.transaction():\n            if values is not None:\n                "
        "import_id = begin_record(session, values)\n",
        "        import_id = begin_record(session, values) if values is not None else None\n"
        "        with session.transaction():\n",
        ON_IMPORT_RECORDS, "cut_off", "sqlite",
    ),
    Mistake(
        "imports: leads that were there already are on the record of the import",
        IMPORTS, "WHERE :import_id IS NOT NULL\n",
        "WHERE :import_id IS NOT NULL UNION SELECT :import_id, t.number, 1, '', 0 FROM temp.staged_there AS t\n",
        ON_IMPORT_RECORDS, "counted_by_stage", "sqlite",
    ),
    Mistake(
        "T-SQL imports: the record has the date as the file has it, and not as the table keeps it",
        T_IMPORTS, "            CAST(REPLACE(s.third, ' ', 'T') AS DATETIME)\n        ) AS DATETIME2(7)",
        "            DATEADD(DAY, 1, CAST(REPLACE(s.third, ' ', 'T') AS DATETIME))\n        ) AS DATETIME2(7)",
        ON_IMPORT_RECORDS, "tables_of_others", "sqlserver",
    ),
    Mistake(
        "imports: a phone number stays in the name of a file",
        P_IMPORT_RECORDS, "*parts, _MASKED.sub(\"…\", mask_digits(name[found:]))", "*parts, name[found:]",
        ON_IMPORT_RECORDS, "on_record_with", "sqlite",
    ),
    Mistake(
        "undo of an import: a lead that was changed since is taken back",
        IMPORT_RECORDS, "w.stage IS undoable.stage AND w.date IS undoable.date\n    ) <> 1", "1\n    ) <> 1",
        ON_IMPORT_RECORDS, "takes_back", "sqlite",
    ),
    Mistake(
        "undo of an import: one of two equal leads is taken back",
        IMPORT_RECORDS, ") <> 1;", ") = 0;",
        ON_IMPORT_RECORDS, "tables_of_others", "sqlite",
    ),
    Mistake(
        "T-SQL undo of an import: one of two equal leads is taken back",
        T_UNDO_IMPORT, "HAVING COUNT(*) = 1\n        ) AS v", "HAVING COUNT(*) > 0\n        ) AS v",
        ON_IMPORT_RECORDS, "tables_of_others", "sqlserver",
    ),
    Mistake(
        "undo of an import: a number that was dealt since in another spelling is taken back",
        IMPORT_RECORDS,
        "CROSS JOIN assignment_history AS h ON h.number = k.number\n        WHERE r.import_id = :import_id",
        "CROSS JOIN assignment_history AS h ON h.number = k.number\n        WHERE r.import_id = 0",
        ON_IMPORT_RECORDS, "takes_back", "sqlite",
    ),
    Mistake(
        "T-SQL undo of an import: a number that was dealt since in another spelling is taken back",
        T_UNDO_IMPORT, "OR match_key IN (", "OR N'' + match_key + N'x' IN (",
        ON_IMPORT_RECORDS, "takes_back", "sqlserver",
    ),
    Mistake(
        "undo of an import: a lead with an outcome is taken back",
        IMPORT_RECORDS, "            AND o.reported_at >= r.imported_at", "            AND FALSE",
        ON_IMPORT_RECORDS, "takes_back", "sqlite",
    ),
    Mistake(
        "undo of an import: a run before the import keeps a lead",
        IMPORT_RECORDS, "h.number = undoable.number AND h.run_id > coalesce(r.last_run_id, 0)",
        "h.number = undoable.number",
        ON_IMPORT_RECORDS, "before_the_import", "sqlite",
    ),
    Mistake(
        "undo of an import: an agent who has a limit is taken back",
        IMPORT_RECORDS, "                UNION ALL SELECT l.agent FROM agent_limit AS l\n", "",
        "tests/backend/test_import_records_rows.py", "agents_go", "sqlite",
    ),
    Mistake(
        "T-SQL undo of an import: an agent who has a link is taken back",
        T_UNDO_IMPORT, "FROM dbo.agent_link AS k\n", "FROM dbo.agent_link AS k\n                WHERE 1 = 0\n",
        "tests/backend/test_import_records_rows.py", "agents_go", "sqlserver",
    ),
    Mistake(
        "undo of an import: a limit of the same days by somebody else is taken back",
        IMPORT_RECORDS, "        AND agent_limit.max_records = CAST(n.value_text AS INTEGER)\n", "",
        "tests/backend/test_import_records_rows.py", "limits_and_holidays_go", "sqlite",
    ),
    Mistake(
        "T-SQL undo of an import: a holiday that was renamed is taken back",
        T_UNDO_IMPORT,
        "                AND COALESCE(h.name, N'') COLLATE Latin1_General_BIN2 = COALESCE(n.value_text, N'')\n", "",
        "tests/backend/test_import_records_rows.py", "limits_and_holidays_go", "sqlserver",
    ),
    Mistake(
        "undo of an import: a second one counts again",
        P_IMPORT_RECORDS, "if row[\"undone_at\"] is not None:", "if False:",
        ON_IMPORT_RECORDS, "takes_back", "sqlite",
    ),
    Mistake(
        "imports: a choice of columns is remembered although nothing was imported",
        P_IMPORTS, "    if not dry_run:\n        remember_choice(", "    if True:\n        remember_choice(",
        ON_IMPORTS_COLUMNS, "on_request", "sqlite",
    ),
    Mistake(
        "imports: columns that are to be forgotten are used once more",
        P_FILES_TABLES, "{} if choices.forget_columns or remembered is None", "{} if remembered is None",
        ON_IMPORTS_COLUMNS, "on_request", "sqlite",
    ),
    Mistake(
        "imports: a choice of columns is remembered with a phone number in a name",
        P_FILES_COLUMNS, "any(mask_digits(each) != each for each in names)", "False",
        ON_IMPORTS_COLUMNS, "number_in_a_name", "sqlite",
    ),
    Mistake(
        "imports: an update changes a lead that is in several records",
        IMPORTS, "WHERE :is_update AND t.records > 1", "WHERE FALSE",
        ON_IMPORTS_UPDATE, "several_records", "sqlite",
    ),
    Mistake(
        "imports: an update sets a date that the file does not have",
        IMPORTS, "CASE WHEN :with_date THEN s.third ELSE w.date END", "s.third",
        ON_IMPORTS_UPDATE, "puts_back", "sqlite",
    ),
    Mistake(
        "T-SQL imports: an update sets a date that the file does not have",
        T_UPDATE_LEADS, "WHEN @with_date = 1\n", "WHEN 1 = 1\n",
        ON_IMPORTS_UPDATE, "puts_back", "sqlserver",
    ),
    Mistake(
        "T-SQL imports: an update does not wait for a run",
        T_UPDATE_LEADS, "    IF @lock < 0\n", "    IF @lock < -9\n",
        ON_IMPORTS_UPDATE, "waits_for_the_lock", "sqlserver",
    ),
    Mistake(
        "imports: anybody may import a file that another one uploaded",
        W_KEPT_FILES, "kept is None or kept.owner != owner", "kept is None",
        ON_WEB_IMPORTS_KEPT, "session_or_key_alone",
    ),
    Mistake(
        "imports: anybody may see the result of an import of another one",
        "src/agent_funnel/web/import_jobs.py", "if job is not None and job.owner == owner else None", "",
        "tests/web/test_import_jobs.py", "to_its_owner_alone",
    ),
    Mistake(
        "imports: the result of an import keeps its file",
        "src/agent_funnel/web/import_jobs.py", "clear_frames(part.__traceback__)", "pass",
        ON_WEB_IMPORTS_KEPT, "session_or_key_alone",
    ),
    Mistake(
        "imports: a limit of an agent who is yet to come is taken without a word on the page",
        "src/agent_funnel/web/import_models.py", 'new_agents: bool = Field(False,', 'new_agents: bool = Field(True,',
        "tests/web/test_imports_kinds.py", "order_of_their_dates",
    ),
    Mistake(
        "imports: a file is kept for ever",
        W_KEPT_FILES, "if kept.until > now}", "if True}",
        ON_WEB_IMPORTS_KEPT, "session_or_key_alone",
    ),
    Mistake(
        "imports: a file that is kept does not give its space back",
        W_KEPT_FILES, "    space.give_back(size)\n", "    pass\n",
        ON_WEB_IMPORTS_KEPT, "session_or_key_alone",
    ),
    Mistake(
        "imports: a file can be imported again while it is being imported",
        W_KEPT_FILES, "if not kept.in_use.acquire(blocking=False):", "if False:",
        ON_WEB_IMPORTS_KEPT, "not_imported_twice",
    ),
    Mistake(
        "imports: viewers see from which address a file came",
        W_REQUESTER, "address=None, sha256=None, file_name=", "sha256=None, file_name=",
        ON_WEB_IMPORT_RECORDS, "viewer",
    ),
    Mistake(
        "imports: viewers see the hash of a file, which gives the numbers of a short one away",
        W_REQUESTER, "sha256=None, file_name=", "file_name=",
        ON_WEB_ATTACKS_ON_MASKS, "depends_on_the_hidden_digits",
    ),
)  # fmt: skip
