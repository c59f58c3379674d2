"""Mistakes in Python below the service: repeated calls, spellings, masks, files and settings."""

from __future__ import annotations

from mistakes.places import (
    ON_BAD_ROWS,
    ON_CUT_CALLS,
    ON_DO_NOT_CONTACT_EXPORT,
    ON_EXPORTS,
    ON_EXPORTS_AGAIN,
    ON_IMPORTS,
    ON_LOST_CALLS,
    ON_NUMBERS,
    ON_POLLS,
    ON_RANGES,
    ON_SECRETS,
    ON_SETTINGS,
    P_AGENTS,
    P_DEAL,
    P_EXPORTS,
    P_FILES_CELLS,
    P_FILES_FORMULAS,
    P_FILES_TABLES,
    P_IMPORTS,
    P_LEADS,
    P_MASKING,
    P_NUMBERS,
    P_SETTINGS,
    P_SETTINGS_TYPES,
    P_SQLSERVER,
    P_VALUES,
    Mistake,
)

MISTAKES = (
    Mistake(
        "SQL Server: a read that was the victim of a deadlock fails",
        P_SQLSERVER, "if name not in reads(self.dialect) or", "if name in reads(self.dialect) or",
        ON_POLLS, "deadlock",
    ),
    Mistake(
        "deal: what broke is tried once",
        P_DEAL, "call, PoolChanged, DatabaseBusy, DatabaseNotReady, _NothingDone,",
        "call, PoolChanged, DatabaseNotReady,",
        ON_CUT_CALLS, "four_attempts", "sqlite",
    ),
    Mistake(
        "deal: what broke is tried five times",
        P_DEAL, "ATTEMPTS = 4", "ATTEMPTS = 5",
        ON_CUT_CALLS, "four_attempts", "sqlite",
    ),
    Mistake(
        "deal: a deal whose connection broke is made again without a question",
        P_DEAL, 'row = _ask_after_loss(lambda: database.one("run_of_request", request=request))', "row = None",
        ON_LOST_CALLS, "found_and_not_repeated",
    ),
    Mistake(
        "undo: an undo is sent again while it goes on",
        P_DEAL, '        _ask_after_loss(lambda: database.one("run_of_request", request="undo"))\n', "",
        ON_CUT_CALLS, "only_when_no_run",
    ),
    Mistake(
        "undo: an undo that happened is sent again",
        P_DEAL, 'row = _ask_after_loss(lambda: database.one("undone", run_id=run_id))', "row = None",
        ON_CUT_CALLS, "only_when_no_run",
    ),
    Mistake(
        "SQL Server: a stream is not read to its end",
        P_SQLSERVER, "            while cursor.nextset():\n                pass\n\n    def run_in_progress",
        "\n    def run_in_progress",
        ON_POLLS, "after_the_rows_of_a_stream",
    ),
    Mistake(
        "SQL Server: a silent server is asked again",
        P_SQLSERVER, "if not isinstance(ours, ConnectionLost) or NO_ANSWER in str(error):",
        "if not isinstance(ours, ConnectionLost):",
        ON_POLLS, "silent_server",
    ),
    Mistake(
        "SQL Server: a poll is not asked again after a restart",
        P_SQLSERVER, "if not isinstance(ours, ConnectionLost) or NO_ANSWER in str(error):", "if ours is not None:",
        ON_POLLS, "restarted",
    ),
    Mistake(
        "SQL Server: whatever is asked is asked again",
        P_SQLSERVER, "        if name in queries_with(self.dialect, \"polled\"):\n", "        if True:\n",
        ON_POLLS, "only_polled_queries",
    ),
    Mistake(
        "SQL Server: an old connection is not asked whether it is alive",
        P_SQLSERVER, "FRESH_SECONDS = 5.0", "FRESH_SECONDS = 500.0",
        ON_POLLS, "idle_for_a_while",
    ),
    Mistake(
        "SQL Server: an error after the rows is the next call's",
        P_SQLSERVER, "                if not cursor.nextset():\n                    break\n", "                break\n",
        ON_LOST_CALLS, "raised_by_the_same_call",
    ),
    Mistake(
        "limits: one more than the highest",
        P_AGENTS, "if not 0 <= max_records <= LARGEST_SHARE:", "if not 0 <= max_records <= LARGEST_SHARE + 1:",
        ON_RANGES, "to_the_ends_of_its_range", "sqlite",
    ),
    Mistake(
        "limits: it ends before it begins",
        P_AGENTS, "ends_on is not None and ends_on < starts_on:", "ends_on is not None and ends_on > starts_on:",
        ON_RANGES, "to_the_ends_of_its_range", "sqlite",
    ),
    Mistake(
        "limits: the last day of one does not count",
        P_AGENTS, "limit.ends_on >= on):", "limit.ends_on > on):",
        ON_RANGES, "limit_applies", "sqlite",
    ),
    Mistake(
        "limits: of equal ones the shortest is named",
        P_AGENTS, "-(limit.ends_on or date.max).toordinal()", "(limit.ends_on or date.max).toordinal()",
        ON_RANGES, "of_several_limits", "sqlite",
    ),
    Mistake(
        "texts: one character too many",
        P_VALUES, "or text_length(value) > LONGEST_TEXT:", "or text_length(value) > LONGEST_TEXT + 1:",
        ON_RANGES, "as_long_as_a_column", "sqlite",
    ),
    Mistake(
        "leads: the last day of a search is out",
        P_LEADS, "else date_to + timedelta(days=1)", "else date_to",
        ON_RANGES, "leads_of_a_day", "sqlite",
    ),
    Mistake(
        "leads: a number's history has one record too many",
        P_LEADS, "MOST_RECORDS = 1_000", "MOST_RECORDS = 1_001",
        ON_RANGES, "at_most_a_thousand_records", "sqlite",
    ),
    Mistake(
        "numbers: 00 stays before the country's code",
        P_NUMBERS, 'else plain.removeprefix("00")', "else plain",
        ON_NUMBERS, "without_its_separators",
    ),
    Mistake(
        "numbers: a slash is no separator",
        P_NUMBERS, r"[\s\-–()./]+", r"[\s\-–().]+",
        ON_NUMBERS, "without_its_separators",
    ),
    Mistake(
        "masks: four digits are shown",
        P_MASKING, "{number[-3:] if len(number) > 3 else ''}", "{number[-4:] if len(number) > 3 else ''}",
        ON_EXPORTS, "three_digits", "sqlite",
    ),
    Mistake(
        "exports: numbers are not masked",
        P_EXPORTS, 'last_digits if name == "number"', 'str if name == "number"',
        ON_EXPORTS, "three_digits", "sqlite",
    ),
    Mistake(
        "exports: a number in a reason is not masked",
        P_EXPORTS, "mask_digits if name in FREE_TEXTS", "str if name in FREE_TEXTS",
        ON_DO_NOT_CONTACT_EXPORT, "masked_export", "sqlite",
    ),
    Mistake(
        "exports: numbers for people lose their zeros in a spreadsheet",
        P_EXPORTS, "return f'=\"{number}\"' if PLAIN.fullmatch(number) else", "return",
        ON_EXPORTS_AGAIN, "spreadsheet_of_their_country", "sqlite",
    ),
    Mistake(
        "exports: a CSV file for people may have a formula",
        P_EXPORTS, "if PLAIN.fullmatch(number) else", "if number else",
        ON_EXPORTS_AGAIN, "no_formula_for_people", "sqlite",
    ),
    Mistake(
        "exports: dates lose their milliseconds",
        P_EXPORTS, '"milliseconds" if value.microsecond else "seconds"', '"seconds"',
        ON_EXPORTS_AGAIN, "exported_leads", "sqlite",
    ),
    Mistake(
        "do-not-contact: an exported number keeps its apostrophe",
        P_FILES_CELLS, "text = with_formula(text.strip())\n    if", "text = text.strip()\n    if",
        ON_DO_NOT_CONTACT_EXPORT, "imported_again", "sqlite",
    ),
    Mistake(
        "exports: a tab does not begin a formula",
        P_FILES_FORMULAS, r"(?=[=+\-@\t\r\n", r"(?=[=+\-@\r\n",
        ON_EXPORTS, "no_cell_is_a_formula", "sqlite",
    ),
    Mistake(
        "exports: whatever begins with a plus is a number",
        P_FILES_FORMULAS, 'PHONE = re.compile(r"\\+?[0-9]+")', 'PHONE = re.compile(r"\\+?.+")',
        ON_EXPORTS, "no_cell_is_a_formula", "sqlite",
    ),
    Mistake(
        "imports: a bad row is skipped without a word",
        P_IMPORTS, "_drop_unknown(session, table, tally)\n            if tally.bad_rows and not skip_bad:",
        "_drop_unknown(session, table, tally)\n            if tally.bad_rows and skip_bad:",
        ON_IMPORTS, "named_by_line_and_reason", "sqlite",
    ),
    Mistake(
        "imports: a number may have three digits",
        P_NUMBERS, "FEWEST_DIGITS = 4", "FEWEST_DIGITS = 2",
        ON_NUMBERS, "other_texts_are_refused",
    ),
    Mistake(
        "imports: a whole number is repeated in a message",
        P_FILES_TABLES, "(), mask_digits(values.reason))", "(), values.reason)",
        ON_IMPORTS, "named_by_line_and_reason", "sqlite",
    ),
    Mistake(
        "imports: a message names all bad rows",
        P_IMPORTS, "for row in bad[:20])", "for row in bad)",
        ON_BAD_ROWS, "twenty_bad_rows",
    ),
    Mistake(
        "settings: a window may last a whole day",
        P_SETTINGS_TYPES, "if duration >= timedelta(hours=24):", "if duration > timedelta(hours=24):",
        ON_SETTINGS, "bad_value",
    ),
    Mistake(
        "settings: a lock may be waited for longer than an hour",
        P_SETTINGS, "hours=1 if info.field_name", "hours=2 if info.field_name",
        ON_SETTINGS, "bad_value",
    ),
    Mistake(
        "settings: the cap may be 0",
        P_SETTINGS, "ge=1,\n        le=LARGEST_SHARE,", "ge=0,\n        le=LARGEST_SHARE,",
        ON_SETTINGS, "bad_value",
    ),
    Mistake(
        "settings: another time is the default",
        P_SETTINGS, "time(20, 40)", "time(20, 45)",
        ON_SETTINGS, "defaults",
    ),
    Mistake(
        "settings: a password is repeated",
        P_SETTINGS, 'SECRET_FIELDS = {"database_url", ', 'SECRET_FIELDS = {"x", ',
        ON_SECRETS, "shows_no_secret", "sqlite",
    ),
    Mistake(
        "undo: an undo of unknown outcome is sent again",
        P_DEAL,
        '_ask_after_loss(lambda: database.one("run_of_request", request="undo"))\n        row = ',
        "row = None and ",
        ON_CUT_CALLS, "unknown_outcome",
    ),
    Mistake(
        "undo: an undo is sent again while it waits on a real server",
        P_DEAL, '        _ask_after_loss(lambda: database.one("run_of_request", request="undo"))\n', "",
        ON_CUT_CALLS, "caller_is_cut_off", "sqlserver",
    ),
    Mistake(
        "SQL Server: the end of a stream is lost",
        P_SQLSERVER, "while rows := cursor.fetchmany(size):", "while len(rows := cursor.fetchmany(size)) == size:",
        ON_POLLS, "one_answer_in_chunks",
    ),
)  # fmt: skip
