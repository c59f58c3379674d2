"""A browser for the tests of the pages, the service for it to look at, and what every page is held to.

As a program it finds a Chromium, or has Playwright download one: `make test` does so before it begins.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Request,
    Response,
    WebError,
    WebSocket,
    sync_playwright,
)  # fmt: skip

from agent_funnel import access
from agent_funnel.access import Role
from databases import Database

MISSING = (
    "NO BROWSER: the browser tests are skipped. Get one with `apt install chromium` or "
    "`python -m playwright install chromium`, or name a Chromium, Chrome or Edge in FUNNEL_TEST_CHROMIUM "
    "(see DEVELOPERS.md)"
)
# What a Chromium is called on Linux; on other systems, and for Chrome in its usual place, Playwright knows where it is.
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
CHANNELS = ("chrome", "msedge")
# Playwright itself turns off the sandbox, which root and most containers cannot have, and what the browser does in the
# background. That no name but this machine's leads anywhere keeps even a mistake of ours from leaving it.
FLAGS = (
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
# How long a browser may take to start, and a page to do what a test waits for, in milliseconds: the machine is busy.
STARTS_WITHIN = 60_000
ACTS_WITHIN = 15_000
# Addresses that are no request to anybody:
OWN_SCHEMES = ("data", "blob", "about")
# The rules of WCAG 2.2 AA, which has those of its predecessors.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
IMPACTS = ("serious", "critical")


class NoBrowser(Exception):
    """No browser could be started; the text has each that was tried, and what it said."""


class Started(NamedTuple):
    """A browser, and the words for which one it is."""

    browser: Browser
    name: str


def _candidates() -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a browser may be, the first choice first: a name for people, and what Playwright is to be told."""
    if wanted := os.environ.get("FUNNEL_TEST_CHROMIUM"):
        # Nothing else: whoever names one wants to know that it does not work.
        yield wanted, {"executable_path": wanted}
        return
    for command in COMMANDS:
        if path := shutil.which(command):
            yield path, {"executable_path": path}
    for channel in CHANNELS:
        yield channel, {"channel": channel}
    yield "Playwright's own", {}


def start(playwright: Playwright) -> Started:
    """Starts the first browser that there is.

    Raises NoBrowser if there is none.
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


class Watch:
    """Everything about the pages of a test that should not have been; `check` fails with it.

    That is a request to another host, a warning or an error in the console, an error that no script caught, and an
    answer from 500 on.
    """

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc
        self._contexts: list[BrowserContext] = []
        self._found: list[str] = []
        self._expected: list[str] = []

    def expect(self, pattern: str) -> None:
        """Says that at least one finding with these words (a regular expression) belongs to the test.

        A 4xx answer logs an error, so a test of one has `expect("401")`.
        """
        self._expected.append(pattern)

    def add(self, context: BrowserContext) -> None:
        """Watches every page of a context from now on, until `leave`."""
        self._contexts.append(context)
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("page", lambda page: page.on("websocket", self._socket))

    def leave(self) -> None:
        """Closes the contexts, after what is still on its way has come."""
        contexts, self._contexts = self._contexts, []
        for context in contexts:
            for page in context.pages:
                try:
                    # What the page logged before this comes before its answer.
                    page.evaluate("0")
                except Error:
                    # The test closed it, or it is just going to another address.
                    pass
            context.close()

    def check(self) -> None:
        """Fails if there was anything but what was expected, or if that was not; begins anew."""
        found, expected = self._found, self._expected
        self._found, self._expected = [], []
        wrong = [each for each in found if not any(re.search(pattern, each) for pattern in expected)]
        wrong += [
            f"expected, but not found: {pattern}"
            for pattern in expected
            if not any(re.search(pattern, each) for each in found)
        ]
        assert not wrong, "In the browser:\n" + "\n".join(wrong)

    def _foreign(self, url: str, what: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in OWN_SCHEMES and parts.netloc != self._host:
            self._found.append(f"request to another host: {what} {url}")

    def _request(self, request: Request) -> None:
        self._foreign(request.url, request.method)

    def _socket(self, socket: WebSocket) -> None:
        self._foreign(socket.url, "websocket")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self._found.append(f"answer {response.status}: {response.request.method} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._found.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _error(self, error: WebError) -> None:
        page = error.page
        self._found.append(f"uncaught error: {error.error} ({page.url if page else 'a page'})")


class Floor:
    """The service at an address of this machine, and browsers that look at it.

    There are no keys until a test asks for one: without any, this machine is an admin.
    """

    def __init__(self, address: str, database: Database, browser: Browser) -> None:
        self.address = address
        self.database = database
        self.watch = Watch(address)
        self._browser = browser
        self._keys: dict[str, str] = {}

    def key(self, role: Role = "admin") -> str:
        """The secret of a key with this role, made when it is first asked for; it is named like its role."""
        if role not in self._keys:
            _, self._keys[role] = access.add_key(self.database.backend, f"the {role}", role)
        return self._keys[role]

    def context(
        self,
        *,
        viewport: tuple[int, int] = (1280, 800),
        color_scheme: Literal["light", "dark"] = "light",
        java_script_enabled: bool = True,
        locale: str = "en-GB",
        timezone: str = "UTC",
        **more: Any,
    ) -> BrowserContext:
        """A browser of its own, without cookies, that is watched and closed at the end of the test.

        Its pages know the service: `page.goto("/sign-in")`. `more` is what Playwright's `new_context` takes.
        """
        context = self._browser.new_context(
            base_url=self.address,
            viewport={"width": viewport[0], "height": viewport[1]},
            color_scheme=color_scheme,
            java_script_enabled=java_script_enabled,
            locale=locale,
            timezone_id=timezone,
            # A colour that is just changing has no contrast to measure.
            **{"reduced_motion": "reduce", **more},
        )
        context.set_default_timeout(ACTS_WITHIN)
        self.watch.add(context)
        return context

    def page(self, path: str = "/", *, role: Role | None = "admin", **context: Any) -> Page:
        """A page in a context of its own, at `path`, signed in with a key of the role; without one if that is None."""
        page = self.context(**context).new_page()
        if role is not None:
            self.sign_in(page, role)
        page.goto(path)
        return page

    def sign_in(self, page: Page, role: Role = "admin") -> None:
        """Signs in as people do, by the form, and is then where the service leads."""
        page.goto("/sign-in")
        page.locator("input[name=key]").fill(self.key(role))
        with page.expect_navigation():
            page.locator("input[name=key]").press("Enter")
        assert urlsplit(page.url).path != "/sign-in", page.locator("main").inner_text()

    def leave(self) -> None:
        """Closes every context, and fails if their pages did anything that they should not."""
        self.watch.leave()
        self.watch.check()


def axe(page: Page) -> None:
    """Fails with each violation of WCAG 2.2 AA that axe finds on the page and calls serious or critical.

    It comes to the page by the debugger: the policy of our pages, which allows no other script, does not keep that out.
    """
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    result = page.evaluate(
        "rules => axe.run({ runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'] })", list(RULES)
    )
    faults = [fault for fault in result["violations"] if fault["impact"] in IMPACTS]
    lines = [f"axe on {page.url}:"]
    for fault in faults:
        lines.append(f"{fault['id']} ({fault['impact']}): {fault['help']}")
        for node in fault["nodes"]:
            lines.append(f"  {node['target']}: {' '.join(node['failureSummary'].split())}")
    assert not faults, "\n".join(lines)


def shoot(page: Page, name: str) -> None:
    """A picture of the whole page, `name`.png in the directory that FUNNEL_TEST_SCREENSHOTS names; without it, none."""
    if directory := os.environ.get("FUNNEL_TEST_SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


def _name() -> str:
    """The browser that there is, in words."""
    with sync_playwright() as playwright:
        return start(playwright).name


def main() -> None:
    """Finds a browser, if need be by having Playwright download its own; fails if there is none after that."""
    try:
        name = _name()
    except NoBrowser as error:
        if os.environ.get("FUNNEL_TEST_CHROMIUM"):
            sys.exit(f"FUNNEL_TEST_CHROMIUM does not start: {error}")
        # Without a window, and so without the larger half of the download.
        subprocess.run([sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"], check=False)
        try:
            name = _name()
        except NoBrowser as none:
            sys.exit(f"{none}\n{MISSING}")
    print(f"BROWSER: {name}")


if __name__ == "__main__":
    main()
