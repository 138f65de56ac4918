"""Make the picture of the chat page for the docs: `python -m tests.browser.screenshot [folder]`."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

from tests.browser.conftest import ARGS, chromium_path
from tests.browser.fake_chat import FakeChat, Message

NOW = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)


def conversation(message: Message) -> list[Message]:
    """An answer with all that an answer can have."""
    return [
        {
            "text": "U vraagt een paspoort aan bij de balie. **Maak eerst een afspraak.** Neem dit mee:\n\n"
            "- uw oude paspoort of identiteitskaart\n- een pasfoto van niet ouder dan 6 maanden\n\n"
            "Na 5 werkdagen ligt uw paspoort klaar. U betaalt € 88,65.",
            "choices": [
                {"id": "aspect:kosten", "label": "Wat kost het met spoed?"},
                {"id": "aspect:meenemen", "label": "Wat neem ik mee voor een kind?"},
                {"id": "human", "label": "Spreek een medewerker"},
            ],
            "links": [{"label": "Afspraak maken", "url": "https://www.zonneveen.example/afspraak"}],
        }
    ]


async def ask(page: Page, text: str) -> None:
    """Type and send, and wait for the answer."""
    lines = await page.locator(".line").count()
    await page.get_by_label("Uw vraag").fill(text)
    await page.keyboard.press("Enter")
    await page.wait_for_function("count => document.querySelectorAll('.line').length >= count + 2", arg=lines)


async def main(folder: Path) -> None:
    """Start a chat, ask, and write `chat.png`."""
    chat = FakeChat(conversation, lambda: NOW)
    folder.mkdir(parents=True, exist_ok=True)
    await chat.start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGS)
            view: ViewportSize = {"width": 390, "height": 844}
            page = await browser.new_page(
                viewport=view, device_scale_factor=2, has_touch=True, is_mobile=True
            )
            await page.clock.set_fixed_time(NOW)
            await page.goto(chat.url)
            await ask(page, "Hoe vraag ik een paspoort aan?")
            await page.evaluate("document.fonts.ready")
            await page.screenshot(path=folder / "chat.png")
            await browser.close()
    finally:
        await chat.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/img")))
