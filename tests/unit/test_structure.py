"""The structure of the code: whose queries a module asks, how long modules are, and what names mean."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import agent_funnel
from agent_funnel.sql import catalog

PACKAGE = Path(agent_funnel.__file__).parent
TESTS = Path(__file__).parents[1]
# The methods of a database and of its sessions that take the name of a query:
ASK = {"one", "all", "sets", "stream"}
# A module asks the queries of the SQL file or folder of its own name; in a package, of the package's name. Except:
SUBJECTS = {
    # The doctor shows remedies, which are statements for a person to run.
    "doctor": {"doctor", "remedies"},
}
# In these packages each module has a subject, instead of the package:
COLLECTIONS = {"access"}
LONGEST = 400


def modules(*roots: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module below these directories: its path from the directory that holds them, and its syntax tree."""
    for root in roots:
        for path in sorted(root.rglob("*.py")):
            yield path.relative_to(root.parent).as_posix(), parsed(path)


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text("utf-8"))


def subjects_of(path: str) -> set[str]:
    """The subjects of a module, which are the names of SQL files or folders."""
    module = Path(path).relative_to("agent_funnel").with_suffix("")
    package, *rest = module.parts
    if (listed := SUBJECTS.get(module.as_posix()) or SUBJECTS.get(package)) is not None:
        return listed
    return set(rest) if package in COLLECTIONS else {package}


def pattern_of(node: ast.expr) -> str | None:
    """A pattern for the texts that a string or an f-string can be; None for other expressions."""
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.JoinedStr(values=parts):
            return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in parts)
    return None


def queries_asked(tree: ast.Module) -> Iterator[str]:
    """A pattern for the query of each call that names one; an f-string may mean several queries."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASK and node.args:
            pattern = pattern_of(node.args[0])
            if pattern is not None:
                yield pattern


@pytest.mark.parametrize("dialect", ["sqlite", "sqlserver"])
def test_a_module_asks_only_the_queries_of_its_own_subject(dialect: str) -> None:
    # Some queries are there for one engine alone.
    queries = catalog("sqlserver") | catalog("sqlite") | catalog(dialect)
    asked: set[str] = set()
    for path, tree in modules(PACKAGE):
        for pattern in queries_asked(tree):
            subjects = {name: query.subject for name, query in queries.items() if re.fullmatch(pattern, name)}
            assert subjects, f"{path} asks {pattern}, which is not a query"
            assert set(subjects.values()) <= subjects_of(path), f"{path} asks {subjects}"
            asked |= set(subjects)
    # Names of every kind were found: plain ones, those of a package, and those that an f-string stands for.
    assert {"runs", "doctor_engine", "outcomes", "add_link", "import_leads"} <= asked


def test_every_query_is_named_in_a_module_of_its_subject() -> None:
    named: dict[str, set[str]] = defaultdict(set)
    for path, tree in modules(PACKAGE):
        patterns = {pattern_of(node) or "" for node in ast.walk(tree) if isinstance(node, ast.expr)}
        for subject in subjects_of(path):
            # An f-string that begins with a value could mean anything.
            named[subject] |= {pattern for pattern in patterns if not pattern.startswith(r"\w+")}
    for name, query in catalog("sqlserver").items():
        assert any(re.fullmatch(pattern, name) for pattern in named[query.subject]), f"{query.subject}: {name}"


def test_no_module_is_longer_than_a_reader_takes_in() -> None:
    for root in (PACKAGE, TESTS):
        for path in root.rglob("*.py"):
            lines = len(path.read_text("utf-8").splitlines())
            assert lines < LONGEST, f"{path} has {lines} lines"


def test_a_public_name_of_the_core_is_defined_in_one_module_only() -> None:
    defined: dict[str, list[str]] = defaultdict(list)
    for path, tree in modules(PACKAGE):
        if not path.startswith(("agent_funnel/cli/", "agent_funnel/web/api/", "agent_funnel/web/pages/")):
            for node in tree.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
                    defined[node.name].append(path)
    assert {name: paths for name, paths in defined.items() if len(paths) > 1} == {}
    assert defined["Database"] == ["agent_funnel/database/base.py"]


def test_no_import_of_ours_is_renamed() -> None:
    renamed: set[str] = set()
    for path, tree in modules(PACKAGE, TESTS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                renamed |= {f"{path}: {each.name}" for each in node.names if each.asname and is_ours(each.name)}
            elif isinstance(node, ast.ImportFrom) and (node.level or is_ours(node.module or "")):
                renamed |= {f"{path}: {each.name}" for each in node.names if each.asname}
    assert renamed == set()


def is_ours(module: str) -> bool:
    """Whether a module is of the product or of its tests."""
    return module.split(".")[0] in ("agent_funnel", "support", "tests")
