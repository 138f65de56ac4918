"""A conversation's memory: the slots that are set and the form that runs. Nothing else, so it can't grow.

Our rules look at one turn only, and what must be known of earlier turns stands in slots. So no event of the past is
kept: a conversation of 1,000 messages has the memory, and the speed, of one of 10. What does not fit this version's
domain is left out: a changed engine goes on with what it understands and starts fresh with the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

VERSION = 1
LIMIT = 20_000
_KINDS: dict[str, tuple[type, ...]] = {"text": (str,), "float": (int, float), "bool": (bool,)}


class MemoryTooLarge(Exception):
    """An action put more in the slots than a memory may hold."""


def recall(conversation_id: str, memory: object, domain: Domain) -> DialogueStateTracker:
    """The tracker that the memory describes, waiting for a message; a fresh one where it describes none."""
    slots, loop = _understood(memory, domain)
    events: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted()]
    events += [SlotSet(name, value) for name, value in slots.items()]
    if loop:
        events.append(ActiveLoop(loop))
    events.append(ActionExecuted(ACTION_LISTEN_NAME))
    return DialogueStateTracker.from_events(conversation_id, events, slots=domain.slots, domain=domain)


def remember(tracker: DialogueStateTracker) -> dict[str, Any]:
    """The memory that the tracker leaves. Raises `MemoryTooLarge`."""
    slots = {name: slot.value for name, slot in tracker.slots.items() if slot.value != slot.initial_value}
    memory = {"version": VERSION, "slots": slots, "loop": tracker.active_loop_name}
    if len(json.dumps(memory)) > LIMIT:
        raise MemoryTooLarge
    return memory


def _understood(memory: object, domain: Domain) -> tuple[dict[str, Any], str | None]:
    if not isinstance(memory, Mapping) or memory.get("version") != VERSION:
        return {}, None
    stored = memory.get("slots")
    kinds = {slot.name: slot.type_name for slot in domain.slots}
    slots = {
        name: value
        for name, value in (stored.items() if isinstance(stored, Mapping) else ())
        if _fits(kinds.get(name), value)
    }
    loop = memory.get("loop")
    if not isinstance(loop, str) or loop not in domain.form_names:
        slots.pop(REQUESTED_SLOT, None)
        return slots, None
    return slots, loop


def _fits(kind: str | None, value: object) -> bool:
    if kind is None or (isinstance(value, bool) and kind != "bool"):
        return False
    return isinstance(value, _KINDS.get(kind, ()))
