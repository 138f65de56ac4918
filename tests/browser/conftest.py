"""A real Chromium for each test, and a chat server that can be stopped underneath it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

from tests.browser.fake_chat import FakeChat

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


def chromium_path() -> str:
    """The Chromium of this machine: CHROMIUM, else the one on the PATH."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found and shutil.which(found):
        return found
    problem = "no Chromium: install it, or set CHROMIUM to its path"
    if os.environ.get("CI") == "true":
        pytest.fail(problem)
    pytest.skip(problem)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A browser that starts nothing of its own and goes nowhere by itself."""
    path = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A fresh profile on a phone-sized screen; what it keeps stays between its pages."""
    context = await chromium.new_context(viewport=PHONE, locale="nl-NL", timezone_id="Europe/Amsterdam")
    context.set_default_timeout(10_000)
    try:
        yield context
    finally:
        await context.close()


@pytest.fixture
async def chromium_page(context: BrowserContext) -> Page:
    """A page on which every script error and every refused resource fails the test."""
    page = await context.new_page()
    page.on("pageerror", _fail)
    return page


def _fail(error: Exception) -> None:
    raise AssertionError(f"an error on the page: {error}")


@pytest.fixture
async def chat() -> AsyncIterator[FakeChat]:
    """A running chat server."""
    server = FakeChat()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
