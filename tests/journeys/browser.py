"""A real browser: Debian's Chromium, and people who sign in with it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from b2bcrm.desk.demo import DEMO_PASSWORD as PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, headless."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def sign_in(page: Page, email: str, *, password: str = PASSWORD) -> None:
    """Through the sign-in page, as a person does."""
    page.goto("/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(re.compile("/login"))


def choose_language(page: Page, name: str) -> None:
    """By the menu in the page's head; ``name`` is the language's own."""
    page.locator("header details.menu summary").first.click()
    page.get_by_role("button", name=name, exact=True).click()


class People:
    """Browser contexts by e-mail address: each person has cookies of his own."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    def page(self, email: str = "", *, phone: bool = False, **options: Any) -> Page:
        """A page of a person who has just signed in; of a stranger without ``email``."""
        context = self._browser.new_context(
            base_url=self._url,
            viewport=PHONE if phone else DESK,
            timezone_id="Asia/Taipei",
            locale="en-GB",
            **options,
        )
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self._note(page, said.type, said.text))
        page.on(
            "response",
            lambda r: self.errors.append(f"{r.status} {r.url}") if r.status >= 500 else None,
        )
        if email:
            sign_in(page, email)
        return page

    def _note(self, page: Page, kind: str, text: str) -> None:
        """Content Security Policy and script faults; a 404 or 422 that was asked for is none."""
        if kind == "error" and "Failed to load resource" not in text:
            self.errors.append(f"{page.url}: {text}")

    def close(self) -> None:
        """Everybody leaves."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()


def approve(manager: Page, line: str) -> None:
    """The customer is of class A: a sales manager finds the request and agrees."""
    manager.goto("/fulfillment/proposals")
    asked = manager.locator("#asked tbody tr", has_text=line)
    expect(asked).to_contain_text("Chen Wei-Ting")
    asked.get_by_role("button", name="Approve").click()
    expect(asked).to_have_count(0)
