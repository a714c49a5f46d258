"""A real browser for tests of our pages: Debian's Chromium (`make browser`), driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

SECONDS = 60


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. The test is skipped where none is installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium: `make browser` installs Debian's")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page of the browser, with all its requests and errors."""

    page: Page
    requested: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: int = SECONDS

    def __post_init__(self) -> None:
        self.page.set_default_timeout(self.seconds * 1000)
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type in ("error", "warning") else None)
