"""Calls of actions: Rasa's own `RemoteAction` made lean, and honest about what went wrong.

- One HTTP session for all calls, where Rasa opens a new one each time.
- The response is checked with one prepared validator; Rasa checks its own schema again on every call (20 ms, now 0.1).
- The request holds this turn's events and no copy of the domain: our actions need no more.
- Every failure is noted in `failures` of the turn, for Rasa swallows many (a failing action gives an empty reply).
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, cast

import aiohttp
import rasa
import rasa.core.actions.action
import rasa.core.actions.forms
from jsonschema.validators import validator_for
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.shared.core import events
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig


class Failures(list[str]):
    """What went wrong in a turn; `unreachable`: nobody was there to run an action, which is no fault of the turn."""

    unreachable = False


failures: ContextVar[Failures] = ContextVar("failures")
"""What went wrong in this turn, in names that are safe to log."""

_GUESSES = 3

_SCHEMA = RemoteAction.action_response_format_spec()
_VALIDATOR = validator_for(_SCHEMA)(_SCHEMA)


class ActionFailed(Exception):
    """An action gave no usable result. The message holds names and numbers only."""


class ActionsUnreachable(ActionFailed):
    """Nobody is there to run actions."""


class ActionServer(EndpointConfig):
    """The house's private door. Rasa hands this to each action that it makes."""

    def __init__(self, url: str, secret: str, timeout: float = 20.0) -> None:
        super().__init__(url=url)
        self._secret = secret
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def run(self, name: str, call: dict[str, Any]) -> dict[str, Any]:
        """The result of an action. Raises `ActionFailed`, or `ActionExecutionRejection` where it declined.

        Where the connection breaks it is tried once more: a worker that has just died has colleagues behind the same
        address. That is safe: what an action does outside carries a key of the turn, the rest is done by the turn.
        """
        try:
            try:
                result = await self._call(name, call)
            except aiohttp.ClientConnectionError:
                result = await self._call(name, call)
        except aiohttp.ClientConnectionError as error:
            raise ActionsUnreachable(f"{name}: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError) as error:
            raise ActionFailed(f"{name}: {type(error).__name__}") from error
        if not _VALIDATOR.is_valid(result):
            raise ActionFailed(f"{name}: not a result")
        return cast("dict[str, Any]", result)

    async def _call(self, name: str, call: dict[str, Any]) -> Any:
        async with self._client().post(str(self.url), json=call) as response:
            if response.status == 200:
                return await response.json()
            if response.status == 400 and (await response.json()).get("action_name") == name:
                raise ActionExecutionRejection(name)
            raise ActionFailed(f"{name}: status {response.status}")

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Authorization": f"Bearer {self._secret}"}
            self._session = aiohttp.ClientSession(headers=headers, timeout=self._timeout)
        return self._session


class LeanAction(RemoteAction):
    """An action of the house, seen from Rasa."""

    async def run(
        self,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        tracker: DialogueStateTracker,
        domain: Domain,
    ) -> list[Event]:
        """Run it there. A failure is noted before it is raised."""
        server = cast(ActionServer, self.action_endpoint)
        try:
            result = await server.run(self.name(), _call(self.name(), tracker))
            said = await self._utter_responses(result.get("responses", []), output_channel, nlg, tracker)
            changes = events.deserialise_events(result.get("events", []))
            _check(self.name(), changes, domain)
        except ActionExecutionRejection:
            raise
        except Exception as error:
            detail = (
                str(error) if isinstance(error, ActionFailed) else f"{self.name()}: {type(error).__name__}"
            )
            failures.get().append(detail)
            failures.get().unreachable |= isinstance(error, ActionsUnreachable)
            raise
        return [*said, *changes]


def install() -> None:
    """Let Rasa make these for every action of the domain."""
    for module in (rasa.core.actions.action, rasa.core.actions.forms):
        module.RemoteAction = LeanAction


def _call(name: str, tracker: DialogueStateTracker) -> dict[str, Any]:
    message = tracker.latest_message
    this_turn: list[dict[str, Any]] = []
    for event in reversed(tracker.events):
        this_turn.append(event.as_dict())
        if isinstance(event, UserUttered):
            break
    latest = {"text": "", "intent": {}, "entities": [], "metadata": {}}
    if message is not None:
        latest = {
            "text": message.text,
            "intent": message.intent,
            "entities": message.entities,
            "metadata": message.metadata,
            "intent_ranking": (message.parse_data.get("intent_ranking") or [])[:_GUESSES],
        }
    return {
        "next_action": name,
        "sender_id": tracker.sender_id,
        "version": rasa.__version__,
        "domain": {},
        "tracker": {
            "sender_id": tracker.sender_id,
            "slots": tracker.current_slot_values(),
            "latest_message": latest,
            "events": this_turn[::-1],
            "paused": False,
            "followup_action": None,
            "active_loop": {"name": tracker.active_loop_name} if tracker.active_loop_name else {},
            "latest_action_name": tracker.latest_action_name,
            "latest_input_channel": None,
        },
    }


def _check(name: str, changes: list[Event], domain: Domain) -> None:
    known = {slot.name for slot in domain.slots}
    for change in changes:
        if isinstance(change, SlotSet) and change.key not in known:
            raise ActionFailed(f"{name}: unknown slot {change.key}")
