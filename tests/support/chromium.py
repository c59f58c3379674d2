"""Finds and starts a Chromium for the tests of the pages.

As a program, it makes Playwright download one if there is none; `make test` does that first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

MISSING = (
    "NO BROWSER: the browser tests are skipped. Get one with `apt install chromium-headless-shell` or "
    "`python -m playwright install chromium`, or name a Chromium, Chrome or Edge in FUNNEL_TEST_CHROMIUM "
    "(see CONTRIBUTING.md)"
)
# The names of Chromium on Linux; on other systems, and for Chrome in its usual place, Playwright finds it. The first
# one has no windows: it draws the same pages with about half of the processor time.
COMMANDS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
CHANNELS = ("chrome", "msedge")
# Playwright itself turns off background activity and the sandbox, which root and most containers cannot have. No host
# name except this machine's is resolved, so that even a mistake of ours sends nothing elsewhere.
FLAGS = (
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
# How long a browser may take to start, in milliseconds: the machine is busy.
STARTS_WITHIN = 60_000


class NoBrowser(Exception):
    """No browser could be started; the message lists each that was tried, with its error."""


class Started(NamedTuple):
    """A running browser, and its name for people."""

    browser: Browser
    name: str


def _candidates() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the possible browsers, the first choice first: a name for people, and options for Playwright."""
    if wanted := os.environ.get("FUNNEL_TEST_CHROMIUM"):
        # No alternatives: a developer who names a browser wants to know if it does not work.
        yield wanted, {"executable_path": wanted}
        return
    for command in COMMANDS:
        if path := shutil.which(command):
            yield path, {"executable_path": path}
    for channel in CHANNELS:
        yield channel, {"channel": channel}
    yield "Playwright's own", {}


def start(playwright: Playwright) -> Started:
    """Starts the first browser that works.

    Raises NoBrowser if none does.
    """
    tried = []
    for name, options in _candidates():
        try:
            browser = playwright.chromium.launch(args=FLAGS, timeout=STARTS_WITHIN, **options)
        except Error as error:
            tried.append(f"{name}: {error.message.strip()}")
        else:
            return Started(browser, f"{name} (Chromium {browser.version})")
    raise NoBrowser("\n".join(tried))


def _name() -> str:
    """The name of the first browser that starts."""
    with sync_playwright() as playwright:
        return start(playwright).name


def main() -> None:
    """Prints the name of the browser; if there is none, makes Playwright download one, and fails if that fails."""
    try:
        name = _name()
    except NoBrowser as error:
        if os.environ.get("FUNNEL_TEST_CHROMIUM"):
            sys.exit(f"FUNNEL_TEST_CHROMIUM does not start: {error}")
        # The version without windows, which halves the download.
        subprocess.run([sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"], check=False)
        try:
            name = _name()
        except NoBrowser as none:
            sys.exit(f"{none}\n{MISSING}")
    print(f"BROWSER: {name}")


if __name__ == "__main__":
    main()
