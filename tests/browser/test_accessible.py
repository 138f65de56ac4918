"""The page for everyone: axe finds nothing, a keyboard is enough, small screens and large text fit."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fake_chat import FakeChat
from tests.browser.screenshot import ask, conversation

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def violations(page: Page) -> list[str]:
    """What axe has against the page, WCAG 2.1 A and AA and its good practices."""
    found = await Axe().run(page)
    return [
        f"{problem['id']}: {node['html'][:120]} {node.get('failureSummary', '')}"
        for problem in found.response["violations"]
        for node in problem["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_axe_finds_nothing(chromium: Browser, chat: FakeChat, size: ViewportSize, scheme: str) -> None:
    chat.answers = conversation
    page = await chromium.new_page(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    await page.goto(chat.url)
    await expect(page.locator(".line--bot")).to_have_count(1)
    assert await violations(page) == [], "empty"
    await ask(page, "Hoe vraag ik een paspoort aan?")
    await page.get_by_role("button", name="Wat kost het met spoed?").click()
    await expect(page.locator(".line--bot")).to_have_count(3)
    assert await violations(page) == [], "mid-conversation"
    await page.get_by_role("banner").get_by_role("button", name="Spreek een medewerker").click()
    await expect(page.locator("#owner")).to_be_visible()
    await chat.say("system", {"text": "Sanne doet nu mee aan dit gesprek."})
    await chat.say("agent", {"text": "Goedemiddag, u spreekt met Sanne."})
    await chat.set(typing=True)
    await expect(page.locator(".typing__words")).to_be_visible()
    assert await violations(page) == [], "with a person"
    await page.get_by_role("button", name="Nieuw gesprek").click()
    assert await violations(page) == [], "asked before a new conversation"
    await page.keyboard.press("Escape")
    await chat.stop()
    await page.get_by_label("Uw vraag").fill("x" * 4_001)
    await expect(page.locator("#offline")).to_be_visible()
    assert await violations(page) == [], "offline, with a text that is too long"
    await page.close()


async def focused(page: Page) -> str:
    """What has the focus, as it is named."""
    return str(
        await page.evaluate(
            "(e => e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent.trim())"
            "(document.activeElement)"
        )
    )


async def test_a_keyboard_is_enough(chromium_page: Page, chat: FakeChat) -> None:
    page = chromium_page
    await page.goto(chat.url)
    await expect(page.locator(".line--bot")).to_have_count(1)
    order = []
    for _ in range(8):
        await page.keyboard.press("Tab")
        order.append(await focused(page))
        box = await page.evaluate(
            "(b => [b.left, b.top, b.right, b.bottom])(document.activeElement.getBoundingClientRect())"
        )
        assert box[0] >= 0
        assert box[1] >= 0
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", order[-1]
    assert order == [
        "Ga naar het invoerveld",
        "Nieuw gesprek",
        "Spreek een medewerker",
        "14 0999",
        "Paspoort aanvragen",
        "Verhuizing doorgeven",
        "Afval en ophaaldagen",
        "Uw vraag",
    ]
    await page.keyboard.type("Met het toetsenbord")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Verstuur"
    await page.keyboard.press("Enter")
    await expect(page.locator(".line--bot")).to_have_count(2)
    assert await focused(page) == "Uw vraag"
    await page.keyboard.press("Shift+Tab")
    assert await focused(page) == "Afval en ophaaldagen"
    await page.keyboard.press("Space")
    await expect(page.locator(".line--bot")).to_have_count(3)
    await page.get_by_role("button", name="Nieuw gesprek").focus()
    await page.keyboard.press("Enter")
    assert await focused(page) == "Ja, nieuw gesprek"
    await page.keyboard.press("Escape")
    assert await focused(page) == "Nieuw gesprek"


async def test_the_skip_link_leads_to_the_question(chromium_page: Page, chat: FakeChat) -> None:
    await chromium_page.goto(chat.url)
    await chromium_page.keyboard.press("Tab")
    await expect(chromium_page.get_by_role("link", name="Ga naar het invoerveld")).to_be_in_viewport()
    await chromium_page.keyboard.press("Enter")
    await expect(chromium_page.get_by_label("Uw vraag")).to_be_focused()


async def test_a_focused_button_is_not_behind_the_header_or_the_composer(
    chromium_page: Page, chat: FakeChat
) -> None:
    chat.answers = conversation
    page = chromium_page
    await page.goto(chat.url)
    for _ in range(3):
        await ask(page, "Hoe vraag ik een paspoort aan?")
    for _ in range(12):
        await page.keyboard.press("Shift+Tab")
        hit = await page.evaluate(
            """() => {
              const box = document.activeElement.getBoundingClientRect();
              const top = document.elementFromPoint(box.left + box.width / 2, box.top + 3);
              const bottom = document.elementFromPoint(box.left + box.width / 2, box.bottom - 3);
              return [top, bottom].every((found) => document.activeElement.contains(found));
            }"""
        )
        assert hit, await focused(page)


@pytest.mark.parametrize(
    "size", [(320, 568), (320, 256), (640, 450)], ids=["phone", "zoom 400 %", "zoom 200 %"]
)
async def test_it_fits_without_scrolling_sideways(
    chromium_page: Page, chat: FakeChat, size: tuple[int, int]
) -> None:
    chat.answers = lambda _: [
        {
            "text": "https://www.zonneveen.example/" + "lang" * 60 + "\n\n- " + "woord" * 60,
            "choices": [{"id": "x", "label": "Meldingopenbareruimteafhandelingsformulier" * 2}],
            "links": [
                {"label": "Aansprakelijkheidswaardevaststellingen" * 2, "url": "https://zonneveen.example"}
            ],
        }
    ]
    page = chromium_page
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.goto(chat.url)
    await expect(page.locator(".line--bot")).to_have_count(1)
    await ask(page, "x" * 500)
    await chat.set(owner="waiting")
    await expect(page.locator("#owner")).to_be_visible()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]
    for box in [await found.bounding_box() for found in await page.locator("button:visible").all()]:
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]


async def test_text_can_be_twice_as_large(chromium_page: Page, chat: FakeChat) -> None:
    page = chromium_page
    chat.answers = conversation
    await page.goto(chat.url)
    await ask(page, "Hoe vraag ik een paspoort aan?")
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await expect(page.get_by_role("button", name="Verstuur")).to_be_visible()


async def test_nothing_moves_for_who_does_not_want_it(chromium: Browser, chat: FakeChat) -> None:
    page = await chromium.new_page(viewport=PHONE, reduced_motion="reduce")
    await page.goto(chat.url)
    await expect(page.locator(".line--bot")).to_have_count(1)
    await chat.set(typing=True)
    await expect(page.locator(".typing__dots")).to_be_visible()
    assert await page.evaluate("document.getAnimations().length") == 0
    await page.close()


async def test_right_to_left_text_reads_right_to_left(chromium_page: Page, chat: FakeChat) -> None:
    page = chromium_page
    await page.goto(chat.url)
    await ask(page, "كيف أطلب جواز سفر جديد؟")
    own = page.locator(".line--resident .bubble p")
    assert await own.evaluate("e => getComputedStyle(e).direction") == "rtl"
    greeting = page.locator(".line--bot .bubble p").first
    assert await greeting.evaluate("e => getComputedStyle(e).direction") == "ltr"


async def test_every_message_names_its_sender_and_time(chromium_page: Page, chat: FakeChat) -> None:
    page = chromium_page
    await page.goto(chat.url)
    await ask(page, "Hoi")
    log = page.get_by_role("log", name="Gesprek met Klaartje")
    await expect(log).to_have_attribute("aria-live", "polite")
    assert await log.locator(".line__who").all_inner_texts() == ["Klaartje", "U", "Klaartje"]
    for time in await log.locator("time").all():
        assert await time.get_attribute("datetime")
        assert (await time.inner_text()).count(":") == 1


async def test_without_scripts_the_page_says_where_to_call(chromium: Browser, chat: FakeChat) -> None:
    context = await chromium.new_context(viewport=PHONE, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(chat.url)
    await expect(page.locator(".chat__noscript")).to_contain_text("op 14 0999")
    await expect(page.locator("#dock")).to_be_hidden()
    await expect(page.locator("#actions")).to_be_hidden()
    await context.close()
