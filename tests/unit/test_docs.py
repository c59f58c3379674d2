"""What the pages say is there is what is there."""

from __future__ import annotations

import re
from pathlib import Path

from agent_funnel.settings import Settings
from agent_funnel.sql import grants, procedures, tables
from support.api_page import text

DOCS = Path(__file__).parents[2] / "docs"
BRIEFS = {"agents", "wafunnel", "agent_wafunnel_assignment"}


def section(title: str) -> str:
    """A section of the DBA's page."""
    text = (DOCS / "howto" / "sql-server.md").read_text("utf-8")
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def names(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def rows(text: str) -> list[list[str]]:
    """The cells of the rows of a table, its head aside."""
    lines = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in cells] for cells in lines[1:]]


def test_every_table_has_a_place_in_the_reference() -> None:
    headings = re.findall(r"^### `(\w+)`$", (DOCS / "reference" / "tables.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(tables("sqlserver"))


def test_every_object_is_on_the_page_of_the_dba() -> None:
    objects = {re.sub(r"\(.*?\)", "", cells[0]) for cells in rows(section("Every object"))}
    assert set().union(*map(names, objects)) == (
        tables("sqlserver") | set(procedures("sqlserver")) | {"agent_funnel_service"}
    )


def test_the_way_to_remove_it_all_leaves_the_three_tables_and_nothing_else() -> None:
    dropped = set(re.findall(r"dbo\.(\w+)", section("Remove it all")))
    assert dropped == tables("sqlserver") - BRIEFS | set(procedures("sqlserver"))


def test_the_rights_on_the_page_are_those_that_are_granted() -> None:
    told = {
        (right, name)
        for objects, rights, _ in rows(section("The least rights"))
        for name in names(objects) or set(procedures("sqlserver"))
        for right in rights.split(", ")
    }
    assert told == {(right, name) for _, right, name in grants("sqlserver")}


def test_the_page_of_the_api_is_that_of_the_service() -> None:
    assert (DOCS / "reference" / "api.md").read_text("utf-8") == text(), "make docs writes it anew"


def test_every_setting_has_a_heading() -> None:
    headings = re.findall(r"^### `(\w+)`$", (DOCS / "reference" / "settings.md").read_text("utf-8"), re.MULTILINE)
    names = {
        "FUNNEL_SCHEMA" if name == "database_schema" else f"FUNNEL_{name.upper()}" for name in Settings.model_fields
    }
    assert sorted(headings) == sorted(names)
