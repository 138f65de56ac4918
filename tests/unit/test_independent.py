"""The second opinions on what we send find what is wrong, and have nothing against what is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.fakes import telegram_independent, whatsapp_independent

Json = dict[str, Any]

TO = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "31610000001"}


def text(body: object = "Hoi", **more: object) -> Json:
    return {**TO, "type": "text", "text": {"body": body, **more}}


def interactive(kind: str, action: object, body: object = "Kies maar", **more: object) -> Json:
    return {
        **TO,
        "type": "interactive",
        "interactive": {"type": kind, "body": {"text": body}, "action": action, **more},
    }


def buttons(*replies: tuple[object, object]) -> Json:
    return interactive(
        "button",
        {"buttons": [{"type": "reply", "reply": {"id": key, "title": title}} for key, title in replies]},
    )


def rows(*counts: int, **fields: object) -> Json:
    """A list with so many rows in each section."""
    sections: list[Json] = []
    for number, count in enumerate(counts):
        own = [{"id": f"{number}:{row}", "title": f"Rij {row}", **fields} for row in range(count)]
        sections.append({"rows": own} | ({"title": f"Deel {number}"} if len(counts) > 1 else {}))
    return interactive("list", {"button": "Maak een keuze", "sections": sections})


def link(url: object, shown: object = "Bekijk") -> Json:
    return interactive("cta_url", {"name": "cta_url", "parameters": {"display_text": shown, "url": url}})


def template(*components: Json, name: object = "bericht_klaar", language: object = "nl") -> Json:
    parts = {"components": list(components)} if components else {}
    return {**TO, "type": "template", "template": {"name": name, "language": {"code": language}, **parts}}


def values(*texts: object) -> Json:
    return {"type": "body", "parameters": [{"type": "text", "text": one} for one in texts]}


def reply(index: object, payload: object = "human", **more: object) -> Json:
    parameters = [{"type": "payload", "payload": payload}]
    return {"type": "button", "sub_type": "quick_reply", "index": index, "parameters": parameters, **more}


READ = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HBgLMzE2"}


BY_ID = {key: value for key, value in text().items() if key != "to"} | {"recipient": "NL.1349120865530274191"}

RIGHT: list[Json] = [
    text(),
    text("x" * 4096, preview_url=False),
    text() | {"to": "+31610000001"},
    BY_ID,
    BY_ID | {"recipient": "NL.ENT.11815799212886844830"},
    text() | {"context": {"message_id": "wamid.HBgLMzE2"}},
    buttons(("a", "Ja")),
    buttons(("a" * 256, "Ja"), ("b", "Nee"), ("c", "t" * 20)),
    interactive(
        "button",
        buttons(("a", "Ja"))["interactive"]["action"],
        "x" * 1024,
        header={"type": "text", "text": "h" * 60},
        footer={"text": "f" * 60},
    ),
    rows(1),
    rows(10),
    rows(5, 5),
    rows(*[1] * 10),
    rows(2, description="d" * 72),
    interactive(
        "list",
        {
            "button": "b" * 20,
            "sections": [{"title": "s" * 24, "rows": [{"id": "r" * 200, "title": "t" * 24}]}],
        },
    ),
    link("https://www.zonneveen.example/paspoort?x=1#y"),
    link("http://zonneveen.example", "x" * 20),
    template(),
    template(name="n" * 512),
    template(values("Noor", "x" * 1024), reply("0"), reply("1", "p" * 256)),
    template(values("Noor") | {"type": "header"}, values("12 december"), reply(9)),
    template(
        {"type": "body", "parameters": [{"type": "text", "text": "Noor", "parameter_name": "naam"}]},
        language="nl_NL",
    ),
    READ,
    READ | {"typing_indicator": {"type": "text"}},
]

Place = tuple[str | int, ...]

# Meta tells no greatest length of these.
UNBOUNDED = {"url", "message_id", "parameter_name"}

OPTIONAL = {
    "recipient_type",
    "preview_url",
    "context",
    "header",
    "footer",
    "description",
    "components",
    "parameter_name",
    "typing_indicator",
}
FIXED = {"messaging_product", "recipient_type", "status", "type", "sub_type"}
CODES = FIXED | {"to", "recipient", "message_id", "id", "name", "code", "index", "url", "parameter_name"}


def places(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value within a body, and where it stands."""
    yield place, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*place, key))


def changed(body: Json, place: Place, value: Any) -> Json:
    """The body with another value there."""
    whole = deepcopy({"body": body})
    holder: Any = whole
    for key in ("body", *place)[:-1]:
        holder = holder[key]
    holder[("body", *place)[-1]] = value
    return whole["body"]


def needed(body: Json, holder: Json) -> set[str]:
    """The fields that an object within a body can't do without."""
    free = OPTIONAL
    if "rows" in holder and len(body["interactive"]["action"]["sections"]) == 1:
        free = OPTIONAL | {"title"}
    return holder.keys() - free


def spoiled(body: Json) -> Iterator[tuple[str, Json]]:
    """The body with one thing wrong, at every place where that can be."""
    for place, value in places(body):
        yield "another type", changed(body, place, 7.5)
        yield "nothing", changed(body, place, None)
        if isinstance(value, dict):
            yield "a field more", changed(body, place, value | {"colour": "blue"})
            for key in needed(body, value):
                yield f"no {key}", changed(body, place, {k: v for k, v in value.items() if k != key})
        elif isinstance(value, list):
            yield "an object for a list", changed(body, place, {})
            if place[-1] != "components":
                yield "an empty list", changed(body, place, [])
        elif isinstance(value, str):
            yield "blank", changed(body, place, " ")
            if place[-1] in CODES:
                yield "a line break at the end", changed(body, place, value + "\n")
            if place[-1] in FIXED:
                yield "another word", changed(body, place, "other")
            if place[-1] not in UNBOUNDED:
                yield "too long", changed(body, place, value + "9" * 4096)


@pytest.mark.parametrize("body", RIGHT)
def test_what_is_right_for_whatsapp_passes(body: Json) -> None:
    assert whatsapp_independent.violations(body) == []


@pytest.mark.parametrize("body", RIGHT)
def test_one_thing_wrong_for_whatsapp_is_found_wherever_it_is(body: Json) -> None:
    passed = [(what, one) for what, one in spoiled(body) if not whatsapp_independent.violations(one)]
    assert passed == []


WRONG: list[tuple[str, object]] = [
    ("nothing", None),
    ("a list", []),
    ("empty", {}),
    ("no product", {key: value for key, value in text().items() if key != "messaging_product"}),
    ("another product", text() | {"messaging_product": "instagram"}),
    ("nobody", {key: value for key, value in text().items() if key != "to"}),
    ("both addresses", text() | {"recipient": "NL.1349120865530274191"}),
    ("a user id as to", text() | {"to": "NL.1349120865530274191"}),
    ("a number as recipient", {k: v for k, v in text().items() if k != "to"} | {"recipient": "31610000001"}),
    ("a number that is a number", text() | {"to": 31610000001}),
    ("a group", text() | {"recipient_type": "group"}),
    ("no type", {key: value for key, value in text().items() if key != "type"}),
    ("unknown type", text() | {"type": "poll"}),
    ("another type", text() | {"type": "interactive"}),
    ("two contents", text() | buttons(("a", "Ja"))["interactive"]),
    ("unknown field", text() | {"preview": True}),
    ("unknown field within", text(preview=True)),
    ("empty text", text("")),
    ("blank text", text(" \n")),
    ("long text", text("x" * 4097)),
    ("text of another type", text(1)),
    ("preview of another type", text(preview_url="no")),
    ("no text", {**TO, "type": "text", "text": {}}),
    ("answer to nothing", text() | {"context": {}}),
    ("no buttons", buttons()),
    ("four buttons", buttons(*((str(n), str(n)) for n in range(4)))),
    ("twice the same id", buttons(("a", "Ja"), ("a", "Nee"))),
    ("twice the same title", buttons(("a", "Ja"), ("b", "Ja"))),
    ("long title", buttons(("a", "t" * 21))),
    ("blank title", buttons(("a", " "))),
    ("long id", buttons(("a" * 257, "Ja"))),
    ("id with a space at its end", buttons(("a ", "Ja"))),
    ("no id", interactive("button", {"buttons": [{"type": "reply", "reply": {"title": "Ja"}}]})),
    ("a button of another type", interactive("button", {"buttons": [{"type": "url", "reply": {}}]})),
    ("buttons in a list", interactive("list", buttons(("a", "Ja"))["interactive"]["action"])),
    ("no body", {**TO, "type": "interactive", "interactive": {"type": "button", "action": {}}}),
    ("empty body", interactive("button", buttons(("a", "Ja"))["interactive"]["action"], "")),
    ("long body", interactive("button", buttons(("a", "Ja"))["interactive"]["action"], "x" * 1025)),
    ("long footer", interactive("list", rows(1)["interactive"]["action"], footer={"text": "x" * 61})),
    ("long header", interactive("list", rows(1)["interactive"]["action"], header={"type": "text", "text": "x" * 61})),
    ("unknown interactive", interactive("carousel", {})),
    ("no rows", rows(0)),
    ("no sections", rows()),
    ("eleven rows", rows(11)),
    ("eleven rows in all", rows(6, 5)),
    ("sections without titles", interactive("list", {"button": "Kies", "sections": [
        {"rows": [{"id": "a", "title": "A"}]}, {"rows": [{"id": "b", "title": "B"}]}]})),
    ("a section with a long title", interactive("list", {"button": "Kies", "sections": [
        {"title": "x" * 25, "rows": [{"id": "a", "title": "A"}]}]})),
    ("twice the same section title", interactive("list", {"button": "Kies", "sections": [
        {"title": "S", "rows": [{"id": "a", "title": "A"}]}, {"title": "S", "rows": [{"id": "b", "title": "B"}]}]})),
    ("eleven sections", rows(*[1] * 11)),
    ("twice the same row id", rows(2, id="a")),
    ("long row title", rows(1, title="x" * 25)),
    ("long row id", rows(1, id="x" * 201)),
    ("long description", rows(1, description="x" * 73)),
    ("empty description", rows(1, description="")),
    ("long list button", interactive("list", rows(1)["interactive"]["action"] | {"button": "x" * 21})),
    ("not a page", link("tel:140999")),
    ("no host", link("https://")),
    ("a page with a space", link("https://zonneveen.example/a b")),
    ("long words on a page button", link("https://zonneveen.example", "x" * 21)),
    ("another name", interactive("cta_url", {"name": "flow", "parameters": {"display_text": "a", "url": "https://a.nl"}})),
    ("template without name", template(name="")),
    ("template with a long name", template(name="n" * 513)),
    ("long value", template(values("x" * 1025))),
    ("place before the first", template(reply(-1))),
    ("place that is a number out of range", template(reply(10))),
    ("two payloads", template(reply("0") | {"parameters": reply("0", "a")["parameters"] * 2})),
    ("components that are no list", template() | {"template": template()["template"] | {"components": reply("0")}}),
    ("another policy", template() | {"template": template()["template"] | {"language": {"code": "nl", "policy": "x"}}}),
    ("capitals in the name of a value", template({"type": "body", "parameters": [
        {"type": "text", "text": "a", "parameter_name": "Naam"}]})),
    ("template with capitals", template(name="Bericht")),
    ("template in no language", template(language="Nederlands")),
    ("value of another type", template(values(3))),
    ("value with a line break", template(values("a\nb"))),
    ("value with five spaces", template(values("a     b"))),
    ("empty value", template(values(""))),
    ("no values", template(values())),
    ("values twice", template(values("a"), values("b"))),
    ("same place twice", template(reply("0"), reply("0"))),
    ("place out of range", template(reply("10"))),
    ("no place", template({key: value for key, value in reply("0").items() if key != "index"})),
    ("long payload", template(reply("0", "x" * 257))),
    ("button of another kind", template(reply("0") | {"sub_type": "poll"})),
    ("read of nothing", {key: value for key, value in READ.items() if key != "message_id"}),
    ("another state", READ | {"status": "delivered"}),
    ("another indicator", READ | {"typing_indicator": {"type": "audio"}}),
    ("read by somebody", READ | {"to": "31610000001"}),
]  # fmt: skip


@pytest.mark.parametrize("body", [body for _, body in WRONG], ids=[name for name, _ in WRONG])
def test_what_is_wrong_for_whatsapp_is_found(body: object) -> None:
    assert whatsapp_independent.violations(body)


KEYBOARD = {
    "inline_keyboard": [[{"text": "Ja", "callback_data": "yes"}], [{"text": "Site", "url": "https://a.nl"}]]
}


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("getMe", {}),
        ("getWebhookInfo", {}),
        ("getFile", {"file_id": "AgAC"}),
        ("sendMessage", {"chat_id": 1, "text": "hoi"}),
        ("sendMessage", {"chat_id": "1", "text": "123"}),
        ("sendMessage", {"chat_id": 1, "text": "hoi", "parse_mode": "HTML", "reply_markup": KEYBOARD}),
        ("sendMessage", {"chat_id": 1, "text": "hoi", "reply_markup": json.dumps(KEYBOARD)}),
        ("sendMessage", {"chat_id": 1, "text": "hoi", "link_preview_options": '{"is_disabled": true}'}),
        ("sendMessage", {"chat_id": 1, "text": "hoi", "reply_markup": {"remove_keyboard": True}}),
        ("sendChatAction", {"chat_id": "1", "action": "typing"}),
        ("answerCallbackQuery", {"callback_query_id": "9"}),
        ("setMyCommands", {"commands": '[{"command": "help", "description": "Hulp"}]'}),
        ("setMyCommands", {"commands": [], "scope": {"type": "chat", "chat_id": 1}}),
        ("getMyCommands", {"language_code": "nl"}),
        ("setWebhook", {"url": "https://a.nl", "allowed_updates": '["message"]', "max_connections": "40"}),
        ("deleteWebhook", {"drop_pending_updates": "true"}),
        ("getUpdates", {"offset": "-1", "timeout": 20, "allowed_updates": ["message"]}),
        ("editMessageReplyMarkup", {"chat_id": 1, "message_id": 2, "reply_markup": {"inline_keyboard": []}}),
    ],
)
def test_what_is_right_for_telegram_passes(method: str, parameters: Json) -> None:
    assert telegram_independent.violations(method, parameters) == []


@pytest.mark.parametrize(
    ("method", "parameters", "found"),
    [
        ("sendMesage", {}, ["sendMesage: no such method"]),
        ("getMe", {"x": 1}, ["getMe.x: no such field"]),
        ("getFile", {}, ["getFile.file_id: is required"]),
        ("sendMessage", {"chat_id": 1}, ["sendMessage.text: is required"]),
        ("sendMessage", {"chat_id": 1, "text": None}, ["sendMessage.text: must be of type String"]),
        ("sendMessage", {"chat_id": 1.5, "text": "a"}, ["sendMessage.chat_id: must be of type Integer"]),
        ("sendMessage", {"chat_id": True, "text": "a"}, ["sendMessage.chat_id: must be of type Integer"]),
        (
            "sendMessage",
            {"chat_id": 1, "text": "a", "reply_markup": {"inline_keyboard": [[{"text": 1, "data": "x"}]]}},
            [
                "sendMessage.reply_markup.inline_keyboard[0][0].data: no such field",
                "sendMessage.reply_markup.inline_keyboard[0][0].text: must be of type String",
            ],
        ),
        (
            "sendMessage",
            {"chat_id": 1, "text": "a", "link_preview_options": "{"},
            ["sendMessage.link_preview_options: must be of type LinkPreviewOptions, as JSON"],
        ),
        (
            "sendMessage",
            {"chat_id": 1, "text": "a", "link_preview_options": '{"is_disabled": "true"}'},
            ["sendMessage.link_preview_options.is_disabled: must be of type Boolean"],
        ),
        ("setMyCommands", {"commands": "{}"}, ["setMyCommands.commands: must be a list"]),
        ("setMyCommands", {"commands": [7]}, ["setMyCommands.commands[0]: must be an object"]),
        ("getUpdates", {"timeout": "long"}, ["getUpdates.timeout: must be of type Integer"]),
        ("deleteWebhook", {"drop_pending_updates": "yes"},
         ["deleteWebhook.drop_pending_updates: must be of type Boolean"]),
        ("setWebhook", {"url": "https://a.nl", "allowed_updates": '["message", 1]'},
         ["setWebhook.allowed_updates[1]: must be of type String"]),
    ],
)  # fmt: skip
def test_what_is_wrong_for_telegram_is_found(method: str, parameters: Json, found: list[str]) -> None:
    assert telegram_independent.violations(method, parameters) == found
