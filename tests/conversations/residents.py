"""Residents on each channel: what they do goes the channel's own way in, and they read what really arrives."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any, Protocol

from aiohttp import ClientSession

from bot.app.house import House
from connectors.terminal import Terminal
from tests.fakes.telegram import FakeTelegram
from tests.fakes.whatsapp import FakeWhatsApp

_FIXTURES = Path(__file__).parent.parent / "fixtures" / "telegram"
_WHATSAPP = _FIXTURES.with_name("whatsapp")

PHOTO = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
"""The smallest picture there is."""

Message = dict[str, Any]
"""`text`, and where there are any `choices` (label by id) and `links` (address by label)."""


class Resident(Protocol):
    """Somebody who talks with Klaartje."""

    async def does(self, turn: dict[str, Any]) -> None:
        """Say it; returns when it is in the inbox."""
        ...

    async def reads(self) -> list[Message]:
        """What arrived since the last look."""
        ...


class OnTheWeb:
    """Through the web chat interface."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._headers: dict[str, str] = {}
        self._last = ""
        self._labels: dict[str, str] = {}

    async def opens(self) -> None:
        """A new session."""
        async with self._session.post("/chat/sessions") as answer:
            token = (await answer.json())["token"]
        self._headers = {"Authorization": f"Bearer {token}"}

    async def does(self, turn: dict[str, Any]) -> None:
        """A text, a choice by its label, or a choice by an id that may never have been offered."""
        choice = (
            turn["choice"] if "choice" in turn else self._labels[turn["press"]] if "press" in turn else None
        )
        body = {"text": turn["text"]} if choice is None else {"choice": choice}
        async with self._session.post("/chat/messages", json=body, headers=self._headers) as answer:
            assert answer.status == 202, await answer.text()

    async def reads(self) -> list[Message]:
        """The transcript after what was read before, without the resident's own lines."""
        parameters = {"after": self._last} if self._last else {}
        async with self._session.get("/chat/messages", params=parameters, headers=self._headers) as answer:
            lines = (await answer.json())["messages"]
        self._last = lines[-1]["id"] if lines else self._last
        for line in lines:
            self._labels |= {choice["label"]: choice["id"] for choice in line["choices"]}
        return [
            _message(
                line["text"],
                {choice["id"]: choice["label"] for choice in line["choices"]},
                {link["label"]: link["url"] for link in line["links"]},
            )
            for line in lines
            if line["from"] != "resident"
        ]


class OnTelegram:
    """Through the webhook, and back through the Bot API."""

    def __init__(self, fake: FakeTelegram) -> None:
        self._fake = fake
        self._resident = fake.resident()
        self._read = 0

    async def does(self, turn: dict[str, Any]) -> None:
        """A text, a press of a button, an edit, or something else that Telegram can send."""
        if "press" in turn:
            self._resident.press(turn["press"])
        elif "edit" in turn:
            self._resident.edit(turn["edit"])
        elif "photo" in turn:
            words = {"caption": turn["photo"]} if turn["photo"] else {}
            self._resident.send_file("photo", PHOTO, **words)
        elif "sends" in turn:
            payload = json.loads((_FIXTURES / f"{turn['sends']}.json").read_text(encoding="utf-8"))
            message = payload["update"]["message"]
            self._resident.deliver(
                {k: v for k, v in message.items() if k not in ("message_id", "from", "chat", "date")}
            )
        else:
            self._resident.say(turn["text"])
        await self._fake.until(lambda: not self._fake.pending)

    async def reads(self) -> list[Message]:
        """The bot's messages that were not read before."""
        said = [message for message in self._resident.transcript if message["from"]["is_bot"]]
        new, self._read = said[self._read :], len(said)
        return [_telegram(message) for message in new]


class OnWhatsApp:
    """Through Meta's webhook, and back through its Graph API."""

    def __init__(self, fake: FakeWhatsApp) -> None:
        self._fake = fake
        self._resident = fake.resident()
        self._read = 0

    async def does(self, turn: dict[str, Any]) -> None:
        """A text, a press of a button or a pick from a list, an edit, a reaction, or another kind of message."""
        match turn:
            case {"press": str(which)}:
                self._resident.press(which)
            case {"edit": str(text)}:
                self._resident.edit(text)
            case {"react": str(emoji)}:
                self._resident.react(emoji)
            case {"revoke": True}:
                self._resident.revoke()
            case {"photo": str(words)}:
                self._resident.send_file("image", PHOTO, "image/png", **({"caption": words} if words else {}))
            case {"sends": str(name)}:
                body = json.loads((_WHATSAPP / f"{name}.json").read_text(encoding="utf-8"))["body"]
                message = body["entry"][0]["changes"][0]["value"]["messages"][0]
                own = ("id", "from", "from_user_id", "timestamp")
                self._resident.deliver({k: v for k, v in message.items() if k not in own})
            case _:
                self._resident.say(turn["text"])
        await self._fake.until(lambda: self._fake.idle)

    async def reads(self) -> list[Message]:
        """The bot's messages that were not read before."""
        await self._fake.until(lambda: self._fake.idle)
        assert self._fake.invalid == []
        said = [message for message in self._resident.transcript if message["bot"]]
        new, self._read = said[self._read :], len(said)
        return [
            _message(
                message["text"],
                {button["id"]: button["title"] for button in message["buttons"]},
                {message["label"]: message["url"]} if message["url"] else {},
            )
            for message in new
        ]


class InTerminal:
    """Lines in, and what is printed out."""

    def __init__(self, house: House, terminal: Terminal, keyboard: Keyboard, screen: io.StringIO) -> None:
        self._house = house
        self._terminal = terminal
        self._keyboard = keyboard
        self._screen = screen

    async def does(self, turn: dict[str, Any]) -> None:
        """Type a line."""
        self._keyboard.typed = [turn["text"].encode() + b"\n"]
        await self._terminal.listen(self._house.edge)

    async def reads(self) -> list[Message]:
        """The screen, which is then cleared."""
        shown = self._screen.getvalue().strip("\n")
        self._screen.seek(0)
        self._screen.truncate()
        return [{"text": shown}] if shown else []


class Keyboard:
    """Lines that are typed, and then no more."""

    typed: list[bytes]

    async def readline(self) -> bytes:
        """The next line, empty at the end."""
        return self.typed.pop() if self.typed else b""


def _telegram(message: dict[str, Any]) -> Message:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    buttons = [button for row in rows for button in row]
    return _message(
        message["text"],
        {button["callback_data"]: button["text"] for button in buttons if "callback_data" in button},
        {button["text"]: button["url"] for button in buttons if "url" in button},
    )


def _message(text: str, choices: dict[str, str], links: dict[str, str]) -> Message:
    return {"text": text, **({"choices": choices} if choices else {}), **({"links": links} if links else {})}
