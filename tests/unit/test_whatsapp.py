"""WhatsApp's webhook at the door, and the Graph API: sending, files, health, findings, quiet logs."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web

from bot.model import Choice, Inbound, Kind, Media, Outbound, Template
from bot.ports import Channel, Finding, Refused, SendFault, WebhookRequest
from connectors.whatsapp import SIGNATURE_HEADER, WhatsApp

TOKEN, SECRET, VERIFY = "EAAGeheimeSleutel", "app-geheim", "verify-geheim"
NUMBER, ACCOUNT = "106540352240001", "102290129340001"
PHONE, BSUID = "31610000001", "NL.1349120865530274191"
READY = Template(
    "zaak_klaar",
    "nl",
    "utility",
    "Uw {product} ligt klaar.",
    ("product",),
    (Choice("human", "Vraag stellen"),),
)
AT_META = {
    "name": "zaak_klaar",
    "status": "APPROVED",
    "category": "UTILITY",
    "language": "nl",
    "components": [
        {"type": "BODY", "text": "Uw {{1}} ligt klaar."},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Vraag stellen"}]},
    ],
}


class Meta:
    """Answers as it is told to; what has no answer gets a message id."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, str, dict[str, str], Any]] = []
        self.authorizations: list[str | None] = []
        self.answers: dict[str, list[web.Response]] = {}

    def answer(self, path: str, status: int = 200, **headers: str) -> Any:
        """`meta.answer(path)(value)`: the next answer there; the last one stays."""

        def add(value: Any) -> None:
            raw = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.answers.setdefault(path, []).append(web.Response(status=status, body=raw, headers=headers))

        return add

    def refuse(self, code: int | None, status: int = 400, **headers: str) -> None:
        """The next message is refused."""
        error: dict[str, Any] = {"message": "geheim 31610000001", "error_data": {"details": "geheim"}}
        if code is not None:
            error["code"] = code
        self.answer(f"/v24.0/{NUMBER}/messages", status, **headers)({"error": error})

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.calls.append((request.method, request.path, dict(request.query), body))
        self.authorizations.append(request.headers.get("Authorization"))
        waiting = self.answers.get(request.path)
        if waiting:
            answer = waiting.pop(0) if len(waiting) > 1 or request.method == "POST" else waiting[0]
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        if request.method == "POST":
            return web.json_response({"messages": [{"id": f"wamid.sent{len(self.calls)}"}]})
        return web.json_response({"error": {"code": 100}}, status=400)


@pytest.fixture
async def meta() -> AsyncIterator[Meta]:
    meta = Meta()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", meta.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    meta.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    meta.answer(f"/v24.0/{NUMBER}")(
        {"display_phone_number": "+31 85 000 0000", "verified_name": "Zonneveen", "quality_rating": "GREEN"}
    )
    yield meta
    await runner.cleanup()


@pytest.fixture
async def whatsapp(meta: Meta) -> AsyncIterator[WhatsApp]:
    channel = made(meta.url)
    yield channel
    await channel.close()


def made(url: str = "https://graph.facebook.com", **more: Any) -> WhatsApp:
    known: dict[str, Any] = {
        "token": TOKEN,
        "phone_number_id": NUMBER,
        "app_secret": SECRET,
        "verify_token": VERIFY,
        "api_url": url,
    }
    return WhatsApp(**known | more)


def message(kind: Kind = Kind.TEXT) -> Inbound:
    return Inbound("whatsapp", BSUID, "wamid.in1", kind, "geheim", ref="wamid.in1")


# The webhook ----------------------------------------------------------------------------------------------------------


def post(body: bytes, **headers: str) -> WebhookRequest:
    return WebhookRequest(
        "POST", {name.replace("_", "-"): value for name, value in headers.items()}, {}, body
    )


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("header", [SIGNATURE_HEADER, SIGNATURE_HEADER.lower(), SIGNATURE_HEADER.upper()])
def test_what_meta_signed_passes(header: str) -> None:
    body = '{"tekst": "é"}'.encode()
    made().verify(WebhookRequest("POST", {header: signed(body)}, {}, body))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        signed(b"{}", "another"),
        signed(b"{ }"),
        signed(b"{}")[7:],
        signed(b"{}").upper(),
        "é\udcff",
    ],
)
def test_what_anyone_else_signed_is_refused(signature: str) -> None:
    with pytest.raises(Refused) as caught:
        made().verify(WebhookRequest("POST", {SIGNATURE_HEADER: signature}, {}, b"{}"))
    assert caught.value.status == 403


def test_without_header_or_secret_nothing_passes() -> None:
    with pytest.raises(Refused):
        made().verify(post(b"{}"))
    with pytest.raises(Refused):
        made(app_secret="").verify(post(b"{}", X_Hub_Signature_256=signed(b"{}", "")))


def asked(**query: str) -> WebhookRequest:
    return WebhookRequest("GET", {}, {f"hub.{name}": value for name, value in query.items()}, b"")


def test_the_handshake() -> None:
    right = {"mode": "subscribe", "verify_token": VERIFY, "challenge": "1158201444"}
    assert made().handshake(asked(**right)) == "1158201444"
    for wrong in (
        right | {"verify_token": "raad"},
        right | {"verify_token": "é\udcff"},
        right | {"mode": "unsubscribe"},
        right | {"challenge": ""},
        {"mode": "subscribe", "challenge": "1"},
        {},
    ):
        with pytest.raises(Refused) as caught:
            made().handshake(asked(**wrong))
        assert caught.value.status == 403
    for unset in (None, ""):
        with pytest.raises(Refused):
            made(verify_token=unset).handshake(asked(**right | {"verify_token": ""}))


# Sending --------------------------------------------------------------------------------------------------------------


async def test_it_is_a_channel(whatsapp: WhatsApp) -> None:
    assert isinstance(whatsapp, Channel)
    limits = whatsapp.limits
    assert (limits.text, limits.buttons, limits.button_label, limits.choice_id_bytes) == (4096, 3, 20, 64)
    assert (limits.choices, limits.window_hours) == (10, 24)
    assert limits.reads and limits.receipts and limits.counted
    assert limits.pace and limits.resident_pace
    assert (limits.pace.rate, limits.resident_pace.burst) == (60.0, 10)

    async def accept(items: object) -> None:
        raise AssertionError

    await whatsapp.listen(accept)


async def test_a_message_goes_to_a_number_or_a_user_id(meta: Meta, whatsapp: WhatsApp) -> None:
    [body] = whatsapp.render([Outbound("Dag!")])
    ids = [await whatsapp.send(address, body) for address in (PHONE, BSUID, "NL.ENT.118157")]
    assert ids == ["wamid.sent1", "wamid.sent2", "wamid.sent3"]
    whole = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "type": "text",
        "text": {"body": "Dag!", "preview_url": False},
    }
    path = f"/v24.0/{NUMBER}/messages"
    assert meta.calls == [
        ("POST", path, {}, whole | {"to": PHONE}),
        ("POST", path, {}, whole | {"recipient": BSUID}),
        ("POST", path, {}, whole | {"recipient": "NL.ENT.118157"}),
    ]
    assert set(meta.authorizations) == {f"Bearer {TOKEN}"}
    assert "to" not in body


async def test_the_version_of_the_address_counts(meta: Meta) -> None:
    for url, path in ((f"{meta.url}/v25.0", "/v25.0/"), (f"{meta.url}/graph/", "/graph/v99.1/")):
        channel = made(url, api_version="v99.1")
        await channel.send(PHONE, {"type": "text"})
        assert meta.calls[-1][1].startswith(path)
        await channel.close()


@pytest.mark.parametrize(
    ("code", "status", "retryable", "retry_after", "window"),
    [
        (131056, 400, True, 6.0, False),
        (130429, 429, True, 5.0, False),
        (80007, 400, True, 60.0, False),
        (None, 429, True, 5.0, False),
        (131000, 500, True, None, False),
        (131016, 400, True, None, False),
        (None, 500, True, None, False),
        (139999, 502, True, None, False),
        (131047, 400, False, None, True),
        (131026, 400, False, None, False),
        (190, 401, False, None, False),
        (132001, 404, False, None, False),
        (139999, 400, False, None, False),
        (None, 403, False, None, False),
        (131000, 200, True, None, False),
    ],
)
async def test_why_a_message_does_not_go(
    meta: Meta,
    whatsapp: WhatsApp,
    code: int | None,
    status: int,
    retryable: bool,
    retry_after: float | None,
    window: bool,
) -> None:
    meta.refuse(code, status)
    with pytest.raises(SendFault) as caught:
        await whatsapp.send(PHONE, {"type": "text", "text": {"body": "geheim"}})
    fault = caught.value
    assert (fault.retryable, fault.retry_after, fault.window) == (retryable, retry_after, window)
    assert fault.reason.startswith(f"{code}: " if code else f"HTTP {status}: ")
    assert "geheim" not in fault.reason
    assert PHONE not in fault.reason


async def test_meta_may_say_how_long_to_wait(meta: Meta, whatsapp: WhatsApp) -> None:
    for asked, wait in (("30", 30.0), ("1", 5.0), ("Wed, 25 Nov 2026 10:00:00 GMT", 5.0), ("9" * 30, 5.0)):
        meta.refuse(None, 429, **{"Retry-After": asked})
        with pytest.raises(SendFault) as caught:
            await whatsapp.send(PHONE, {})
        assert caught.value.retry_after == wait


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"5",
        b"[" * 100_000,
        {},
        {"messages": []},
        {"messages": [{"id": ""}]},
        {"messages": 5},
    ],
)
async def test_an_answer_that_cannot_be_read_may_be_asked_again(
    meta: Meta, whatsapp: WhatsApp, answer: Any
) -> None:
    meta.answer(f"/v24.0/{NUMBER}/messages")(answer)
    with pytest.raises(SendFault) as caught:
        await whatsapp.send(PHONE, {})
    assert caught.value.retryable


@pytest.mark.parametrize("code", ["a", "9" * 30, True, -1, 10**30, [], {}, None])
async def test_a_code_of_another_kind_is_no_code(meta: Meta, whatsapp: WhatsApp, code: Any) -> None:
    meta.answer(f"/v24.0/{NUMBER}/messages", 400)({"error": {"code": code}})
    with pytest.raises(SendFault, match="HTTP 400"):
        await whatsapp.send(PHONE, {})


async def test_no_connection_may_pass_and_closed_is_closed(whatsapp: WhatsApp) -> None:
    channel = made("http://127.0.0.1:1")
    with pytest.raises(SendFault, match="no answer: ClientConnectorError") as caught:
        await channel.send(PHONE, {})
    assert caught.value.retryable
    await channel.close()
    await whatsapp.close()
    with pytest.raises(SendFault, match="closed") as caught:
        await whatsapp.send(PHONE, {})
    assert caught.value.retryable
    await whatsapp.close()


async def test_a_message_is_marked_as_read(meta: Meta, whatsapp: WhatsApp) -> None:
    meta.answer(f"/v24.0/{NUMBER}/messages")({"success": True})
    meta.answer(f"/v24.0/{NUMBER}/messages")({"success": True})
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.in1"}
    await whatsapp.acknowledge(message())
    await whatsapp.acknowledge(message(), typing=False)
    for kind in (Kind.EDIT, Kind.REACTION, Kind.REVOKE):
        await whatsapp.acknowledge(message(kind))
    assert [call[3] for call in meta.calls] == [read | {"typing_indicator": {"type": "text"}}, read]


# Files ----------------------------------------------------------------------------------------------------------------

FILE = b"een foto van een lantaarnpaal" * 100
HASH = hashlib.sha256(FILE).hexdigest()


def offer(meta: Meta, **about: Any) -> None:
    known = {"url": f"{meta.url}/files/1", "mime_type": "image/jpeg", "sha256": HASH, "file_size": len(FILE)}
    meta.answer("/v24.0/880001")(known | about)
    meta.answer("/files/1")(FILE)


async def fetched(whatsapp: WhatsApp, ref: str = "880001", limit: int = 10_000, **more: Any) -> bytes:
    return await whatsapp.fetch(Media(ref, **more), limit)


async def test_a_file_comes_whole(meta: Meta, whatsapp: WhatsApp) -> None:
    offer(meta)
    assert await fetched(whatsapp) == FILE
    assert await fetched(whatsapp, sha256=HASH, limit=len(FILE)) == FILE
    assert meta.calls[0][:3] == ("GET", "/v24.0/880001", {"phone_number_id": NUMBER})
    assert set(meta.authorizations) == {f"Bearer {TOKEN}"}


async def test_a_file_that_is_too_large(meta: Meta, whatsapp: WhatsApp) -> None:
    offer(meta)
    with pytest.raises(SendFault, match="too large") as told:
        await fetched(whatsapp, limit=len(FILE) - 1)
    offer_lie = {"file_size": 5, "url": f"{meta.url}/files/1", "sha256": HASH}
    meta.answer("/v24.0/880002")(offer_lie)
    with pytest.raises(SendFault, match="too large") as found:
        await fetched(whatsapp, ref="880002", limit=len(FILE) - 1)
    assert not told.value.retryable
    assert not found.value.retryable
    assert len([call for call in meta.calls if call[1] == "/files/1"]) == 1


async def test_a_file_that_changed_on_the_way(meta: Meta, whatsapp: WhatsApp) -> None:
    offer(meta, sha256=HASH.upper())
    assert await fetched(whatsapp) == FILE
    with pytest.raises(SendFault, match="not what was sent") as caught:
        await fetched(whatsapp, sha256="0" * 64)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/1",
        "http://lookaside.fbsbx.com/1",
        "https://fbsbx.com.files.example/1",
        "https://evilfbsbx.com/1",
        "https://graph.facebook.com@files.example/1",
        "http://127.0.0.1:1/1",
        "file:///etc/passwd",
        "https://[x/",
        "",
    ],
)
async def test_the_token_goes_nowhere_else(meta: Meta, whatsapp: WhatsApp, url: str) -> None:
    offer(meta, url=url)
    with pytest.raises(SendFault, match="not WhatsApp's") as caught:
        await fetched(whatsapp)
    assert not caught.value.retryable
    assert len(meta.calls) == 1


def test_where_the_token_may_go() -> None:
    allowed = made("https://graph.example/v24.0")._graph._may_have_token
    for url in (
        "https://graph.example/x",
        "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
        "https://scontent.xx.fbcdn.net/1",
        "https://mmg.whatsapp.net/1",
        "https://facebook.com/1",
    ):
        assert allowed(url)
    assert not allowed("http://graph.example/x")
    assert not allowed("https://graph.example:8443/x")


async def test_a_file_may_be_elsewhere_at_meta_and_not_elsewhere(meta: Meta, whatsapp: WhatsApp) -> None:
    offer(meta, url=f"{meta.url}/moved")
    meta.answer("/moved", 302, Location="/files/1")(b"")
    assert await fetched(whatsapp) == FILE
    meta.answers["/moved"].clear()
    meta.answer("/moved", 302, Location="https://files.example/1")(b"")
    with pytest.raises(SendFault, match="not WhatsApp's"):
        await fetched(whatsapp)
    meta.answers["/moved"].clear()
    meta.answer("/moved", 302, Location="/moved")(b"")
    with pytest.raises(SendFault, match="from one address to another"):
        await fetched(whatsapp)


async def test_a_file_that_does_not_come(meta: Meta, whatsapp: WhatsApp) -> None:
    with pytest.raises(SendFault, match="100: ") as unknown:
        await fetched(whatsapp)
    assert not unknown.value.retryable
    with pytest.raises(SendFault, match="not the id of a file") as odd:
        await fetched(whatsapp, ref="../secrets")
    assert not odd.value.retryable
    meta.answer("/v24.0/880003")({"id": "880003"})
    with pytest.raises(SendFault, match="unreadable answer") as empty:
        await fetched(whatsapp, ref="880003")
    assert empty.value.retryable
    offer(meta, url=f"{meta.url}/files/2")
    meta.answer("/files/2", 503)(b"")
    with pytest.raises(SendFault, match="HTTP 503") as away:
        await fetched(whatsapp)
    assert away.value.retryable


# Health and findings --------------------------------------------------------------------------------------------------


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_health_is_kept_for_a_while(meta: Meta) -> None:
    clock = Time()
    channel = made(meta.url, clock=clock)
    states = await asyncio.gather(*(channel.health() for _ in range(5)))
    assert {state.state for state in states} == {"ok"}
    assert states[0].detail == "+31 85 000 0000"
    assert len(meta.calls) == 1
    meta.answers[f"/v24.0/{NUMBER}"].clear()
    meta.answer(f"/v24.0/{NUMBER}", 401)({"error": {"code": 190}})
    clock.now += 299
    assert (await channel.health()).state == "ok"
    clock.now += 2
    down = await channel.health()
    assert down.state == "down"
    assert "make a new one" in down.detail
    meta.answers[f"/v24.0/{NUMBER}"].clear()
    meta.answer(f"/v24.0/{NUMBER}")({"display_phone_number": "+31 85 000 0000", "quality_rating": "RED"})
    clock.now += 29
    assert (await channel.health()).state == "down"
    clock.now += 2
    assert (await channel.health()).state == "degraded"
    await channel.close()


async def test_health_tells_of_templates_that_may_not_go(meta: Meta) -> None:
    clock = Time()
    more = {"clock": clock, "templates": {"zaak_klaar": READY}}
    channel = made(meta.url, business_account_id=ACCOUNT, **more)
    path = f"/v24.0/{ACCOUNT}/message_templates"
    meta.answer(path)({"data": [AT_META]})
    meta.answer(path)({"data": [AT_META | {"status": "PAUSED"}]})
    assert (await channel.health()).state == "ok"
    clock.now += 301
    degraded = await channel.health()
    assert (degraded.state, degraded.detail) == (
        "degraded",
        "template zaak_klaar (nl): its status is PAUSED",
    )
    without = made(meta.url, **more)
    assert (await without.health()).state == "ok"
    await channel.close()
    await without.close()


async def findings(channel: WhatsApp) -> dict[str, tuple[str, str]]:
    found: list[Finding] = await channel.check()
    await channel.close()
    assert all(bool(one.advice) is (one.state != "ok") for one in found)
    return {one.what: (one.state, one.advice) for one in found}


async def test_check_finds_all_right(meta: Meta) -> None:
    meta.answer(f"/v24.0/{ACCOUNT}/subscribed_apps")({"data": [{"whatsapp_business_api_data": {"id": "1"}}]})
    first = {"data": [], "paging": {"next": "https://elsewhere.example", "cursors": {"after": "b"}}}
    meta.answer(f"/v24.0/{ACCOUNT}/message_templates")(first)
    meta.answer(f"/v24.0/{ACCOUNT}/message_templates")({"data": [AT_META | {"language": "en"}, AT_META]})
    found = await findings(
        made(
            meta.url,
            public_url="https://chat.zonneveen.example/",
            business_account_id=ACCOUNT,
            templates={"zaak_klaar": READY},
        )
    )
    assert {state for state, _ in found.values()} == {"ok"}
    assert list(found) == [
        "token",
        "number +31 85 000 0000 Zonneveen",
        "quality GREEN",
        "app secret",
        "verify token",
        "webhook address https://chat.zonneveen.example/webhooks/whatsapp",
        "subscribed app",
        "template zaak_klaar (nl)",
    ]
    assert meta.calls[-1][2]["after"] == "b"


async def test_check_finds_what_is_missing(meta: Meta) -> None:
    found = await findings(made(meta.url, app_secret="", verify_token=None, templates={"zaak_klaar": READY}))
    todo = {what for what, (state, _) in found.items() if state == "todo"}
    assert todo == {"app secret", "verify token", "webhook address", "subscribed app", "templates"}


async def test_check_finds_what_is_wrong(meta: Meta) -> None:
    meta.answers[f"/v24.0/{NUMBER}"].clear()
    meta.answer(f"/v24.0/{NUMBER}", 401)({"error": {"code": 190}})
    meta.answer(f"/v24.0/{ACCOUNT}/subscribed_apps")({"data": []})
    meta.answer(f"/v24.0/{ACCOUNT}/message_templates", 500)(b"geheim")
    found = await findings(
        made(
            meta.url,
            public_url="http://chat.zonneveen.example",
            business_account_id=ACCOUNT,
            templates={"zaak_klaar": READY},
        )
    )
    wrong = {what for what, (state, _) in found.items() if state == "wrong"}
    assert wrong == {
        "token and number",
        "webhook address http://chat.zonneveen.example/webhooks/whatsapp",
        "subscribed app",
        "templates",
    }


@pytest.mark.parametrize(
    ("there", "advice"),
    [
        ({"name": "another"}, "does not exist at Meta"),
        ({"language": "en"}, "does not exist at Meta in this language"),
        ({"status": "PENDING"}, "its status is PENDING"),
        ({"category": "MARKETING"}, "its category is marketing, here utility"),
        ({"components": None}, "it has 0 variables, here 1, it has 0 buttons, here 1"),
        (
            {"components": [{"type": "BODY", "text": "{{product}} {{1}} {{1}}"}, AT_META["components"][1]]},
            "it has 2 variables, here 1, its variables have names, and must have numbers",
        ),
    ],
)
async def test_check_compares_templates(meta: Meta, there: Mapping[str, Any], advice: str) -> None:
    meta.answer(f"/v24.0/{ACCOUNT}/message_templates")({"data": [AT_META | dict(there), 5]})
    meta.answer(f"/v24.0/{ACCOUNT}/subscribed_apps")({"data": [{}]})
    found = await findings(made(meta.url, business_account_id=ACCOUNT, templates={"zaak_klaar": READY}))
    state, said = found["template zaak_klaar (nl)"]
    assert state == "wrong"
    assert said.endswith(advice)


# Discretion -----------------------------------------------------------------------------------------------------------


async def test_logs_and_reasons_hold_no_words_and_no_token(
    meta: Meta, whatsapp: WhatsApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"type": "text", "text": {"body": "geheim"}}
    reasons = []
    for code, status in ((131026, 400), (None, 500), (139999, 400), (131047, 400)):
        meta.refuse(code, status)
        with pytest.raises(SendFault) as caught:
            await whatsapp.send(PHONE, body)
        reasons.append(caught.value.reason)
    await whatsapp.send(PHONE, body)
    offer(meta, url="https://geheim.example/1")
    with pytest.raises(SendFault) as caught:
        await fetched(whatsapp)
    reasons.append(caught.value.reason)
    broken = {"text": {"body": 5}, "id": "wamid.1", "from": PHONE, "type": "text", "note": "geheim"}
    change = {"field": "messages", "value": {"metadata": {"phone_number_id": NUMBER}, "messages": [broken]}}
    whole = {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}
    assert whatsapp.parse(json.dumps(whole).encode()) == []
    assert "can't be read" in caplog.text
    for said in (caplog.text, *reasons):
        for secret in ("geheim", PHONE, TOKEN, SECRET, VERIFY):
            assert secret not in said
