"""Fixtures: a database of each engine, installed once per session and emptied for each test."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from hypothesis import settings
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from support import LONG
from support.databases import (
    MISSING,
    TestedDatabase,
    bare_tables,
    sqlite_database,
    sqlserver_database,
    sqlserver_schema,
    sqlserver_url,
)
from support.microsoft import MARK, OTHER_ENGINE, OTHER_ENGINE_REASON, microsoft_engine

# These modules make assertions for the tests, so pytest should explain their failures as well.
pytest.register_assert_rewrite(
    "support.dashboard", "support.doctor", "support.nights", "support.pages", "support.processes", "support.refusals"
)

# `make test-long` asks for more examples of each property:
settings.register_profile("short", max_examples=26, deadline=None)
settings.register_profile("long", max_examples=300, deadline=None)
settings.load_profile("long" if LONG else "short")

ENGINES = ("sqlite", "sqlserver")


# Files in memory, where the system has a place for them: a commit on a disk takes milliseconds.
MEMORY = Path("/dev/shm")


class TemplatesInMemory(BytecodeCache):
    """Jinja's compiled templates, kept for all applications that the tests make."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if found := self._compiled.get(bucket.key):
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


def compile_routes_once() -> None:
    """Keeps the functions that werkzeug compiles for the addresses of routes: each application would do it again.

    A function depends on its rule alone; its converters come with the rule to which it is bound.
    """
    compile_builder: Callable[[Rule, bool], Any] = Rule._compile_builder
    compiled: dict[object, Any] = {}

    def kept(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = kept  # type: ignore[assignment, method-assign]


def make_quick() -> None:
    """Spares the tests what costs time and tests nothing."""
    compile_routes_once()
    if os.access(MEMORY, os.W_OK):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    Flask.jinja_options = {"bytecode_cache": TemplatesInMemory()}
    # Until a test sets the log up, tracebacks are plain: drawing one with frames takes a fifth of a second.
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )


def pytest_collection_finish() -> None:
    # What has been imported stays; the garbage collector need not look at it again and again.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_configure() -> None:
    """Starts the T-SQL engine, before any worker looks for it."""
    make_quick()
    try:
        sqlserver_url()
    except subprocess.SubprocessError as error:
        raise pytest.UsageError(f"FUNNEL_TEST_SQLSERVER_START did not start the T-SQL engine: {error}") from error


# The tests of the service that run on each engine in the short version, too: deals and reads that meet.
ON_EACH_ENGINE = ("test_polling.py", "test_run_now.py", "test_serve.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out of the short version the marked tests, which take long on a small T-SQL engine.

    Tests that are asked for by name, with `-k`, run on each engine.
    """
    if LONG or config.option.keyword:
        return
    left_out = [
        item
        for item in items
        if (item.get_closest_marker("sqlserver_if_long") or is_of_the_service(item))
        and isinstance(item, pytest.Function)
        and getattr(item, "callspec", None) is not None
        and any(
            "sqlserver" in (value if isinstance(value, tuple) else (value,)) for value in item.callspec.params.values()
        )
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def is_of_the_service(item: pytest.Item) -> bool:
    """Whether a test is about pages and the API: the tests below them run the same queries on each engine."""
    return item.path.parent.name == "web" and item.path.name not in ON_EACH_ENGINE


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips the tests for Microsoft's engine elsewhere, all from this line, so that the report has one line of them."""
    if item.get_closest_marker(MARK) and not microsoft_engine():
        pytest.skip(OTHER_ENGINE_REASON)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if sqlserver_url() is None:
        terminalreporter.write_line(MISSING, yellow=True, bold=True)
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if MARK in report.keywords]
    if skipped:
        terminalreporter.write_line(OTHER_ENGINE.format(count=len(skipped)), yellow=True, bold=True)
    for line in sorted(_browser_lines(terminalreporter)):
        terminalreporter.write_line(line, yellow=line.startswith("NO "), bold=True)


def _browser_lines(terminalreporter: pytest.TerminalReporter) -> set[str]:
    """The reports of the tests on the browser that they used or did not find; empty if no browser test ran."""
    return {
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "browser"
    }


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides the settings of this machine, and those that another test left behind."""
    for name in list(os.environ):
        if name.startswith("FUNNEL_") and not name.startswith("FUNNEL_TEST_"):
            monkeypatch.delenv(name)
    # A backend that checks certificates sets this for the whole process; pytest restores it after the test.
    monkeypatch.setenv("FREETDSCONF", os.devnull)


@pytest.fixture(scope="session")
def sqlserver() -> Iterator[str]:
    """The URL of an empty database on the T-SQL engine, for this session of tests."""
    if sqlserver_url() is None:
        pytest.skip(MISSING)
    with sqlserver_database(f"funnel_test_{os.getpid()}") as url:
        yield url


@pytest.fixture(scope="session")
def _sqlserver_ours(sqlserver: str) -> Iterator[TestedDatabase]:
    with sqlserver_schema(sqlserver, "dbo") as database:
        yield database


@pytest.fixture(scope="session")
def _sqlserver_bare(sqlserver: str) -> Iterator[TestedDatabase]:
    with sqlserver_schema(sqlserver, "bare", tables=bare_tables()) as database:
        yield database


@pytest.fixture(scope="session")
def _sqlite_ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestedDatabase]:
    with sqlite_database(tmp_path_factory.mktemp("ours"), "funnel") as database:
        yield database


@pytest.fixture(scope="session")
def _sqlite_bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestedDatabase]:
    with sqlite_database(tmp_path_factory.mktemp("bare"), "funnel", bare=True) as database:
        yield database


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest) -> TestedDatabase:
    """An installed, empty database with the installer's tables; the test runs on each engine."""
    found: TestedDatabase = request.getfixturevalue(f"_{request.param}_ours")
    found.clear()
    return found


@pytest.fixture(params=ENGINES)
def bare_database(request: pytest.FixtureRequest) -> TestedDatabase:
    """An installed, empty database around three existing tables; the test runs on each engine."""
    found: TestedDatabase = request.getfixturevalue(f"_{request.param}_bare")
    found.clear()
    return found


@pytest.fixture
def installed_long_ago(database: TestedDatabase) -> Iterator[None]:
    """Dates the installation back to the beginning of the year, until the test ends."""
    installed = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-01-01 00:00:00.000'")
    yield
    for version, moment in installed:
        database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s WHERE version = %s", moment, version)
