"""The console for everyone: axe finds nothing in any state, small screens and large text fit, nothing moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from playwright.async_api import Browser, Page, expect

from bot.clock import utc_now
from bot.db.tables import conversations, messages
from tests.browser.kcc import ELS, LEA, Desk, desk
from tests.browser.test_accessible import violations
from tests.browser.test_kcc import JPEG, change, own, queue, read, say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DIALOGS = {
    "q": "Snel antwoord",
    "k": "Zoek in de kennis",
    "i": "Interne notitie",
    "b": "Terug naar Klaartje",
    "x": "Gesprek afsluiten",
    "o": "Gesprek overdragen",
    "?": "Toetsen",
}
LONG = "Aansprakelijkheidswaardevaststellingen" * 4


@pytest_asyncio.fixture(loop_scope="session")
async def there(chromium: Browser, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(chromium, tmp_path) as made:
        yield made


async def busy(there: Desk, page: Page) -> None:
    """A conversation on WhatsApp with all there can be, and others that wait."""
    await there.visitor("Wat kost een paspoort?", "Ik heb hulp nodig, nu meteen")
    await there.visitor("Ik ben mijn pas kwijt")
    there.noor.say("Hoe dien ik een klacht in? Bel 06 12345678")
    await there.noor.hears(1)
    await queue(page).filter(has_text="klacht").click()
    await page.locator("#take").click()
    await expect(page.locator("#composer")).to_be_visible()
    there.noor.deliver({"type": "location", "location": {"latitude": 52.1, "longitude": 5.1}})
    there.noor.send_file("image", JPEG, "image/jpeg", caption="kijk")
    there.noor.say("foutje")
    await expect(page.get_by_role("log")).to_contain_text("foutje")
    there.noor.revoke()
    await expect(page.get_by_role("button", name="Bekijk")).to_be_visible()
    await say(page, "Ik kijk het na.")
    await expect(page.locator(".line--agent")).to_contain_text("kijk het na")
    await page.locator("#middle").focus()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(390, 844), (768, 1024), (1280, 900)], ids=lambda size: str(size[0]))
async def test_axe_finds_nothing(there: Desk, size: tuple[int, int], scheme: str) -> None:
    page = await there.agent(LEA, size=size, color_scheme=scheme)
    await expect(page.get_by_text("Er wacht niemand.")).to_be_visible()
    assert await violations(page) == [], "empty"
    await busy(there, page)
    assert await violations(page) == [], "busy"
    for key, title in DIALOGS.items():
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog", name=title)).to_be_visible()
        if key == "k":
            await page.get_by_label("Waar zoekt u een antwoord op?").fill("paspoort")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("dialog").get_by_role("heading", level=3)).to_have_count(2)
        if key in "io":
            await page.get_by_role("dialog").locator("[type=submit]").click()
            await expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
        assert await violations(page) == [], title
        await page.keyboard.press("Escape")
        await page.locator("#middle").focus()
    await page.get_by_role("button", name="Meldingen").click()
    assert await violations(page) == [], "switches"
    await page.keyboard.press("Escape")
    if size[0] < 700:
        await page.get_by_role("button", name="Toon de rij").click()
    await page.get_by_label("Zoek in gesprekken").fill("klacht")
    await page.keyboard.press("Enter")
    await expect(page.locator("#found .card")).to_have_count(1)
    await change(there, sa.update(conversations).values(last_inbound_at=utc_now() - timedelta(hours=30)))
    await expect(page.get_by_role("button", name="Zet klaar")).to_be_visible()
    assert await violations(page) == [], "window closed, something found"
    await page.goto("/kcc/conversations/nobody")
    assert await violations(page) == [], "not there"
    await page.goto("/kcc/overzicht")
    assert await violations(page) == [], "overview"


@pytest.mark.parametrize(
    "size", [(320, 568), (390, 844), (640, 450), (768, 1024), (1280, 720)], ids=lambda size: str(size[0])
)
async def test_it_fits_without_scrolling_sideways(there: Desk, size: tuple[int, int]) -> None:
    page = await there.agent(ELS, size=size)
    await there.visitor(LONG)
    await queue(page).click()
    await page.locator("#take").click()
    await expect(page.locator("#composer")).to_be_visible()
    await say(page, LONG)
    await expect(page.locator(".line--agent")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
    for name in ("#log", "#side", "#middle"):
        inside = await page.locator(name).evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert inside[0] <= inside[1], name
    await page.goto("/kcc/overzicht")
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]


async def test_text_can_be_twice_as_large(there: Desk) -> None:
    page = await there.agent(ELS)
    await there.visitor("hallo")
    await queue(page).click()
    await page.locator("#take").click()
    await expect(page.locator("#composer")).to_be_visible()
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 1280
    for name in ("Verstuur", "Sluit af", "Neem de volgende"):
        button = page.get_by_role("button", name=name).first
        if await button.count():
            await button.scroll_into_view_if_needed()
            await expect(button).to_be_in_viewport()


async def test_every_line_names_its_author_and_time(there: Desk) -> None:
    page = await there.agent(ELS)
    await busy(there, page)
    log = page.get_by_role("log", name="Berichten")
    await expect(log).to_have_attribute("aria-live", "polite")
    for line in await log.locator(".line").all():
        assert await line.locator(".line__who").inner_text() in ("Bewoner", "Klaartje", "Mededeling", "Els")
        assert await line.locator("time").first.get_attribute("datetime")
    assert len(await read(there, messages)) > 5


async def test_distress_is_said_in_words(there: Desk) -> None:
    page = await there.agent(ELS)
    await there.visitor("Ik heb hulp nodig")
    await expect(queue(page)).to_contain_text("Nood")
    await expect(queue(page)).to_contain_text("zit in de problemen")


async def test_nothing_moves_for_who_does_not_want_it(there: Desk) -> None:
    page = await there.agent(ELS, reduced_motion="reduce")
    await there.visitor("hallo")
    await queue(page).click()
    await page.locator("#take").click()
    await expect(own(page)).to_have_count(1)
    assert await page.evaluate("document.getAnimations().length") == 0


async def test_a_keyboard_is_enough(there: Desk) -> None:
    page = await there.agent(ELS)
    await there.visitor("hallo")
    await expect(queue(page)).to_have_count(1)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Ga naar de rij")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Ga naar het gesprek")).to_be_in_viewport()
    seen: list[str] = []
    for _ in range(10):
        await page.keyboard.press("Tab")
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        seen.append(str(await page.evaluate("document.activeElement.textContent.trim().slice(0, 12)")))
        assert outline != "none", seen
    assert {"Beschikbaar", "Pauze", "Weg", "Meldingen", "Zoek"} <= set(seen)
    await page.locator("#middle").focus()
    await page.keyboard.press("x")
    assert await page.locator("dialog[open]").count() == 0, "there is nothing to close"
    await page.keyboard.press("n")
    await expect(page.get_by_label("Bericht aan de bewoner")).to_be_focused()
    await page.keyboard.type("Goedemiddag")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".line--agent")).to_have_count(1)
    await page.keyboard.press("Escape")
    await page.keyboard.press("x")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Dit gesprek is afgelopen.")).to_be_visible()
    await expect(page.locator("#middle")).to_be_focused()
