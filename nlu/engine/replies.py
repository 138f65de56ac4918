"""What the dialogue says, sorted: messages for the resident, commands for the house, and how the answer was reached."""

from __future__ import annotations

from typing import Any

from rasa.core.channels.channel import OutputChannel


class Collected(OutputChannel):
    """The output channel of one turn. Everything said is custom JSON; anything else is a fault in the domain."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.commands: list[dict[str, Any]] = []
        self.trace: dict[str, Any] | None = None
        self.foreign = 0

    @classmethod
    def name(cls) -> str:
        """The channel's name for Rasa's conditional responses."""
        return "klaartje"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Take one thing that was said."""
        said = message.get("custom")
        if not isinstance(said, dict) or not said:
            self.foreign += 1
        elif "command" in said:
            self.commands.append(_command(said["command"]))
        elif "trace" in said:
            self.trace = _trace(said["trace"])
        else:
            said = dict(said)
            route = said.pop("route", None)
            if route and self.trace is None:
                self.trace = _trace({"route": route})
            self.messages.append(_message(said))


def _message(said: dict[str, Any]) -> dict[str, Any]:
    if "phrase" in said:
        return {"phrase": said["phrase"], "args": said.get("args") or {}}
    return {
        "text": said["text"],
        "choices": said.get("choices") or [],
        "links": said.get("links") or [],
        "article": said.get("article"),
        "revision": said.get("revision"),
    }


def _command(said: dict[str, Any]) -> dict[str, Any]:
    return {"name": said["name"], "args": said.get("args") or {}}


def _trace(said: dict[str, Any]) -> dict[str, Any]:
    return {
        "route": said["route"],
        "article": said.get("article"),
        "alternatives": said.get("alternatives") or [],
        "confidence": said.get("confidence"),
    }
