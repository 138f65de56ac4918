"""A whole day in a minute, in real browsers and with real processes: two agents, three residents, and a server that is
killed in the middle."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.async_api import Browser, Page
from playwright.async_api import expect as hasty

from bot.db.tables import conversations, handoffs, messages, notes
from bot.model import Author
from tests.browser.test_kcc import EVIL, JPEG, own, queue
from tests.console_agent import ConsoleAgent, agent_at
from tests.fakes.whatsapp import Resident
from tests.integration.staffed import Staffed, alone
from tests.processes import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.process,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"),
]

OFFLINE = "Geen verbinding. De pagina probeert het steeds opnieuw."
FIELD = "Bericht aan de bewoner"
BACK = 90_000
"""Milliseconds for a page to come back by itself: at the end it waits eight seconds between its tries."""

expect = type(hasty)()
"""With patience: a process starts meanwhile, and the machine may be busy."""
expect.set_options(timeout=BACK)


class Windows:
    """Pages, each in a browser of its own, and what went wrong on any of them."""

    def __init__(self, chromium: Browser, url: str) -> None:
        self.problems: list[str] = []
        self._chromium = chromium
        self._url = url
        self._pages: list[Page] = []

    async def open(self, path: str, agent: ConsoleAgent | None = None) -> Page:
        """A resident's page, or an agent's."""
        context = await self._chromium.new_context(
            base_url=self._url, locale="nl-NL", timezone_id="Europe/Amsterdam"
        )
        context.set_default_timeout(BACK)
        for name, value in (agent.cookies if agent else {}).items():
            await context.add_cookies([{"name": name, "value": value, "url": self._url}])
        page = await context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on(
            "console",
            lambda line: self.problems.append(line.text) if "Security Policy" in line.text else None,
        )
        page.on("dialog", lambda dialog: self.problems.append(f"a dialog: {dialog.message}"))
        self._pages.append(page)
        await page.goto(path)
        await page.evaluate("window.sinceMorning = true")
        return page

    async def close(self) -> None:
        """Nothing went wrong, and no page was loaded again or let a resident's text act."""
        for page in self._pages:
            assert await page.evaluate("window.sinceMorning") is True, page.url
            assert "boos" not in await page.title()
            await page.context.close()
        assert self.problems == []


@asynccontextmanager
async def windows(chromium: Browser, url: str) -> AsyncIterator[Windows]:
    made = Windows(chromium, url)
    yield made
    await made.close()


async def writes(page: Page, text: str) -> None:
    """A resident on the web chat."""
    await page.get_by_label("Uw vraag").fill(text)
    await page.keyboard.press("Enter")


async def say(page: Page, text: str) -> None:
    """An agent."""
    await page.get_by_label(FIELD).fill(text)
    await page.get_by_label(FIELD).press("Control+Enter")
    await expect(page.get_by_label(FIELD)).to_have_value("")


async def both_press(els: Page, jan: Page) -> tuple[Page, Page, str]:
    """Take the same one at the same moment: who has it, who has not, and the name of who has it."""
    for page in (els, jan):
        await queue(page).click()
        await expect(page.locator("#take")).to_be_visible()
    await asyncio.gather(*(page.evaluate("document.getElementById('take').click()") for page in (els, jan)))

    async def winners() -> list[int]:
        return [number for number, page in enumerate((els, jan)) if await page.locator("#composer").count()]

    [winner] = await until(winners, 90, "one of them has it")
    first, second, name = (els, jan, "Els") if winner == 0 else (jan, els, "Jan")
    late = second.get_by_role("alert").filter(has_text=f"{name} heeft dit gesprek al.")
    await expect(late).to_be_visible()
    await expect(second.locator("#composer")).to_have_count(0)
    return first, second, name


async def takes(page: Page) -> None:
    """Take the only one who waits."""
    await queue(page).click()
    await page.locator("#take").click()
    await expect(page.get_by_label(FIELD)).to_be_focused()


async def presses(page: Page, key: str) -> None:
    """A key, which does nothing while a dialog is still open."""
    await expect(page.locator("dialog[open]")).to_have_count(0)
    await page.locator("#middle").focus()
    await page.keyboard.press(key)


async def test_a_day(chromium: Browser, tmp_path: Path, vectors: Path) -> None:
    directory = tmp_path / "state"
    directory.mkdir()
    (directory / "vectors").symlink_to(vectors)
    async with (
        alone(directory, seed=5) as there,
        agent_at(there.store, there.url, "els") as els,
        agent_at(there.store, there.url, "jan") as jan,
        windows(chromium, there.url) as desk,
    ):
        pages = [await desk.open("/kcc", els), await desk.open("/kcc", jan)]
        for page in pages:
            await page.get_by_role("button", name="Beschikbaar").click()
            await expect(page.get_by_text("Er wacht niemand.")).to_be_visible()
        anna, bram = await desk.open("/"), await desk.open("/")
        noor = there.fake.resident(name=EVIL)

        # The morning: Anna talks with the bot, and wants a person. Both agents press.
        await writes(anna, "help")
        await expect(anna.locator(".line--bot")).to_have_count(2)
        await writes(anna, "medewerker over mijn tuin")
        first, second, name = await both_press(*pages)
        await expect(anna.locator("#owner")).to_contain_text("U praat nu met een medewerker")
        await say(first, "Goedemorgen, zegt u het maar.")
        await expect(anna.locator(".line--agent .bubble")).to_have_text("Goedemorgen, zegt u het maar.")
        await writes(anna, EVIL)
        await expect(first.locator(".line--resident").last).to_contain_text(EVIL)
        await presses(first, "i")
        await first.get_by_label("Notitie voor collega's").fill(f"belde gisteren ook {EVIL}")
        await first.get_by_role("button", name="Bewaar de notitie").click()
        await expect(first.locator("#side")).to_contain_text(f"belde gisteren ook {EVIL}")

        # Anna goes to the colleague, with a reason; two others come.
        with_anna = first.url.rpartition("/")[2]
        await presses(first, "o")
        await first.get_by_label("Aan wie").select_option(label="Jan" if name == "Els" else "Els")
        await first.get_by_label("Waarom").fill("weet dit beter")
        await first.get_by_role("dialog").get_by_role("button", name="Draag over").click()
        await expect(own(second)).to_have_count(1)
        await expect(second.locator("#side")).to_contain_text("Overgedragen: weet dit beter")
        await expect(own(first)).to_have_count(0)
        await writes(bram, "ik zoek bram")
        await expect(bram.locator(".line--bot")).to_have_count(2)
        await bram.get_by_role("banner").get_by_role("button", name="Spreek een medewerker").click()
        await takes(first)
        await say(first, "Dag Bram.")
        await noor_is_with(second, noor)

        # Half a message stands with Bram and with Anna, when the server dies.
        await first.get_by_label(FIELD).fill("tijdens de storing van de balie")
        await second.locator(f'[data-list="own"] [data-open="{with_anna}"]').click()
        await expect(second).to_have_url(re.compile(with_anna))
        await expect(second.get_by_role("log")).to_contain_text("Goedemorgen, zegt u het maar.")
        await second.get_by_label(FIELD).fill("half af")
        await the_server_is_killed(there, first, second, anna, bram, noor)

        # Anna goes back to the bot, with a mark.
        await presses(second, "b")
        await second.get_by_role("dialog").get_by_label("Wij bellen terug").check()
        await second.get_by_role("button", name="Geef terug aan Klaartje").click()
        await anna.get_by_role("button", name="8", exact=True).click()
        await expect(anna.get_by_role("log")).to_contain_text("Dank u wel voor uw cijfer")
        bot = await anna.locator(".line--bot").count()
        await writes(anna, "help")
        await expect(anna.locator(".line--bot")).to_have_count(bot + 1)
        await nothing_is_lost(there, anna, bram, noor)
    assert there.fake.invalid == [] and "Traceback" not in there.said()


async def noor_is_with(page: Page, noor: Resident) -> None:
    """A resident on WhatsApp, with a file whose name is a script."""
    noor.say("medewerker over mijn tuin")
    await expect(queue(page)).to_contain_text("mijn tuin")  # who was taken elsewhere goes within seconds
    await takes(page)
    noor.send_file("document", JPEG, "image/jpeg", filename=EVIL, caption="zo ziet het eruit")
    await expect(page.get_by_role("button", name="Bekijk")).to_contain_text("<img src=x")
    await say(page, "Ik zie het.")
    await noor.fake.until(lambda: "Ik zie het." in noor.heard, 90)


async def the_server_is_killed(
    there: Staffed, first: Page, second: Page, anna: Page, bram: Page, noor: Resident
) -> None:
    """With -9; everybody goes on writing, and it comes again."""
    program = there.programs["run"]
    program.kill()
    for page in (first, second):
        await expect(page.get_by_text(OFFLINE)).to_be_visible()
    await first.get_by_label(FIELD).press("Control+Enter")
    await expect(first.get_by_role("alert").filter(has_text="geen verbinding")).to_be_visible()
    await writes(anna, "anna in de storing")
    await writes(bram, "bram in de storing")
    noor.say("noor in de storing")
    program.start()
    for page in (first, second):
        await expect(page.get_by_text(OFFLINE)).to_have_count(0)
    await expect(first.get_by_label(FIELD)).to_have_value("tijdens de storing van de balie")
    await expect(second.get_by_label(FIELD)).to_have_value("half af")
    await expect(first.get_by_role("log")).to_contain_text("bram in de storing")
    await expect(second.get_by_role("log")).to_contain_text("anna in de storing")
    await first.get_by_label(FIELD).press("Control+Enter")
    await second.get_by_label(FIELD).press("Control+Enter")
    await expect(bram.get_by_text("tijdens de storing van de balie")).to_be_visible()
    await expect(anna.get_by_text("half af")).to_be_visible()
    await expect(own(second).filter(has_text="noor in de storing")).to_have_count(1)


async def nothing_is_lost(there: Staffed, anna: Page, bram: Page, noor: Resident) -> None:
    """Each line stands in the store once, and on the resident's page as it stands in the store."""
    async with there.store.read() as connection:
        lines = (await connection.execute(sa.select(messages).order_by(messages.c.seq))).all()
        residents = {row.id: row.channel for row in await connection.execute(sa.select(conversations))}
        ended = (await connection.execute(sa.select(handoffs).where(handoffs.c.mark.is_not(None)))).all()
        written = Counter((await connection.execute(sa.select(notes.c.text))).scalars())
    said = Counter((line.author, line.text) for line in lines)
    once = {
        Author.RESIDENT: (
            EVIL,
            "ik zoek bram",
            "anna in de storing",
            "bram in de storing",
            "noor in de storing",
        ),
        Author.AGENT: ("Goedemorgen, zegt u het maar.", "Dag Bram.", "Ik zie het.", "half af"),
    }
    for author, texts in once.items():
        assert [said[author, text] for text in texts] == [1] * len(texts)
    assert sum(count for (author, _), count in said.items() if author == Author.AGENT) == 5
    assert [(row.mark, row.outcome) for row in ended] == [(8, "call_back")]
    assert written == {f"belde gisteren ook {EVIL}": 1, "Overgedragen: weet dit beter": 1}
    for page, mark in ((anna, "half af"), (bram, "Dag Bram.")):
        key = next(line.conversation_id for line in lines if line.text == mark)
        await shows(page, [line for line in lines if line.conversation_id == key])
    [phone] = [key for key, channel in residents.items() if channel == "whatsapp"]
    theirs = [line.text for line in lines if line.conversation_id == phone and line.author == Author.AGENT]
    assert theirs and [text for text in noor.heard if text in theirs] == theirs


async def shows(page: Page, lines: Sequence[Any]) -> None:
    """The page has the lines of the transcript, in its order."""
    await expect(page.locator("#log .bubble")).to_have_count(len(lines))
    classes = await page.locator("#log .line").evaluate_all("all => all.map(one => one.className)")
    authors = [re.search(r"line--(resident|bot|agent|system)", found) for found in classes]
    assert [found[1] for found in authors if found] == [line.author for line in lines]
