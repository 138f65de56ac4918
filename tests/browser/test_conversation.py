"""A resident talks with Klaartje in a real browser, while the server comes and goes."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.browser.fake_chat import FakeChat, Message

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def opened(page: Page, chat: FakeChat) -> Page:
    """The page with its greeting."""
    await page.goto(chat.url)
    await expect(page.locator(".line--bot")).to_have_count(1)
    return page


async def send(page: Page, text: str) -> None:
    """Type and press Enter."""
    await page.get_by_label("Uw vraag").fill(text)
    await page.keyboard.press("Enter")


async def said(page: Page) -> list[str]:
    """What the resident sees to have said."""
    return await page.locator(".line--resident .bubble").all_inner_texts()


def taken(chat: FakeChat) -> list[str]:
    """What the server has of the resident."""
    return [message["text"] for message in chat.session.messages if message["from"] == "resident"]


async def test_enter_sends_and_shift_enter_makes_a_new_line(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    field = page.get_by_label("Uw vraag")
    await field.press_sequentially("Eerste regel")
    await field.press("Shift+Enter")
    await field.press_sequentially("tweede regel")
    await field.press("Enter")
    await expect(page.locator(".line--bot").nth(1)).to_contain_text("U schreef: Eerste regel")
    assert taken(chat) == ["Eerste regel\ntweede regel"]
    await expect(field).to_have_value("")
    await expect(field).to_be_focused()
    await field.press("Enter")
    await field.fill("  \n ")
    await field.press("Enter")
    assert chat.posts == 1


async def test_the_greeting_says_that_klaartje_is_a_computer(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    await expect(page.locator(".line--bot")).to_contain_text("Ik ben een computer")
    await expect(page).to_have_title("Stel uw vraag aan Klaartje – Gemeente Zonneveen")


async def test_a_choice_is_sent_once_and_shown_as_taken(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    await page.get_by_role("button", name="Paspoort aanvragen").dblclick()
    await expect(page.locator(".line--bot")).to_have_count(2)
    await expect(page.get_by_role("button", name="Paspoort aanvragen (gekozen)")).to_be_visible()
    assert taken(chat) == ["Paspoort aanvragen"]
    assert await said(page) == ["Paspoort aanvragen"]
    await page.get_by_role("button", name="Verhuizing doorgeven").press("Enter")
    await expect(page.locator(".line--bot")).to_have_count(3)
    await expect(page.get_by_role("button", name="Verhuizing doorgeven (gekozen)")).to_be_focused()
    assert taken(chat) == ["Paspoort aanvragen", "Verhuizing doorgeven"]


async def test_links_open_in_a_tab_of_their_own_and_say_so(chromium_page: Page, chat: FakeChat) -> None:
    chat.answers = lambda _: [
        {
            "text": "Zie https://www.zonneveen.example/paspoort.",
            "links": [
                {"label": "Afspraak maken", "url": "https://www.zonneveen.example/afspraak"},
                {"label": "Bel ons", "url": "tel:140999"},
                {"label": "Niet doen", "url": "javascript:alert(1)"},
            ],
        }
    ]
    page = await opened(chromium_page, chat)
    await send(page, "Hoi")
    link = page.get_by_role("link", name="Afspraak maken (opent in een nieuw tabblad)")
    await expect(link).to_have_attribute("href", "https://www.zonneveen.example/afspraak")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    inline = page.locator(".bubble p a")
    await expect(inline).to_have_attribute("href", "https://www.zonneveen.example/paspoort")
    assert await page.get_by_role("link", name="Bel ons").get_attribute("target") is None
    await expect(page.get_by_text("Niet doen")).to_be_visible()
    assert await page.locator("a[href^=javascript]").count() == 0


async def test_a_reload_keeps_the_conversation_and_the_draft(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    await send(page, "Eerste vraag")
    await expect(page.locator(".line--bot")).to_have_count(2)
    await page.get_by_label("Uw vraag").fill("Nog niet af")
    before = await page.locator(".bubble").all_inner_texts()
    await page.reload()
    await expect(page.locator(".line--bot")).to_have_count(2)
    assert await page.locator(".bubble").all_inner_texts() == before
    await expect(page.get_by_label("Uw vraag")).to_have_value("Nog niet af")
    assert len(chat.sessions) == 1


async def test_a_restart_of_the_server_loses_and_doubles_nothing(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    await send(page, "Een")
    await expect(page.locator(".line--bot")).to_have_count(2)
    await chat.stop()
    await send(page, "Twee")
    await send(page, "Drie")
    await expect(page.locator("#offline")).to_contain_text("Geen verbinding")
    await expect(page.locator(".line--resident").last).to_contain_text("Wacht op verbinding")
    await chat.start()
    await expect(page.locator(".line--bot")).to_have_count(4, timeout=25_000)
    await expect(page.locator("#offline")).to_have_count(0)
    await expect(page.get_by_text("De verbinding is er weer.")).to_be_visible()
    assert taken(chat) == ["Een", "Twee", "Drie"]
    assert await said(page) == ["Een", "Twee", "Drie"]
    assert [message["text"] for message in chat.session.messages] == [
        re.sub(r"\*\*", "", text) if n else chat.session.messages[0]["text"]
        for n, text in enumerate(await page.locator(".bubble").all_inner_texts())
    ]


async def test_what_was_not_sent_survives_a_reload(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    chat.refuse_with = 503
    await send(page, "Bewaar mij")
    await expect(page.locator(".line--resident")).to_contain_text("Wacht op verbinding")
    await page.reload()
    await expect(page.locator(".line--resident .bubble")).to_have_text("Bewaar mij")
    chat.refuse_with = None
    await expect(page.locator(".line--bot")).to_have_count(2, timeout=25_000)
    assert taken(chat) == ["Bewaar mij"]
    assert await said(page) == ["Bewaar mij"]


async def test_a_lost_acknowledgement_sends_again_and_is_taken_once(
    chromium_page: Page, chat: FakeChat
) -> None:
    page = await opened(chromium_page, chat)
    chat.lose_answers = 2
    await send(page, "Maar een keer")
    await expect(page.locator(".line--resident[data-state=sent]")).to_have_count(1, timeout=25_000)
    assert chat.posts == 3
    assert taken(chat) == ["Maar een keer"]
    await expect(page.locator(".line--bot")).to_have_count(2)
    assert await said(page) == ["Maar een keer"]


async def test_going_offline_and_back(chromium_page: Page, chat: FakeChat, context: BrowserContext) -> None:
    page = await opened(chromium_page, chat)
    await context.set_offline(True)
    await send(page, "Vanuit de tunnel")
    await expect(page.locator("#offline")).to_be_visible()
    await expect(page.locator("#offline a")).to_have_attribute("href", "tel:140999")
    await context.set_offline(False)
    await expect(page.locator(".line--bot")).to_have_count(2, timeout=25_000)
    assert taken(chat) == ["Vanuit de tunnel"]


NASTY = [
    "<script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    "<b>vet</b> &amp; **sterren**",
    "[klik](javascript:window.hacked=1)",
    "- geen lijst",
]


async def test_what_looks_like_code_stays_text(chromium_page: Page, chat: FakeChat) -> None:
    chat.answers = lambda message: [{"text": message["text"], "choices": [{"id": "x", "label": NASTY[0]}]}]
    page = await opened(chromium_page, chat)
    for number, text in enumerate(NASTY, 2):
        await send(page, text)
        await expect(page.locator(".line--bot")).to_have_count(number)
    assert await said(page) == NASTY
    assert await page.locator(".bubble :is(script, img, b)").count() == 0
    assert await page.evaluate("window.hacked") is None
    await expect(page.locator(".line--bot strong").last).to_have_text("sterren")
    await expect(page.locator(".line--bot li")).to_have_text("geen lijst")


async def test_an_unknown_session_starts_anew_without_losing_a_word(
    chromium_page: Page, chat: FakeChat
) -> None:
    page = await opened(chromium_page, chat)
    await send(page, "Oude vraag")
    await expect(page.locator(".line--bot")).to_have_count(2)
    chat.forget_sessions()
    await page.get_by_label("Uw vraag").fill("Half getypt")
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await expect(page.locator(".line--system")).to_contain_text("We beginnen een nieuw gesprek")
    await expect(page.get_by_label("Uw vraag")).to_have_value("Half getypt")
    await expect(page.locator(".line--bot")).to_have_count(3)
    await expect(page.get_by_role("button", name="Paspoort aanvragen").first).to_be_disabled()
    chat.forget_sessions()
    await page.keyboard.press("Tab")
    await send(page, "Nieuwe vraag")
    await expect(page.locator(".line--bot").last).to_contain_text("U schreef: Nieuwe vraag")
    assert taken(chat) == ["Nieuwe vraag"]
    assert await said(page) == ["Oude vraag", "Nieuwe vraag"]


async def test_a_late_word_about_an_old_session_does_not_end_the_new_one(
    chromium_page: Page, chat: FakeChat
) -> None:
    page = await opened(chromium_page, chat)
    await send(page, "Oude vraag")
    await expect(page.locator(".line--bot")).to_have_count(2)
    held, release = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if not held.is_set():  # the first look of the old session hangs somewhere on its way
            held.set()
            await release.wait()
            await route.fulfill(status=401)
        else:
            await route.continue_()

    await page.route("**/chat/messages?*", hold)
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await asyncio.wait_for(held.wait(), 5)
    chat.forget_sessions()
    await send(page, "Nieuwe vraag")
    await expect(page.locator(".line--system")).to_contain_text("We beginnen een nieuw gesprek")
    await expect(page.locator(".line--resident[data-id]").last).to_contain_text("Nieuwe vraag")
    session = chat.session
    release.set()
    await expect(page.locator(".line--bot").last).to_contain_text("U schreef: Nieuwe vraag")
    assert chat.session is session
    await expect(page.locator(".line--system")).to_have_count(1)


async def test_a_new_conversation_asks_first_and_then_forgets(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    await send(page, "Iets geheims")
    await expect(page.locator(".line--bot")).to_have_count(2)
    await page.get_by_role("button", name="Nieuw gesprek").click()
    await page.get_by_role("button", name="Nee, ga terug").click()
    await expect(page.locator(".line--bot")).to_have_count(2)
    await page.get_by_role("button", name="Nieuw gesprek").click()
    await page.get_by_role("button", name="Ja, nieuw gesprek").click()
    await expect(page.get_by_text("Iets geheims")).to_have_count(0)
    await expect(page.locator(".line--bot")).to_have_count(1)
    await expect(page.get_by_label("Uw vraag")).to_be_focused()
    assert len(chat.sessions) == 2
    await send(page, "Opnieuw")
    await expect(page.locator(".line--bot")).to_have_count(2)
    assert taken(chat) == ["Opnieuw"]


async def test_to_a_person_and_back(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    human = page.get_by_role("banner").get_by_role("button", name="Spreek een medewerker")
    await human.click()
    await expect(page.locator("#owner")).to_contain_text("U wacht op een medewerker")
    await human.click()
    await expect(page.get_by_text("U wacht al op een medewerker.")).to_be_visible()
    assert chat.posts == 1
    await page.get_by_role("button", name="Verder met Klaartje").click()
    await expect(page.locator("#owner")).to_have_count(0)
    assert await said(page) == ["Spreek een medewerker", "Verder met Klaartje"]
    await chat.set(owner="agent")
    await chat.say("agent", {"text": "Goedemiddag, met Sanne."})
    await expect(page.locator("#owner")).to_contain_text("U praat nu met een medewerker")
    await expect(page.locator(".line--agent .line__who")).to_have_text("Medewerker")
    await chat.set(owner="closed")
    await expect(page.locator("#owner")).to_contain_text("Dit gesprek is klaar")


async def test_typing_shows_while_an_answer_is_on_its_way(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    await chat.set(typing=True)
    await expect(page.get_by_text("Klaartje is aan het typen")).to_be_visible()
    await chat.set(typing=False)
    await expect(page.get_by_text("Klaartje is aan het typen")).to_have_count(0)


async def test_a_refused_message_comes_back(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    chat.refuse_with = 400
    await send(page, "Dit wil de server niet")
    await expect(page.get_by_text("Dit bericht konden wij niet versturen.")).to_be_visible()
    await expect(page.get_by_label("Uw vraag")).to_have_value("Dit wil de server niet")
    assert await said(page) == []


async def test_a_text_that_is_too_long_is_counted_and_kept(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    field = page.get_by_label("Uw vraag")
    await field.fill("👍" * 3_599)
    await expect(page.locator("#counter")).to_have_text("")
    await field.fill("👍" * 3_999)
    await expect(page.locator("#counter")).to_have_text("Nog 1 teken over.")
    await field.fill("x" * 4_002)
    await expect(page.locator("#counter")).to_contain_text("Uw bericht is 2 tekens te lang")
    await field.press("Enter")
    await expect(field).to_have_attribute("aria-invalid", "true")
    assert chat.posts == 0
    await field.fill("👍" * 4_000)
    await field.press("Enter")
    await expect(page.locator(".line--bot")).to_have_count(2)


async def test_two_tabs_share_one_conversation(
    chromium_page: Page, chat: FakeChat, context: BrowserContext
) -> None:
    first = await opened(chromium_page, chat)
    second = await opened(await context.new_page(), chat)
    await send(second, "Vanuit tab twee")
    await expect(first.locator(".line--bot")).to_have_count(2)
    assert await said(first) == ["Vanuit tab twee"]
    assert len(chat.sessions) == 1


async def test_messages_keep_the_order_of_the_transcript(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    chat.hold = True
    await send(page, "Een")
    await send(page, "Twee")
    await expect(page.locator(".line--resident[data-state=sent]")).to_have_count(2)
    answer: Message = {"text": "Antwoord op een"}
    line = chat.session.add("bot", answer)
    chat.session.messages.remove(line)
    chat.session.messages.insert(2, line)
    await chat.say("bot", {"text": "Antwoord op twee"})
    await expect(page.locator(".line--bot")).to_have_count(3)
    shown = await page.locator(".bubble").all_inner_texts()
    assert shown[1:] == ["Een", "Antwoord op een", "Twee", "Antwoord op twee"]


async def test_someone_who_reads_back_is_not_pulled_away(chromium_page: Page, chat: FakeChat) -> None:
    chat.answers = lambda message: [{"text": f"{message['text']}\n\n" + "Een lange uitleg. " * 30}]
    page = await opened(chromium_page, chat)
    for number in range(3):
        await send(page, f"Vraag {number}")
        await expect(page.locator(".line--bot")).to_have_count(number + 2)
    await page.evaluate("window.scrollTo(0, 0)")
    await chat.say("agent", {"text": "Nog een bericht"})
    jump = page.get_by_role("button", name="Nieuw bericht, ga naar beneden")
    await expect(jump).to_be_visible()
    assert await page.evaluate("window.scrollY") == 0
    await jump.click()
    await expect(page.get_by_text("Nog een bericht")).to_be_in_viewport()
    await expect(jump).to_be_hidden()


async def test_the_newest_message_is_not_behind_the_composer(chromium_page: Page, chat: FakeChat) -> None:
    page = await opened(chromium_page, chat)
    for number in range(4):
        await send(page, f"Vraag {number}")
        await expect(page.locator(".line--bot")).to_have_count(number + 2)
    await chat.set(owner="waiting")
    await chat.say("bot", {"text": "Zo aan de beurt.", "choices": [{"id": "bot", "label": "Verder"}]})
    await expect(page.locator("#owner")).to_be_visible()
    await expect(page.locator(".line--bot")).to_have_count(6)
    await page.wait_for_function(
        "document.querySelector('.line:last-child').getBoundingClientRect().bottom"
        " <= document.querySelector('#dock').getBoundingClientRect().top"
    )
