"""Loads the SQL: text in, text out, no database.

A query is a part of a file under `<dialect>/`: a name, headers if it has any, a sentence and a body.

    -- name: mark_purge
    -- lock: records
    -- busy: A run is still in progress; nothing was purged. Try again when the run has ended.
    -- Marks the runs whose history a purge removes.
    INSERT INTO …;

    -- name: deal_version
    -- traits: polled
    -- The version of the deal.
    SELECT …;

`lock` wraps the body in the dialect's frame `_lock`, a transaction that holds this lock; `busy` is the error message if
the lock is not free in time. `traits` say how the query is run: see Trait. `parameters` declares the parameters of a
T-SQL query that is sent through sp_executesql, as its text and its values apart, so that the server makes one plan for
all values; the body names them as @name. A line `-- include: _part` inserts another
part without its sentence. A part whose name begins with an underscore can be included, but not called.

A file without named parts is a script, which `install` runs as a whole.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from textwrap import indent
from typing import Literal, get_args

from agent_funnel.sql.reserved import RESERVED_WORDS

Trait = Literal[
    "run",  # makes a run or undoes one: one at a time, and a long wait is logged
    "polled",  # many clients ask it all day: it reuses a connection without a check
    "read-only",  # it writes only temporary tables: it takes no write lock
    "no-wait",  # it is not important enough to wait for another writer
]
TRAITS: tuple[str, ...] = get_args(Trait)
# The locks, each with the suffix that it adds to the name of the lock that runs take:
LOCKS = {"records": ":records", "agents": ":agents", "keys": ":keys", "links": ":links", "pauses": ":pauses"}

NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
HEADER = re.compile(r"-- ([a-z]+): (.+)\n")
INCLUDE = re.compile(r"^( *)-- include: (\w+)\n", re.MULTILINE)
# T-SQL's temporary tables and table variables are no business of anybody else.
WRITES = re.compile(r"\bEXECUTE\b|\b(?:INSERT INTO|INSERT(?! INTO)|UPDATE|DELETE FROM|DELETE(?! FROM))\s+(?![@#\s])")
COMMENT = re.compile(r"(--(?! include: ).*\n)*")


@dataclass(frozen=True)
class Query:
    """A named query. Its subject is its file or folder; the text begins with its sentence."""

    name: str
    subject: str
    text: str
    traits: frozenset[str] = frozenset()
    lock: str | None = None
    parameters: str | None = None


@dataclass(frozen=True)
class _Part:
    """A named part of a file, before anything is included in it."""

    name: str
    path: str
    sentence: str
    body: str
    headers: dict[str, str] = field(default_factory=dict)


@cache
def queries(dialect: str) -> dict[str, str]:
    """The text of each query of a dialect (`sqlite` or `sqlserver`), by its name."""
    return {name: query.text for name, query in catalog(dialect).items()}


@cache
def queries_with(dialect: str, trait: Trait) -> frozenset[str]:
    """The names of the queries of a dialect that have a trait."""
    return frozenset(name for name, query in catalog(dialect).items() if trait in query.traits)


@cache
def reads(dialect: str) -> frozenset[str]:
    """The names of the queries of a dialect that only read, so that one that failed can be made again."""
    return frozenset(
        name
        for name, query in catalog(dialect).items()
        if "read-only" in query.traits or not WRITES.search(re.sub(r"--.*", "", query.text))
    )


@cache
def catalog(dialect: str) -> dict[str, Query]:
    """Each query of a dialect, by its name."""
    return parse(sources(dialect))


def parse(texts: Mapping[str, str]) -> dict[str, Query]:
    """Reads the queries of these files, which are given by path without the suffix; returns them by name.

    Raises ValueError for a header, trait or lock that is not known, a name that is taken, and an include that leads
    nowhere, to a query or to itself.
    """
    parts: dict[str, _Part] = {}
    for part in (part for path, text in texts.items() for part in _parts(path, text)):
        if part.name in parts:
            raise ValueError(f"{part.path}: the name {part.name} is taken by {parts[part.name].path}")
        parts[part.name] = part
    return {name: _query(part, parts) for name, part in parts.items() if not name.startswith("_")}


def _parts(path: str, text: str) -> list[_Part]:
    """The named parts of a file; the text before the first one is for readers."""
    _, *found = NAME.split(text)
    return [_part(path, name, rest) for name, rest in zip(found[::2], found[1::2], strict=True)]


def _part(path: str, name: str, text: str) -> _Part:
    headers: dict[str, str] = {}
    while header := HEADER.match(text):
        headers[header[1]] = header[2]
        text = text[header.end() :]
    allowed = set() if name.startswith("_") else {"lock", "busy", "traits", "parameters"}
    if unknown := set(headers) - allowed:
        raise ValueError(f"{path}: {name} has unknown headers: {', '.join(sorted(unknown))}")
    sentence = COMMENT.match(text)
    assert sentence is not None  # it matches the empty text, too
    return _Part(name, path, sentence[0], text[sentence.end() :].strip("\n") + "\n", headers)


def _query(part: _Part, parts: Mapping[str, _Part]) -> Query:
    traits = frozenset(part.headers["traits"].split(", ")) if "traits" in part.headers else frozenset()
    if unknown := traits - set(TRAITS):
        raise ValueError(f"{part.path}: {part.name} has unknown traits: {', '.join(sorted(unknown))}")
    lock, busy = part.headers.get("lock"), part.headers.get("busy")
    if (lock is None) != (busy is None) or (lock is not None and lock not in LOCKS):
        raise ValueError(f"{part.path}: {part.name} needs a known lock and a message for when it is busy, or neither")
    body = _included(part, parts, ())
    if lock is not None and busy is not None:
        body = _locked(part, body, lock, busy, parts)
    parameters = part.headers.get("parameters")
    return Query(part.name, part.path.split("/")[0], part.sentence + body, traits, lock, parameters)


def _included(part: _Part, parts: Mapping[str, _Part], within: tuple[str, ...]) -> str:
    """The body of a part, with what it includes."""

    def insert(line: re.Match[str]) -> str:
        margin, name = line.groups()
        if name not in parts or not name.startswith("_") or name in (part.name, *within):
            raise ValueError(f"{part.path}: {part.name} cannot include {name}")
        return indent(_included(parts[name], parts, (*within, part.name)), margin)

    return INCLUDE.sub(insert, part.body)


def _locked(part: _Part, body: str, lock: str, busy: str, parts: Mapping[str, _Part]) -> str:
    """A body in the frame of the queries that take a lock."""
    if "_lock" not in parts:
        raise ValueError(f"{part.path}: {part.name} has a lock, and this dialect has no frame for locks")
    frame = _included(parts["_lock"], parts, ())
    frame = frame.replace("<lock>", LOCKS[lock]).replace("<busy>", busy.replace("'", "''"))
    before, after = frame.split("    -- body\n")
    return before + indent(body, "    ") + after


@cache
def scripts(dialect: str) -> dict[str, str]:
    """Each script of a dialect by its stem, in the order of the paths: tables, procedures and grants."""
    return {path.split("/")[-1]: text for path, text in sources(dialect).items() if not NAME.search(text)}


def sources(dialect: str) -> dict[str, str]:
    """Each file of a dialect by its path without the suffix, in the order of the paths."""
    return dict(sorted(_walk(files(__name__) / dialect)))


def _walk(folder: Traversable, prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in folder.iterdir():
        if path.is_dir():
            found += _walk(path, f"{prefix}{path.name}/")
        elif path.name.endswith(".sql"):
            found.append((prefix + path.name.removesuffix(".sql"), path.read_text("utf-8")))
    return found


def tables(dialect: str) -> frozenset[str]:
    """The names of the tables that the scripts of a dialect create."""
    texts = (text for stem, text in scripts(dialect).items() if stem.startswith("tables-"))
    return frozenset(
        name for text in texts for name in re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(?:dbo\.)?(\w+)", text)
    )


def views(dialect: str) -> frozenset[str]:
    """The names of the views that the scripts of a dialect create."""
    return frozenset(stem.removeprefix("vw_") for stem in scripts(dialect) if stem.startswith("vw_"))


def version(dialect: str) -> int:
    """The version of the tables of a dialect: the number of the last script that creates tables."""
    return max(map(_table_version, scripts(dialect)))


def procedures(dialect: str) -> dict[str, str]:
    """The script of each stored procedure of a dialect, by its name."""
    return {stem: text for stem, text in scripts(dialect).items() if stem.startswith("sp_")}


def functions(dialect: str) -> dict[str, str]:
    """The script of each function of a dialect, by its name."""
    return {stem: text for stem, text in scripts(dialect).items() if stem.startswith("fn_")}


def routines(dialect: str) -> dict[str, str]:
    """The script of each function and stored procedure of a dialect, by its name."""
    return functions(dialect) | procedures(dialect)


def installation(dialect: str) -> list[str]:
    """The names of the scripts that an installation runs, in their order."""
    kinds = ("tables-", "vw_", "fn_", "sp_", "grants")
    stems = sorted(scripts(dialect), key=_table_version)
    return [stem for kind in kinds for stem in stems if stem.startswith(kind)]


def _table_version(stem: str) -> int:
    """The version of the tables that a script makes; 0 for other scripts."""
    return int(stem.split("-")[1]) if stem.startswith("tables-") else 0


def grants(dialect: str) -> list[tuple[str, str, str]]:
    """The grants to the service in the scripts of a dialect: each as statement, right and object."""
    return re.findall(r"(GRANT ([A-Z ]+) ON dbo\.(\w+) TO \w+;)", scripts(dialect).get("grants", ""))


def checksum(text: str) -> str:
    """The checksum of a text."""
    return sha256(text.encode()).hexdigest()


def batches(text: str) -> list[str]:
    """The batches of a T-SQL script, which are separated by lines that contain only GO."""
    parts = re.split(r"^\s*GO\s*$", text, flags=re.MULTILINE | re.IGNORECASE)
    return [part.strip() for part in parts if part.strip()]


@cache
def statements(text: str) -> list[str]:
    """The statements of an SQLite script, without the comments between them. The list is cached: do not change it."""
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


def parameterised(text: str, parameters: str) -> str:
    """A T-SQL batch that sends a text and its values apart; the driver puts in only the values."""
    names = re.findall(r"@(\w+) ", parameters)
    values = ", ".join(f"@{name} = %({name})s" for name in names)
    quoted = text.replace("'", "''")
    return f"EXECUTE sp_executesql N'{quoted}', N'{parameters}', {values};"


def in_schema(text: str, schema: str) -> str:
    """Adapts a T-SQL script, which is written for the schema `dbo`, to another schema."""
    name = f"[{schema}]" if schema.lower() in RESERVED_WORDS else schema
    return re.sub(r"\bdbo\.", f"{name}.", text)
