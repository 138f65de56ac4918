"""Make the picture of the chat page for the docs: `python -m tests.browser.screenshot [folder]`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Page, ViewportSize, async_playwright

from tests import processes
from tests.browser.conftest import ARGS, chromium_path
from tests.browser.fake_chat import Message


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
    """Start the real house, ask, and write `chat.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as state:
        ports = {name: str(processes.port()) for name in ("PORT", "ENGINE_PORT", "ACTIONS_PORT")}
        environment = {"STATE_DIR": state, "ENGINE_PYTHON": str(processes.trained()), **ports}
        url = f"http://127.0.0.1:{ports['PORT']}"
        with processes.bot("run", Path(state), environment).start():
            await processes.ready(url, "worker", "engine", "search")
            await _photograph(url, folder / "chat.png")


async def _photograph(url: str, file: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGS)
        view: ViewportSize = {"width": 390, "height": 844}
        page = await browser.new_page(viewport=view, device_scale_factor=2, has_touch=True, is_mobile=True)
        await page.goto(url)
        await page.locator(".line").first.wait_for()
        await ask(page, "Wat kost een paspoort?")
        await page.evaluate("document.fonts.ready")
        await page.screenshot(path=file)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/img")))
