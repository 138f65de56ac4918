"""The stand-in for Meta's server keeps Meta's rules: what our tests prove rests on it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ServerDisconnectedError, web

from bot.model import Delivery, Inbound, Kind, Moved, Receipt
from bot.ports import Refused, WebhookRequest
from connectors.whatsapp import SIGNATURE_HEADER, WhatsApp
from tests.conformance.mutations import mutants
from tests.fakes import whatsapp_independent
from tests.fakes.whatsapp import (
    DAY,
    MEDIA_SECONDS,
    WABA,
    Delivering,
    Dropped,
    FakeWhatsApp,
    Faults,
    Resident,
)
from tests.fakes.whatsapp_rules import Json, Refusal, check
from tests.unit.test_independent import TO, WRONG, buttons, link, reply, rows, template, text, values

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = [
    {
        "name": "bericht_klaar",
        "language": "nl",
        "status": "APPROVED",
        "components": [{"type": "BODY", "text": "Beste {{1}}, er is een bericht over {{2}}."}],
    }
]


class Clock:
    """A time that only goes when told."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fake(clock: Clock) -> AsyncIterator[FakeWhatsApp]:
    async with FakeWhatsApp(numbers=["111", "222"], clock=clock) as server:
        yield server


async def call(
    fake: FakeWhatsApp, method: str, path: str, body: object = None, token: str = ""
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token or fake.token}"}
    async with (
        ClientSession() as session,
        session.request(method, f"{fake.url}/v24.0/{path}", json=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json(content_type=None) if "json" in answer.content_type else None


async def send(fake: FakeWhatsApp, resident: Resident, body: Json, number: str = "111") -> int:
    """The error code, or 0."""
    whole = {key: value for key, value in body.items() if key != "to"} | {"recipient": resident.user_id}
    _, answer = await call(fake, "POST", f"{number}/messages", whole)
    return int(answer["error"]["code"]) if "error" in answer else 0


class Bot:
    """What the webhook gets, as the channel reads it; says no as often as it is told to."""

    def __init__(self, fake: FakeWhatsApp) -> None:
        self.channel = WhatsApp(
            token=fake.token,
            phone_number_id="111",
            app_secret=fake.app_secret,
            verify_token="verify-me",
            numbers={"222": "tweede"},
        )
        self.bodies: list[bytes] = []
        self.items: list[Any] = []
        self.refused = 0
        self.no = 0

    async def answer(self, request: web.Request) -> web.Response:
        given = WebhookRequest(request.method, request.headers, request.query, await request.read())
        try:
            if request.method == "GET":
                return web.Response(text=self.channel.handshake(given))
            self.channel.verify(given)
        except Refused as refusal:
            self.refused += 1
            return web.Response(status=refusal.status)
        if self.no:
            self.no -= 1
            return web.Response(status=503)
        self.bodies.append(given.body)
        self.items += self.channel.parse(given.body)
        return web.Response()

    def messages(self) -> list[Inbound]:
        return [item for item in self.items if isinstance(item, Inbound)]


@asynccontextmanager
async def listening(fake: FakeWhatsApp) -> AsyncIterator[Bot]:
    bot = Bot(fake)
    app = web.Application()
    app.router.add_route("*", "/hook", bot.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.webhook = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield bot
    finally:
        await runner.cleanup()


@pytest.fixture
async def bot(fake: FakeWhatsApp) -> AsyncIterator[Bot]:
    async with listening(fake) as there:
        yield there


async def brought(fake: FakeWhatsApp) -> None:
    await fake.until(lambda: fake.idle)


# What the bot may send ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (text("x" * 4096), "text"),
        (buttons(("a", "Ja"), ("b", "Nee"), ("c", "Later")), "button"),
        (rows(4, 6), "list"),
        (link("https://www.zonneveen.example/paspoort"), "cta_url"),
        (template(values("Noor", "afval"), reply("0")), "template"),
        ({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}, "read"),
    ],
)
def test_a_good_body_passes(body: Json, kind: str) -> None:
    assert check(body, TEMPLATES) == kind


LET_BY = {"a user id as to", "a number as recipient", "no type", "twice the same section title"}
"""What Meta takes as well, as far as it tells: it drops the first, and finds nobody for the second."""


@pytest.mark.parametrize("name", [name for name, _ in WRONG if name not in LET_BY])
def test_a_wrong_body_is_refused(name: str) -> None:
    with pytest.raises(Refusal):
        check(dict(WRONG)[name], TEMPLATES)


def test_emoji_count_twice() -> None:
    check(buttons(("a", "👍" * 10)))
    with pytest.raises(Refusal, match="20"):
        check(buttons(("a", "👍" * 11)))


def test_no_body_is_too_odd_to_be_judged() -> None:
    good: list[Json] = [
        text(),
        buttons(("a", "Ja"), ("b", "Nee")),
        rows(2, 3, description="d"),
        link("https://a.nl"),
        template(values("a", "b"), reply("0")),
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.1",
            "typing_indicator": {"type": "text"},
        },
    ]
    judged = 0
    for body in mutants([json.dumps(one).encode() for one in good], 3000, seed=20261125):
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            continue
        judged += 1
        ours = True
        try:
            check(value, TEMPLATES)
        except Refusal:
            ours = False
        if whatsapp_independent.violations(value) == []:
            # Which templates there are only our rules know.
            assert ours or value.get("type") == "template", value
    assert judged > 2000


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 0),
        ({"status": "PAUSED"}, 132001),
        ({"language": "en"}, 132001),
        ({"text": "Beste {{1}}."}, 132000),
    ],
)
async def test_a_template_must_be_as_it_was_approved(fake: FakeWhatsApp, change: Json, code: int) -> None:
    fake.template("bericht_klaar", **({"text": "Beste {{1}}, over {{2}}."} | change))
    resident = fake.resident(number="111")
    assert await send(fake, resident, template(values("Noor", "afval"), reply("0"))) == code
    assert resident.heard == ([] if code else ["Beste Noor, over afval."])
    if not code:
        resident.press("human")
        assert resident.transcript[-1]["text"] == "human"


async def test_who_asks_and_for_what(fake: FakeWhatsApp) -> None:
    status, answer = await call(fake, "GET", "111", token="another")
    assert (status, answer["error"]["code"], answer["error"]["type"]) == (401, 190, "OAuthException")
    assert (await call(fake, "GET", "333"))[1]["error"]["code"] == 100
    assert (await call(fake, "GET", "222"))[1]["quality_rating"] == "GREEN"
    assert (await call(fake, "GET", f"{WABA}/subscribed_apps"))[1]["data"]
    fake.template("a", "Hoi", buttons=["Ja"])
    [there] = (await call(fake, "GET", f"{WABA}/message_templates"))[1]["data"]
    assert there["components"][1]["buttons"] == [{"type": "QUICK_REPLY", "text": "Ja"}]
    status, answer = await call(fake, "POST", "111/messages", {"messaging_product": "whatsapp"})
    assert (status, answer["error"]["error_data"]["messaging_product"]) == (400, "whatsapp")


async def test_a_resident_by_number_by_id_and_not_at_all(fake: FakeWhatsApp) -> None:
    resident, hidden = fake.resident(), fake.resident(phone=None)
    resident.say("hoi"), hidden.say("hoi")
    assert await send(fake, hidden, text("Dag")) == 0
    status, answer = await call(fake, "POST", "111/messages", text("Dag") | {"to": resident.phone})
    contact = {"input": resident.phone, "wa_id": resident.phone, "user_id": resident.user_id}
    assert (status, answer["contacts"]) == (200, [contact])
    assert answer["messages"][0]["id"].startswith("wamid.")
    # A user id as a number: taken, and gone.
    assert (await call(fake, "POST", "111/messages", text("Dag") | {"to": resident.user_id}))[0] == 200
    assert (resident.heard, hidden.heard, len(fake.sent)) == (["Dag"], ["Dag"], 2)
    assert fake.invalid
    resident.gone = True
    assert await send(fake, resident, text()) == 131026
    assert await send(fake, hidden, text(), number="222") == 131026
    assert (await call(fake, "POST", "111/messages", text()))[1]["error"]["code"] == 131026


async def test_free_words_go_for_a_day(fake: FakeWhatsApp, clock: Clock, bot: Bot) -> None:
    fake.template("bericht_klaar", "Er is een bericht.")
    fake.delivering = Delivering(receipts=False)
    resident = fake.resident()
    assert await send(fake, resident, text()) == 131047
    resident.say("hoi")
    clock.now += DAY
    assert await send(fake, resident, text()) == 0
    clock.now += 1
    resident.react("👍")
    resident.edit("hallo")
    assert await send(fake, resident, text()) == 131047
    assert await send(fake, resident, template()) == 0
    assert await send(fake, resident, text()) == 131047
    fake.late_window = True
    assert await send(fake, resident, text("te laat")) == 0
    await brought(fake)
    [failed] = [item for item in bot.items if isinstance(item, Receipt)]
    assert (failed.state, failed.window) == (Delivery.FAILED, True)
    assert resident.heard == ["Hoi", "Er is een bericht."]


async def test_too_many_at_once(fake: FakeWhatsApp, clock: Clock) -> None:
    one, other = fake.resident(), fake.resident()
    one.say("hoi"), other.say("hoi")
    fake.pair = (3, 6.0)
    assert [await send(fake, one, text()) for _ in range(4)] == [0, 0, 0, 131056]
    assert await send(fake, other, text()) == 0
    clock.now += 18
    assert await send(fake, one, text()) == 0
    fake.pair, fake.per_second = None, 3
    one.say("tel mee")
    assert [await send(fake, other, text()) for _ in range(3)] == [0, 0, 130429]
    clock.now += 1
    assert await send(fake, other, text()) == 0


async def test_misfortune(fake: FakeWhatsApp) -> None:
    resident = fake.resident(phone="31610000099")
    resident.say("hoi")
    body = text() | {"to": "31610000099"}
    fake.fail(Refusal(131016, "x", status=500), Dropped())
    assert (await call(fake, "POST", "111/messages", body))[1]["error"]["code"] == 131016
    with pytest.raises(ServerDisconnectedError):
        await call(fake, "POST", "111/messages", body)
    fake.faults = Faults(flood=1)
    assert (await call(fake, "POST", "111/messages", body))[0] == 429
    fake.faults = Faults(error=1)
    assert (await call(fake, "POST", "111/messages", body))[0] == 500
    fake.faults = Faults(gateway=1)
    assert await call(fake, "POST", "111/messages", body) == (502, None)
    fake.faults = Faults(drop=1)
    with pytest.raises(ServerDisconnectedError):
        await call(fake, "POST", "111/messages", body)
    assert resident.heard == []
    fake.faults = Faults(drop_after=1)
    with pytest.raises(ServerDisconnectedError):
        await call(fake, "POST", "111/messages", body)
    assert resident.heard == ["Hoi"]


async def test_what_is_read(fake: FakeWhatsApp) -> None:
    resident = fake.resident()
    key = resident.say("hoi")
    read: Json = {"messaging_product": "whatsapp", "status": "read", "message_id": key}
    assert await call(fake, "POST", "111/messages", read) == (200, {"success": True})
    assert (resident.read, resident.typing) == ({key}, 0)
    await call(fake, "POST", "111/messages", read | {"typing_indicator": {"type": "text"}})
    assert resident.typing == 1
    unknown = read | {"message_id": "wamid.0"}
    assert (await call(fake, "POST", "111/messages", unknown))[1]["error"]["code"] == 100


async def test_a_file_and_its_address(fake: FakeWhatsApp, clock: Clock, bot: Bot) -> None:
    resident = fake.resident()
    resident.send_file("document", b"%PDF-1.7", "application/pdf", filename="brief.pdf")
    await brought(fake)
    [message] = bot.messages()
    assert message.media is not None
    assert (message.kind, message.media.name) == (Kind.DOCUMENT, "brief.pdf")
    assert message.media.sha256 == hashlib.sha256(b"%PDF-1.7").hexdigest()
    _, about = await call(fake, "GET", message.media.ref)
    assert (about["file_size"], about["mime_type"]) == (8, "application/pdf")
    assert (await call(fake, "GET", f"{message.media.ref}?phone_number_id=333"))[0] == 400
    assert (await call(fake, "GET", "404"))[0] == 400
    good = {"Authorization": f"Bearer {fake.token}"}
    async with ClientSession() as session:
        for headers, passed, status in (({}, 0, 401), (good, 0, 200), (good, MEDIA_SECONDS + 1, 404)):
            clock.now += passed
            async with session.get(about["url"], headers=headers) as answer:
                assert answer.status == status
                assert (await answer.read() == b"%PDF-1.7") is (status == 200)
    assert fake.fetched == [message.media.ref]


# What the bot gets ----------------------------------------------------------------------------------------------------


async def test_the_handshake(fake: FakeWhatsApp, bot: Bot) -> None:
    assert await fake.handshake("verify-me") == (200, "1158201444")
    assert (await fake.handshake("guess"))[0] == 403


async def test_each_kind_arrives(fake: FakeWhatsApp, bot: Bot) -> None:
    resident = fake.resident()
    expected = [Kind.TEXT]
    resident.say("hoi")
    for kind, found in (
        ("image", Kind.IMAGE),
        ("audio", Kind.AUDIO),
        ("video", Kind.VIDEO),
        ("document", Kind.DOCUMENT),
        ("sticker", Kind.STICKER),
    ):
        resident.send_file(kind, b"x", "application/octet-stream")
        expected.append(found)
    for content, found in (
        ({"type": "location", "location": {"latitude": 52.1, "longitude": 4.3}}, Kind.LOCATION),
        ({"type": "contacts", "contacts": [{"name": {"formatted_name": "Noor"}}]}, Kind.CONTACT),
        ({"type": "order", "order": {"product_items": []}}, Kind.UNSUPPORTED),
        ({"type": "unsupported", "errors": [{"code": 131051}]}, Kind.UNSUPPORTED),
        ({"type": "request_welcome"}, Kind.START),
    ):
        resident.deliver(content)
        expected.append(found)
    assert await send(fake, resident, buttons(("a", "Ja"))) == 0
    resident.press("Ja")
    assert await send(fake, resident, rows(2)) == 0
    resident.press("0:1")
    with pytest.raises(LookupError):
        resident.press("Nee")
    resident.edit("hallo")
    resident.react("👍")
    resident.react("")
    resident.revoke()
    expected += [Kind.CHOICE, Kind.CHOICE, Kind.EDIT, Kind.REACTION, Kind.REACTION, Kind.REVOKE]
    await brought(fake)
    assert Counter(item.kind for item in bot.messages()) == Counter(expected)
    assert {item.choice for item in bot.messages() if item.choice} == {"a", "0:1"}
    assert {(item.address, item.also) for item in bot.messages()} == {(resident.user_id, (resident.phone,))}
    assert sorted(item.text for item in bot.messages() if item.kind is Kind.REACTION) == ["", "👍"]
    assert fake.webhook_answers.count(200) == len(fake.webhook_answers)


async def test_a_hidden_number_stays_hidden(fake: FakeWhatsApp, bot: Bot) -> None:
    resident = fake.resident(phone=None, number="222")
    resident.say("hoi")
    await brought(fake)
    [message] = bot.messages()
    assert (message.channel, message.address, message.also) == ("tweede", resident.user_id, ())
    assert b'"wa_id"' not in bot.bodies[0]
    assert b'"from"' not in bot.bodies[0]


async def test_another_number_is_another_user_id(fake: FakeWhatsApp, bot: Bot) -> None:
    resident = fake.resident()
    first = resident.user_id
    resident.new_number("31610000077")
    second = resident.user_id
    resident.new_number(None)
    await brought(fake)
    moves = {(item.before, item.after) for item in bot.items if isinstance(item, Moved)}
    assert {(first, second), (second, resident.user_id)} <= moves
    assert list(fake.residents) == [resident.user_id]
    assert any(b"user_changed_user_id" in body for body in bot.bodies)


async def test_receipts(fake: FakeWhatsApp, bot: Bot) -> None:
    resident = fake.resident()
    resident.say("hoi")
    await send(fake, resident, text())
    await brought(fake)
    receipts = [item for item in bot.items if isinstance(item, Receipt)]
    assert [item.state for item in receipts] == [Delivery.SENT, Delivery.DELIVERED, Delivery.READ]
    assert {item.external_id for item in receipts} == {fake.sent[0]["id"]}
    assert b'"pricing_model"' in b"".join(bot.bodies)


async def test_batches_doubles_disorder_and_forgery(fake: FakeWhatsApp, bot: Bot) -> None:
    fake.delivering = Delivering(copies=(1, 3), batch=8, shuffled=True, forged=0.3)
    residents = [fake.resident(number=number) for number in ("111", "222") * 5]
    written = Counter(resident.say(f"bericht {n}") for n in range(20) for resident in residents)
    await brought(fake)
    arrived = Counter(message.external_id for message in bot.messages())
    assert arrived.keys() == written.keys()
    assert max(arrived.values()) == 3
    assert {(m.address, m.channel) for m in bot.messages()} == {
        (one.user_id, "whatsapp" if one.number == "111" else "tweede") for one in residents
    }
    assert len(bot.bodies) < 400
    changes = [
        change for body in bot.bodies for entry in json.loads(body)["entry"] for change in entry["changes"]
    ]
    assert max(len(change["value"]["messages"]) for change in changes) > 1
    assert max(len(entry["changes"]) for body in bot.bodies for entry in json.loads(body)["entry"]) > 1
    assert [m.external_id for m in bot.messages()] != sorted(m.external_id for m in bot.messages())
    assert bot.refused > 0
    assert fake.invalid == []


async def test_the_same_seed_is_the_same_storm() -> None:
    def stormy(fake: FakeWhatsApp) -> None:
        fake.delivering = Delivering(copies=(1, 3), batch=4, shuffled=True)
        for resident in [fake.resident() for _ in range(3)]:
            resident.say("hoi")

    twice: list[Counter[bytes]] = []
    for _ in range(2):
        async with FakeWhatsApp(seed=3, clock=Clock()) as fake, listening(fake) as bot:
            stormy(fake)
            await brought(fake)
            twice.append(Counter(bot.bodies))
    assert twice[0] == twice[1]


async def test_a_forged_call_that_is_let_in_is_written_down(fake: FakeWhatsApp, bot: Bot) -> None:
    bot.channel.verify = lambda request: None  # type: ignore[method-assign]
    fake.delivering = Delivering(forged=1.0)
    fake.resident().say("hoi")
    await brought(fake)
    assert fake.invalid == ["a forged call was answered with 200"]


async def test_a_call_is_made_until_it_is_taken(fake: FakeWhatsApp, bot: Bot) -> None:
    fake.delivering = Delivering(pause=0.01)
    bot.no = 3
    fake.resident().say("hoi")
    await brought(fake)
    assert fake.webhook_answers == [503, 503, 503, 200]
    assert len(bot.messages()) == 1
    assert len(fake.webhook_seconds) == 4


async def test_it_signs_what_it_brings(fake: FakeWhatsApp, bot: Bot) -> None:
    fake.resident(name="Zoë").say("één / twee")
    await brought(fake)
    [body] = bot.bodies
    assert body.isascii()
    assert rb"\/" in body
    good = WebhookRequest("POST", {SIGNATURE_HEADER: fake.sign(body)}, {}, body)
    bot.channel.verify(good)
    with pytest.raises(Refused):
        bot.channel.verify(WebhookRequest("POST", good.headers, {}, body + b" "))


@pytest.mark.process
async def test_it_runs_as_a_process() -> None:
    command = (sys.executable, "-m", "tests.fakes.whatsapp")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    try:
        lines = [(await process.stdout.readline()).decode().strip() for _ in range(6)]
        settings = dict(line.split("=", 1) for line in lines)
        headers = {"Authorization": f"Bearer {settings['WHATSAPP_TOKEN']}"}
        messages = f"/v24.0/{settings['WHATSAPP_PHONE_NUMBER_ID']}/messages"
        async with ClientSession(settings["WHATSAPP_API_URL"], headers=headers) as session:

            async def post(path: str, **body: Any) -> Any:
                async with session.post(path, json=body) as answer:
                    assert "json" in answer.content_type, await answer.text()
                    return await answer.json()

            async def get(path: str) -> Any:
                async with session.get(path) as answer:
                    return await answer.json()

            user = (await post("/_fake/resident"))["result"]["user_id"]
            key = (await post("/_fake/say", user_id=user, text="hoi"))["result"]
            by_id = {k: v for k, v in TO.items() if k != "to"} | {"recipient": user}
            choose = {k: v for k, v in buttons(("a", "Ja")).items() if k != "to"} | by_id
            await post(messages, **choose)
            await post(messages, messaging_product="whatsapp", status="read", message_id=key)
            [sent] = await get("/_fake/sent")
            assert sent["body"] == choose
            await post("/_fake/press", user_id=user, which="Ja")
            await post("/_fake/edit", user_id=user, text="hallo")
            await post("/_fake/react", user_id=user, emoji="👍")
            await post("/_fake/revoke", user_id=user)
            content = base64.b64encode(b"x").decode()
            await post("/_fake/send_file", user_id=user, kind="image", content=content, mime="image/png")
            await post("/_fake/deliver", user_id=user, content={"type": "request_welcome"})
            assert [m["text"] for m in (await get("/_fake/residents"))[user]] == [
                "hoi",
                "Kies maar",
                "Ja",
                "",
                "",
            ]
            assert (await get("/_fake/state"))["read"] == {user: [key]}
            await post("/_fake/template", name="klaar", text="Klaar")
            await post("/_fake/delivering", copies=[1, 3], batch=2)
            await post("/_fake/webhook", url="http://127.0.0.1:1/")
            user = (await post("/_fake/new_number", user_id=user, phone="31610000077"))["result"]
            await post("/_fake/faults", error=1.0)
            assert (await post(messages, **choose))["error"]["code"] == 131000
            await post("/_fake/faults")
            await post("/_fake/block", user_id=user)
            assert (await post(messages, **choose | {"recipient": user}))["error"]["code"] == 131026
    finally:
        process.terminate()
        await process.wait()
