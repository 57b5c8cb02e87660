"""One Chromium for the session; a page that fails when the page under test misbehaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from gridmap.domain.plan import Plan
from gridmap.exports.page import write_page

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    """Start what drives browsers, of which a process can have one."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(driver: Playwright) -> Iterator[Browser]:
    """Start the system's Chromium; where it is missing the tests fail, they do not skip."""
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Callable[..., Any]:
    """Open the page of a plan from the file system.

    It must log nothing, raise nothing, open no dialog, and ask for nothing but its own file; ``blocked`` is how many
    scripts the test itself smuggles in for the policy to refuse.
    """

    @contextmanager
    def open_page(plan: Plan, locale: str = "en-US", blocked: int = 0, **context: Any) -> Iterator[Page]:
        path = tmp_path / "index.html"
        write_page(plan, path)
        options = {"viewport": {"width": 1200, "height": 800}, "offline": True, **context}
        session = chromium.new_context(locale=locale, **options)
        page, complaints, requests = session.new_page(), [], []
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda fault: complaints.append(f"error: {fault}"))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("#map[data-bounds]")
        yield page
        session.close()
        refusals = [line for line in complaints if "Content Security Policy" in line]
        assert len(refusals) == blocked
        assert [line for line in complaints if line not in refusals] == []
        assert requests == [path.as_uri()]

    return open_page
