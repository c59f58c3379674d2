"""The browser tests find the faults that they watch for: otherwise each fault here would go unnoticed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.chromium import MISSING
from support.dashboard import Dashboard, Watch, axe
from support.processes import python_path

ONE_ENGINE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# A test file like any other:
LOUD = """
import pytest

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

def test_quiet(dashboard):
    dashboard.page("/sign-in", role=None)

def test_loud(dashboard):
    dashboard.page("/sign-in", role=None).evaluate("console.error('it hurts')")
"""
WITHOUT_A_BROWSER = f"""
from support import chromium

chromium._candidates = lambda: iter(())
{LOUD}
"""


def run_tests(directory: Path, content: str, **more: str) -> str:
    """The output of pytest for a test file with our fixtures."""
    file = directory / "test_it.py"
    file.write_text(content, "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment.update({"PYTHONPATH": python_path(), "FUNNEL_TEST_SQLSERVER_URL": "", **more})
    # Loading every installed plugin takes seconds.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    plugins = ("-p", "conftest", "-p", "browser.conftest", "-p", "no:cacheprovider")
    # The root is the directory of that file, so our own settings for pytest do not apply.
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "--rootdir", str(directory), "-c", os.devnull, *plugins, str(file)],
        cwd=directory, env=environment, capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    return finished.stdout + finished.stderr


def test_the_fixture_checks_at_the_end_of_each_test_and_the_report_names_the_browser(
    browser: Browser, tmp_path: Path
) -> None:
    said = run_tests(tmp_path, LOUD)
    assert "2 passed, 1 error" in said
    assert "console error: it hurts" in said
    assert f"(Chromium {browser.version})" in said


def test_without_a_browser_the_tests_are_skipped_and_the_report_says_so(tmp_path: Path) -> None:
    said = run_tests(tmp_path, WITHOUT_A_BROWSER, FUNNEL_TEST_CHROMIUM="")
    assert "2 skipped" in said
    assert MISSING in said


def test_a_named_browser_that_does_not_exist_fails_the_tests(tmp_path: Path) -> None:
    said = run_tests(tmp_path, LOUD, FUNNEL_TEST_CHROMIUM=str(tmp_path / "nowhere"))
    assert "2 errors" in said
    assert "FUNNEL_TEST_CHROMIUM does not start" in said


def test_a_request_to_another_host_is_found(browser: Browser) -> None:
    watch = Watch("http://127.0.0.1:1")
    context = browser.new_context()
    watch.add(context)
    context.new_page().evaluate("fetch('http://192.0.2.1/out').catch(() => null)")
    watch.leave()
    with pytest.raises(AssertionError, match=r"request to another host: GET http://192\.0\.2\.1/out"):
        watch.check()
    # A fault is reported once.
    watch.check()


@ONE_ENGINE
def test_a_page_of_ours_that_asks_another_host_fails_the_test(dashboard: Dashboard) -> None:
    page = dashboard.page("/sign-in", role=None)
    page.evaluate("fetch('http://elsewhere.invalid/').catch(() => null)")
    with pytest.raises(AssertionError, match=r"elsewhere\.invalid"):
        dashboard.leave()


@ONE_ENGINE
def test_a_websocket_to_another_host_fails_the_test(dashboard: Dashboard) -> None:
    context = dashboard.context()
    context.new_page().evaluate(
        "new Promise(done => { new WebSocket('ws://elsewhere.invalid/').onerror = () => done(0); })"
    )
    with pytest.raises(AssertionError, match=r"request to another host: websocket ws://elsewhere\.invalid/"):
        dashboard.leave()


@ONE_ENGINE
@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("console.error('it hurts')", "console error: it hurts"),
        ("console.warn('it itches')", "console warning: it itches"),
        ("setTimeout(() => { throw new Error('nobody caught it'); })", "uncaught error: .*nobody caught it"),
    ],
)
def test_what_goes_wrong_on_a_page_fails_the_test(dashboard: Dashboard, script: str, found: str) -> None:
    dashboard.page("/sign-in", role=None).evaluate(script)
    with pytest.raises(AssertionError, match=found):
        dashboard.leave()


@ONE_ENGINE
def test_an_answer_of_500_fails_the_test(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken by the test")

    monkeypatch.setattr("agent_funnel.web.auth.holder_of_key", broken)
    dashboard.page("/run-now", role=None)
    with pytest.raises(AssertionError, match=r"answer 500: GET .*/run-now"):
        dashboard.leave()


@ONE_ENGINE
def test_an_expected_fault_has_to_occur_and_no_other_may(dashboard: Dashboard) -> None:
    dashboard.watch.expect("it hurts")
    page = dashboard.page("/sign-in", role=None)
    page.evaluate("console.error('it hurts'); console.error('something else')")
    with pytest.raises(AssertionError) as failed:
        dashboard.leave()
    assert "something else" in str(failed.value)
    assert "it hurts" not in str(failed.value)
    dashboard.watch.expect("it hurts")
    with pytest.raises(AssertionError, match="expected, but not found: it hurts"):
        dashboard.leave()


@ONE_ENGINE
def test_axe_finds_a_picture_without_a_description(dashboard: Dashboard) -> None:
    page = dashboard.context().new_page()
    page.set_content("<html lang=en><title>A page</title><img src='data:,' id=mute></html>")
    with pytest.raises(AssertionError, match=r"image-alt \(critical\)[^\n]*\n[^\n]*#mute"):
        axe(page)


@ONE_ENGINE
def test_axe_finds_text_that_is_hard_to_read_on_a_page_of_ours(dashboard: Dashboard) -> None:
    page = dashboard.page("/sign-in", role=None)
    page.evaluate(
        """() => {
            const words = Object.assign(document.createElement('p'), { textContent: 'hard to read' });
            Object.assign(words.style, { color: '#777', background: '#888' });
            document.querySelector('main').append(words);
        }"""
    )
    with pytest.raises(AssertionError, match=r"color-contrast \(serious\)"):
        axe(page)
