"""One turn of Rasa: the tracker is rebuilt from the memory, the message handled, and the new memory taken.

The tracker lives for this one call. So there is no tracker store that could fail silently, no lock (the house leases
conversations, so their order is not ours to keep), and nothing that two conversations share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rasa.core.actions.action import Action, ActionExecutionRejection
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import NaturalLanguageGenerator, TemplatedNaturalLanguageGenerator
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.engine.loader import load_predict_graph_runner
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.local_model_storage import MODEL_ARCHIVE_METADATA_FILE, LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecutionRejected
from rasa.shared.core.trackers import DialogueStateTracker

from engine import remote
from engine.memory import MemoryTooLarge, recall, remember
from engine.replies import Collected

FALLBACK = "nlu_fallback"
_RASAS_OWN = frozenset({"restart", "back", "session_start", FALLBACK})
_LONGEST = 1_000

_TAUGHT = frozenset({"nl", "en"})
"""Languages that the examples are in. Of any other the intent would be a guess: there the search decides."""

_SURE, _SURE_TASK = 0.8, 0.6
"""Below this, what is not taken for a question is looked up first; the action falls back on the guess (it gets the
ranking). Sooner for a task: its action looks up too. Not in a form: there even a faint "laat maar" must be heard."""

_TASKS = frozenset({"appointment", "status", "report", "human", "callback"})
_TALK = frozenset({"greet", "goodbye", "thanks", "help", "bot_challenge", "affirm", "deny", "cancel"})
_TALK_WORDS = 12
"""More words than this are no small talk alone: something else is said too, and is looked up."""


class TurnFailed(Exception):
    """The turn gave no reply that can be trusted. `detail` holds names only.

    `unreachable`: nobody was there to run its actions; another time it may well go."""

    def __init__(self, detail: str, *, unreachable: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.unreachable = unreachable


class Dialogue:
    """A trained model and the door to its actions."""

    def __init__(self, model: Path, actions: remote.ActionServer) -> None:
        remote.install()
        self._processor = _Processor(model, actions)

    @property
    def model_id(self) -> str:
        """Which training this is."""
        return str(self._processor.model_metadata.model_id)

    async def reply(self, conversation_id: str, message: Mapping[str, Any], memory: object) -> dict[str, Any]:
        """The reply to one message. Raises `TurnFailed`."""
        failures = remote.Failures()
        token = remote.failures.set(failures)
        try:
            tracker = recall(conversation_id, memory, self._processor.domain)
            collected = Collected()
            await self._processor.turn(self._heard(message, tracker, collected), tracker, collected)
            kept = remember(tracker)
        except MemoryTooLarge:
            raise TurnFailed("memory too large") from None
        except TurnFailed:
            raise
        except Exception as error:
            raise TurnFailed(
                "; ".join(failures) or type(error).__name__, unreachable=failures.unreachable
            ) from error
        finally:
            remote.failures.reset(token)
        if failures:
            raise TurnFailed("; ".join(failures), unreachable=failures.unreachable)
        if collected.foreign:
            raise TurnFailed("something was said that is not custom JSON")
        if not (collected.messages or collected.commands):
            raise TurnFailed("nothing was said")
        return {
            "messages": collected.messages,
            "commands": collected.commands,
            "memory": kept,
            "trace": collected.trace,
        }

    def _heard(
        self, message: Mapping[str, Any], tracker: DialogueStateTracker, channel: OutputChannel
    ) -> UserMessage:
        text, choice = message["text"], message.get("choice")
        metadata = dict(message.get("metadata") or {})
        taught = metadata.get("language", "nl") in _TAUGHT
        parsed = self._chosen(choice) if choice else self._understood(text, tracker, taught=taught)
        return UserMessage(
            text=text,
            output_channel=channel,
            sender_id=tracker.sender_id,
            parse_data={**parsed, "text": text},
            metadata=metadata,
        )

    def _chosen(self, choice: str) -> dict[str, Any]:
        intent, _, value = choice.partition(":")
        if intent in _RASAS_OWN or intent not in self._processor.domain.intents:
            return _parsed(FALLBACK)
        return _parsed(intent, value)

    def _understood(self, text: str, tracker: DialogueStateTracker, *, taught: bool) -> dict[str, Any]:
        """What Rasa makes of a text. Its `/intent{...}` syntax is for buttons, never for what a resident types."""
        plain = text[:_LONGEST].replace("\x00", " ").lstrip("/ \t\r\n")
        if not plain or not (taught or tracker.active_loop_name):
            return _parsed(FALLBACK)
        found = self._processor.parse(plain, tracker)
        name, confidence = found["intent"]["name"], found["intent"]["confidence"]
        sure = confidence >= (_SURE_TASK if name in _TASKS else _SURE)
        if name in _TALK and len(plain.split()) > _TALK_WORDS:
            sure = False
        if name and (sure or name == "question" or tracker.active_loop_name):
            return found
        return {**found, "intent": _parsed(FALLBACK)["intent"]}


class _Trained(LocalModelStorage):
    """A model archive without the graph that trained it: its validator alone would import TensorFlow."""

    @staticmethod
    def _load_metadata(directory: Path) -> ModelMetadata:
        described = json.loads((directory / MODEL_ARCHIVE_METADATA_FILE).read_text(encoding="utf-8"))
        return ModelMetadata.from_dict({**described, "train_schema": {"nodes": {}}})


class _Processor(MessageProcessor):
    """Rasa's message processor, which here keeps nothing and swallows nothing."""

    def __init__(self, model: Path, actions: remote.ActionServer) -> None:
        super().__init__(
            model_path=model,
            tracker_store=InMemoryTrackerStore(Domain.empty()),
            lock_store=InMemoryLockStore(),
            generator=TemplatedNaturalLanguageGenerator({}),
            action_endpoint=actions,
            on_circuit_break=_circuit_broken,
        )
        self.nlg = TemplatedNaturalLanguageGenerator(self.domain.responses)

    @staticmethod
    def _load_model(model_path: str | Path) -> tuple[str, ModelMetadata, GraphRunner]:
        with TemporaryDirectory() as directory:
            metadata, runner = load_predict_graph_runner(
                Path(directory), Path(model_path), _Trained, DaskGraphRunner
            )
        return Path(model_path).name, metadata, runner

    def parse(self, text: str, tracker: DialogueStateTracker) -> dict[str, Any]:
        """Intent and entities of a text."""
        return dict(self._parse_message_with_graph(UserMessage(text), tracker))

    async def turn(self, message: UserMessage, tracker: DialogueStateTracker, channel: OutputChannel) -> None:
        """Handle a message whose meaning is known, up to the point where the dialogue listens again."""
        await self._handle_message_with_tracker(message, tracker)
        tracker = await self.run_action_extract_slots(channel, tracker)
        await self._run_prediction_loop(channel, tracker)

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        """As Rasa's own, except that an exception ends the turn: Rasa logs it and says nothing."""
        attempt = tracker.copy()
        attempt.update_with_events(prediction.events, self.domain)
        try:
            events = await action.run(output_channel, nlg, attempt, self.domain)
        except ActionExecutionRejection:
            tracker.update(
                ActionExecutionRejected(action.name(), prediction.policy_name, prediction.max_confidence)
            )
            return self.should_predict_another_action(action.name())
        self._log_action_on_tracker(tracker, action, events, prediction)
        await self.execute_side_effects(events, tracker, output_channel)
        return self.should_predict_another_action(action.name())


def _circuit_broken(*_: object) -> None:
    raise TurnFailed("the rules go round in circles")


def _parsed(intent: str, value: str = "") -> dict[str, Any]:
    entities = [{"entity": "value", "value": value, "start": 0, "end": 0}] if value else []
    return {"intent": {"name": intent, "confidence": 1.0}, "entities": entities, "intent_ranking": []}
