"""Files of people, for the tests of what is read of them."""

from __future__ import annotations

import io
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from agent_funnel.files.tables import Choices, Understood, open_table

# The sales floor of these tests, and its day:
FLOOR = ZoneInfo("America/Sao_Paulo")
TODAY = date(2026, 11, 26)


def read(content: str | bytes, kind: str = "leads", **chosen: Any) -> tuple[Understood, list[tuple[int, Any]]]:
    """What is understood of a file, and of each row its line and its values, or the reason of its fault."""
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    with open_table(file, kind, "file", Choices(**chosen), zone=FLOOR, today=TODAY) as table:
        return table.understood, [(row.line, row.fault or row.values) for row in table.rows()]


def leads_in(content: str | bytes, **chosen: Any) -> list[Any]:
    """The values of the leads of a file, or the reasons of their faults."""
    return [values for _, values in read(content, **chosen)[1]]


def workbook(*rows: list[Any], title: str = "Leads", **others: list[list[Any]]) -> bytes:
    """A workbook (XLSX) with these rows on its first sheet; `others` are more sheets by their titles."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for name, more in others.items():
        other = book.create_sheet(name)
        for row in more:
            other.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
