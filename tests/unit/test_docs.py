"""The docs agree with the code, their links lead somewhere, and their lines are wrapped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from agent_funnel.settings import Settings, variable
from agent_funnel.sql import grants, installation, routines, scripts, tables, views
from support import api_page, settings_page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "deploy").glob("*.md")])
YOUR_TABLES = {"agents", "wafunnel", "agent_wafunnel_assignment"}
# Lines of Markdown that end a paragraph: a heading, a table, a list item, a quotation, HTML, a blank line.
NOT_PROSE = re.compile(r"\s*(#|\||<|>|$)")
ITEM = re.compile(r"\s*([-*]|\d+\.) ")
# A word, or `code` with its blanks:
WORD = re.compile(r"`[^`]+`\S*|\S+")
# The kinds of objects, as SqlPackage calls them; an index goes and stays with its table:
SQLPACKAGE = {
    "TABLE": "Tables",
    "VIEW": "Views",
    "FUNCTION": "ScalarValuedFunctions",
    "PROCEDURE": "StoredProcedures",
    "ROLE": "DatabaseRoles",
    "GRANT": "Permissions",
}
# The rows of the page of access for each rate of requests, and for each kind of places:
RATES = {
    "runs": "runs and undos, by the API and the pages",
    "test messages": "test messages, on the page *Notices*",
    "sign-ins": "attempts to sign in, from an address",
    "wrong key": "wrong keys, from an address",
    "wrong link": "wrong links, from an address",
}
PLACES = {
    "exports": "exports in the making",
    "imports": "imports",
    "previews": "previews, and results by the API",
    "reports": "reports of outcomes, and hand-backs",
}
LONGEST_LINE = 120
# A line of a paragraph ends only where its next word would pass this column:
SHORTEST_LINE = 100

page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def section(title: str) -> str:
    """A section of the DBA's page."""
    text = (DOCS / "howto" / "sql-server.md").read_text("utf-8")
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def without_code(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", without_code(path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def paragraphs(path: Path) -> Iterator[list[str]]:
    """The lines of each paragraph and list item of a page."""
    lines: list[str] = []
    for line in without_code(path.read_text("utf-8")).splitlines():
        if NOT_PROSE.match(line) or ITEM.match(line):
            yield lines
            lines = []
        if not NOT_PROSE.match(line):
            lines.append(line)
    yield lines


def names(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def rows(text: str) -> list[list[str]]:
    """The cells of each row of a table, without its header."""
    lines = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in cells] for cells in lines[1:]]


def test_every_table_has_a_place_in_the_reference() -> None:
    headings = re.findall(r"^### `(\w+)`$", (DOCS / "reference" / "tables.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(tables("sqlserver"))


def test_every_object_is_on_the_dbas_page() -> None:
    objects = {re.sub(r"\(.*?\)", "", cells[0]) for cells in rows(section("Every object"))}
    assert set().union(*map(names, objects)) == (
        tables("sqlserver") | views("sqlserver") | set(routines("sqlserver")) | {"agent_funnel_service"}
    )


def test_removing_it_all_leaves_your_three_tables_and_nothing_else() -> None:
    dropped = set(re.findall(r"dbo\.(\w+)", section("Remove it all")))
    assert dropped == tables("sqlserver") - YOUR_TABLES | views("sqlserver") | set(routines("sqlserver"))


def test_a_dacpac_is_asked_to_keep_every_kind_of_object_that_is_installed() -> None:
    page_text = (DOCS / "howto" / "sql-server-care.md").read_text("utf-8")
    kept = re.search(r"DoNotDropObjectTypes=([\w;]+)", page_text)
    assert kept
    installed = [scripts("sqlserver")[stem] for stem in installation("sqlserver")]
    kinds = {kind for text in installed for kind in re.findall(r"\bCREATE (?!INDEX|UNIQUE|CLUSTERED)([A-Z]+) ", text)}
    assert "RETURNS TABLE" not in "".join(installed), "that would be a kind of function of its own"
    # The service's user is a member of the role.
    assert set(kept[1].split(";")) == {SQLPACKAGE[kind] for kind in {*kinds, "GRANT"}} | {"RoleMembership"}


def test_the_rights_on_the_page_are_those_that_are_granted() -> None:
    documented = {
        (right, name)
        for objects, rights, _ in rows(section("The least rights"))
        for name in names(objects) or set(routines("sqlserver"))
        for right in rights.split(", ")
    }
    of_a_column = ("UPDATE of the column `trigger`", "assignment_run")
    assert documented - {of_a_column} == {(right, name) for _, right, name in grants("sqlserver")}
    assert of_a_column in documented
    assert "GRANT UPDATE ([trigger]) ON dbo.assignment_run TO" in scripts("sqlserver")["grants"]


def test_the_reference_of_the_api_is_made_from_the_service() -> None:
    assert (DOCS / "reference" / "api.md").read_text("utf-8") == api_page.text(), "`make docs` updates it"


def test_the_reference_of_the_settings_is_made_from_their_fields() -> None:
    text = (DOCS / "reference" / "settings.md").read_text("utf-8")
    assert text == settings_page.text(), "`make docs` updates it"
    headings = re.findall(r"^### `(\w+)`$", text, re.MULTILINE)
    assert sorted(headings) == sorted(map(variable, Settings.model_fields))


def test_every_limit_on_requests_is_on_the_page_of_access() -> None:
    limits = (DOCS / "howto" / "access.md").read_text("utf-8").split("\n## Limits\n", 1)[1]
    shown = {what: amount for what, amount, *_ in rows(limits)}
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src" / "agent_funnel" / "web").rglob("*.py"))
    rates = re.findall(r"\bRate\(\s*\"([^\"]+)\", \"(\d+) per minute\"", code)
    assert {name for name, _ in rates} == RATES.keys()
    for name, count in rates:
        assert shown[RATES[name]].startswith(f"{count} a minute"), name
    places = re.findall(r"(\w+)=Places\(\s*([A-Z_]+)", code)
    assert {name for name, _ in places} == PLACES.keys()
    for name, constant in places:
        (count,) = re.findall(rf"^{constant} = (\d+)$", code, re.MULTILINE)
        assert re.match(rf"{count}\b", shown[PLACES[name]]), name


def test_every_page_is_in_the_index() -> None:
    listed = set(re.findall(r"\]\(([^)#]+\.md)\)", (DOCS / "README.md").read_text("utf-8")))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - {"README.md"}
    assert pages - listed == set()


@page
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text("utf-8")))
    for link in links:
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@page
def test_lines_are_wrapped(path: Path) -> None:
    if path == DOCS / "reference" / "api.md":
        pytest.skip("its lists are made by a program")
    for lines in paragraphs(path):
        for line, following in pairwise([*lines, ""]):
            assert len(line) <= LONGEST_LINE or len(line.split()) == 1
            next_word = WORD.match(following.lstrip())
            assert next_word is None or len(f"{line} {next_word[0]}") > SHORTEST_LINE, f"{line!r} ends early"
