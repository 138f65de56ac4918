"""The hand-over note: made by rules of what is stored, and only of that. On both stores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.briefing import Briefing, Briefings, facts
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.desk import Agent, Outcome
from bot.model import Choice, Command, Outbound, Reply, Turn
from tests.conftest import SetClock
from tests.house import LIMITS, TestHouse, article

ELS = Agent("els", "Els", ("kcc", "burgerzaken"), 3)


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    return TestHouse(database, MemoryBus(), clock)


async def talks(turn: Turn) -> Reply:
    """An engine that answers about a passport, and hands over at `help me`."""
    if "help me" in turn.text:
        args = {"reason": "not_understood", "topic": "paspoort-aanvragen", "language": "en"}
        return Reply((), (Command("handoff", args),))
    answer = Outbound(
        "Kom langs.", (Choice("unhelpful", "Dit helpt niet"),), article="paspoort-aanvragen", revision=1
    )
    return Reply((answer,))


async def brief(house: TestHouse) -> Briefing:
    found = await Briefings(house.database, {"kept": house.channel}, article, house.clock).of(
        await house.key()
    )
    assert found is not None
    return found


async def test_all_that_an_agent_must_know(house: TestHouse, clock: SetClock) -> None:
    house.engine.think = talks
    house.channel.limits = replace(LIMITS, window_hours=24)
    for text in (
        "hallo",
        "mijn paspoort is verlopen en ik ga vrijdag op reis, wat nu?",
        "ik woon op 1234ab 12 en ben te bereiken op 06-12345678",
        "help me",
    ):
        await house.say(text)
        await house.work()
        clock.forward(seconds=30)
    found = await brief(house)
    assert found.wish == "mijn paspoort is verlopen en ik ga vrijdag op reis, wat nu?"
    assert (found.topic, found.tried) == ("Paspoort aanvragen", ("Paspoort aanvragen",))
    assert found.reason == "Klaartje begreep het twee keer niet"
    assert found.facts == (("Telefoon", "+31 6 12345678"), ("Postcode", "1234AB 12"))
    assert (found.language, found.channel, found.window.is_open) == ("Engels", "kept", True)
    assert (found.earlier, found.notes) == ((), ())


async def test_who_only_asked_for_a_person(house: TestHouse) -> None:
    await house.say("medewerker")
    await house.say(choice="human:skip")
    await house.work()
    found = await brief(house)
    assert (found.wish, found.topic, found.tried) == ("", None, ())
    assert found.reason == "vroeg om een medewerker"


async def test_what_was_before_is_earlier_and_not_the_wish(house: TestHouse, clock: SetClock) -> None:
    house.engine.think = talks
    await house.say("help me met mijn eerste vraag over het oude paspoort")
    await house.work()
    await house.desk.take(await house.key(), ELS)
    await house.desk.note(await house.key(), ELS, "komt morgen langs")
    clock.forward(minutes=5)
    await house.desk.give_back(await house.key(), ELS, Outcome.HANDLED)
    clock.forward(days=1)
    await house.say("en nu help me met iets nieuws")
    await house.work()
    found = await brief(house)
    assert found.wish == "en nu help me met iets nieuws"
    assert [(one.what, one.topic, one.outcome) for one in found.earlier] == [
        ("gesprek", "Paspoort aanvragen", "handled")
    ]
    assert [(who, what) for who, what, _ in found.notes] == [("els", "komt morgen langs")]


@pytest.mark.parametrize(
    ("texts", "mood"),
    [
        (("wat kost een paspoort",), "rustig"),
        (("sukkel",), "geërgerd"),
        (("sukkel", "boos", "hallo"), "boos"),
        (("nood", "boos"), "in nood"),
        (("boos", *["hallo"] * 10), "rustig"),
    ],
)
async def test_how_somebody_sounds_of_late(house: TestHouse, texts: tuple[str, ...], mood: str) -> None:
    for text in (*texts, "medewerker", "over mijn tuin"):
        await house.say(text)
        await house.work()
    words = {"sukkel": "insult", "boos": "anger", "nood": "distress"}
    channels = {"kept": house.channel}
    found = await Briefings(house.database, channels, article, house.clock, words.get).of(await house.key())
    assert found is not None and found.mood == mood


async def test_a_long_wish_is_cut_at_a_word(house: TestHouse) -> None:
    await house.say("woord " * 100)
    await house.say("medewerker")
    await house.work()
    found = await brief(house)
    assert len(found.wish) <= 200
    assert found.wish.endswith("woord…")


async def test_nobody_handed_over_has_no_note(house: TestHouse) -> None:
    await house.say("hallo")
    await house.work()
    briefings = Briefings(house.database, {"kept": house.channel}, article, house.clock)
    assert await briefings.of(await house.key()) is None
    assert await briefings.of("nobody") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bel +31 20 624 1111", (("Telefoon", "+31 20 624 1111"),)),
        ("noor@zonneveen.example", (("E-mail", "noor@zonneveen.example"),)),
        ("zaak ZAAK-2026-0001234 en T12AB34CD", (("Kenmerk", "ZAAK-2026-0001234"), ("Kenmerk", "T12AB34CD"))),
        ("geboren 3-4-1980, 1234 AB", (("Postcode", "1234 AB"), ("Datum", "3-4-1980"))),
        ("het kost 1234 euro en 50 cent in 2026", ()),
    ],
)
def test_facts(text: str, found: tuple[tuple[str, str], ...]) -> None:
    assert facts([text, text]) == found
