"""Mistakes in reading files: bytes, rows, columns and values."""

from __future__ import annotations

from mistakes.places import (
    ON_FILES_COLUMNS,
    ON_FILES_DATES,
    ON_FILES_NUMBERS,
    ON_FILES_TEXT,
    ON_FILES_WORKBOOKS,
    ON_IMPORTS,
    P_FILES_CELLS,
    P_FILES_DATES,
    P_FILES_DELIMITED,
    P_FILES_SOURCES,
    P_FILES_SURVEYS,
    P_FILES_TABLES,
    P_FILES_WORKBOOKS,
    P_NUMBERS,
    Mistake,
)

MISTAKES = (
    Mistake(
        "files: the line of a row is that of its end",
        P_FILES_DELIMITED, "   yield line, fields\n", "   yield reader.line_num, fields\n",
        ON_IMPORTS, "several_lines", "sqlite",
    ),
    Mistake(
        "files: a row may be as long as it likes",
        P_FILES_DELIMITED, "if self._left < 0:", "if False:",
        ON_FILES_TEXT, "no_table",
    ),
    Mistake(
        "files: every row counts towards the length of the first",
        P_FILES_DELIMITED, "        self._left = LONGEST_ROW\n\n\n@dataclass", "        pass\n\n\n@dataclass",
        ON_FILES_TEXT, "million_plain_characters",
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
        P_FILES_SURVEYS, "key=lambda index: self._values[index])", "key=lambda index: -index)",
        ON_FILES_COLUMNS, "most_values",
    ),
    Mistake(
        "files: a column of words in place of stages makes every row bad",
        P_FILES_SURVEYS, "and filled and not any(", "and filled and any(",
        ON_FILES_COLUMNS, "customer_database",
    ),
    Mistake(
        "files: an order of day and month is guessed",
        P_FILES_SURVEYS, "if dates.undecided is not None:\n            raise", "if False:\n            raise",
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
        "numbers: the zero in brackets stays in an imported number",
        P_NUMBERS, 'bare.replace("(0)", "")', "bare",
        ON_FILES_NUMBERS, "any_spelling",
    ),
    Mistake(
        "files: a cell that is far away from the others fills the memory",
        P_FILES_WORKBOOKS, "if bound.cells > MOST_CELLS:", "if False:",
        ON_FILES_WORKBOOKS, "repeated_rows",
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
        P_FILES_WORKBOOKS, 'if b"<!DOCTYPE" in tail', 'if b"<!DOCTYPES" in tail',
        ON_FILES_WORKBOOKS, "entities",
    ),
    Mistake(
        "files: a hidden sheet is read first",
        P_FILES_WORKBOOKS, "key=lambda each: each.visible != SheetVisibleEnum.Visible", "key=lambda each: 0",
        ON_FILES_WORKBOOKS, "visible_sheet",
    ),
)  # fmt: skip
