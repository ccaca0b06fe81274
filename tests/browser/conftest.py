"""A running site for all walks, and visitors whose browser tells of everything that went wrong in it."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_server
from typing import Literal, Protocol
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserType,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

READY_WITHIN = 40.0  # seconds
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LARGE_LETTERS = "--blink-settings=defaultFontSize=32"  # twice the usual, as people set it in their browser
PATIENCE = 30_000  # milliseconds that a page may take, on a machine that does other things besides
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True, slots=True)
class Site:
    """The site as `make run` starts it, with a data folder of its own; `manage` runs one of its commands."""

    url: str
    data: Path
    log: Path
    password: str
    manage: Callable[..., str]

    def rows(self, query: str, *values: str) -> list[tuple[object, ...]]:
        """What the database holds, read past the application."""
        with closing(sqlite3.connect(f"file:{self.data / 'clinic.sqlite3'}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()


@dataclass  # without slots: Playwright notes its listeners on the object
class Visitor:
    """One person's browser, with cookies of its own; `faults` is what its console and network complained about.

    `expected` are answers that are no fault in this walk, such as 409 for a time that is taken.
    """

    page: Page
    host: str
    expected: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        # The status of an answer is judged where the answer is seen.
        if message.type in {"error", "warning"} and "server responded with a status" not in message.text:
            self.faults.append(f"console of {self.page.url}: {message.text} {message.location}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self.host:
            self.faults.append(f"a request to another host: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a second press gives up the first request
            self.faults.append(f"no answer: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"{response.status}: {response.url}")


class Visits(Protocol):
    """Opens a browser for one more person."""

    def __call__(
        self,
        *,
        javascript: bool = ...,
        width: int = ...,
        scheme: Literal["light", "dark"] = ...,
        large_letters: bool = ...,
        expected: set[int] | None = ...,
    ) -> Page: ...


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("clinic")
    with create_server(("127.0.0.1", int(os.environ.get("BROWSER_TEST_PORT", "0")))) as free:
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "DATABASE_URL": f"sqlite:///{folder}/clinic.sqlite3",
        "PYTHONDONTWRITEBYTECODE": "1",
        "QUICKEST_SEND": "0",  # the walks type faster than people, and more
        "LIMITS_TIMES": "1000",
    }

    def manage(*command: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    manage("migrate", "--verbosity", "0")
    manage("collectstatic", "--no-input", "--verbosity", "0")
    manage("starter_content")
    password = manage("demo_account").split("password: ")[1].strip()
    log = folder / "serve.log"
    with log.open("w") as written:
        serving = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], env=environment, stdout=written, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_ready(serving, f"http://127.0.0.1:{port}/readyz", log)
        yield Site(f"http://127.0.0.1:{port}", folder, log, password, manage)
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.wait(20)


def _wait_until_ready(serving: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and serving.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 (our own address)
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"The site did not start:\n{log.read_text()}")


@pytest.fixture(
    scope="package"
)  # ended with this folder: while it runs, Django refuses to ask a database here
def browser() -> Iterator[Browser]:
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        running = started(playwright.chromium)
        yield running
        running.close()


def started(kind: BrowserType, *arguments: str) -> Browser:
    """The system's own Chromium; none is ever downloaded."""
    return kind.launch(executable_path=shutil.which("chromium"), args=[*ARGUMENTS, *arguments])


@pytest.fixture
def visit(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visits]:
    """Every visitor's page; the test fails if any of them met a fault."""
    print(f"The site's log is {site.log}")  # noqa: T201 (shown when the test fails)
    visitors: list[Visitor] = []

    def opened(
        *,
        javascript: bool = True,
        width: int = 1280,
        scheme: Literal["light", "dark"] = "light",
        large_letters: bool = False,
        expected: set[int] | None = None,
    ) -> Page:
        context = (started(browser.browser_type, LARGE_LETTERS) if large_letters else browser).new_context(
            base_url=site.url,
            java_script_enabled=javascript,
            viewport={"width": width, "height": 844 if width < 600 else 900},
            color_scheme=scheme,
            locale="en-CA",
            timezone_id="America/Vancouver",  # not the clinic's: times must be the clinic's all the same
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        visitor = Visitor(page, urlsplit(site.url).netloc, expected or set())
        visitor.watch()
        visitors.append(visitor)
        return page

    yield opened
    for visitor in visitors:
        context = visitor.page.context
        context.close()
        if context.browser and context.browser is not browser:
            context.browser.close()
    assert [fault for visitor in visitors for fault in visitor.faults] == []
