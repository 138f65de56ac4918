"""The page of figures for everyone: axe finds nothing, it fits, a keyboard chooses a period, and it prints."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from bot.staff.roles import Role
from tests.browser.conftest import DESKTOP
from tests.browser.test_accessible import violations
from tests.browser.test_staff import NARROW, office, provider, signs_in
from tests.conformance.test_figures import TUESDAY, at, town
from tests.staff import Office

__all__ = ["office", "provider"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DAYS = "van=2026-11-23&tot=2026-11-24&per=dag"


async def test_the_figures_for_everyone(chromium: Browser, office: Office) -> None:
    office.clock.now = at("20:00", TUESDAY)
    await town(office.house.database)
    page = await chromium.new_page(viewport=NARROW, color_scheme="dark")
    await signs_in(office, page, "tess", Role.TEAM_LEAD)
    await office.house.daybook.count()
    there = f"{office.address}sturing"
    for size, scheme in ((NARROW, "dark"), (DESKTOP, "light")):
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for query in (DAYS, "van=x&per=x"):
            await page.goto(f"{there}?{query}")
            assert await violations(page) == [], (size, query)
            assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"], (size, query)
    await page.goto(f"{there}?van=2020-01-01&tot=2020-01-02")
    assert await violations(page) == [], "nothing was counted"

    await page.goto(f"{there}?{DAYS}")
    await page.get_by_label("Per", exact=True).focus()
    await page.keyboard.type("m")  # the list of a keyboard: the first that begins so
    for _ in range(3):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("per=maand"))
    cells = page.get_by_role("table", name="Gesprekken per maand").get_by_role("row").nth(1)
    await expect(cells.get_by_role("rowheader")).to_have_text("november 2026")
    await expect(cells.get_by_role("cell").first).to_have_text("8")

    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name="Laat zien")).to_be_hidden()
    await expect(page.get_by_role("heading", name="In het kort")).to_be_visible()
    await page.close()
