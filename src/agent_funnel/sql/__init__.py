"""The SQL texts: text in, text out, no database.

A query has a name, a sentence and a body. Short ones stand together in a file such as `<dialect>/queries.sql`, each
below a line `-- name: …`; a long one has a file of its own, whose stem is its name. A line `-- include: …` stands for
another file.
"""

from __future__ import annotations

import re
import sqlite3
from functools import cache
from hashlib import sha256
from importlib.resources import files

# Files that are installed, not asked for by name:
INSTALLED = re.compile(r"tables-\d+|grants|sp_\w+")


@cache
def queries(dialect: str) -> dict[str, str]:
    """Each query of a dialect (`sqlite` or `sqlserver`) by its name."""
    texts = scripts(dialect)
    found: dict[str, str] = {}
    included: set[str] = set()

    def include(line: re.Match[str]) -> str:
        included.add(line[1])
        return texts[line[1]]

    for stem, text in texts.items():
        parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
        if len(parts) > 1:
            found |= dict(zip(parts[1::2], parts[2::2], strict=True))
        elif not INSTALLED.fullmatch(stem):
            found[stem] = re.sub(r"^-- include: (\w+)\n", include, text, flags=re.MULTILINE)
    return {name: text for name, text in found.items() if name not in included}


@cache
def scripts(dialect: str) -> dict[str, str]:
    """Each file of a dialect by its stem, in the order of their names."""
    paths = sorted((files(__name__) / dialect).iterdir(), key=lambda path: path.name)
    return {path.name.removesuffix(".sql"): path.read_text("utf-8") for path in paths if path.name.endswith(".sql")}


def tables(dialect: str) -> frozenset[str]:
    """The tables that the scripts of a dialect make."""
    texts = (text for stem, text in scripts(dialect).items() if stem.startswith("tables-"))
    return frozenset(
        name for text in texts for name in re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(?:dbo\.)?(\w+)", text)
    )


def version(dialect: str) -> int:
    """The version of the tables that the scripts of a dialect make: the number of the last one."""
    return max(int(stem.removeprefix("tables-")) for stem in scripts(dialect) if stem.startswith("tables-"))


def procedures(dialect: str) -> dict[str, str]:
    """The script of each stored procedure of a dialect, by its name."""
    return {stem: text for stem, text in scripts(dialect).items() if stem.startswith("sp_")}


def grants(dialect: str) -> list[tuple[str, str, str]]:
    """What the scripts of a dialect grant to the service: the statement, the right and the object."""
    return re.findall(r"(GRANT ([A-Z ]+) ON dbo\.(\w+) TO \w+;)", scripts(dialect).get("grants", ""))


def checksum(text: str) -> str:
    """What tells a text from any other one."""
    return sha256(text.encode()).hexdigest()


def batches(text: str) -> list[str]:
    """The batches of a T-SQL script, which lines with nothing but GO set apart."""
    parts = re.split(r"^\s*GO\s*$", text, flags=re.MULTILINE | re.IGNORECASE)
    return [part.strip() for part in parts if part.strip()]


@cache
def statements(text: str) -> list[str]:
    """The statements of an SQLite script, without the comments between them; the list is kept, so leave it as it is."""
    found: list[str] = []
    begun = ""
    for line in text.splitlines(keepends=True):
        if not begun and (not line.strip() or line.startswith("--")):
            continue
        begun += line
        if sqlite3.complete_statement(begun):
            found.append(begun.strip())
            begun = ""
    if begun.strip():
        raise ValueError(f"the script ends within a statement: {begun.strip()[:60]!r}")
    return found


def in_schema(text: str, schema: str) -> str:
    """A T-SQL script, written for the schema `dbo`, for another schema."""
    return re.sub(r"\bdbo\.", f"{schema}.", text)
