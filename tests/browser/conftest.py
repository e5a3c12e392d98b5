"""A headless Chromium that Airflow's UI is driven by; where none is installed, these tests are skipped."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from local_stack.stack import Stack

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 400, "height": 800}
_PATIENCE_MILLISECONDS = 120_000
expect.set_options(timeout=_PATIENCE_MILLISECONDS)
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install one, or name it in CHROMIUM")
    with sync_playwright() as driver:
        # Chromium's sandbox needs more than a container grants; the pages are our own.
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def logged_in(browser: Browser, stack: Stack) -> Callable[[str], Any]:
    """Log in by Airflow's own form, once a user; what the browser keeps of it."""
    passwords = {"admin": stack.secrets.admin_password, "viewer": stack.secrets.viewer_password}

    @cache
    def log_in(user: str) -> Any:
        context = browser.new_context(base_url=stack.api_url)
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        page = context.new_page()
        page.goto("/")
        page.get_by_label(re.compile("username", re.IGNORECASE)).fill(user)
        page.get_by_label(re.compile("password", re.IGNORECASE)).first.fill(passwords[user])
        page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE)).click()
        page.wait_for_url(lambda url: "login" not in url)
        state = context.storage_state()
        context.close()
        return state

    return log_in


@pytest.fixture
def opened(browser: Browser, stack: Stack, logged_in: Callable[[str], Any]) -> Iterator[Open]:
    """Open a page as a user; what the browser complains about fails the test in the end."""
    contexts: list[Any] = []
    complaints: list[str] = []
    outside: list[str] = []

    def open_page(path: str, user: str = "admin", *, size: Any = WIDE, scheme: Any = "light") -> Page:
        context = browser.new_context(
            viewport=size, color_scheme=scheme, base_url=stack.api_url, storage_state=logged_in(user)
        )
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: outside.append(asked.url))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in outside if not url.startswith((stack.api_url, "data:", "blob:"))] == []
