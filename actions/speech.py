"""What an action says and changes, in the words of the action protocol: custom JSON, and slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from actions.answers import Answer, Topic
from actions.sdk import CollectingDispatcher, EventType, SlotSet, Tracker
from bot.model import Command, Outbound, Say, Trace

LONGEST = 4_000
"""Characters of a message that are looked at."""


def say(dispatcher: CollectingDispatcher, *messages: Say | Outbound) -> None:
    """Messages for the resident."""
    for message in messages:
        dispatcher.utter_message(json_message=_message(message))


def trace(dispatcher: CollectingDispatcher, how: Trace) -> None:
    """How the answer was reached."""
    dispatcher.utter_message(json_message={"trace": {**asdict(how), "alternatives": list(how.alternatives)}})


def command(dispatcher: CollectingDispatcher, wanted: Command) -> None:
    """Something that the turn is to do."""
    dispatcher.utter_message(json_message={"command": {"name": wanted.name, "args": dict(wanted.args)}})


def give(dispatcher: CollectingDispatcher, answer: Answer) -> list[EventType]:
    """A whole answer; the slots that remember it."""
    say(dispatcher, *answer.messages)
    trace(dispatcher, answer.trace)
    if answer.handoff:
        command(dispatcher, Command("handoff", {"reason": answer.handoff, "topic": answer.article}))
    return slots(article=answer.article, aspect=answer.aspect, misses=answer.misses, offer=answer.offer)


def slots(**values: Any) -> list[EventType]:
    """Slots and their new values."""
    return [SlotSet(name, value) for name, value in values.items()]


def topic(tracker: Tracker) -> Topic:
    """Where the conversation is."""
    misses = tracker.get_slot("misses")
    return Topic(
        article=tracker.get_slot("article"),
        misses=int(misses) if misses else 0,
        in_form=bool(tracker.active_loop_name),
        aspect=tracker.get_slot("aspect"),
    )


def text(tracker: Tracker) -> str:
    """What the resident wrote, of reasonable length."""
    return str(_latest(tracker).get("text") or "")[:LONGEST]


def intent(tracker: Tracker) -> str:
    """What the message was taken for."""
    return str((_latest(tracker).get("intent") or {}).get("name") or "")


def confidence(tracker: Tracker) -> float:
    """How sure that is, between 0 and 1."""
    return float((_latest(tracker).get("intent") or {}).get("confidence") or 0.0)


def guess(tracker: Tracker) -> tuple[str, float]:
    """What a message in doubt most looks like, besides a question; with how sure that is."""
    for one in _latest(tracker).get("intent_ranking") or ():
        if one.get("name") not in ("nlu_fallback", "question"):
            return str(one["name"]), float(one["confidence"])
    return "", 0.0


def value(tracker: Tracker) -> str:
    """What stands behind the colon of a choice; nothing for a text."""
    for entity in _latest(tracker).get("entities") or ():
        if entity.get("entity") == "value":
            return str(entity.get("value") or "")
    return ""


def came_back(tracker: Tracker, form: str) -> bool:
    """Whether a form is only coming back after something else in this turn: the message was dealt with there."""
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            return False
        if event.get("event") == "action" and event.get("name") != form:
            return True
    return False


def _latest(tracker: Tracker) -> Mapping[str, Any]:
    latest: Mapping[str, Any] = tracker.latest_message or {}
    return latest


def _message(message: Say | Outbound) -> dict[str, Any]:
    if isinstance(message, Say):
        return {"phrase": message.phrase, "args": dict(message.args)}
    return asdict(message)
