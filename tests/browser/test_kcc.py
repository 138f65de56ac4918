"""The console in a real browser: two agents, residents on the web chat and on WhatsApp, keys, drafts, lost lines."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from playwright.async_api import Browser, Page, expect

from bot.clock import utc_now
from bot.db.migrate import migrate
from bot.db.tables import audit, conversations, handoffs, messages
from bot.model import Author, Kind
from tests import services
from tests.browser.kcc import COOKIE, ELS, JAN, LEA, Desk, desk, identify, think
from tests.fakes.search import PASSPORT
from tests.integration.served import Visitor, serve

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(500)
EVIL = "<img src=x onerror=\"document.title='boos'\"> **niet vet**"


@pytest_asyncio.fixture(loop_scope="session")
async def there(chromium: Browser, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(chromium, tmp_path) as made:
        yield made


async def read(there: Desk, table: sa.Table) -> list[Any]:
    async with there.served.house.database.read() as connection:
        return list((await connection.execute(sa.select(table))).all())


async def change(there: Desk, *statements: Any) -> None:
    async with there.served.house.database.write() as connection:
        for statement in statements:
            await connection.execute(statement)


def queue(page: Page) -> Any:
    return page.locator('[data-list="queue"] .card')


def own(page: Page) -> Any:
    return page.locator('[data-list="own"] .card')


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Bericht aan de bewoner").fill(text)
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_label("Bericht aan de bewoner")).to_have_value("")


async def test_from_the_queue_to_a_mark(there: Desk) -> None:
    els, jan = await there.agent(ELS), await there.agent(JAN)
    for page in (els, jan):
        await page.get_by_role("button", name="Beschikbaar").click()
        await expect(page.get_by_text("Er wacht niemand.")).to_be_visible()
    visitor = await there.visitor("Wat kost een paspoort?", "Ik ben mijn pas kwijt")
    for page in (els, jan):
        await expect(queue(page)).to_have_count(1)
        await expect(queue(page)).to_contain_text("Ik ben mijn pas kwijt")
        await expect(page).to_have_title(re.compile(r"^\(1\) KCC"))
    await queue(jan).click()
    await expect(jan.get_by_role("log")).to_contain_text("Ik ben mijn pas kwijt")
    await els.locator("#middle").focus()
    await els.keyboard.press("n")
    await expect(els.get_by_role("heading", name="Paspoort aanvragen of verlengen")).to_be_visible()
    await expect(els.get_by_label("Bericht aan de bewoner")).to_be_focused()
    # Jan sees it, and can't take it any more; the click of who did not see it yet is told why.
    await expect(jan.get_by_text("Els heeft dit gesprek. U kunt meelezen.")).to_be_visible()
    await expect(queue(jan)).to_have_count(0)

    await say(els, "Goedemiddag. Wanneer was dat?")
    mine = els.locator(".line--agent")
    await expect(mine).to_contain_text("Els")
    await expect(mine).to_contain_text("Verstuurd")
    await expect(els.get_by_role("heading", name="Paspoort aanvragen of verlengen")).to_be_visible()
    assert (await visitor.waits(7))[-1]["text"] == "Goedemiddag. Wanneer was dat?"
    await visitor.says("Gisteren, in de trein")
    for page in (els, jan):
        await expect(page.get_by_role("log")).to_contain_text("Gisteren, in de trein")

    await els.locator("#middle").focus()
    await els.keyboard.press("o")
    await els.get_by_label("Aan wie").select_option(label="Jan")
    await els.get_by_label("Waarom").fill("Jan weet dit beter")
    await els.get_by_role("dialog").get_by_role("button", name="Draag over").click()
    await expect(els.get_by_text("Jan heeft dit gesprek.")).to_be_visible()
    await expect(own(els)).to_have_count(0)
    await expect(own(jan)).to_have_count(1)
    await expect(jan.locator("#side")).to_contain_text("Overgedragen: Jan weet dit beter")
    await say(jan, "Ik neem het over.")
    await expect(els.locator(".line--agent .line__who")).to_have_text(["Els", "Jan"])

    await jan.locator("#middle").focus()
    await jan.keyboard.press("b")
    await jan.get_by_role("dialog").get_by_label("Wij bellen terug").check()
    await jan.get_by_role("button", name="Geef terug aan Klaartje").click()
    await expect(jan.get_by_text("Dit gesprek is afgelopen.")).to_be_visible()
    asked = (await visitor.waits(12))[-1]
    assert "cijfer" in asked["text"]
    await visitor.posts(choice=asked["choices"][7]["id"])
    await expect(els.get_by_role("log")).to_contain_text("Dank u wel voor uw cijfer")
    [row] = await read(there, handoffs)
    assert (row.mark, row.outcome, row.agent) == (8, "call_back", "jan")
    lea = await there.agent(LEA, path="/kcc/overzicht")
    await expect(lea.get_by_text("Gemiddeld 8,0, uit 1 cijfer.")).to_be_visible()
    assert {one.action for one in await read(there, audit)} >= {"opened conversation", "took conversation"}


async def test_the_one_who_is_late_is_told(there: Desk) -> None:
    els, jan = await there.agent(ELS), await there.agent(JAN)
    await there.visitor("hallo")
    for page in (els, jan):
        await queue(page).click()
        await expect(page.locator("#take")).to_be_visible()
    # Jan's page does not hear of it in time.
    await jan.route("**/kcc/parts/**", lambda route: route.abort())
    await els.locator("#take").click()
    await expect(els.locator("#composer")).to_be_visible()
    await jan.locator("#take").click()
    await expect(jan.get_by_role("alert").filter(has_text="Els heeft dit gesprek al.")).to_be_visible()


async def test_whatsapp_with_all_that_can_be_in_it(there: Desk) -> None:
    there.noor.say(EVIL)
    await there.noor.hears(1)
    page = await there.agent(ELS)
    await expect(queue(page)).to_contain_text("WhatsApp")
    await page.locator("#middle").focus()
    await page.keyboard.press("n")
    await expect(page.locator(".line--resident").first).to_contain_text(EVIL)
    assert "boos" not in await page.title()
    await expect(
        page.get_by_text(re.compile(r"U kunt nog 23 uur en \d+ minuten vrij schrijven"))
    ).to_be_visible()
    there.noor.deliver({"type": "location", "location": {"latitude": 52.1, "longitude": 5.1, "name": EVIL}})
    there.noor.send_file("document", JPEG, "image/jpeg", filename=EVIL, caption="zo ziet het eruit")
    link = page.get_by_role("link", name="Bekijk op de kaart")
    await expect(link).to_have_attribute("href", re.compile(r"openstreetmap\.org/\?mlat=52\.1&mlon=5\.1"))
    button = page.get_by_role("button", name="Bekijk")
    await expect(button).to_contain_text("<img src=x")
    async with page.context.expect_page() as opened:
        await button.click()
    shown = await opened.value
    await expect(shown).to_have_url(re.compile(r"/kcc/files/[\w-]{43}$"))
    await shown.close()
    await page.get_by_label("Bericht aan de bewoner").press_sequentially("Ik kijk")
    await there.fake.until(lambda: there.noor.typing > 0)
    await say(page, "Ik kijk het na.")
    await there.fake.until(lambda: "Ik kijk het na." in there.noor.heard)
    there.noor.react("🙏")
    there.noor.say("oeps")
    await expect(page.get_by_role("log")).to_contain_text("oeps")
    there.noor.edit("dank")
    await expect(page.locator(".line--resident").last).to_contain_text("bewerkt om")
    there.noor.revoke()
    await expect(page.locator(".line--resident").last).to_contain_text("teruggenomen")
    await expect(page.locator(".line--agent")).to_contain_text("Reactie van de bewoner: 🙏")
    await expect(page.locator(".line--agent")).to_contain_text(re.compile("Aangekomen|Gelezen"))


async def test_outside_the_window(there: Desk) -> None:
    there.noor.say("hallo")
    await there.noor.hears(1)
    page = await there.agent(ELS)
    await queue(page).click()
    await page.locator("#take").click()
    await expect(page.locator("#composer")).to_be_visible()
    await page.get_by_label("Bericht aan de bewoner").fill("Uw paspoort ligt klaar")
    await change(there, sa.update(conversations).values(last_inbound_at=utc_now() - timedelta(hours=30)))
    await expect(page.get_by_role("button", name="Zet klaar")).to_be_visible()
    await expect(page.get_by_label("Bericht aan de bewoner")).to_have_value("Uw paspoort ligt klaar")
    form = page.locator("form", has_text="Er is antwoord over")
    await form.get_by_role("button").click()
    await expect(page.get_by_role("alert").filter(has_text="Vul alle velden")).to_be_visible()
    await form.get_by_label("Onderwerp").fill("uw paspoort")
    await form.get_by_role("button").click()
    await expect(page.locator(".line--agent")).to_contain_text("Er is antwoord over uw paspoort.")
    await page.get_by_role("button", name="Zet klaar").click()
    await expect(page.get_by_text("Gaat weg zodra de bewoner weer schrijft")).to_be_visible()


async def test_a_draft_stays_with_its_conversation(there: Desk) -> None:
    page = await there.agent(ELS)
    await there.visitor("eerste")
    await there.visitor("tweede")
    for text in ("eerste", "tweede"):
        await queue(page).filter(has_text=text).click()
        await page.locator("#take").click()
        await expect(page.locator("#composer")).to_be_visible()
        await page.get_by_label("Bericht aan de bewoner").fill(f"concept voor {text}")
    await page.reload()
    await expect(page.get_by_label("Bericht aan de bewoner")).to_have_value("concept voor tweede")
    await own(page).filter(has_text="eerste").click()
    await expect(page.get_by_label("Bericht aan de bewoner")).to_have_value("concept voor eerste")
    await page.go_back()
    await expect(page.get_by_label("Bericht aan de bewoner")).to_have_value("concept voor tweede")
    await say(page, "verstuurd")
    await page.reload()
    await expect(page.locator(".line--agent")).to_have_count(1)
    await expect(page.get_by_label("Bericht aan de bewoner")).to_have_value("")


async def test_two_tabs_stay_in_step(there: Desk) -> None:
    first = await there.agent(ELS)
    second = await first.context.new_page()
    await second.goto("/kcc")
    await first.get_by_role("button", name="Pauze").click()
    await expect(second.get_by_role("button", name="Pauze")).to_have_attribute("aria-pressed", "true")
    await there.visitor("hallo")
    await queue(second).click()
    await second.locator("#take").click()
    await expect(own(first)).to_have_count(1)
    await own(first).click()
    await say(first, "uit het eerste tabblad")
    await expect(second.locator(".line--agent")).to_contain_text("uit het eerste tabblad")


async def test_answers_and_notes_and_quick_replies(there: Desk) -> None:
    page = await there.agent(ELS)
    visitor = await there.visitor("hallo")
    await queue(page).click()
    await expect(page.locator("#take")).to_be_visible()
    await page.locator("#middle").focus()
    await page.keyboard.press("t")
    await expect(page.locator("#composer")).to_be_visible()
    field = page.get_by_label("Bericht aan de bewoner")
    await field.press("Escape")
    await page.keyboard.press("q")
    await page.get_by_label("Zoek in snelle antwoorden").fill("begroeting")
    await page.keyboard.press("Enter")
    await expect(field).to_have_value(re.compile("u spreekt met Els van de gemeente Zonneveen"))
    await field.press("Escape")
    await page.keyboard.press("k")
    await page.get_by_label("Waar zoekt u een antwoord op?").fill("paspoort")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Zet in bericht: Paspoort aanvragen of verlengen, antwoord").click()
    await expect(page.locator("#source")).to_have_text("Uit artikel: Paspoort aanvragen of verlengen.")
    await field.press("Control+Enter")
    await expect(page.locator(".line--agent")).to_contain_text(
        "Uit artikel: Paspoort aanvragen of verlengen, versie 3"
    )
    [line] = [row for row in await read(there, messages) if row.author == Author.AGENT]
    assert (line.article, line.revision) == (PASSPORT.slug, PASSPORT.revision)
    await field.press("Escape")
    await page.keyboard.press("i")
    await page.get_by_label("Notitie voor collega's").fill("belde vorige week ook")
    await page.get_by_role("button", name="Bewaar de notitie").click()
    await expect(page.locator("#side")).to_contain_text("belde vorige week ook")
    assert all("belde" not in message["text"] for message in await visitor.reads())


async def test_keys_do_nothing_while_somebody_types(there: Desk) -> None:
    page = await there.agent(ELS)
    await there.visitor("hallo")
    await queue(page).click()
    await page.locator("#take").click()
    field = page.get_by_label("Bericht aan de bewoner")
    await field.press_sequentially("ntjkr/?qibxo")
    await expect(field).to_have_value("ntjkr/?qibxo")
    assert await page.locator("dialog[open]").count() == 0
    await field.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Toetsen")).to_be_visible()
    await page.keyboard.press("x")
    assert await page.locator("dialog[open]").count() == 1
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await expect(page.get_by_label("Zoek in gesprekken")).to_be_focused()
    await page.keyboard.type("hallo")
    await page.keyboard.press("Enter")
    await expect(page.locator("#found .card")).to_have_count(1)
    await page.locator("#middle").focus()
    await page.keyboard.press("j")
    await expect(own(page)).to_be_focused()
    await page.keyboard.press("j")
    await expect(page.locator("#found .card")).to_be_focused()
    await page.keyboard.press("k")
    await expect(own(page)).to_be_focused()


async def test_focus_and_place_are_kept_while_parts_change(there: Desk) -> None:
    page = await there.agent(ELS)
    visitor = await there.visitor("hallo")
    await queue(page).click()
    await page.locator("#take").click()
    await expect(page.locator("#composer")).to_be_visible()
    await page.locator("#do-close").focus()
    await visitor.says("nog iets")
    await expect(page.get_by_role("log")).to_contain_text("nog iets")
    await expect(page.locator("#do-close")).to_be_focused()
    await own(page).focus()
    await visitor.says("en dit")
    await expect(own(page)).to_contain_text("en dit")
    await expect(own(page)).to_be_focused()
    field = page.get_by_label("Bericht aan de bewoner")
    await field.fill("half af")
    await visitor.says("meer")
    await expect(page.get_by_role("log")).to_contain_text("meer")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("half af")


async def test_unread_ones_are_marked_in_words(there: Desk) -> None:
    page = await there.agent(ELS)
    visitor = await there.visitor("eerste")
    await there.visitor("tweede")
    for text in ("eerste", "tweede"):
        await queue(page).filter(has_text=text).click()
        await page.locator("#take").click()
        await expect(page.locator("#composer")).to_be_visible()
    await visitor.says("hallo?")
    card = own(page).filter(has_text="hallo?")
    await expect(card).to_contain_text("1 nieuw bericht")
    await expect(card).to_have_class(re.compile("card--unread"))
    await expect(page).to_have_title(re.compile(r"^\(1\) KCC"))
    await card.click()
    await expect(card).not_to_have_class(re.compile("card--unread"))
    await expect(page).to_have_title(re.compile("^KCC"))


async def test_a_lost_line_comes_back_without_losing_or_doubling(chromium: Browser, tmp_path: Path) -> None:
    url, port = f"sqlite+aiosqlite:///{tmp_path / 'klaartje.db'}", services.free_port()
    await migrate(url)
    options: dict[str, Any] = {"think": think, "identify": identify, "port": port}
    context = await chromium.new_context(base_url=f"http://127.0.0.1:{port}")
    await context.add_cookies([{"name": COOKIE, "value": "els", "url": f"http://127.0.0.1:{port}"}])
    page = await context.new_page()
    async with serve(url, tmp_path, **options) as served:
        visitor = await served.visitor()
        await visitor.says("hallo")
        await visitor.waits(3)
        await page.goto("/kcc")
        await queue(page).click()
        await page.locator("#take").click()
        await say(page, "voor de storing")
        await expect(page.locator(".line--agent")).to_have_count(1)
    await expect(page.get_by_text("Geen verbinding. De pagina probeert het steeds opnieuw.")).to_be_visible()
    field = page.get_by_label("Bericht aan de bewoner")
    await field.fill("tijdens de storing")
    await field.press("Control+Enter")
    await expect(page.get_by_role("alert").filter(has_text="geen verbinding")).to_be_visible()
    await expect(field).to_have_value("tijdens de storing")
    async with serve(url, tmp_path, **options) as served:
        back = Visitor(served, visitor.token)
        await back.says("bent u er nog?")
        await expect(page.get_by_text("Geen verbinding. De pagina probeert")).to_have_count(0, timeout=15_000)
        await expect(page.get_by_role("log")).to_contain_text("bent u er nog?")
        await field.press("Control+Enter")
        await expect(page.locator(".line--agent .bubble")).to_have_text(
            ["voor de storing", "tijdens de storing"]
        )
        said = [message["text"] for message in await back.reads() if message["from"] == "agent"]
        assert said == ["voor de storing", "tijdens de storing"]
        await context.close()


async def test_an_answer_that_got_lost_is_not_said_twice(there: Desk) -> None:
    page = await there.agent(ELS)
    await there.visitor("hallo")
    await queue(page).click()
    await page.locator("#take").click()
    field = page.get_by_label("Bericht aan de bewoner")
    await field.fill("een keer")

    async def lose(route: Any) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/send", lose, times=1)
    await field.press("Control+Enter")
    await expect(page.get_by_role("alert").filter(has_text="geen verbinding")).to_be_visible()
    await field.press("Control+Enter")
    await expect(field).to_have_value("")
    await expect(page.locator(".line--agent")).to_have_count(1)


async def test_two_thousand_messages(there: Desk) -> None:
    await there.visitor("hallo")
    [row] = await read(there, conversations)
    start = utc_now() - timedelta(days=2)
    lines = [
        {
            "id": f"old-{number}",
            "conversation_id": row.id,
            "author": Author.RESIDENT if number % 2 else Author.BOT,
            "kind": Kind.TEXT,
            "text": f"regel {number} met nog wat woorden erbij",
            "choices": [],
            "links": [],
            "at": start + timedelta(minutes=number),
        }
        for number in range(2_000)
    ]
    await change(there, sa.insert(messages).values(lines))
    page = await there.agent(ELS, path=f"/kcc/conversations/{row.id}")
    lines_shown = page.locator("#lines .line")
    await expect(lines_shown).to_have_count(100)
    await expect(lines_shown.last).to_be_in_viewport()
    await page.locator("#take").click()
    await expect(page.locator("#composer")).to_be_visible()
    log = page.get_by_role("log")
    await log.evaluate("log => { log.scrollTop = 0 }")
    first = await lines_shown.first.get_attribute("id")
    await page.locator("#older").click()
    await expect(lines_shown).to_have_count(200)
    await expect(page.locator(f"#{first}")).to_be_in_viewport()
    # The end does not jump in sight for who reads above it.
    top = await log.evaluate("log => log.scrollTop")
    await there.visitor("iemand anders")
    await expect(queue(page)).to_have_count(1)
    assert await log.evaluate("log => log.scrollTop") == top
    for count in range(3, 21):
        await page.locator("#older").click()
        await expect(lines_shown).to_have_count(min(count * 100, 2_004))
    await page.locator("#older").click()
    await expect(page.locator("#older")).to_be_hidden()
    seen = await lines_shown.evaluate_all("all => all.map(one => Number(one.dataset.seq))")
    assert seen == sorted(set(seen)) and len(seen) == len(await read(there, messages)) - 3
    await say(page, "gelezen")
    await expect(lines_shown.last).to_be_in_viewport()


async def test_after_a_long_absence_there_is_no_gap(there: Desk) -> None:
    visitor = await there.visitor("hallo")
    page = await there.agent(ELS)
    await queue(page).click()
    await page.locator("#take").click()
    await expect(page.locator("#composer")).to_be_visible()
    [row] = await read(there, conversations)
    lines = [
        {
            "id": f"new-{number}",
            "conversation_id": row.id,
            "author": Author.RESIDENT,
            "kind": Kind.TEXT,
            "text": f"regel {number}",
            "choices": [],
            "links": [],
            "at": utc_now(),
        }
        for number in range(250)
    ]
    await change(there, sa.insert(messages).values(lines))
    shown = page.locator("#lines .line")
    await expect(shown).to_have_count(100)
    await page.locator("#older").click()
    await page.locator("#older").click()
    await expect(page.locator("#older")).to_be_hidden()
    seen = await shown.evaluate_all("all => all.map(one => Number(one.dataset.seq))")
    assert seen == [one.seq for one in await read(there, messages)]
    await visitor.says("tot slot")
    await expect(shown.last).to_contain_text("tot slot")


async def test_new_work_can_be_heard_and_seen(there: Desk) -> None:
    page = await there.agent(ELS, permissions=["notifications"])
    await page.evaluate("""() => {
        window.tones = 0;
        const real = AudioContext.prototype.createOscillator;
        AudioContext.prototype.createOscillator = function () { window.tones += 1; return real.call(this); };
    }""")
    await there.visitor("stil")
    await expect(queue(page)).to_have_count(1)
    assert await page.evaluate("tones") == 0
    await page.get_by_role("button", name="Meldingen").click()
    await page.get_by_label("Geluid bij nieuw werk").check()
    await page.keyboard.press("Escape")
    before = await page.evaluate("tones")
    await there.visitor("hoorbaar")
    await expect(queue(page)).to_have_count(2)
    await page.wait_for_function("before => tones > before", arg=before)
    await page.reload()
    await page.get_by_role("button", name="Meldingen").click()
    await expect(page.get_by_label("Geluid bij nieuw werk")).to_be_checked()
