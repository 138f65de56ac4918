"""The same conversation in a terminal, or through a pipe. Lines come in; a number picks a choice."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, TextIO

from bot.model import Inbound, Item, Kind, Outbound
from bot.ports import Accept, Body, Limits, SendFault
from connectors.local import Local
from connectors.markup import clean, cut, read, to_ansi

Settled = Callable[[], Awaitable[None]]
"""Returns when the house has nothing left to say to what it accepted."""

_PROMPT = "> "


class Lines(Protocol):
    """What the resident types; `asyncio.StreamReader` is one."""

    async def readline(self) -> bytes:
        """The next line, empty at the end."""
        ...


class Terminal(Local):
    """The channel. One run is one conversation, at `address`.

    From a person (`interactive`) lines are taken at any time. From a pipe each next line waits for the answer
    to the one before, so that a number picks from the choices it answers, and so does the end. `settled` tells
    when that is there; without it, an answer is what comes within `patience` seconds, until `quiet` without more.
    """

    name = "terminal"
    limits = Limits(text=1_000_000, buttons=1_000, button_label=200)

    def __init__(
        self,
        reader: Lines,
        writer: TextIO,
        *,
        address: str,
        interactive: bool = False,
        settled: Settled | None = None,
        patience: float = 30.0,
        quiet: float = 0.5,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._address = address
        self._interactive = interactive
        self._settled = settled or self._listened
        self._patience = patience
        self._quiet = quiet
        self._choices: tuple[Body, ...] = ()
        self._count = 0
        self._spoke = asyncio.Event()

    def parse(self, body: bytes) -> list[Item]:
        """One line. The number of a choice in the last answer picks it."""
        text = clean(body.decode(errors="replace")).strip()
        if not text:
            return []
        number = text.rstrip(".)")
        if number.isdecimal() and len(number) < 4 and 0 < int(number) <= len(self._choices):
            picked = self._choices[int(number) - 1]
            return [self._inbound(Kind.CHOICE, picked["label"], picked["id"])]
        return [self._inbound(Kind.TEXT, text)]

    def render(self, messages: Sequence[Outbound]) -> list[Body]:
        """A body for each message: the text, and apart from it the choices, which `send` will number, and the links."""
        return [self._body(message) for message in messages]

    def _body(self, message: Outbound) -> Body:
        marked = read(message.text)
        width = self.limits.button_label
        return {
            "text": to_ansi(marked) if self._interactive else marked.text,
            "choices": [{"id": c.id, "label": cut(c.label, width) or c.id} for c in message.choices],
            "links": [{"label": cut(link.label, width), "url": clean(link.url)} for link in message.links],
        }

    async def send(self, address: str, body: Body) -> str:
        """Print it."""
        first = len(self._choices) + 1
        lines = [body["text"]] if body["text"] else []
        lines += [f"  {number}. {choice['label']}" for number, choice in enumerate(body["choices"], first)]
        lines += [f"  {link['label']}: {link['url']}" for link in body["links"]]
        self._choices += tuple(body["choices"])
        try:
            self._writer.write("\r" * self._interactive + "\n".join(lines) + "\n\n")
            self._writer.write(_PROMPT * self._interactive)
            self._writer.flush()
        except (OSError, ValueError):
            raise SendFault("the terminal is closed", retryable=False) from None
        self._spoke.set()
        return self._next_id()

    async def listen(self, accept: Accept) -> None:
        """Take lines until the end of the input."""
        if self._interactive:
            await accept([self._inbound(Kind.START, "")])
        while line := await self._reader.readline():
            if items := self.parse(line):
                self._choices = ()
                self._spoke.clear()
                await accept(items)
                if not self._interactive:
                    await self._settled()

    def _inbound(self, kind: Kind, text: str, choice: str | None = None) -> Inbound:
        return Inbound(self.name, self._address, self._next_id(), kind, text, choice)

    def _next_id(self) -> str:
        self._count += 1
        return f"{self._address}:{self._count}"

    async def _listened(self) -> None:
        wait = self._patience
        while True:
            try:
                async with asyncio.timeout(wait):
                    await self._spoke.wait()
            except TimeoutError:
                return
            self._spoke.clear()
            wait = self._quiet


class StandardInput:
    """Lines of standard input, whatever it is. A thread reads it, as a plain file can't be awaited."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        threading.Thread(target=self._pump, name="stdin", daemon=True).start()

    async def readline(self) -> bytes:
        """The next line, empty at the end."""
        return await self._lines.get()

    def _pump(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            for line in iter(sys.stdin.buffer.readline, b""):
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
            self._loop.call_soon_threadsafe(self._lines.put_nowait, b"")
