"""The web chat interface: sessions, messages and their stream. The page (and any other program) speaks this."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import uuid
from collections.abc import Callable
from typing import Any, Protocol

import sqlalchemy as sa
from aiohttp import web

from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import chat_sessions, conversations, messages
from bot.inbox import message_id
from bot.model import Author, Inbound, Kind, Outbound, Owner
from bot.ports import Accept, Bus, Refused
from bot.residents import new_conversation
from bot.signs import Signs
from bot.transcript import Page, Transcript

HEARTBEAT = 15.0
LOOK = 5.0
"""Seconds between looks at the store without a wake: what is left when the bus is gone."""

TYPES = 6.0
"""Seconds that an agent's typing shows, unless it goes on or the message is there."""


class WebInbound(Protocol):
    """What this needs of the web chat connector."""

    @property
    def name(self) -> str: ...

    def inbound(self, address: str, payload: bytes) -> Inbound: ...


class Chat:
    """The handlers under `/chat/`. A session is a secret token; the store keeps only its hash."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channel: WebInbound,
        accept: Accept,
        welcome: Callable[[], Outbound],
        client: Callable[[web.Request], str],
        signs: Signs,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channel = channel
        self._accept = accept
        self._welcome = welcome
        self._client = client
        self._signs = signs
        self._clock = clock
        self._transcript = Transcript(database, channel.name)
        self._closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The interface of docs/flow.md."""
        return [
            web.post("/chat/sessions", self.open_session),
            web.post("/chat/messages", self.take_message),
            web.get("/chat/messages", self.give_messages),
            web.post("/chat/typing", self.take_typing),
            web.get("/chat/events", self.stream),
        ]

    async def close(self, _app: web.Application) -> None:
        """End the streams, so that a stop need not wait for them."""
        self._closing.set()

    async def open_session(self, request: web.Request) -> web.Response:
        """A new conversation, opened with the welcome: it says that Klaartje is a computer."""
        if not await self._bus.allow(f"session:{self._client(request)}", rate=0.5, burst=30):
            raise Refused("too many new sessions from one address: wait a minute", 429)
        token, address, now = secrets.token_urlsafe(32), str(uuid.uuid4()), self._clock()
        conversation = new_conversation(self._channel.name, address, now, greeted=True)
        async with self._database.write() as connection:
            await connection.execute(
                sa.insert(chat_sessions).values(token_hash=_hash(token), address=address, created_at=now)
            )
            await connection.execute(sa.insert(conversations).values(conversation))
            await connection.execute(
                sa.insert(messages).values(_first_line(conversation["id"], self._welcome(), now))
            )
        return web.json_response({"token": token}, status=201)

    async def take_message(self, request: web.Request) -> web.Response:
        """Store one message; 202 with its id when it is committed."""
        address = await self._address(request)
        if not await self._bus.allow(f"chat:{address}", rate=1, burst=20):
            raise Refused("too many messages at once: wait a moment", 429)
        message = self._channel.inbound(address, await request.read())
        await self._accept([message])
        return web.json_response({"id": message_id(message.channel, message.external_id)}, status=202)

    async def take_typing(self, request: web.Request) -> web.Response:
        """The resident types; an agent who looks sees it. Nothing of the request is read, and nothing is stored."""
        address = await self._address(request)
        if not await self._bus.allow(f"typing:{address}", rate=0.5, burst=5):
            raise Refused("too many signs of typing: one each three seconds is enough", 429)
        await self._signs.resident_typing(self._channel.name, address)
        return web.Response(status=204)

    async def give_messages(self, request: web.Request) -> web.Response:
        """The transcript, or what came after a message."""
        address = await self._address(request)
        wanted = request.query.get("after", "")
        page = await self._transcript.read(address, await self._position(address, wanted))
        lines = [line for line in (*page.lines, *page.waiting) if line["id"] != wanted]
        return web.json_response({"messages": lines, "owner": page.owner, "typing": page.typing})

    async def _position(self, address: str, message_id: str) -> int:
        return await self._transcript.position(address, message_id) if message_id else 0

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events from the last one the reader has (`Last-Event-ID` or `after`)."""
        address = await self._address(request)
        wanted = request.headers.get("Last-Event-ID") or request.query.get("after") or ""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        async with self._bus.subscribe(f"chat:{address}") as wakes:
            await response.prepare(request)
            after = await self._position(address, wanted)
            stream = _Stream(response)
            waiting = asyncio.ensure_future(anext(wakes))
            closing = asyncio.ensure_future(self._closing.wait())
            try:
                while not self._closing.is_set():
                    page = await self._transcript.read(address, after)
                    await stream.page(page)
                    after = page.last
                    patience = min(LOOK, stream.typing_ends or LOOK)
                    await asyncio.wait(
                        {waiting, closing}, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                    )
                    if waiting.done():
                        _, what = waiting.result()
                        if what == "typing":
                            stream.types()
                        waiting = asyncio.ensure_future(anext(wakes))
            except ConnectionResetError:
                pass  # the reader has gone; it comes back with Last-Event-ID
            finally:
                waiting.cancel()
                closing.cancel()
        return response

    async def _address(self, request: web.Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused("a session token is needed: Authorization: Bearer ...", 401)
        known = sa.select(chat_sessions.c.address).where(chat_sessions.c.token_hash == _hash(token.strip()))
        async with self._database.read() as connection:
            address: str | None = await connection.scalar(known)
        if address is None:
            raise Refused("unknown session", 401)
        return address


class _Stream:
    """Writes events, and says only what has changed."""

    def __init__(self, response: web.StreamResponse) -> None:
        self._response = response
        self._state: tuple[object, bool, str] | None = None
        self._typed_until = 0.0
        self._waiting: set[str] = set()
        self._quiet_since = asyncio.get_running_loop().time()

    def types(self) -> None:
        """Somebody types, for some seconds. While the bot has the conversation the transcript tells that itself."""
        self._typed_until = asyncio.get_running_loop().time() + TYPES

    @property
    def typing_ends(self) -> float:
        """In how many seconds that is over; 0 where nobody types."""
        return max(0.0, self._typed_until - asyncio.get_running_loop().time())

    async def page(self, page: Page) -> None:
        """Lines that were not sent yet. One that waits for its turn gets no id: a reader that comes back goes on
        from the last line that has its place."""
        for line in page.lines:
            if line["id"] in self._waiting:
                self._waiting.remove(line["id"])
                await self._response.write(f"id: {line['id']}\n\n".encode())
            else:
                await self._event("message", line, line["id"])
        for line in page.waiting:
            if line["id"] not in self._waiting:
                self._waiting.add(line["id"])
                await self._event("message", line)
        if page.owner != Owner.AGENT or any(line["from"] == Author.AGENT for line in page.lines):
            self._typed_until = 0.0  # what was typed is there, or who typed has gone
        state = (page.owner, page.typing or self.typing_ends > 0, page.agent)
        if state != self._state:
            self._state = state
            who = {"agent": page.agent} if page.agent else {}
            await self._event("typing", {"typing": state[1], "owner": page.owner, **who})
        now = asyncio.get_running_loop().time()
        if now - self._quiet_since > HEARTBEAT:
            self._quiet_since = now
            await self._response.write(b": still here\n\n")

    async def _event(self, name: str, data: dict[str, Any], key: str | None = None) -> None:
        head = f"id: {key}\n" if key else ""
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        self._quiet_since = asyncio.get_running_loop().time()
        await self._response.write(f"{head}event: {name}\ndata: {body}\n\n".encode())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _first_line(conversation_id: str, welcome: Outbound, now: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "conversation_id": conversation_id,
        "author": Author.BOT,
        "kind": Kind.TEXT,
        "text": welcome.text,
        "choices": [{"id": choice.id, "label": choice.label} for choice in welcome.choices],
        "links": [{"label": link.label, "url": link.url} for link in welcome.links],
        "at": now,
    }
