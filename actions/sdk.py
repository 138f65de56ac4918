"""What we use of rasa-sdk, which has no types of its own: the seam stands here, once."""

from __future__ import annotations

from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet  # type: ignore[import-untyped]
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher  # type: ignore[import-untyped]
from rasa_sdk.interfaces import (  # type: ignore[import-untyped]
    Action,
    ActionExecutionRejection,
    ActionNotFoundException,
    Tracker,
)

__all__ = [
    "Action",
    "ActionExecutionRejection",
    "ActionExecutor",
    "ActionNotFoundException",
    "ActiveLoop",
    "CollectingDispatcher",
    "EventType",
    "FollowupAction",
    "SlotSet",
    "Tracker",
]
