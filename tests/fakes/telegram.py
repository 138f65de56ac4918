"""A stand-in for Telegram's Bot API server that keeps its documented rules and remembers what was said.

In a test: `async with FakeTelegram() as fake: resident = fake.resident(); resident.say("hoi")`.
As a process: `python -m tests.fakes.telegram --port 8081`, steered over `/_fake/...` (see `_control`).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from tests.fakes import telegram_independent
from tests.fakes.telegram_rules import TEXT_LIMIT, Json, Refusal, check_keyboard, parse_html, utf16

FILE_LIMIT = 20 * 2**20
"""Larger files Telegram does not hand over to a bot."""
ON_DEMAND = ("chat_member", "message_reaction", "message_reaction_count")
"""Kinds of update that come only when they are asked for by name."""


class Dropped(Exception):
    """The connection breaks without an answer."""


@dataclass
class Faults:
    """What goes wrong by chance, from a seeded source: each a probability per call of sendMessage."""

    flood: float = 0.0
    error: float = 0.0
    drop: float = 0.0
    drop_after: float = 0.0
    """The message is sent, but the answer gets lost."""
    retry_after: int = 1


FILE_FIELDS: dict[str, Json] = {
    # What the Bot API promises of a file besides its ids.
    "photo": {"width": 1280, "height": 960},
    "voice": {"duration": 4},
    "audio": {"duration": 4},
    "video": {"duration": 4, "width": 640, "height": 480},
    "animation": {"duration": 4, "width": 640, "height": 480},
    "video_note": {"duration": 4, "length": 240},
    "sticker": {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False},
}


@dataclass
class Resident:
    """Someone with Telegram, in a private chat with the bot."""

    fake: FakeTelegram
    id: int
    first_name: str = "Noor"
    blocked: bool = False
    started: bool = True
    transcript: list[Json] = field(default_factory=list)
    """Messages of both sides in order; those of the bot carry what it sent, parsed."""
    reactions: dict[int, list[Json]] = field(default_factory=dict)
    """The resident's own, by message."""

    @property
    def heard(self) -> list[str]:
        """The bot's texts, as the resident reads them."""
        return [message["text"] for message in self.transcript if message["from"]["is_bot"]]

    @property
    def buttons(self) -> list[Json]:
        """The buttons under the bot's last message that has any."""
        for message in reversed(self.transcript):
            if buttons := _buttons(message):
                return buttons
        return []

    def say(self, text: str) -> int:
        """Type a text. The update's id."""
        return self.deliver({"text": text} | _command_entity(text))

    def deliver(self, content: Json) -> int:
        """Send a message with this content: `{"voice": {...}}`, `{"location": {...}}`. The update's id."""
        message = self.fake.message(self, self._profile(), content)
        return self.fake.update({"message": dict(message)}, self.id)

    def send_file(self, kind: str, content: bytes, mime: str | None = None, **more: Any) -> int:
        """Send a file: a `photo` (which comes in two sizes), `voice`, `document`, ... The update's id."""
        about = {
            "file_id": self.fake.keep(content),
            "file_unique_id": self.fake.new_id(),
            "file_size": len(content),
        }
        about |= FILE_FIELDS.get(kind, {}) | ({"mime_type": mime} if mime else {}) | more
        caption = {"caption": about.pop("caption")} if "caption" in about else {}
        if kind == "photo":
            small = {"file_id": self.fake.keep(content[:10]), "file_unique_id": self.fake.new_id()}
            return self.deliver({"photo": [small | {"width": 90, "height": 68}, about]} | caption)
        return self.deliver({kind: about} | caption)

    def react(self, *emoji: str, about: int | None = None) -> int:
        """Leave these emoji, or none any more, under a message: the bot's last one unless told. The update's id."""
        if about is None:
            about = next(m["message_id"] for m in reversed(self.transcript) if m["from"]["is_bot"])
        before = self.reactions.get(about, [])
        self.reactions[about] = [{"type": "emoji", "emoji": one} for one in emoji]
        change = {"chat": self._chat(), "user": self._profile(), "date": self.fake.now(), "message_id": about}
        change |= {"old_reaction": before, "new_reaction": self.reactions[about]}
        return self.fake.update({"message_reaction": change}, self.id)

    def edit(self, text: str) -> int:
        """Change the last text of one's own."""
        mine = next(m for m in reversed(self.transcript) if m["from"]["id"] == self.id and "text" in m)
        mine |= {"text": text, "edit_date": self.fake.now()}
        return self.fake.update({"edited_message": dict(mine)}, self.id)

    def press(self, which: str) -> int:
        """Press the button with this label or this callback data, the newest first. The update's id."""
        for message in reversed(self.transcript):
            for button in _buttons(message):
                if "callback_data" in button and which in (button["text"], button["callback_data"]):
                    return self._press(message, button["callback_data"])
        raise LookupError(f"no such button: {which}")

    def block(self) -> None:
        """Block the bot, as anyone may."""
        self.blocked = True
        members = {"old_chat_member": {"status": "member"}, "new_chat_member": {"status": "kicked"}}
        bot = self.fake.bot_profile()
        change = {side: member | {"user": bot, "until_date": 0} for side, member in members.items()}
        event = {"chat": self._chat(), "from": self._profile(), "date": self.fake.now()}
        self.fake.update({"my_chat_member": event | change}, self.id)

    async def hears(self, count: int, seconds: float = 10.0) -> list[str]:
        """Wait until the bot has said so many messages; all of them."""
        await self.fake.until(lambda: len(self.heard) >= count, seconds)
        return self.heard

    def _press(self, message: Json, data: str) -> int:
        query_id = str(self.fake.random.getrandbits(62))
        self.fake.queries[query_id] = False
        query = {"id": query_id, "from": self._profile(), "message": message, "data": data}
        return self.fake.update({"callback_query": query | {"chat_instance": str(-self.id)}}, self.id)

    def _profile(self) -> Json:
        return {"id": self.id, "is_bot": False, "first_name": self.first_name, "language_code": "nl"}

    def _chat(self) -> Json:
        return {"id": self.id, "type": "private", "first_name": self.first_name}


class FakeTelegram:
    """The server, for one bot."""

    def __init__(self, token: str = "1234567:fake-token", *, port: int = 0, seed: int = 7) -> None:
        self.token = token
        self.random = random.Random(seed)
        self.residents: dict[int, Resident] = {}
        self.calls: list[tuple[str, Json]] = []
        """Every call of a method, with its parameters, whatever became of it."""
        self.invalid: list[str] = []
        """What the independent check had against calls."""
        self.queries: dict[str, bool] = {}
        """Callback queries by id, and whether they were answered."""
        self.typing: list[int] = []
        self.commands: list[Json] = []
        self.webhook: Json = {}
        self.allowed_updates: list[str] | None = None
        """What was last asked for, by either way."""
        self.last_error: Json = {}
        """`last_error_date` and `last_error_message`, once a call of the webhook failed."""
        self.files: dict[str, tuple[str, bytes]] = {}
        """By id: where it is, and what is in it."""
        self.faults = Faults()
        self.per_chat_seconds = 0.0
        """Least time between two messages to one chat; 429 before that. Telegram asks about one second."""
        self.retry_pause = 0.05
        """First pause before a webhook is tried again; doubles, as Telegram's does."""
        self.webhook_answers: list[int] = []
        self.pending: list[tuple[int, int, Json]] = []
        """Updates not yet confirmed: (update id, chat id, update)."""
        self._port = port
        self._next_update = self.random.randrange(100_000_000, 900_000_000)
        self._next_message = 1
        self._scripted: dict[str, list[Exception]] = {}
        self._last_sent: dict[int, float] = {}
        self._poll: asyncio.Event | None = None
        self._news = asyncio.Condition()
        self._pumps: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """What `TELEGRAM_API_URL` should be."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=10 * 2**20)
        app.router.add_route("*", "/bot{token}/{method}", self._handle)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        _control(app, self)
        self._session = ClientSession(timeout=ClientTimeout(total=30))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._end_poll()
        tasks = [*self._pumps.values(), *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()
        await self._runner.cleanup()

    # What a test does -------------------------------------------------------------------------------------------

    def resident(self, chat_id: int | None = None, **known: Any) -> Resident:
        """The resident with this chat id, or a new one."""
        chat_id = chat_id if chat_id is not None else 5_000_000 + len(self.residents)
        if chat_id not in self.residents:
            self.residents[chat_id] = Resident(self, chat_id, **known)
        return self.residents[chat_id]

    def fail(self, method: str, *faults: Exception) -> None:
        """The next calls of this method end so, one each: a `Refusal` or `Dropped`."""
        self._scripted.setdefault(method, []).extend(faults)

    def update(self, content: Json, chat_id: int = 0) -> int:
        """Queue an update, whatever it holds; its id."""
        number = self._next_update
        self._next_update += 1
        self.pending.append((number, chat_id, {"update_id": number} | content))
        self._wake()
        return number

    def keep(self, content: bytes, path: str | None = None) -> str:
        """Have a file for `getFile`; its id."""
        key = self.new_id()
        self.files[key] = (path or f"documents/file_{len(self.files)}.bin", content)
        return key

    def new_id(self) -> str:
        """An id as Telegram gives it to files."""
        return base64.urlsafe_b64encode(self.random.randbytes(24)).decode()

    def restart_numbers(self) -> None:
        """What Telegram may do after a week of silence: go on from a random number, here a lower one."""
        self._next_update = self.random.randrange(1, 100_000_000)

    def sent(self, method: str = "sendMessage") -> list[Json]:
        """The parameters of each call of this method."""
        return [parameters for name, parameters in self.calls if name == method]

    async def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait for something to become true here. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(condition)

    def now(self) -> int:
        """Seconds since 1970."""
        return int(time.time())

    def bot_profile(self) -> Json:
        """The bot, as a user."""
        name = {"first_name": "Klaartje", "username": "klaartje_test_bot"}
        return {"id": int(self.token.split(":")[0]), "is_bot": True} | name

    def message(self, resident: Resident, author: Json, content: Json) -> Json:
        """A message in a resident's chat, put in the transcript."""
        number = self._next_message
        self._next_message += 1
        message = {
            "message_id": number,
            "from": author,
            "chat": resident._chat(),
            "date": self.now(),
        } | content
        resident.transcript.append(message)
        self._wake()
        return message

    # The Bot API --------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        try:
            if request.match_info["token"] != self.token:
                raise Refusal(401, "Unauthorized")
            handler = self._methods().get(method.lower())
            if handler is None:
                raise Refusal(404, "Not Found")
            parameters = await _parameters(request)
            self.calls.append((method, parameters))
            self.invalid += telegram_independent.violations(method, parameters)
            self._wake()
            if script := self._scripted.get(method):
                raise script.pop(0)
            result = handler(parameters)
            if asyncio.iscoroutine(result):
                result = await result
            return web.json_response({"ok": True, "result": result})
        except Refusal as refusal:
            answer: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
            if refusal.parameters:
                answer["parameters"] = refusal.parameters
            return web.json_response(answer, status=refusal.code)
        except Dropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

    async def _download(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(("file", {"path": request.match_info["path"]}))
        try:
            if script := self._scripted.get("file"):
                raise script.pop(0)
        except Refusal as refusal:
            return web.Response(status=refusal.code, headers=refusal.parameters)
        except Dropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        found = dict(self.files.values()).get(request.match_info["path"])
        if request.match_info["token"] != self.token or found is None:
            return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
        return web.Response(body=found, content_type="application/octet-stream")

    def _methods(self) -> dict[str, Callable[[Json], Any]]:
        return {
            "getme": lambda _: (
                self.bot_profile() | {"can_join_groups": False, "can_read_all_group_messages": False}
            ),
            "getupdates": self._get_updates,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._webhook_info,
            "sendmessage": self._send_message,
            "sendchataction": self._send_chat_action,
            "answercallbackquery": self._answer_callback_query,
            "setmycommands": self._set_my_commands,
            "getmycommands": lambda _: self.commands,
            "getfile": self._get_file,
        }

    def _send_message(self, p: Json) -> Json:
        self._chance(
            "flood",
            Refusal(
                429,
                f"Too Many Requests: retry after {self.faults.retry_after}",
                retry_after=self.faults.retry_after,
            ),
        )
        self._chance("error", Refusal(500, "Internal Server Error"))
        self._chance("drop", Dropped())
        resident = self._resident(p)
        text = p.get("text", "")
        entities: list[Json] = []
        if p.get("parse_mode", "").upper() == "HTML":
            text, entities = parse_html(text)
        text = text.strip()
        if not text:
            raise Refusal(400, "Bad Request: message text is empty")
        if utf16(text) > TEXT_LIMIT:
            raise Refusal(400, "Bad Request: message is too long")
        content: Json = {"text": text} | ({"entities": entities} if entities else {})
        if markup := _json(p.get("reply_markup")):
            content["reply_markup"] = {"inline_keyboard": check_keyboard(markup)}
        self._slow_down(resident.id)
        message = self.message(resident, self.bot_profile(), content)
        self._chance("drop_after", Dropped())
        return message

    def _send_chat_action(self, p: Json) -> bool:
        resident = self._resident(p)
        if p.get("action") not in ("typing", "upload_photo", "upload_document", "find_location"):
            raise Refusal(400, "Bad Request: wrong parameter action in request")
        self.typing.append(resident.id)
        return True

    def _answer_callback_query(self, p: Json) -> bool:
        query_id = str(p.get("callback_query_id", ""))
        if self.queries.get(query_id) is not False:
            raise Refusal(
                400, "Bad Request: query is too old and response timeout expired or query ID is invalid"
            )
        if len(p.get("text", "")) > 200:
            raise Refusal(400, "Bad Request: MESSAGE_TOO_LONG")
        self.queries[query_id] = True
        return True

    def _set_my_commands(self, p: Json) -> bool:
        commands = _json(p.get("commands"))
        if not isinstance(commands, list) or len(commands) > 100:
            raise Refusal(400, "Bad Request: expected an Array of BotCommand")
        for command in commands:
            if (
                not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"])
                or not 1 <= len(command["description"]) <= 256
            ):
                raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
        self.commands = commands
        return True

    def _get_file(self, p: Json) -> Json:
        key = str(p.get("file_id", ""))
        if key not in self.files:
            raise Refusal(400, "Bad Request: invalid file_id")
        path, content = self.files[key]
        if len(content) > FILE_LIMIT:
            raise Refusal(400, "Bad Request: file is too big")
        return {"file_id": key, "file_unique_id": key[:12], "file_size": len(content), "file_path": path}

    def _set_webhook(self, p: Json) -> bool:
        if not p.get("url"):
            return self._delete_webhook(p)
        # Telegram asks HTTPS; its own local server, which this stands for, takes HTTP as well.
        if not re.match(r"https?://", p["url"]):
            raise Refusal(400, "Bad Request: bad webhook: invalid webhook URL specified")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", p.get("secret_token", "")):
            raise Refusal(400, "Bad Request: secret token contains unallowed characters")
        self._ask_for(p)
        self.webhook = p
        self.last_error = {}
        self._end_poll()
        self._wake()
        return True

    def _delete_webhook(self, p: Json) -> bool:
        self.webhook = {}
        if str(p.get("drop_pending_updates", "")).lower() == "true":
            self.pending.clear()
        self._wake()
        return True

    def _webhook_info(self, p: Json) -> Json:
        waiting = {"has_custom_certificate": False, "pending_update_count": len(self.pending)}
        asked = {"allowed_updates": self.allowed_updates} if self.allowed_updates else {}
        return {"url": self.webhook.get("url", "")} | waiting | asked | self.last_error

    def _ask_for(self, p: Json) -> None:
        """Not to name any leaves it as it is; an empty list is the default."""
        wanted = _json(p.get("allowed_updates"))
        if isinstance(wanted, list):
            self.allowed_updates = wanted or None

    async def _get_updates(self, p: Json) -> list[Json]:
        if self.webhook:
            raise Refusal(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first"
            )
        self._end_poll()
        mine = self._poll = asyncio.Event()
        offset, limit = int(p.get("offset") or 0), min(int(p.get("limit") or 100), 100)
        if offset > 0:
            self.pending = [row for row in self.pending if row[0] >= offset]
        elif offset < 0:
            self.pending = self.pending[offset:]
        self._ask_for(p)
        deadline = time.monotonic() + float(p.get("timeout") or 0)
        while not self.pending and not mine.is_set() and (left := deadline - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, 5)), self._news:
                    await self._news.wait_for(lambda: bool(self.pending) or mine.is_set())
            except TimeoutError:
                continue
        if mine.is_set():
            raise Refusal(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        self.pending = [row for row in self.pending if self._is_wanted(row[2])]
        return [update for _, _, update in self.pending[:limit]]

    # Inner workings -----------------------------------------------------------------------------------------------

    def _resident(self, p: Json) -> Resident:
        try:
            resident = self.residents[int(p.get("chat_id", ""))]
        except (KeyError, ValueError):
            raise Refusal(400, "Bad Request: chat not found") from None
        if resident.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if not resident.started:
            raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        return resident

    def _slow_down(self, chat_id: int) -> None:
        now = time.monotonic()
        if now - self._last_sent.get(chat_id, -1e9) < self.per_chat_seconds:
            wait = max(1, round(self.per_chat_seconds))
            raise Refusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        self._last_sent[chat_id] = now

    def _chance(self, kind: str, fault: Exception) -> None:
        if (likely := getattr(self.faults, kind)) and self.random.random() < likely:
            raise fault

    def _is_wanted(self, update: Json) -> bool:
        kinds = update.keys() - {"update_id"}
        if self.allowed_updates is None:
            return not kinds.intersection(ON_DEMAND)
        return not kinds or not kinds.isdisjoint(self.allowed_updates)

    def _end_poll(self) -> None:
        if self._poll:
            self._poll.set()
        self._wake()

    def _wake(self) -> None:
        task = asyncio.get_running_loop().create_task(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()
        if self.webhook:
            for chat_id in {chat_id for _, chat_id, _ in self.pending} - set(self._pumps):
                self._pumps[chat_id] = asyncio.get_running_loop().create_task(self._pump(chat_id))

    async def _pump(self, chat_id: int) -> None:
        """Bring one chat's updates to the webhook, in order, each until it is taken."""
        try:
            while self.webhook and (row := next((r for r in self.pending if r[1] == chat_id), None)):
                if not self._is_wanted(row[2]) or await self._bring(row[2]):
                    self.pending.remove(row)
        finally:
            del self._pumps[chat_id]
        self._wake()

    async def _bring(self, update: Json) -> bool:
        pause = self.retry_pause
        while self.webhook:
            status = 0
            headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
            try:
                async with self._session.post(self.webhook["url"], json=update, headers=headers) as answer:
                    status = answer.status
            except (ClientError, TimeoutError, OSError):
                pass
            self.webhook_answers.append(status)
            self._wake()
            if 200 <= status < 300:
                return True
            words = (
                f"Wrong response from the webhook: {status} {_phrase(status)}"
                if status
                else "Connection refused"
            )
            self.last_error = {"last_error_date": self.now(), "last_error_message": words}
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60)
        return False


async def _parameters(request: web.Request) -> Json:
    parameters: Json = dict(request.query)
    if request.content_type == "application/json":
        parameters |= await request.json()
    else:
        parameters |= dict(await request.post())
    return parameters


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def _json(value: Any) -> Any:
    """Parameters that are objects come as JSON in a form, or as they are in a JSON body."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise Refusal(400, "Bad Request: can't parse JSON object") from None


def _buttons(message: Json) -> list[Json]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", ())
    return [button for row in rows for button in row]


def _command_entity(text: str) -> Json:
    command = re.match(r"/\w+(@\w+)?", text)
    return {"entities": [{"type": "bot_command", "offset": 0, "length": command.end()}]} if command else {}


def _control(app: web.Application, fake: FakeTelegram) -> None:
    """The way to steer a fake in another process. Bodies and answers are JSON.

    GET  /_fake/sent                        what the bot sent, in order: [{"chat_id", "message_id", "text", "buttons"}]
    GET  /_fake/state                       {"pending", "webhook_answers", "queries": {id: answered}, "typing"}
    POST /_fake/say    {"chat_id", "text"}  a resident types;   POST /_fake/press {"chat_id", "which"}
    POST /_fake/update {"chat_id", ...}     any update without its id
    POST /_fake/send_file {"chat_id", "kind", "content", "mime"}   a file, its content in base64
    POST /_fake/react  {"chat_id", "emoji"} an emoji under the bot's last message, or none ("")
    POST /_fake/block  {"chat_id"}
    POST /_fake/faults {"flood": 0.1, "error": 0.1, "drop": 0.1, "drop_after": 0.1, "retry_after": 1}
    """

    def told(act: Callable[[Json], Any]) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.Response:
            return web.json_response({"result": act(await request.json())})

        return handler

    async def sent(_: web.Request) -> web.Response:
        said = [m for r in fake.residents.values() for m in r.transcript if m["from"]["is_bot"]]
        rows = [
            {
                "chat_id": m["chat"]["id"],
                "message_id": m["message_id"],
                "text": m["text"],
                "buttons": _buttons(m),
            }
            for m in sorted(said, key=lambda m: m["message_id"])
        ]
        return web.json_response(rows)

    async def state(_: web.Request) -> web.Response:
        told_of = {"queries": fake.queries, "typing": len(fake.typing), "webhook": bool(fake.webhook)}
        return web.json_response(
            {"pending": len(fake.pending), "webhook_answers": fake.webhook_answers} | told_of
        )

    def update(body: Json) -> int:
        chat_id = int(body.pop("chat_id", 0))
        return fake.update(body, chat_id)

    def send_file(body: Json) -> int:
        content = base64.b64decode(body["content"])
        return fake.resident(body["chat_id"]).send_file(body["kind"], content, body.get("mime"))

    def react(body: Json) -> int:
        emoji = [body["emoji"]] if body["emoji"] else []
        return fake.resident(body["chat_id"]).react(*emoji)

    app.router.add_get("/_fake/sent", sent)
    app.router.add_get("/_fake/state", state)
    app.router.add_post("/_fake/say", told(lambda b: fake.resident(b["chat_id"]).say(b["text"])))
    app.router.add_post("/_fake/press", told(lambda b: fake.resident(b["chat_id"]).press(b["which"])))
    app.router.add_post("/_fake/block", told(lambda b: fake.resident(b["chat_id"]).block()))
    app.router.add_post("/_fake/update", told(update))
    app.router.add_post("/_fake/send_file", told(send_file))
    app.router.add_post("/_fake/react", told(react))
    app.router.add_post("/_fake/faults", told(lambda b: setattr(fake, "faults", Faults(**b))))


async def _serve(token: str, port: int) -> None:
    async with FakeTelegram(token, port=port) as fake:
        print(fake.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Run the fake until it is told to stop; prints its address."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--token", default="1234567:fake-token")
    given = options.parse_args()
    try:
        asyncio.run(_serve(given.token, given.port))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
