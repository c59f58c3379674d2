"""The dashboard in a browser: the service at an address, its browser contexts, and the rules for every page."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    WebError,
    WebSocket,
)  # fmt: skip

from agent_funnel.access.keys import Role, add_key
from agent_funnel.web.languages import LANGUAGE_COOKIE
from support.databases import TestedDatabase

# How long a page may take to do what a test waits for, in milliseconds: the machine is busy.
ACTS_WITHIN = 15_000
# Schemes of addresses that are not requests to another host:
OWN_SCHEMES = ("data", "blob", "about")
# The rules of WCAG 2.2 AA, which include those of earlier versions.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
IMPACTS = ("serious", "critical")
# More rules, whatever their impact: what can be pressed has 24 px, and two landmarks never have one name.
MORE_RULES = ("target-size", "landmark-unique")
# The tables that scroll sideways on a phone, as docs/explanation/design.md says: rates and amounts that a reader
# compares down their columns, and the columns of somebody's file.
COMPARED = ".rates > table, .ahead, .of-file"
# The widest screen on which each other table has to fit.
PHONE = 360


class Watch:
    """Collects the faults of the pages of a test; `check` fails with them.

    A fault is a request to another host, a warning or an error in the console, an error that no script caught, or an
    answer from 500 on.
    """

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc
        self._contexts: list[BrowserContext] = []
        self._found: list[str] = []
        self._expected: list[str] = []

    def expect(self, pattern: str) -> None:
        """Expects at least one finding that matches this regular expression.

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
        """Closes the contexts, after their pending events have arrived."""
        contexts, self._contexts = self._contexts, []
        for context in contexts:
            for page in context.pages:
                try:
                    # Messages that the page logged before this call arrive before its result.
                    page.evaluate("0")
                except Error:
                    # The test closed the page, or it is loading another address.
                    pass
            context.close()

    def check(self) -> None:
        """Fails with the faults that were not expected, and with expected ones that did not occur; then starts over."""
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
        # The browser asks for the icon of a page when it likes, perhaps while a test has no connection.
        if "ERR_INTERNET_DISCONNECTED" in message.text and message.location["url"].endswith("/icon.svg"):
            return
        if message.type in ("error", "warning"):
            self._found.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _error(self, error: WebError) -> None:
        page = error.page
        self._found.append(f"uncaught error: {error.error} ({page.url if page else 'a page'})")


class Dashboard:
    """The service at an address of this machine, and browsers that use it.

    There are no keys until a test asks for one: without any, this machine is an admin.
    """

    def __init__(self, address: str, database: TestedDatabase, browser: Browser) -> None:
        self.address = address
        self.database = database
        self.watch = Watch(address)
        self._browser = browser
        self._keys: dict[str, str] = {}

    def key(self, role: Role = "admin") -> str:
        """The secret of a key with this role, which is created on first use and has the role as its name."""
        if role not in self._keys:
            _, self._keys[role] = add_key(self.database.backend, f"the {role}", role)
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
        """A separate browser context without cookies, which is watched, and closed at the end of the test.

        Its pages use addresses of the service: `page.goto("/sign-in")`. `more` goes to Playwright's `new_context`.
        """
        context = self._browser.new_context(
            base_url=self.address,
            viewport={"width": viewport[0], "height": viewport[1]},
            color_scheme=color_scheme,
            java_script_enabled=java_script_enabled,
            locale=locale,
            timezone_id=timezone,
            # The contrast of a changing colour cannot be measured.
            **{"reduced_motion": "reduce", **more},
        )
        context.set_default_timeout(ACTS_WITHIN)
        self.watch.add(context)
        return context

    def page(self, path: str = "/", *, role: Role | None = "admin", **context: Any) -> Page:
        """A page in a new context, at `path`, signed in with a key of the role; not signed in if the role is None."""
        page = self.context(**context).new_page()
        if role is not None:
            self.sign_in(page, role)
        page.goto(path)
        return page

    def sign_in(self, page: Page, role: Role = "admin") -> None:
        """Signs in by the form, as people do, and follows the redirect."""
        page.goto("/sign-in")
        page.locator("input[name=key]").fill(self.key(role))
        with page.expect_navigation():
            page.locator("input[name=key]").press("Enter")
        assert urlsplit(page.url).path != "/sign-in", page.locator("main").inner_text()

    def speak(self, page: Page, language: str) -> None:
        """Chooses the language of the next pages, as the foot of a page does."""
        page.context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": self.address}])

    def leave(self) -> None:
        """Closes every context, and fails if their pages had unexpected faults."""
        self.watch.leave()
        self.watch.check()


def axe(page: Page) -> None:
    """Fails with each violation of WCAG 2.2 AA that axe finds on the page: serious and critical ones, and MORE_RULES.

    It is injected by the debugger, since the content security policy of our pages allows no other script.
    """
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    result = page.evaluate(
        """([tags, more]) => axe.run({
            runOnly: { type: "tag", values: tags },
            rules: Object.fromEntries(more.map((rule) => [rule, { enabled: true }])),
            resultTypes: ["violations"],
        })""",
        [RULES, MORE_RULES],
    )
    faults = [fault for fault in result["violations"] if fault["impact"] in IMPACTS or fault["id"] in MORE_RULES]
    lines = [f"axe on {page.url}:"]
    for fault in faults:
        lines.append(f"{fault['id']} ({fault['impact']}): {fault['help']}")
        for node in fault["nodes"]:
            lines.append(f"  {node['target']}: {' '.join(node['failureSummary'].split())}")
    assert not faults, "\n".join(lines)


def fits(page: Page, width: int) -> None:
    """Checks that nobody has to scroll the page sideways (WCAG 1.4.10), nor on a phone a table, but for COMPARED.

    A click on a link returns before the new page has its style sheet, and without it a page is wider.
    """
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    if width <= PHONE:
        assert scrolled_tables(page) == [], page.url


def scrolled_tables(page: Page) -> list[str]:
    """The tables that are wider than the box around them, or that scroll themselves, but for COMPARED: their columns.

    Those in closed details count, too.
    """
    found: list[str] = page.evaluate(
        """(compared) => {
            const closed = [...document.querySelectorAll("details:not([open]):has(table)")];
            closed.forEach((each) => { each.open = true; });
            const scrolls = (box) => box.scrollWidth > box.clientWidth + 1;
            const found = [...document.querySelectorAll("table")].filter((table) => !table.matches(compared))
                .filter((table) => scrolls(table) || scrolls(table.parentElement))
                .map((table) => [...table.querySelectorAll("thead th")].map((head) => head.textContent).join(", "));
            closed.forEach((each) => { each.open = false; });
            return found;
        }""",
        COMPARED,
    )
    return found


def shoot(page: Page, name: str) -> None:
    """Takes a picture of the whole page, `name`.png, if FUNNEL_TEST_SCREENSHOTS names a directory for it."""
    if directory := os.environ.get("FUNNEL_TEST_SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)
