"""Mistakes in the records of imports and their undo."""

from __future__ import annotations

from mistakes.places import (
    IMPORT_RECORDS,
    IMPORTS,
    ON_IMPORT_RECORDS,
    P_IMPORT_RECORDS,
    P_IMPORTS,
    T_IMPORTS,
    T_UNDO_IMPORT,
    W_REQUESTER,
    Mistake,
)

ON_WEB_IMPORT_RECORDS = "tests/web/test_import_records.py"

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
        T_UNDO_IMPORT, "HAVING COUNT(*) = 1", "HAVING COUNT(*) > 0",
        ON_IMPORT_RECORDS, "tables_of_others", "sqlserver",
    ),
    Mistake(
        "undo of an import: a number that was dealt since in another spelling is taken back",
        IMPORT_RECORDS, "AND k.match_key = undoable.match_key", "AND k.match_key = ''",
        ON_IMPORT_RECORDS, "takes_back", "sqlite",
    ),
    Mistake(
        "T-SQL undo of an import: a number that was dealt since in another spelling is taken back",
        T_UNDO_IMPORT, "OR match_key IN (", "OR N'' + match_key + N'x' IN (",
        ON_IMPORT_RECORDS, "takes_back", "sqlserver",
    ),
    Mistake(
        "undo of an import: a run before the import keeps a lead",
        IMPORT_RECORDS, "h.number = undoable.number AND h.run_id > coalesce(r.last_run_id, 0)",
        "h.number = undoable.number",
        ON_IMPORT_RECORDS, "before_the_import", "sqlite",
    ),
    Mistake(
        "undo of an import: a second one counts again",
        P_IMPORT_RECORDS, "if row[\"undone_at\"] is not None:", "if False:",
        ON_IMPORT_RECORDS, "takes_back", "sqlite",
    ),
    Mistake(
        "imports: viewers see from which address a file came",
        W_REQUESTER, "address=None, file_name=", "file_name=",
        ON_WEB_IMPORT_RECORDS, "viewer",
    ),
)  # fmt: skip
