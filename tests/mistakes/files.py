"""Mistakes in reading files: bytes, rows, columns and values."""

from __future__ import annotations

from mistakes.places import (
    IMPORTS,
    ON_FILES_COLUMNS,
    ON_FILES_DATES,
    ON_FILES_HOSTILE,
    ON_FILES_MUTATED,
    ON_FILES_NUMBERS,
    ON_FILES_TEXT,
    ON_FILES_WORKBOOKS,
    ON_IMPORTS,
    ON_IMPORTS_KEPT,
    ON_IMPORTS_LIMITS,
    ON_IMPORTS_NUMBERS,
    ON_IMPORTS_REJECTS,
    P_FILES_CELLS,
    P_FILES_COLUMNS,
    P_FILES_DATES,
    P_FILES_DELIMITED,
    P_FILES_SOURCES,
    P_FILES_SURVEYS,
    P_FILES_TABLES,
    P_FILES_TALLY,
    P_FILES_WORKBOOKS,
    P_IMPORTS,
    P_NUMBERS,
    T_IMPORTS,
    Mistake,
)

MISTAKES = (
    Mistake(
        "files: a title above the names of the columns is taken for them",
        "src/agent_funnel/files/delimited.py", "(is_alone and values > 1)", "False",
        "tests/unit/test_files_shapes.py", "title_above",
    ),
    Mistake(
        "files: the area code is put before a number that has its country",
        "src/agent_funnel/files/completion.py", 'and not text.startswith(("+", "00", "(", "="))', "",
        "tests/unit/test_files_shapes.py", "area_codes",
    ),
    Mistake(
        "files: a date of a column in UTC is taken as local",
        "src/agent_funnel/files/completion.py", 'given[in_utc] = f"{text} UTC"', "given[in_utc] = text",
        "tests/unit/test_files_shapes.py", "in_utc",
    ),
    Mistake(
        "files: the line of a row is that of its end",
        P_FILES_DELIMITED, "   yield line, fields\n", "   yield reader.line_num, fields\n",
        ON_IMPORTS, "several_lines", "sqlite",
    ),
    Mistake(
        "files: a row may be as long as it likes",
        P_FILES_DELIMITED, "if self.left < 0:", "if False:",
        ON_FILES_TEXT, "no_table",
    ),
    Mistake(
        "files: every row counts towards the length of the first",
        P_FILES_DELIMITED, "lines.left = LONGEST_ROW", "pass",
        ON_FILES_TEXT, "million_plain_characters",
    ),
    Mistake(
        "files: every backslash before a quotation mark is taken away",
        P_FILES_DELIMITED, "    return form\n\n\ndef begin", '    return replace(form, escape="\\\\")\n\n\ndef begin',
        ON_FILES_TEXT, "need_none",
    ),
    Mistake(
        "files: only the beginning of a text is looked at for its encoding",
        P_FILES_SOURCES, "        block = file.read(BLOCK)\n    try", "        block = b\"\"\n    try",
        ON_FILES_TEXT, "million_plain_characters",
    ),
    Mistake(
        "files: every text with one byte for a character is taken for that of Western Europe",
        P_FILES_SOURCES, "likely.discard(\"cp1252\")", "pass",
        ON_FILES_TEXT, "million_plain_characters",
    ),
    Mistake(
        "files: a web page is taken for a table",
        P_FILES_SOURCES, "if _HTML.match(plain):", "if False:",
        ON_FILES_TEXT, "no_table",
    ),
    Mistake(
        "files: a shifted row is read",
        P_FILES_TABLES, "count > width and any", "count < width and any",
        ON_FILES_TEXT, "shifted",
    ),
    Mistake(
        "files: of several columns the first one counts",
        P_FILES_SURVEYS, "key=partial(self._amount, field))", "key=lambda index: -index)",
        ON_FILES_COLUMNS, "most_values",
    ),
    Mistake(
        "files: a column of words in place of stages makes every row bad",
        P_FILES_SURVEYS, "and filled and not any(", "and filled and any(",
        ON_FILES_COLUMNS, "customer_database",
    ),
    Mistake(
        "files: an order of day and month is guessed",
        P_FILES_SURVEYS, "if dates.undecided is not None:\n            undecided", "if False:\n            undecided",
        ON_FILES_DATES, "asked_for",
    ),
    Mistake(
        "files: the first date of two kinds counts",
        P_FILES_SURVEYS, "if len(dates.decided) > 1:", "if False:",
        ON_FILES_DATES, "both_orders",
    ),
    Mistake(
        "files: a date with a zone is taken as it is",
        P_FILES_DATES, "moment.astimezone(zone).replace(tzinfo=None)", "moment.replace(tzinfo=None)",
        ON_FILES_DATES, "as_it_is_written",
    ),
    Mistake(
        "files: a date in a usual form has the day first",
        P_FILES_DATES, 'if order == "dmy" else (second, first)\n        try', "if order else ()\n        try",
        ON_FILES_DATES, "only_sooner",
    ),
    Mistake(
        "files: noon is midnight",
        P_FILES_DATES, "hour = hour % 12 +", "hour = hour +",
        ON_FILES_DATES, "as_it_is_written",
    ),
    Mistake(
        "files: a shortened number is filled up with zeros",
        P_FILES_CELLS, "if len(decimals.rstrip(\"0\")) < exponent - 2", "if len(decimals.rstrip(\"0\")) < 0",
        ON_FILES_NUMBERS, "shortened",
    ),
    Mistake(
        "files: a number of more digits than a workbook keeps is taken",
        P_FILES_WORKBOOKS, "if abs(cell) < EXACT else", "if abs(cell) < 10**30 else",
        ON_FILES_NUMBERS, "of_a_workbook",
    ),
    Mistake(
        "files: the zero in brackets stays in a number of a usual form",
        P_FILES_CELLS, 'and "(0)" not in text', "",
        ON_FILES_NUMBERS, "any_spelling",
    ),
    Mistake(
        "numbers: the zero in brackets stays in an imported number",
        P_NUMBERS, 'bare.replace("(0)", "")', "bare",
        ON_FILES_NUMBERS, "any_spelling",
    ),
    Mistake(
        "files: a cell that is far away from the others fills the memory",
        P_FILES_WORKBOOKS, "if bound.cells > MOST_CELLS:", "if False:",
        ON_FILES_WORKBOOKS, "at_most_as_many_cells",
    ),
    Mistake(
        "files: an empty cell counts as one with a value",
        P_FILES_WORKBOOKS, 'elif found["empty"] is None:', "else:",
        ON_FILES_WORKBOOKS, "empty_cells",
    ),
    Mistake(
        "files: a workbook may unpack to any size",
        P_FILES_WORKBOOKS, "if left < 0:", "if False:",
        ON_FILES_WORKBOOKS, "unpacks",
    ),
    Mistake(
        "files: entities are not looked for",
        P_FILES_WORKBOOKS, 'and b"<!DOCTYPE" in tail', 'and b"<!DOCTYPES" in tail',
        ON_FILES_WORKBOOKS, "entities",
    ),
    Mistake(
        "files: an archive may have any number of parts",
        P_FILES_SOURCES, "if _directory_size(file) > LARGEST_DIRECTORY:", "if False:",
        ON_FILES_HOSTILE, "hostile_workbook",
    ),
    Mistake(
        "files: a part may be packed in any way",
        P_FILES_WORKBOOKS, "if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):", "if False:",
        ON_FILES_HOSTILE, "hostile_workbook",
    ),
    Mistake(
        "files: a workbook may have any number of texts",
        P_FILES_WORKBOOKS, "bound.texts > MOST_TEXTS", "False",
        ON_FILES_HOSTILE, "hostile_workbook",
    ),
    Mistake(
        "files: only parts of usual names are taken for sheets",
        P_FILES_WORKBOOKS, "SHARED_STRINGS else _XlsxBound()",
        'SHARED_STRINGS else _XlsxBound() if part.startswith("xl/worksheets/") else None',
        ON_FILES_HOSTILE, "hostile_workbook",
    ),
    Mistake(
        "files: a line that is too long is named by the one before it",
        P_FILES_DELIMITED, "at = max(line, form.first_line", "at = max(1, form.first_line",
        ON_FILES_HOSTILE, "without_an_end",
    ),
    Mistake(
        "files: a hidden sheet is read first",
        P_FILES_WORKBOOKS, "key=lambda each: each.visible != SheetVisibleEnum.Visible", "key=lambda each: 0",
        ON_FILES_WORKBOOKS, "visible_sheet",
    ),
    Mistake(
        "imports: what the file does not say is a difference",
        P_IMPORTS, "int(field in table.columns)", "1",
        ON_IMPORTS_KEPT, "another_way", "sqlite",
    ),
    Mistake(
        "imports: another spelling is not said",
        IMPORTS, "is_respelled = staged_there.number <> s.first,", "is_respelled = 0,",
        ON_IMPORTS_KEPT, "another_way", "sqlite",
    ),
    Mistake(
        "T-SQL imports: another status is not said",
        T_IMPORTS, "CASE WHEN a.status <> a.wanted THEN 1", "CASE WHEN a.status <> a.wanted THEN 0",
        ON_IMPORTS_KEPT, "another_status", "sqlserver",
    ),
    Mistake(
        "imports: a number on a do-not-contact list is counted in its own spelling only",
        IMPORTS, "WHERE s.match_key IN (\n            SELECT k.match_key",
        "WHERE s.first IN (\n            SELECT d.number",
        ON_IMPORTS_KEPT, "any_spelling", "sqlite",
    ),
    Mistake(
        "imports: a repeated row is not among the bad rows of the file of them",
        P_FILES_TALLY, "if row.line in reasons:", "if row.line not in reasons:",
        ON_IMPORTS_REJECTS, "as_they_were", "sqlite",
    ),
    Mistake(
        "files: an error of the reader of workbooks is not caught",
        P_FILES_WORKBOOKS, "except (CalamineError, OSError, ValueError)", "except (OSError, ValueError)",
        ON_FILES_MUTATED, "changed_part",
    ),
    Mistake(
        "imports: an agent of another case gets the status of the file",
        IMPORTS, "WHERE agents.agent = t.agent COLLATE BINARY", "WHERE agents.agent = t.agent COLLATE NOCASE",
        ON_IMPORTS_KEPT, "no_others", "sqlite",
    ),
    Mistake(
        "imports: the match key of a lead that is gone is kept",
        IMPORTS, "WHERE EXISTS (SELECT 1 FROM wafunnel AS w WHERE w.number = n.first COLLATE BINARY)", "WHERE TRUE",
        ON_IMPORTS_NUMBERS, "leaves_none", "sqlite",
    ),
    Mistake(
        "imports: match keys that cannot be kept hide an import that was made",
        P_IMPORTS, "        if imported is None:\n            raise\n", "        raise\n",
        ON_IMPORTS_NUMBERS, "cannot_be_kept", "sqlite",
    ),
    Mistake(
        "imports: limits of other days are repeated ones",
        IMPORTS, "SET match_key = first || ' ' || third", "SET match_key = first",
        ON_IMPORTS_LIMITS, "as_people_have_it", "sqlite",
    ),
    Mistake(
        "imports: a limit holds for nobody, and nobody says so",
        P_IMPORTS, 'if kind == "limits" and not new_agents:', "if False:",
        ON_IMPORTS_LIMITS, "are_named", "sqlite",
    ),
    Mistake(
        "files: only the dates of one column show the order of day and month",
        P_FILES_COLUMNS, 'DATE_FIELDS = ("date", "day", "starts_on", "ends_on", "call_back_on")',
        'DATE_FIELDS = ("date", "day", "starts_on", "call_back_on")',
        ON_IMPORTS_LIMITS, "either_column", "sqlite",
    ),
    Mistake(
        "imports: agents get another status without being asked",
        P_IMPORTS, "update=_columns_of(table) if update else None", "update=_columns_of(table)",
        ON_IMPORTS_KEPT, "another_status", "sqlite",
    ),
)  # fmt: skip
