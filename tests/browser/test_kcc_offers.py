"""Offers and typing in a real browser: two agents, a resident on the web chat, sound and notifications."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.db.tables import handoffs
from bot.web import chat
from tests.browser.kcc import ELS, JAN, Desk, desk
from tests.browser.test_accessible import violations
from tests.browser.test_kcc import own, queue, read

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WATCH = """() => {
    window.tones = 0;
    const real = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () { window.tones += 1; return real.call(this); };
    window.shown = [];
    const Real = window.Notification;
    window.Notification = class extends Real {
        constructor(title, options) {
            super(title, options);
            window.shown.push(options.body);
        }
    };
}"""
"""Counts tones, and keeps what the browser really showed."""

HIDE = """hidden => {
    Object.defineProperty(document, "visibilityState", { value: hidden ? "hidden" : "visible", configurable: true });
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
"""A page behind another tab; a browser without a screen hides none by itself."""


@pytest_asyncio.fixture(loop_scope="session")
async def there(chromium: Browser, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(chromium, tmp_path) as made:
        yield made


def offer(page: Page) -> Any:
    return page.get_by_role("region", name=re.compile("Nieuw gesprek voor u"))


async def available(*pages: Page) -> None:
    """One after the other: the first is free longest."""
    for page in pages:
        await page.get_by_role("button", name="Beschikbaar").click()
        await expect(page.get_by_text("U staat nu op: Beschikbaar.")).to_be_visible()


async def look(there: Desk) -> None:
    """What the worker's loop does as soon as something happens."""
    assert await there.served.house.offers.look() > 0


async def test_an_offer_goes_from_one_to_the_other_and_is_taken(there: Desk) -> None:
    els, jan = await there.agent(ELS), await there.agent(JAN)
    await available(els, jan)
    await there.visitor("Ik ben mijn pas kwijt")
    await look(there)
    await expect(offer(els)).to_contain_text("Nieuw gesprek voor u: Paspoort aanvragen of verlengen")
    await expect(offer(els)).to_contain_text(re.compile(r"Wacht \d:\d\d"))
    await expect(offer(els)).to_contain_text(re.compile(r"Nog \d+ seconden voor u"))
    await expect(els).to_have_title(re.compile(r"^\(1\) Nieuw gesprek voor u – KCC"))
    await expect(els.locator("#offer-said")).to_have_text(
        re.compile("Nieuw gesprek voor u: Paspoort.*Druk op a")
    )
    await expect(queue(jan)).to_have_count(1)
    await expect(offer(jan)).to_have_count(0)
    await els.locator("#middle").focus()
    await els.keyboard.press("w")
    await expect(els.get_by_text("Het gesprek gaat naar een collega, en blijft in de rij.")).to_be_visible()
    await expect(offer(els)).to_have_count(0)
    await expect(queue(els)).to_have_count(1)
    await look(there)
    await expect(offer(jan)).to_be_visible()
    await jan.locator("#middle").focus()
    await jan.keyboard.press("a")
    await expect(jan.get_by_label("Bericht aan de bewoner")).to_be_focused()
    await expect(own(jan)).to_have_count(1)
    await expect(jan.locator("#own-title")).to_contain_text("1 van 3")
    await expect(offer(jan)).to_have_count(0)
    await expect(jan).to_have_title(re.compile("^KCC"))
    await expect(queue(els)).to_have_count(0)


async def test_a_colleague_who_picks_it_is_named(there: Desk) -> None:
    els, jan = await there.agent(ELS), await there.agent(JAN)
    await available(els, jan)
    await there.visitor("hallo")
    await look(there)
    await expect(offer(els)).to_be_visible()
    # Els' page does not hear of it in time: the button tells.
    await els.route("**/kcc/parts/own*", lambda route: route.abort())
    await jan.locator("#middle").focus()
    await jan.keyboard.press("n")
    await expect(jan.locator("#composer")).to_be_visible()
    await els.get_by_role("button", name="Aannemen").click()
    await expect(els.get_by_role("alert").filter(has_text="Jan heeft dit gesprek al.")).to_be_visible()
    await els.unroute("**/kcc/parts/own*")
    await els.reload()
    await expect(els.locator(".offer")).to_have_text(re.compile("Jan heeft het gesprek al"))
    await expect(els.get_by_role("button", name="Aannemen")).to_have_count(0)


async def test_focus_is_not_lost_when_an_offer_goes(there: Desk) -> None:
    els, jan = await there.agent(ELS), await there.agent(JAN)
    await available(els, jan)
    await there.visitor("hallo")
    await look(there)
    await els.locator("#offer-accept").focus()
    await jan.locator("#middle").focus()
    await jan.keyboard.press("n")
    await expect(els.locator(".offer")).to_have_text(re.compile("Jan heeft het gesprek al"))
    await expect(els.locator("#middle")).to_be_focused()


@pytest.mark.parametrize(
    ("size", "scheme"), [((390, 844), "dark"), ((768, 1024), "light"), ((1280, 900), "dark")], ids=str
)
async def test_axe_finds_nothing(there: Desk, size: tuple[int, int], scheme: str) -> None:
    els, jan = await there.agent(ELS, size=size, color_scheme=scheme), await there.agent(JAN)
    await available(els, jan)
    visitor = await there.visitor("eerste vraag")
    await queue(els).click()
    await els.locator("#take").click()
    await expect(els.locator("#composer")).to_be_visible()
    await there.visitor("Ik heb hulp nodig, mijn pas is kwijt en ik weet het niet meer" * 3)
    await jan.get_by_role("button", name="Pauze").click()
    await expect(jan.get_by_text("U staat nu op: Pauze.")).to_be_visible()
    await look(there)
    await expect(offer(els)).to_be_in_viewport()
    await expect(offer(els)).to_contain_text("Nood")
    await types(there, visitor)
    await expect(els.get_by_text("De bewoner typt…")).to_be_visible()
    assert await violations(els) == [], "offer"
    assert await els.evaluate("document.documentElement.scrollWidth") <= size[0]
    await available(jan)
    await jan.locator("#middle").focus()
    await jan.keyboard.press("n")
    await expect(els.locator(".offer")).to_have_text(re.compile("Jan heeft het gesprek al"))
    assert await violations(els) == [], "gone"


@pytest.mark.parametrize("switch", ["on", "off"])
async def test_new_work_is_heard_and_shown_where_it_is_wanted(there: Desk, switch: str) -> None:
    els = await there.agent(ELS, permissions=["notifications"])
    await els.evaluate(WATCH)
    await available(els)
    if switch == "on":
        await els.get_by_role("button", name="Meldingen").click()
        for label in ("Geluid bij nieuw werk", "Melding van de browser bij nieuw werk"):
            await els.get_by_label(label).check()
        await els.keyboard.press("Escape")
    tones = await els.evaluate("tones")
    await els.evaluate(HIDE, True)
    await there.visitor("Ik ben mijn pas kwijt")
    await expect(els).to_have_title(re.compile(r"^\(1\) KCC"))
    arrived = ["Er wacht iemand in de rij."]
    offered = [*arrived, "Nieuw gesprek voor u: Paspoort aanvragen of verlengen."]
    assert await els.evaluate("shown") == (arrived if switch == "on" else [])
    await look(there)
    await expect(els).to_have_title(re.compile(r"^\(1\) Nieuw gesprek voor u – KCC"))
    assert await els.evaluate("shown") == (offered if switch == "on" else [])
    assert await els.evaluate("tones") == tones + (4 if switch == "on" else 0)
    # In sight the page itself tells it: a sound, and nothing of the browser.
    await els.evaluate(HIDE, False)
    tones = await els.evaluate("tones")
    await there.visitor("hallo")
    await expect(queue(els)).to_have_count(2)
    await expect(els).to_have_title(re.compile(r"^\(2\) "))
    assert await els.evaluate("shown") == (offered if switch == "on" else [])
    assert await els.evaluate("tones") == tones + (2 if switch == "on" else 0)


async def types(there: Desk, visitor: Any) -> None:
    """The resident's page says that somebody types."""
    async with there.served.session.post("/chat/typing", headers=visitor.headers) as answer:
        assert answer.status == 204, await answer.text()


async def resident(there: Desk, chromium: Browser) -> Page:
    """The resident's own page, who asks for a person."""
    context = await chromium.new_context(base_url=there.served.address, locale="nl-NL")
    context.set_default_timeout(20_000)
    page = await context.new_page()
    there.pages.append(page)
    page.on("pageerror", lambda error: there.problems.append(str(error)))
    await page.goto("/")
    await page.get_by_label("Uw vraag").fill("Ik wil een mens")
    await page.get_by_role("button", name="Verstuur").click()
    await expect(page.locator(".line--bot, .line--system")).to_have_count(2)
    return page


async def test_typing_is_seen_both_ways(
    there: Desk, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "TYPES", 3.0)
    page, els = await resident(there, chromium), await there.agent(ELS)
    for one in (page, els):
        await one.clock.install()
    await queue(els).click()
    await expect(els.locator("#take")).to_be_visible()
    sign = els.get_by_text("De bewoner typt…")
    await page.get_by_label("Uw vraag").press_sequentially("nog")
    await expect(sign).to_be_visible()
    await expect(els.locator("#types-said")).to_have_text("De bewoner typt.")
    await els.clock.fast_forward(6_000)
    await expect(sign).to_be_hidden()
    await page.clock.fast_forward(3_000)  # so often at most
    await page.get_by_label("Uw vraag").press_sequentially(" iets")
    await expect(sign).to_be_visible()
    await expect(els.locator("#types-said")).to_have_text("")  # it was read out already
    await els.locator("#take").click()
    await expect(els.locator("#composer")).to_be_visible()
    await expect(sign).to_be_hidden()
    await page.keyboard.press("Enter")
    await expect(els.get_by_role("log")).to_contain_text("nog iets")

    field = els.get_by_label("Bericht aan de bewoner")
    await field.press_sequentially("Ik kijk")
    await expect(page.get_by_text("Els typt…")).to_be_visible()
    assert await page.locator(".typing__words").get_attribute("aria-hidden") is None
    await expect(page.get_by_text("Els typt…")).to_have_count(0, timeout=12_000)
    await field.press_sequentially(" het na", delay=400)  # the server lets one through each 3.6 seconds
    await expect(page.get_by_text("Els typt…")).to_be_visible()
    await expect(page.locator(".typing__words")).to_have_attribute("aria-hidden", "true")
    await els.keyboard.press("Control+Enter")
    await expect(page.locator(".line--agent")).to_have_count(1)
    await expect(page.get_by_text("Els typt…")).to_have_count(0)
    [row] = await read(there, handoffs)
    assert row.agent == "els"


async def test_with_klaartje_nobody_sees_typing(there: Desk, chromium: Browser) -> None:
    context = await chromium.new_context(base_url=there.served.address)
    page = await context.new_page()
    there.pages.append(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto("/")
    await expect(page.locator(".line--bot")).to_have_count(1)
    await page.get_by_label("Uw vraag").press_sequentially("Wat kost een paspoort?")
    await page.keyboard.press("Enter")
    await expect(page.locator(".line--bot")).to_have_count(2)
    assert not [url for url in asked if "typing" in url]
