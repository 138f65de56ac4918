"""A stand-in for Meta's Cloud API that keeps its documented rules and remembers what was said.

In a test: `async with FakeWhatsApp() as fake: fake.webhook = url; resident = fake.resident(); resident.say("hoi")`.
As a process: `python -m tests.fakes.whatsapp --port 8082`, steered over `/_fake/...` (see `_control`).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from tests.fakes import whatsapp_independent
from tests.fakes.whatsapp_rules import BSUID, Json, Refusal, check

NUMBER = "106540352240001"
WABA = "102290129340001"
DAY = 24 * 3600
MEDIA_SECONDS = 300
"""How long the address of a file works."""


class Dropped(Exception):
    """The connection breaks without an answer."""


@dataclass
class Faults:
    """What goes wrong by chance, from a seeded source: each a probability per message that is sent."""

    flood: float = 0.0
    error: float = 0.0
    gateway: float = 0.0
    drop: float = 0.0
    drop_after: float = 0.0
    """The message is sent, but the answer gets lost."""


@dataclass
class Delivering:
    """How calls of the webhook go: `copies` times each, at most `batch` messages or receipts in one, beside each other
    or in one list, in any order where `shuffled`; `forged` is the part of the calls that goes along with a wrong
    signature, `receipts` whether sent messages get sent, delivered and read."""

    copies: tuple[int, int] = (1, 1)
    batch: int = 1
    shuffled: bool = False
    forged: float = 0.0
    receipts: bool = True
    pause: float = 0.05
    """First pause before a call is tried again; doubles."""


@dataclass
class Resident:
    """Someone with WhatsApp. `phone` None: a user name hides it from us."""

    fake: FakeWhatsApp
    user_id: str
    phone: str | None
    number: str
    name: str = "Noor"
    gone: bool = False
    last_inbound: float | None = None
    transcript: list[Json] = field(default_factory=list)
    """Messages of both sides in order: {"id", "bot", "text", "buttons", "url", "at"}."""
    read: set[str] = field(default_factory=set)
    """Own messages with blue ticks."""
    typing: int = 0
    sent_at: list[float] = field(default_factory=list)

    @property
    def heard(self) -> list[str]:
        """The bot's texts, as the resident reads them."""
        return [message["text"] for message in self.transcript if message["bot"]]

    @property
    def buttons(self) -> list[Json]:
        """Buttons or rows of the bot's last message that has any: {"id", "title"}."""
        return next((m["buttons"] for m in reversed(self.transcript) if m["bot"] and m["buttons"]), [])

    def say(self, text: str, **more: Any) -> str:
        """Type a text; the message's id."""
        return self.deliver({"type": "text", "text": {"body": text}, **more}, text)

    def press(self, which: str) -> str:
        """Press the button or pick the row with this title or id, the newest first."""
        for message in reversed(self.transcript):
            for button in message["buttons"]:
                if which in (button["title"], button["id"]):
                    return self._pressed(message, button)
        raise LookupError(f"no such button: {which}")

    def deliver(self, content: Json, text: str = "") -> str:
        """Send a message with this content: `{"type": "location", "location": {...}}`; its id."""
        key = self.fake.new_id()
        self.transcript.append(
            {"id": key, "bot": False, "text": text, "buttons": [], "url": None, "at": self.fake.now()}
        )
        self.last_inbound = self.fake.now()
        self.fake.inbound(self, {"id": key, "timestamp": str(int(self.fake.now())), **content})
        return key

    def send_file(self, kind: str, content: bytes, mime: str, **more: Any) -> str:
        """Send a file; the message's id."""
        media = self.fake.keep(content, mime)
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        return self.deliver({"type": kind, kind: {"id": media, "mime_type": mime, "sha256": digest, **more}})

    def edit(self, text: str) -> str:
        """Change the last text of one's own."""
        about = self._last_own()
        changed = {"original_message_id": about, "message": {"type": "text", "text": {"body": text}}}
        return self._quiet({"type": "edit", "edit": changed})

    def revoke(self) -> str:
        """Take the last text of one's own back."""
        return self._quiet({"type": "revoke", "revoke": {"original_message_id": self._last_own()}})

    def react(self, emoji: str, about: str | None = None) -> str:
        """Put an emoji under a message, the bot's last one unless told; an empty one takes it away."""
        about = about or next(m["id"] for m in reversed(self.transcript) if m["bot"])
        # One that is taken away comes without the field.
        shown = {"emoji": emoji} if emoji else {}
        return self._quiet({"type": "reaction", "reaction": {"message_id": about, **shown}})

    def new_number(self, phone: str | None) -> None:
        """Change one's telephone number, and by that one's user id; the municipality is told, of the number only
        where it may know it."""
        before, self.user_id, old, self.phone = self.user_id, self.fake.new_user_id(), self.phone, phone
        self.fake.residents[self.user_id] = self.fake.residents.pop(before)
        system = {
            "body": f"{self.name} changed",
            "type": "user_changed_number" if phone else "user_changed_user_id",
            "user_id": self.user_id,
            "previous_user_id": before,
        }
        moment = {"id": self.fake.new_id(), "timestamp": str(int(self.fake.now()))}
        message: Json = {**moment, "type": "system", "system": system}
        if phone:
            system["wa_id"] = phone
            message |= {"from": old} if old else {}
        self.fake.notify(self.number, {"messages": [message]})

    async def hears(self, count: int, seconds: float = 10.0) -> list[str]:
        """Wait until the bot has said so many messages; all of them."""
        await self.fake.until(lambda: len(self.heard) >= count, seconds)
        return self.heard

    def _quiet(self, content: Json) -> str:
        key = self.fake.new_id()
        self.fake.inbound(self, {"id": key, "timestamp": str(int(self.fake.now())), **content})
        return key

    def _last_own(self) -> str:
        return str(next(m["id"] for m in reversed(self.transcript) if not m["bot"]))

    def _pressed(self, message: Json, button: Json) -> str:
        kind = message["kind"]
        if kind == "template":
            content = {"type": "button", "button": {"payload": button["id"], "text": button["title"]}}
        else:
            name = "button_reply" if kind == "button" else "list_reply"
            content = {"type": "interactive", "interactive": {"type": name, name: dict(button)}}
        return self.deliver({**content, "context": {"id": message["id"]}}, button["title"])


class FakeWhatsApp:
    """The server, for the numbers of one app and one business account. `clock` gives seconds since 1970."""

    def __init__(
        self,
        *,
        token: str = "EAAfake-token",
        app_secret: str = "fake-app-secret",
        numbers: Sequence[str] = (NUMBER,),
        port: int = 0,
        seed: int = 7,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        self.app_secret = app_secret
        self.numbers = list(numbers)
        self.random = random.Random(seed)
        self.residents: dict[str, Resident] = {}
        self.calls: list[tuple[str, str, Any]] = []
        """Every call: method, path, body."""
        self.sent: list[Json] = []
        """Every body that was taken, with the id that it got: {"id", "number", "body"}."""
        self.invalid: list[str] = []
        """What the independent check had against bodies that came."""
        self.fetched: list[str] = []
        """The ids of files that were fetched."""
        self.faults = Faults()
        self.delivering = Delivering()
        self.webhook: str | None = None
        self.webhooks: dict[str, str] = {}
        """Addresses of numbers that have one of their own."""
        self.webhook_answers: list[int] = []
        self.webhook_seconds: list[float] = []
        self.templates: list[Json] = []
        self.subscribed = True
        self.quality = "GREEN"
        self.late_window = False
        """Whether free words outside the window are taken, and fail by a receipt afterwards."""
        self.per_second: float | None = None
        """Most messages a second, in and out; 130429 above it."""
        self.pair: tuple[int, float] | None = None
        """Messages to one resident at once, and seconds for each more; 131056 above it."""
        self.clock = clock
        self._port = port
        self._media: dict[str, tuple[bytes, str]] = {}
        self._recent: list[float] = []
        self._scripted: list[Exception] = []
        self._queue: list[tuple[str, Json]] = []
        self._collecting: asyncio.Task[None] | None = None
        self._calling: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()
        self._waking: set[asyncio.Task[None]] = set()
        self._count = 0

    @property
    def url(self) -> str:
        """What `WHATSAPP_API_URL` should be."""
        return f"http://127.0.0.1:{self._port}"

    def settings(self) -> dict[str, str]:
        """The environment of a bot with the first number."""
        return {
            "WHATSAPP_TOKEN": self.token,
            "WHATSAPP_PHONE_NUMBER_ID": self.numbers[0],
            "WHATSAPP_APP_SECRET": self.app_secret,
            "WHATSAPP_VERIFY_TOKEN": "verify-me",
            "WHATSAPP_BUSINESS_ACCOUNT_ID": WABA,
            "WHATSAPP_API_URL": self.url,
        }

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=10 * 2**20)
        _control(app, self)
        app.router.add_route("*", "/files/{media}", self._file)
        app.router.add_route("*", "/{version:v\\d+\\.\\d+}/{path:.*}", self._handle)
        self._session = ClientSession(timeout=ClientTimeout(total=30))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        tasks = [*self._calling, *self._waking, *([self._collecting] if self._collecting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()
        await self._runner.cleanup()

    # What a test does -------------------------------------------------------------------------------------------

    def resident(self, *, phone: str | None = "", number: str | None = None, **known: Any) -> Resident:
        """A new resident; `phone=None` hides the telephone number."""
        shown = f"3161{len(self.residents):07d}" if phone == "" else phone
        made = Resident(self, self.new_user_id(), shown, number or self.numbers[0], **known)
        self.residents[made.user_id] = made
        return made

    def fail(self, *faults: Exception) -> None:
        """The next messages that are sent end so, one each: a `Refusal` or `Dropped`."""
        self._scripted.extend(faults)

    def keep(self, content: bytes, mime: str) -> str:
        """Keep a file; its id."""
        key = str(self.random.getrandbits(50))
        self._media[key] = (content, mime)
        return key

    def template(self, name: str, text: str, *, status: str = "APPROVED", **more: Any) -> None:
        """A template of the business account; `text` with {{1}} and so on."""
        components: list[Json] = [{"type": "BODY", "text": text}]
        if buttons := more.pop("buttons", None):
            components.append(
                {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": title} for title in buttons]}
            )
        base = {"id": str(len(self.templates)), "language": "nl", "category": "UTILITY"}
        self.templates.append(base | {"name": name, "status": status, "components": components} | more)

    async def handshake(self, verify_token: str) -> tuple[int, str]:
        """What happens when the address is entered at Meta; status and body of the answer."""
        assert self.webhook is not None
        query = {"hub.mode": "subscribe", "hub.verify_token": verify_token, "hub.challenge": "1158201444"}
        async with self._session.get(self.webhook, params=query) as answer:
            return answer.status, await answer.text()

    async def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait for something to become true here, or beside it without news of ours. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05), self._news:
                        await self._news.wait()

    @property
    def idle(self) -> bool:
        """Whether everything was brought to the webhook."""
        return not self._queue and not self._calling and self._collecting is None

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock()

    def new_id(self) -> str:
        """An id as messages have."""
        self._count += 1
        tail = base64.b64encode(self.random.randbytes(12)).decode()
        return f"wamid.{self._count:06d}{tail}"

    def new_user_id(self) -> str:
        """A business-scoped user id."""
        return f"NL.{self.random.getrandbits(60)}"

    # To the webhook -------------------------------------------------------------------------------------------------

    def inbound(self, resident: Resident, message: Json) -> None:
        """Queue a message of a resident."""
        self._use()
        contact: Json = {"profile": {"name": resident.name}, "user_id": resident.user_id}
        who: Json = {"from_user_id": resident.user_id}
        if resident.phone:
            contact["wa_id"] = who["from"] = resident.phone
        self.notify(resident.number, {"contacts": [contact], "messages": [{**who, **message}]})

    def status(self, number: str, key: str, state: str, resident: Resident, code: int | None = None) -> None:
        """Queue a receipt."""
        moment = str(int(self.now()))
        row: Json = {"id": key, "status": state, "timestamp": moment, "recipient_user_id": resident.user_id}
        if resident.phone:
            row["recipient_id"] = resident.phone
        if code is not None:
            row["errors"] = [{"code": code, "title": "x", "message": "x", "error_data": {"details": "x"}}]
        else:
            row["pricing"] = {
                "billable": True,
                "pricing_model": "PMP",
                "category": "service",
                "type": "regular",
            }
        self.notify(number, {"statuses": [row]})

    def notify(self, number: str, value: Json) -> None:
        """Queue a value of a webhook call."""
        metadata = {"display_phone_number": "31850000000", "phone_number_id": number}
        self._queue.append((number, {"messaging_product": "whatsapp", "metadata": metadata, **value}))
        if self._collecting is None:
            self._collecting = asyncio.get_running_loop().create_task(self._collect())

    async def _collect(self) -> None:
        """Make calls of what is queued, in batches as told."""
        await asyncio.sleep(0)
        while self._queue:
            taken, self._queue = self._queue, []
            how = self.delivering
            calls: list[tuple[str, list[Json]]] = []
            while taken:
                size = self.random.randint(1, how.batch)
                some, taken = taken[:size], taken[size:]
                for number in dict.fromkeys(number for number, _ in some):
                    address = self.webhooks.get(number) or self.webhook
                    values = [value for one, value in some if one == number]
                    if len(values) > 1 and self.random.random() < 0.5:
                        values = [_in_one(values)]
                    if address is not None:
                        calls.append((address, values))
            copies = [call for call in calls for _ in range(self.random.randint(*how.copies))]
            if how.shuffled:
                self.random.shuffle(copies)
            for address, values in copies:
                self._call(address, values)
            await asyncio.sleep(0.01)
        self._collecting = None
        self._wake()

    def _call(self, address: str, values: list[Json]) -> None:
        if self.random.random() < self.delivering.forged:
            self._start(self._forge(address, values))
        self._start(self._bring(address, values))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._calling.add(task)
        task.add_done_callback(self._calling.discard)
        task.add_done_callback(lambda _: self._wake())

    async def _bring(self, address: str, values: list[Json]) -> None:
        body = _envelope(values)
        pause = self.delivering.pause
        while True:
            status = await self._post(address, body, self.sign(body))
            self.webhook_answers.append(status)
            if status == 200:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60)

    async def _forge(self, address: str, values: list[Json]) -> None:
        """Somebody else tries to get in what nobody wrote."""
        forged = json.loads(json.dumps(values))
        for value in forged:
            for message in value.get("messages", ()):
                message["id"] = f"wamid.FORGED{self.random.getrandbits(40)}"
        body = _envelope(forged)
        signature = self.random.choice((None, "", "sha256=" + "0" * 64, self.sign(body + b" "), "sha1=x"))
        status = await self._post(address, body, signature)
        if status not in (0, 403, 503):
            self.invalid.append(f"a forged call was answered with {status}")

    def sign(self, body: bytes) -> str:
        """The signature of a body."""
        return "sha256=" + hmac.new(self.app_secret.encode(), body, hashlib.sha256).hexdigest()

    async def _post(self, address: str, body: bytes, signature: str | None) -> int:
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["X-Hub-Signature-256"] = signature
        started = time.perf_counter()
        try:
            async with self._session.post(address, data=body, headers=headers) as answer:
                await answer.read()
                return answer.status
        except (ClientError, TimeoutError, OSError):
            return 0
        finally:
            self.webhook_seconds.append(time.perf_counter() - started)

    # The Graph API ----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        body = await _body(request)
        self.calls.append((request.method, path, body))
        try:
            self._authorize(request)
            return web.json_response(self._answer(request, path, body))
        except Refusal as refusal:
            return web.json_response(refusal.body(), status=refusal.status)
        except Dropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        except Gateway:
            return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
        finally:
            self._wake()

    def _authorize(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refusal(190, "Invalid OAuth access token", status=401)

    def _answer(self, request: web.Request, path: str, body: Any) -> Json:
        match request.method, path.split("/"):
            case "POST", [number, "messages"] if number in self.numbers:
                return self._message(number, body)
            case "GET", [number] if number in self.numbers:
                return {
                    "id": number,
                    "display_phone_number": "+31 85 000 0000",
                    "verified_name": "Gemeente Zonneveen",
                    "quality_rating": self.quality,
                }
            case "GET", [waba, "message_templates"] if waba == WABA:
                return {"data": self.templates, "paging": {}}
            case "GET", [waba, "subscribed_apps"] if waba == WABA:
                return {"data": [{"whatsapp_business_api_data": {"id": "1"}}] if self.subscribed else []}
            case "GET", [media] if (
                media in self._media and request.query.get("phone_number_id", self.numbers[0]) in self.numbers
            ):
                content, mime = self._media[media]
                until = int(self.now()) + MEDIA_SECONDS
                return {
                    "id": media,
                    "url": f"{self.url}/files/{media}?until={until}",
                    "mime_type": mime,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "file_size": len(content),
                    "messaging_product": "whatsapp",
                }
        raise Refusal(100, "Unsupported request: object does not exist")

    def _message(self, number: str, body: Any) -> Json:
        self.invalid += whatsapp_independent.violations(body)
        kind = check(body, self.templates)
        if kind == "read":
            return self._mark_read(body)
        if self._scripted:
            raise self._scripted.pop(0)
        self._by_chance("flood", Refusal(130429, "Rate limit hit", status=429))
        self._by_chance("error", Refusal(131000, "Something went wrong", status=500))
        self._by_chance("gateway", Gateway())
        self._by_chance("drop", Dropped())
        self._use(most=self.per_second)
        key = self.new_id()
        contact = {"input": body.get("to") or body.get("recipient")}
        answer = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": key}]}
        resident = self._addressed(body, number)
        if resident is None:
            return answer  # a user id as `to`: dropped in silence
        contact |= {"user_id": resident.user_id} | ({"wa_id": resident.phone} if resident.phone else {})
        closed = resident.last_inbound is None or self.now() - resident.last_inbound > DAY
        if closed and kind != "template":
            if not self.late_window:
                raise Refusal(131047, "Re-engagement message")
            self.status(number, key, "failed", resident, 131047)
            return answer
        self._keep_pace(resident)
        self.sent.append({"id": key, "number": number, "body": body})
        resident.transcript.append(self._shown(key, kind, body))
        if self.delivering.receipts:
            for state in ("sent", "delivered", "read"):
                self.status(number, key, state, resident)
        self._by_chance("drop_after", Dropped())
        return answer

    def _addressed(self, body: Json, number: str) -> Resident | None:
        if "to" in body:
            if BSUID.fullmatch(body["to"]):
                return None
            found = next((r for r in self.residents.values() if r.phone == body["to"]), None)
        else:
            found = self.residents.get(body["recipient"])
        if found is None or found.gone or found.number != number:
            raise Refusal(131026, "Message undeliverable")
        return found

    def _keep_pace(self, resident: Resident) -> None:
        if self.pair is None:
            return
        burst, seconds = self.pair
        now = self.now()
        resident.sent_at = [at for at in resident.sent_at if now - at < burst * seconds]
        if len(resident.sent_at) >= burst:
            raise Refusal(131056, "Pair rate limit hit")
        resident.sent_at.append(now)

    def _use(self, most: float | None = None) -> None:
        """One message more this second, in or out."""
        if self.per_second is None:
            return
        now = self.now()
        self._recent = [at for at in self._recent if now - at < 1.0]
        if most is not None and len(self._recent) >= most:
            raise Refusal(130429, "Rate limit hit", status=429)
        self._recent.append(now)

    def _mark_read(self, body: Json) -> Json:
        for resident in self.residents.values():
            if any(m["id"] == body["message_id"] for m in resident.transcript if not m["bot"]):
                resident.read.add(body["message_id"])
                resident.typing += "typing_indicator" in body
                return {"success": True}
        raise Refusal(100, "Invalid parameter: message_id")

    def _shown(self, key: str, kind: str, body: Json) -> Json:
        buttons: list[Json] = []
        url = label = None
        match kind:
            case "text":
                text = body["text"]["body"]
            case "template":
                text = self._filled(body["template"])
                parts = body["template"].get("components", ())
                ids = [p["parameters"][0]["payload"] for p in parts if p["type"] == "button"]
                buttons = [{"id": one, "title": one} for one in ids]
            case _:
                part = body["interactive"]
                text = part["body"]["text"]
                action = part["action"]
                if kind == "button":
                    buttons = [dict(button["reply"]) for button in action["buttons"]]
                elif kind == "list":
                    buttons = [dict(row) for section in action["sections"] for row in section["rows"]]
                else:
                    url, label = action["parameters"]["url"], action["parameters"]["display_text"]
        shown = {"kind": kind, "text": text, "buttons": buttons, "url": url, "label": label}
        return {"id": key, "bot": True, "at": self.now(), **shown}

    def _filled(self, template: Json) -> str:
        known = next(t for t in self.templates if t["name"] == template["name"])
        text = str(known["components"][0]["text"])
        for part in template.get("components", ()):
            if part["type"] == "body":
                for number, one in enumerate(part["parameters"], 1):
                    text = text.replace(f"{{{{{number}}}}}", one["text"])
        return text

    def _by_chance(self, kind: str, fault: Exception) -> None:
        if (likely := getattr(self.faults, kind)) and self.random.random() < likely:
            raise fault

    async def _file(self, request: web.Request) -> web.Response:
        try:
            self._authorize(request)
        except Refusal as refusal:
            return web.json_response(refusal.body(), status=refusal.status)
        media = request.match_info["media"]
        found = self._media.get(media)
        if found is None or self.now() > float(request.query.get("until", "0")):
            return web.Response(status=404)
        self.fetched.append(media)
        return web.Response(body=found[0], content_type=found[1].split(";")[0])

    def _wake(self) -> None:
        async def notify() -> None:
            async with self._news:
                self._news.notify_all()

        task = asyncio.get_running_loop().create_task(notify())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)


class Gateway(Exception):
    """Something before Meta's server answers, in HTML."""


def _envelope(values: list[Json]) -> bytes:
    changes = [{"field": "messages", "value": value} for value in values]
    whole = {"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": changes}]}
    # Meta escapes what is not ASCII, and slashes.
    return json.dumps(whole).replace("/", "\\/").encode()


def _in_one(values: list[Json]) -> Json:
    """All messages, receipts and contacts of several values in one, each contact once."""
    whole: Json = {}
    for value in values:
        for name, part in value.items():
            if isinstance(part, list):
                whole[name] = whole.get(name, []) + [one for one in part if one not in whole.get(name, ())]
            else:
                whole[name] = part
    return whole


async def _body(request: web.Request) -> Any:
    if not request.can_read_body:
        return None
    try:
        return await request.json()
    except ValueError:
        return None


def _control(app: web.Application, fake: FakeWhatsApp) -> None:
    """The way to steer a fake in another process. Bodies and answers are JSON.

    GET  /_fake/sent                          what was taken: [{"id", "number", "body"}]
    GET  /_fake/residents                     {user id: transcript}
    GET  /_fake/state                         {"idle", "invalid", "webhook_answers", "read": {user id: [id]}, "typing"}
    POST /_fake/webhook {"url"}               where to bring messages
    POST /_fake/resident {}                   a new resident: {"user_id", "phone"}
    POST /_fake/say     {"user_id", "text"}   a resident types;   POST /_fake/press {"user_id", "which"}
    POST /_fake/edit    {"user_id", "text"}   ... thinks again;   POST /_fake/revoke {"user_id"}
    POST /_fake/react   {"user_id", "emoji"}  ... likes it;       POST /_fake/block {"user_id"}
    POST /_fake/deliver {"user_id", "content"} any content
    POST /_fake/send_file {"user_id", "kind", "content", "mime"}   a file, its content in base64
    POST /_fake/new_number {"user_id", "phone"}   another number; the new user id
    POST /_fake/template {"name", "text"}     a template that is approved
    POST /_fake/faults  {"flood": 0.1, ...};  POST /_fake/delivering {"copies": [1, 3], ...}
    """

    def told(act: Callable[[Json], Any]) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.Response:
            return web.json_response({"result": act(await request.json())})

        return handler

    async def sent(_: web.Request) -> web.Response:
        return web.json_response(fake.sent)

    async def residents(_: web.Request) -> web.Response:
        return web.json_response({key: one.transcript for key, one in fake.residents.items()})

    async def state(_: web.Request) -> web.Response:
        everyone = fake.residents.values()
        told_of = {"idle": fake.idle, "invalid": fake.invalid, "webhook_answers": fake.webhook_answers}
        read = {one.user_id: sorted(one.read) for one in everyone}
        return web.json_response({**told_of, "read": read, "typing": sum(one.typing for one in everyone)})

    def new(body: Json) -> Json:
        one = fake.resident(**body)
        return {"user_id": one.user_id, "phone": one.phone}

    def who(body: Json) -> Resident:
        return fake.residents[body["user_id"]]

    def send_file(body: Json) -> str:
        return who(body).send_file(body["kind"], base64.b64decode(body["content"]), body["mime"])

    def new_number(body: Json) -> str:
        resident = who(body)
        resident.new_number(body["phone"])
        return resident.user_id

    app.router.add_get("/_fake/sent", sent)
    app.router.add_get("/_fake/residents", residents)
    app.router.add_get("/_fake/state", state)
    app.router.add_post("/_fake/webhook", told(lambda b: setattr(fake, "webhook", b["url"])))
    app.router.add_post("/_fake/resident", told(new))
    app.router.add_post("/_fake/say", told(lambda b: who(b).say(b["text"])))
    app.router.add_post("/_fake/press", told(lambda b: who(b).press(b["which"])))
    app.router.add_post("/_fake/edit", told(lambda b: who(b).edit(b["text"])))
    app.router.add_post("/_fake/revoke", told(lambda b: who(b).revoke()))
    app.router.add_post("/_fake/react", told(lambda b: who(b).react(b["emoji"])))
    app.router.add_post("/_fake/block", told(lambda b: setattr(who(b), "gone", True)))
    app.router.add_post("/_fake/send_file", told(send_file))
    app.router.add_post("/_fake/new_number", told(new_number))
    app.router.add_post("/_fake/template", told(lambda b: fake.template(**b)))
    app.router.add_post("/_fake/deliver", told(lambda b: who(b).deliver(b["content"])))
    app.router.add_post("/_fake/faults", told(lambda b: setattr(fake, "faults", Faults(**b))))
    app.router.add_post("/_fake/delivering", told(lambda b: setattr(fake, "delivering", Delivering(**b))))


async def _serve(port: int) -> None:
    async with FakeWhatsApp(port=port) as fake:
        print("\n".join(f"{name}={value}" for name, value in fake.settings().items()), flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Run the fake until it is told to stop; prints the settings of a bot that uses it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    try:
        asyncio.run(_serve(options.parse_args().port))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
