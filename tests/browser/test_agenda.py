"""The page for the counter: who comes, printable, for everyone; and what is done there, is done."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.clock import AMSTERDAM
from bot.db.migrate import migrate
from bot.model import Booking
from tests import services
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_accessible import violations
from tests.browser.test_staff import settles_in
from tests.calendars import DETAILS
from tests.conftest import START, SetClock
from tests.staff import open_office

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_day_at_the_counter(chromium: Browser, tmp_path: Path) -> None:
    url, clock = f"sqlite+aiosqlite:///{tmp_path / 'klaartje.db'}", SetClock()
    await migrate(url)
    port = services.free_port()
    more = {"port": port, "public_url": f"http://127.0.0.1:{port}"}
    async with open_office(url, tmp_path, clock, **more) as office:
        calendar = office.house.calendar
        assert calendar is not None
        tomorrow = (START.astimezone(AMSTERDAM) + timedelta(days=1)).date()
        for hour in (9, 10):
            start = datetime.combine(tomorrow, datetime.min.time(), AMSTERDAM).replace(hour=hour)
            booking = Booking("paspoort", "gemeentehuis", start, details={**DETAILS, "name": f"Noor {hour}"})
            await calendar.book(booking, f"k{hour}")
        page = await chromium.new_page(viewport=DESKTOP)
        await settles_in(office, page)
        await page.goto(f"{office.address}medewerkers")
        await page.get_by_role("link", name="Afspraken", exact=True).click()
        await expect(page.get_by_text("Er zijn geen afspraken op deze dag.")).to_be_visible()
        assert await violations(page) == [], "an empty day"
        await page.get_by_label("Dag", exact=True).fill(tomorrow.isoformat())
        await page.get_by_role("button", name="Laat zien").click()
        await expect(page.get_by_role("heading", name="dinsdag 24 november 2026")).to_be_visible()
        await page.get_by_role("button", name=re.compile(r"Niet gekomen\s*: Noor 9 om 9\.00")).click()
        await expect(
            page.get_by_role("row", name="Noor 9").get_by_role("cell", name="Niet gekomen").first
        ).to_be_visible()
        await page.get_by_role("button", name=re.compile(r"Afzeggen\s*: Noor 10 om 10\.00")).click()
        await expect(page.get_by_text("Noor 10")).to_have_count(0)
        await page.get_by_label("Wat sluit u?").select_option(label="Loket 2")
        await page.get_by_label("Reden (alleen voor collega's)").fill("ziek")
        await page.get_by_role("button", name="Sluiten", exact=True).click()
        await expect(page.get_by_text("Loket 2: ziek")).to_be_visible()
        assert await violations(page) == [], "a day with everything"
        await page.set_viewport_size(PHONE)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
        await page.set_viewport_size(DESKTOP)
        await page.emulate_media(media="print")
        await expect(page.get_by_role("button", name="Laat zien")).to_be_hidden()
        await expect(page.get_by_role("rowheader", name="Noor 9")).to_be_visible()
        await page.emulate_media(media="screen")
        await page.get_by_role("button", name="Weer openen").click()
        await expect(page.get_by_text("Loket 2: ziek")).to_have_count(0)
        for asked, status in (("locatie=maan", 404), ("dag=gisteren", 400), ("dag=0001-01-01", 400)):
            answer = await page.goto(f"{office.address}afspraken-beheer?{asked}")
            assert answer is not None and answer.status == status
        await page.close()
