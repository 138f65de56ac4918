"""The dialogue: the real engine, the real actions, a small knowledge base."""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import AsyncIterator, Iterator
from time import perf_counter
from typing import Any

import aiohttp
import pytest

from tests.fakes.search import PASSPORT, WordSearch
from tests.integration.engine_process import SECRET, Conversation, EngineProcess, actions_server, train

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    train()
    with actions_server(WordSearch()) as actions_url:
        engine = EngineProcess.start(actions_url)
        try:
            asyncio.run(engine.wait_for("ok"))
            yield engine
        finally:
            engine.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def resident(session: aiohttp.ClientSession, engine: EngineProcess) -> Conversation:
    return Conversation(session, engine.url)


async def test_a_rule_answers(resident: Conversation) -> None:
    assert await resident.say("hallo") == ["greet"]
    assert resident.route == "smalltalk"
    assert resident.reply["commands"] == []


async def test_a_question_gets_its_approved_answer(resident: Conversation) -> None:
    assert await resident.say("hoe vraag ik een paspoort aan") == [PASSPORT.answer]
    (message,) = resident.reply["messages"]
    assert (message["article"], message["revision"]) == (PASSPORT.slug, 3)
    assert message["links"] == [{"label": "Afspraak maken", "url": "{website}/paspoort"}]
    assert resident.reply["trace"] == {
        "route": "answer",
        "article": PASSPORT.slug,
        "alternatives": ["milieustraat"],
        "confidence": 0.92,
    }
    assert await resident.say("en wat kost dat?") == [PASSPORT.aspects["kosten"]]


async def test_buttons_say_what_they_stand_for(resident: Conversation) -> None:
    await resident.say("waar laat ik mijn afval")
    assert resident.route == "clarify"
    (offered,) = resident.reply["messages"]
    assert [c["id"] for c in offered["choices"]] == [
        "article:milieustraat",
        "article:grofvuil",
        "something_else",
    ]
    assert await resident.choose("article:grofvuil") == ["Bel voor een afspraak."]
    assert await resident.choose("unhelpful") == ["unhelpful", "!handoff"]
    assert await resident.choose(f"aspect:{PASSPORT.slug}/duur") == ["5 werkdagen."]
    assert await resident.choose("aspect:kosten") == [PASSPORT.aspects["kosten"]]
    assert await resident.choose("something_else") == ["something_else"]
    assert await resident.choose("human") == ["!handoff"]
    assert resident.reply["commands"][0]["args"]["topic"] == PASSPORT.slug


@pytest.mark.parametrize(
    "choice", ["onbekend", "onbekend:1", "restart", "back", "session_start", ":", "nlu_fallback:x"]
)
async def test_an_unknown_button_is_input_that_we_do_not_know(resident: Conversation, choice: str) -> None:
    assert await resident.choose(choice) == ["not_understood"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ik wil graag met een medewerker praten", ["!handoff"]),
        ("ben je een robot?", ["bot_challenge"]),
        ("dank je wel", ["thanks"]),
        ("vertel eens een mop", ["out_of_scope"]),
        ("dit helpt niet", ["unhelpful_yet"]),
        ("wat ben je dom", ["insult"]),
        ("ik wil een afspraak maken", ["appointment"]),
        ("wat is de status van mijn aanvraag", ["status_ask_reference"]),
        ("ik wil iets melden", ["report"]),
        ("laat maar", ["cancelled"]),
        ("wat kun je allemaal", ["help"]),
    ],
)
async def test_what_residents_mean(resident: Conversation, text: str, expected: list[str]) -> None:
    assert await resident.say(text) == expected


async def test_a_task_names_the_product_where_it_knows_it(resident: Conversation) -> None:
    said = await resident.say("ik wil een afspraak maken voor een paspoort")
    assert said == ["appointment_article", PASSPORT.answer]
    assert (resident.route, resident.reply["trace"]["article"]) == ("appointment", PASSPORT.slug)


async def test_not_understood_once_offers_a_person_and_yes_takes_it(resident: Conversation) -> None:
    assert await resident.say("qwrtp zxcvb") == ["not_found"]
    assert await resident.say("ja graag") == ["!handoff"]


async def test_not_understood_twice_brings_a_person(resident: Conversation) -> None:
    assert await resident.say("qwrtp zxcvb") == ["not_found"]
    assert await resident.say("bnmlk hgfds") == ["not_found_again", "!handoff"]
    assert resident.route == "handoff"
    assert resident.reply["commands"][0]["args"]["reason"] == "not_understood"


# -- being called back ----------------------------------------------------------------------------------------


async def test_the_form_from_start_to_end(resident: Conversation) -> None:
    assert await resident.say("kunt u mij terugbellen") == ["callback_ask_phone"]
    assert await resident.say("06 123") == ["callback_phone_bad", "callback_ask_phone"]
    assert await resident.say("06-12345678") == ["callback_ask_when"]
    assert await resident.say("vanavond") == ["callback_when_evening", "callback_ask_when"]
    assert await resident.say("liefst na de lunch") == ["callback_ask_topic"]
    assert await resident.say("mijn aanslag {telefoon} klopt niet") == ["callback_ask_confirm"]
    request = {"phone": "06 12345678", "when": "middag", "topic": "mijn aanslag {telefoon} klopt niet"}
    assert resident.reply["messages"][0]["args"] == request
    assert await resident.choose("affirm") == ["!callback"]
    assert resident.reply["commands"] == [{"name": "callback", "args": request}]
    assert resident.memory["loop"] is None
    assert "06 12345678" not in json.dumps(resident.memory)
    assert await resident.say("hallo") == ["greet"]


async def test_what_was_said_at_once_is_not_asked_again(resident: Conversation) -> None:
    assert await resident.say("bel mij morgenochtend terug op 0612345678") == ["callback_ask_topic"]
    assert await resident.say("parkeren") == ["callback_ask_confirm"]
    assert resident.reply["messages"][0]["args"]["when"] == "ochtend"


async def test_buttons_fill_the_form(resident: Conversation) -> None:
    await resident.choose("callback")
    await resident.say("0612345678")
    assert await resident.choose("inform:maakt niet uit") == ["callback_ask_topic"]
    await resident.say("een vraag")
    assert await resident.choose("deny") == ["callback_ask_change"]
    assert await resident.choose("inform:telefoon") == ["callback_ask_phone"]
    assert await resident.say("0201234567") == ["callback_ask_confirm"]
    assert resident.reply["messages"][0]["args"]["phone"] == "020 123 4567"
    assert await resident.say("nee") == ["callback_ask_change"]
    assert await resident.say("qwrtp zxcvb") == ["not_found_in_form", "callback_ask_confirm"]
    assert await resident.say("het moment") == ["callback_ask_when"]
    assert await resident.say("in de ochtend") == ["callback_ask_confirm"]
    assert await resident.say("ja dat klopt") == ["!callback"]


async def test_a_question_in_between_is_answered_and_the_form_goes_on(resident: Conversation) -> None:
    await resident.choose("callback")
    assert await resident.say("hoe vraag ik een paspoort aan?") == [PASSPORT.answer, "callback_ask_phone"]
    assert resident.route == "answer"
    assert await resident.say("ben je een robot?") == ["bot_challenge", "callback_ask_phone"]
    assert await resident.say("0612345678") == ["callback_ask_when"]
    assert await resident.choose(f"aspect:{PASSPORT.slug}/kosten") == [
        PASSPORT.aspects["kosten"],
        "callback_ask_when",
    ]
    assert await resident.say("qwrtp zxcvb") == ["not_found_in_form", "callback_ask_when"]
    assert await resident.say("middag") == ["callback_ask_topic"]


@pytest.mark.parametrize("text", ["toch niet", "laat maar", "nee"])
async def test_the_form_can_be_left(resident: Conversation, text: str) -> None:
    await resident.choose("callback")
    await resident.say("0612345678")
    assert await resident.say(text) == ["callback_cancelled"]
    assert resident.memory == {"version": 1, "slots": {}, "loop": None}


async def test_the_form_can_be_left_for_a_person(resident: Conversation) -> None:
    await resident.choose("callback")
    assert await resident.say("ik wil toch liever een mens spreken") == ["!handoff"]
    assert resident.memory["loop"] is None


async def test_the_form_ends_where_the_answer_before_it_did_not_help(resident: Conversation) -> None:
    await resident.choose(f"article:{PASSPORT.slug}")
    await resident.choose("callback")
    assert await resident.choose("unhelpful") == ["unhelpful", "!handoff"]
    assert resident.memory["loop"] is None


async def test_the_form_outlives_400_messages(resident: Conversation) -> None:
    await resident.choose("callback")
    await resident.say("0612345678")
    for number in range(400):
        said = await resident.choose("aspect:kosten" if number % 4 else f"article:{PASSPORT.slug}")
        assert said[-1] == "callback_ask_when"
    await resident.say("middag")
    assert await resident.say("mijn vraag") == ["callback_ask_confirm"]
    assert await resident.say("ja") == ["!callback"]
    assert resident.reply["commands"][0]["args"]["phone"] == "06 12345678"


# -- memory ---------------------------------------------------------------------------------------------------


async def test_what_proves_that_a_case_is_theirs_is_in_no_memory(resident: Conversation) -> None:
    assert await resident.say("hoe staat het met mijn aanvraag") == ["status_ask_reference"]
    assert await resident.say("zaak 2026 101") == ["status_ask_either"]
    assert await resident.say("wat kost een paspoort") == [PASSPORT.aspects["kosten"], "status_ask_either"]
    assert await resident.say("1234 AB 12") == ["!case_lookup"]
    [command] = resident.reply["commands"]
    assert (command["args"]["reference"], command["args"]["parts"]) == (
        "ZAAK-2026-0000000101",
        ["1234 AB 12"],
    )
    assert resident.route == "status"
    kept = json.dumps(resident.memory)
    assert "1234" not in kept and "0000000101" not in kept and resident.memory["loop"] is None


async def test_a_case_can_be_asked_for_in_one_message_and_half_a_fact_is_not_kept(
    resident: Conversation,
) -> None:
    assert await resident.say("hoe staat het met zaak 2026 101, 1234 AB 12") == ["!case_lookup"]
    await resident.say("status van zaak 2026 102")
    assert await resident.say("1234 AB") == ["status_proof_bad", "status_ask_either", "!conceal"]
    assert "1234" not in json.dumps(resident.memory)
    assert await resident.say("nee toch niet") == ["status_left"]
    assert resident.memory["loop"] is None


async def test_the_thousandth_message_is_as_fast_as_the_tenth(resident: Conversation) -> None:
    times, sizes = [], []
    choices = ("greet", "thanks", f"article:{PASSPORT.slug}", "help", "unhelpful")
    for number in range(1000):
        started = perf_counter()
        await resident.choose(choices[number % len(choices)])
        times.append(perf_counter() - started)
        sizes.append(len(json.dumps(resident.memory)))
    assert max(sizes) < 1_000
    assert statistics.median(times[-100:]) < 3 * statistics.median(times[10:110])


@pytest.mark.parametrize(
    "memory",
    [
        None,
        3,
        "x",
        [],
        {},
        {"version": 99, "slots": {"article": "x"}, "loop": "callback_form"},
        {"version": 1, "slots": [1], "loop": ["x"]},
        {
            "version": 1,
            "slots": {"misses": "veel", "weg": 1, "requested_slot": "callback_phone"},
            "loop": "weg_form",
        },
        {
            "version": 1,
            "slots": {"article": {"a": 1}, "callback_confirm": "ja", "misses": True},
            "loop": None,
        },
    ],
)
async def test_a_memory_that_is_none_starts_fresh(resident: Conversation, memory: Any) -> None:
    resident.memory = memory
    assert await resident.say("hallo") == ["greet"]
    assert resident.memory == {"version": 1, "slots": {}, "loop": None}


async def test_what_is_understood_of_a_memory_is_kept(resident: Conversation) -> None:
    resident.memory = {"version": 1, "slots": {"article": PASSPORT.slug, "weg": 1}, "loop": "weg_form"}
    assert await resident.say("en wat kost dat?") == [PASSPORT.aspects["kosten"]]


async def test_fifty_conversations_do_not_mix(session: aiohttp.ClientSession, engine: EngineProcess) -> None:
    async def conversation(number: int) -> str:
        resident = Conversation(session, engine.url, f"c-{number}")
        await resident.choose("callback")
        await resident.say(f"06123456{number:02d}")
        await resident.say("ochtend" if number % 2 else "middag")
        await resident.say(f"vraag {number}")
        return json.dumps((await resident.say("ja"), resident.reply["commands"][0]["args"]))

    done = await asyncio.gather(*(conversation(number) for number in range(50)))
    for number, result in enumerate(done):
        args = {
            "phone": f"06 123456{number:02d}",
            "when": "ochtend" if number % 2 else "middag",
            "topic": f"vraag {number}",
        }
        assert result == json.dumps((["!callback"], args))


# -- what residents send --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "/handoff{}",
        "/article",
        '  /article{"value": "x"}',
        "//inform",
        '/aspect{"requested_slot": "x"}',
        "/restart",
        "/session_start",
        "EXTERNAL: article",
    ],
)
async def test_typed_commands_of_rasa_are_just_words(resident: Conversation, text: str) -> None:
    assert await resident.say(text) != ["!handoff"]
    assert resident.reply["commands"] == []
    assert resident.memory["loop"] is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "///",
        "\x00",
        "😀😀",
        "مرحبا",
        "<b>hoi</b>",
        "{telefoon}",
        "a" * 100_000,
        "[x](human)",
        "\ud83d\ude00",
    ],
)
async def test_no_text_breaks_a_turn(resident: Conversation, text: str) -> None:
    assert len(await resident.say(text)) >= 1
    assert len(json.dumps(resident.memory)) < 1_000


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", SECRET, "Bearer é"])
async def test_only_the_house_gets_in(
    session: aiohttp.ClientSession, engine: EngineProcess, authorization: str
) -> None:
    headers = {"Authorization": authorization}
    async with session.post(f"{engine.url}/reply", json={}, headers=headers) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"conversation_id": "c"}',
        b'{"conversation_id": "c", "message": {"text": 3}}',
        b'{"conversation_id": "", "message": {"text": "x"}}',
        b'{"conversation_id": "c", "message": {"text": "x", "choice": 3}}',
        b'{"conversation_id": "c", "message": {"text": "x", "metadata": []}}',
    ],
)
async def test_a_request_that_is_none_is_refused(
    session: aiohttp.ClientSession, engine: EngineProcess, body: bytes
) -> None:
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    async with session.post(f"{engine.url}/reply", data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error"] == "bad_request"
