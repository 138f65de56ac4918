"""A chat server as the page knows it: transcript in memory, restartable, and its lines can be cut.

Messages survive a `stop` and `start`, as a store's would. `answers` turns what a resident said into messages.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.web.page import add_page

Message = dict[str, Any]
Answer = Callable[[Message], list[Message]]
Clock = Callable[[], datetime]

WELCOME: Message = {
    "text": "Goedendag! Ik ben **Klaartje**, de digitale assistent van Gemeente Zonneveen. "
    "Ik ben een computer, geen mens.\n\nWaarmee kan ik u helpen?",
    "choices": [
        {"id": "article:paspoort-aanvragen", "label": "Paspoort aanvragen"},
        {"id": "article:verhuizing-doorgeven", "label": "Verhuizing doorgeven"},
        {"id": "article:afval-ophalen", "label": "Afval en ophaaldagen"},
    ],
}


def echo(message: Message) -> list[Message]:
    """The plainest of answers."""
    return [{"text": f"U schreef: {message['text']}"}]


class Session:
    """One conversation."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.messages: list[Message] = []
        self.seen: dict[str, str] = {}
        self.owner = "bot"
        self.typing = False
        self.changed = asyncio.Condition()

    def add(self, author: str, message: Message) -> Message:
        """One more line of the transcript."""
        line = {
            "id": str(uuid.uuid4()),
            "from": author,
            "text": message["text"],
            "choices": message.get("choices", []),
            "links": message.get("links", []),
            "article": message.get("article"),
            "at": self.clock().isoformat(timespec="milliseconds"),
        }
        self.messages.append(line)
        return line

    def after(self, key: str | None) -> list[Message]:
        """The lines after one; all of them after an unknown one."""
        places = [n for n, message in enumerate(self.messages) if message["id"] == key]
        return self.messages[places[0] + 1 :] if places else list(self.messages)


class FakeChat:
    """The server. `posts` counts requests that reached it, `lose_answers` takes messages but never says so."""

    def __init__(self, answers: Answer = echo, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self.answers = answers
        self.clock = clock
        self.sessions: dict[str, Session] = {}
        self.labels = {choice["id"]: choice["label"] for choice in WELCOME["choices"]}
        self.posts = 0
        self.lose_answers = 0
        self.refuse_with: int | None = None
        self.hold = False
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def session(self) -> Session:
        """The newest conversation."""
        return list(self.sessions.values())[-1]

    async def start(self) -> None:
        """Serve; after a stop, on the same port."""
        app = web.Application()
        app.router.add_post("/chat/sessions", self._open)
        app.router.add_post("/chat/messages", self._take)
        app.router.add_get("/chat/messages", self._give)
        app.router.add_get("/chat/events", self._stream)
        hours = "maandag tot en met vrijdag van 8.30 tot 17.00 uur"
        add_page(app, municipality_name="Gemeente Zonneveen", phone="14 0999", hours=hours)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Cut every line and refuse new ones."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def say(self, author: str, message: Message) -> None:
        """Somebody writes in the newest conversation."""
        self.session.add(author, message)
        await self._changed(self.session)

    async def set(self, *, owner: str | None = None, typing: bool | None = None) -> None:
        """Change who owns the newest conversation, or whether an answer is on its way."""
        self.session.owner = owner or self.session.owner
        self.session.typing = self.session.typing if typing is None else typing
        await self._changed(self.session)

    def forget_sessions(self) -> None:
        """As after an erasure: every token is unknown."""
        self.sessions.clear()

    async def _changed(self, session: Session) -> None:
        async with session.changed:
            session.changed.notify_all()

    def _of(self, request: web.Request) -> Session:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.sessions:
            raise web.HTTPUnauthorized(text='{"error": "unknown session"}', content_type="application/json")
        return self.sessions[token]

    async def _open(self, _request: web.Request) -> web.Response:
        token = uuid.uuid4().hex
        self.sessions[token] = Session(self.clock)
        self.sessions[token].add("bot", WELCOME)
        return web.json_response({"token": token}, status=201)

    async def _take(self, request: web.Request) -> web.Response:
        session = self._of(request)
        self.posts += 1
        if self.refuse_with:
            return web.json_response({"error": "refused"}, status=self.refuse_with)
        body = await request.json()
        key = body["client_id"]
        if key not in session.seen:
            said = body.get("text") or self.labels.get(body["choice"], body["choice"])
            line = session.add("resident", {"text": said})
            session.seen[key] = line["id"]
            if body.get("choice") in ("human", "bot"):
                session.owner = "waiting" if body["choice"] == "human" else "bot"
            for answer in [] if self.hold or session.owner != "bot" else self.answers(line):
                self.labels |= {choice["id"]: choice["label"] for choice in answer.get("choices", ())}
                session.add("bot", answer)
            await self._changed(session)
        if self.lose_answers:
            self.lose_answers -= 1
            assert request.transport
            request.transport.abort()
        return web.json_response({"id": session.seen[key]}, status=202)

    async def _give(self, request: web.Request) -> web.Response:
        session = self._of(request)
        found = {"messages": session.after(request.query.get("after")), "owner": session.owner}
        return web.json_response({**found, "typing": session.typing})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        session = self._of(request)
        last = request.headers.get("Last-Event-ID")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        state: tuple[str, bool] | None = None
        try:
            while True:
                for message in session.after(last):
                    last = message["id"]
                    data = json.dumps(message)
                    await response.write(f"id: {last}\nevent: message\ndata: {data}\n\n".encode())
                if state != (session.owner, session.typing):
                    state = (session.owner, session.typing)
                    data = json.dumps({"owner": state[0], "typing": state[1]})
                    await response.write(f"event: typing\ndata: {data}\n\n".encode())
                async with session.changed:
                    if not session.after(last) and state == (session.owner, session.typing):
                        await session.changed.wait()
        except ConnectionResetError:
            return response
