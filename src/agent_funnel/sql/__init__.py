"""The SQL texts: text in, text out, no database.

A query has a name, a sentence and a body. Short ones stand together in `<dialect>/queries.sql`, each below a line
`-- name: …`; a long one has a file of its own, whose stem is its name.
"""

from __future__ import annotations

import re
import sqlite3
from functools import cache
from importlib.resources import files

# Files that are installed, not asked for by name:
INSTALLED = re.compile(r"tables-\d+|grants|sp_\w+")


@cache
def queries(dialect: str) -> dict[str, str]:
    """Each query of a dialect (`sqlite` or `sqlserver`) by its name."""
    found: dict[str, str] = {}
    for stem, text in scripts(dialect).items():
        if stem == "queries":
            parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
            found |= dict(zip(parts[1::2], parts[2::2], strict=True))
        elif not INSTALLED.fullmatch(stem):
            found[stem] = text
    return found


@cache
def scripts(dialect: str) -> dict[str, str]:
    """Each file of a dialect by its stem, in the order of their names."""
    paths = sorted((files(__name__) / dialect).iterdir(), key=lambda path: path.name)
    return {path.name.removesuffix(".sql"): path.read_text("utf-8") for path in paths if path.name.endswith(".sql")}


def batches(text: str) -> list[str]:
    """The batches of a T-SQL script, which lines with nothing but GO set apart."""
    parts = re.split(r"^\s*GO\s*$", text, flags=re.MULTILINE | re.IGNORECASE)
    return [part.strip() for part in parts if part.strip()]


def statements(text: str) -> list[str]:
    """The statements of an SQLite script, without the comments between them."""
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
