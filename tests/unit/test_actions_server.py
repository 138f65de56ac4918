"""The actions' door: the webhook protocol, the secret, and what a failure looks like."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from actions.phrases import Phrases
from actions.server import add_actions, build_executor
from bot.model import Route
from tests.fakes.search import PASSPORT, STREET, WordSearch

NLU = Path(__file__).parents[2] / "nlu"
SECRET = "of the actions"
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    add_actions(app, WordSearch(), SECRET)
    async with TestClient(TestServer(app), headers={"Authorization": f"Bearer {SECRET}"}) as client:
        yield client


def call(action: str, text: str = "", *, value: str = "", intent: str = "", **slots: Any) -> dict[str, Any]:
    message = {
        "text": text,
        "intent": {"name": intent, "confidence": slots.pop("confidence", 1.0)},
        "entities": [{"entity": "value", "value": value}] if value else [],
        "intent_ranking": slots.pop("ranking", []),
    }
    tracker = {
        "sender_id": "c",
        "slots": slots,
        "latest_message": message,
        "events": [{"event": "user"}],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": "action_listen",
    }
    return {"next_action": action, "sender_id": "c", "tracker": tracker, "domain": {}, "version": "3.6.21"}


async def run(client: Client, *args: Any, **more: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What an action says (its custom JSON) and the slots that it sets."""
    async with client.post("/actions/webhook", json=call(*args, **more)) as response:
        assert response.status == 200
        body = await response.json()
    slots = {e["name"]: e["value"] for e in body["events"] if e["event"] == "slot"}
    return [r["custom"] for r in body["responses"]], slots


def route(said: list[dict[str, Any]]) -> str:
    (trace,) = [s["trace"] for s in said if "trace" in s]
    return str(trace["route"])


async def test_the_domain_and_the_door_know_the_same_actions() -> None:
    parts = [yaml.safe_load(path.read_text()) for path in (NLU / "domain").glob("*.yml")]
    served = build_executor(WordSearch(), Phrases.load()).actions
    assert set(served) == {action for part in parts for action in part.get("actions", ())}


def test_every_phrase_of_the_domain_stands_in_the_phrase_book() -> None:
    parts = [yaml.safe_load(path.read_text()) for path in (NLU / "domain").glob("*.yml")]
    phrases = Phrases.load()
    for responses in (one for part in parts for one in part.get("responses", {}).values()):
        for response in responses:
            assert phrases.text(response["custom"]["phrase"])
            Route(response["custom"]["route"])


async def test_an_answer_is_spoken_and_remembered(client: Client) -> None:
    said, slots = await run(client, "action_answer", "paspoort aanvragen", misses=1.0)
    assert said[0]["text"] == PASSPORT.answer
    assert said[0]["revision"] == 3
    assert route(said) == "answer"
    assert slots == {"article": PASSPORT.slug, "aspect": None, "misses": 0, "offer": None}


@pytest.mark.parametrize(
    ("intent", "likely", "text", "expected"),
    [
        ("thanks", 0.7, "hartstikke bedankt joh", "smalltalk"),
        ("thanks", 0.7, "paspoort", "answer"),
        ("thanks", 0.3, "hartstikke bedankt joh", "out_of_scope"),
        ("appointment", 0.7, "ik wil graag langskomen", "appointment"),
        ("human", 0.7, "geef iemand", "handoff"),
        ("human", 0.5, "geef iemand", "out_of_scope"),
        ("callback", 0.7, "bellen", "handoff"),
    ],
)
async def test_in_doubt_the_search_decides_and_then_the_guess(
    client: Client, intent: str, likely: float, text: str, expected: str
) -> None:
    ranking = [{"name": "nlu_fallback", "confidence": 0.8}, {"name": intent, "confidence": likely}]
    said, _ = await run(client, "action_answer", text, intent="nlu_fallback", ranking=ranking)
    assert route(said) == expected


async def test_a_question_taken_for_a_task_is_answered(client: Client) -> None:
    said, _ = await run(client, "action_status", "moet mijn paspoort mee", confidence=0.7)
    assert route(said) == "answer"
    said, _ = await run(client, "action_status", "waar blijft mijn paspoort", confidence=0.97)
    assert route(said) == "status"
    said, _ = await run(client, "action_report", "mijn paspoort is stuk")
    assert route(said) == "answer"


async def test_abuse_is_met_calmly_and_a_question_in_it_answered(client: Client) -> None:
    said, _ = await run(client, "action_insult", "wat ben je dom")
    assert (said[0]["phrase"], route(said)) == ("insult", "smalltalk")
    said, _ = await run(client, "action_insult", "stomme bot hoe kom ik aan een paspoort")
    assert (said[0]["text"], route(said)) == (PASSPORT.answer, "answer")


async def test_choices_are_followed(client: Client) -> None:
    said, slots = await run(client, "action_choose", value=PASSPORT.slug)
    assert (said[0]["text"], slots["article"]) == (PASSPORT.answer, PASSPORT.slug)
    said, _ = await run(client, "action_aspect", value=f"{PASSPORT.slug}/duur", article="milieustraat")
    assert said[0]["text"] == "5 werkdagen."
    said, _ = await run(client, "action_aspect", value="duur", article=PASSPORT.slug)
    assert said[0]["text"] == "5 werkdagen."
    said, _ = await run(client, "action_aspect", value="duur")
    assert said[0] == {"phrase": "gone", "args": {}}


async def test_yes_and_no_belong_to_the_last_offer(client: Client) -> None:
    said, _ = await run(client, "action_affirm", "ja", offer="human", article=PASSPORT.slug)
    assert said[0] == {"command": {"name": "handoff", "args": {"reason": "offered", "topic": PASSPORT.slug}}}
    said, slots = await run(client, "action_affirm", "ja", offer=f"article:{PASSPORT.slug}")
    assert (said[0]["text"], slots["offer"]) == (PASSPORT.answer, None)
    assert (await run(client, "action_affirm", "ja"))[0][0]["phrase"] == "affirmed"
    assert (await run(client, "action_deny", "nee", offer="human"))[0][0]["phrase"] == "something_else"
    assert (await run(client, "action_deny", "nee"))[0][0]["phrase"] == "denied"


async def test_tasks_say_where_they_can_be_done(client: Client) -> None:
    said, slots = await run(client, "action_appointment", "afspraak voor een paspoort")
    assert said[0] == {"phrase": "appointment_article", "args": {"title": PASSPORT.title}}
    assert (said[1]["article"], slots["article"]) == (PASSPORT.slug, PASSPORT.slug)
    assert route(said) == "appointment"
    said, slots = await run(client, "action_appointment", "afspraak maken")
    assert (said[0]["phrase"], route(said), slots["offer"]) == ("appointment", "appointment", "human")
    said, _ = await run(client, "action_report", "de lantaarnpaal is stuk")
    assert (said[1]["article"], route(said)) == (STREET.slug, "report")
    said, _ = await run(client, "action_status", "hoe staat het met mijn aanvraag")
    assert (said[0]["phrase"], route(said)) == ("status", "status")


async def test_out_of_scope_only_where_the_search_has_nothing(client: Client) -> None:
    said, _ = await run(client, "action_out_of_scope", "wat is het recept van een paspoort")
    assert route(said) == "answer"
    assert route((await run(client, "action_out_of_scope", "afval mop", confidence=0.5))[0]) == "clarify"
    assert (
        route((await run(client, "action_out_of_scope", "afval mop", confidence=0.95))[0]) == "out_of_scope"
    )
    assert route((await run(client, "action_out_of_scope", "vertel een mop"))[0]) == "out_of_scope"


async def test_an_answer_that_does_not_help_brings_a_person(client: Client) -> None:
    said, slots = await run(client, "action_unhelpful", "dit helpt niet", article=PASSPORT.slug)
    assert said[:2] == [
        {"phrase": "unhelpful", "args": {}},
        {"command": {"name": "handoff", "args": {"reason": "unhelpful", "topic": PASSPORT.slug}}},
    ]
    assert (slots, route(said)) == ({"misses": 0, "offer": None}, "handoff")


async def test_where_nothing_was_answered_a_person_is_offered_first(client: Client) -> None:
    said, slots = await run(client, "action_unhelpful", "ik begrijp het niet")
    assert (said[0]["phrase"], slots) == ("unhelpful_yet", {"misses": 1, "offer": "human"})
    said, _ = await run(client, "action_unhelpful", "ik begrijp het niet", misses=1.0)
    assert said[1]["command"]["args"] == {"reason": "unhelpful", "topic": None}


async def test_not_understood_twice_in_a_row_brings_a_person(client: Client) -> None:
    said, slots = await run(client, "action_answer", "paarse krokodil")
    assert (said[0]["phrase"], slots["misses"]) == ("not_found", 1)
    said, slots = await run(client, "action_answer", "groene olifant", misses=1.0, article=PASSPORT.slug)
    assert said[0]["phrase"] == "not_found_again" and route(said) == "handoff"
    wanted = {"name": "handoff", "args": {"reason": "not_understood", "topic": PASSPORT.slug}}
    assert [part["command"] for part in said if "command" in part] == [wanted]
    assert slots["misses"] == 0


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", SECRET, "Bearer é"])
async def test_only_who_knows_the_secret_gets_in(client: Client, header: str | None) -> None:
    headers = {"Authorization": header} if header is not None else {"Authorization": ""}
    async with client.post("/actions/webhook", json=call("action_answer"), headers=headers) as response:
        assert response.status == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"next_action": 3}', b"\xff"])
async def test_what_is_no_call_is_refused(client: Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with client.post("/actions/webhook", data=body, headers=headers) as response:
        assert response.status == 400


async def test_an_unknown_action_is_not_found(client: Client) -> None:
    async with client.post("/actions/webhook", json=call("action_none")) as response:
        assert response.status == 404
        assert (await response.json())["action_name"] == "action_none"


async def test_a_failure_is_told_and_logged_without_a_word_of_the_resident(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with client.post("/actions/webhook", json=call("action_answer", "kapotzoek geheim")) as response:
        assert response.status == 500
        assert await response.json() == {"error": "BrokenSearch", "action_name": "action_answer"}
    logged = [r for r in caplog.records if r.name == "actions.server"]
    assert ["action_answer" in r.getMessage() and "BrokenSearch" in r.getMessage() for r in logged] == [True]
    assert "geheim" not in caplog.text
