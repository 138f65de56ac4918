"""What a call of WhatsApp's webhook means to us: messages, receipts and moves, each read on its own."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.model import Delivery, Inbound, Item, Kind, Media, Moved, Place, Receipt
from bot.ports import Refused
from connectors.whatsapp_errors import code_of, explain, trouble

log = logging.getLogger(__name__)

BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
"""A business-scoped user id: who the resident is to this municipality, with or without a telephone number."""

_ID_LENGTH = 255
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_HEX_HASH = re.compile(r"[0-9a-fA-F]{64}")
_MEDIA = {
    "image": Kind.IMAGE,
    "video": Kind.VIDEO,
    "document": Kind.DOCUMENT,
    "audio": Kind.AUDIO,
    "voice": Kind.AUDIO,
    "sticker": Kind.STICKER,
}
_STATES = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "played": Delivery.READ,
    "failed": Delivery.FAILED,
}
_MOVES = ("user_changed_number", "user_changed_user_id", "customer_changed_number")

_Dated = tuple[datetime | None, Item]


def read(name: str, numbers: Mapping[str, str], body: object) -> list[Item]:
    """All that is for us in a webhook body: messages and moves in order of time, then receipts.

    `numbers` tells the channel of each of our numbers, by its id; `name` is who logs. Raises `Refused` where the
    body as a whole is not a webhook's.
    """
    if not isinstance(body, dict):
        raise Refused("not a webhook body")
    if body.get("object") != "whatsapp_business_account":
        return []
    if not isinstance(body.get("entry"), list):
        raise Refused("no entries")
    changes = list(_each(name, "entry", body["entry"], _changes))
    dated: list[_Dated] = []
    receipts: list[Item] = []
    for channel, value in _each(name, "change", changes, partial(_ours, name, numbers)):
        dated += _each(name, "message", value.get("messages"), partial(_message, channel, value))
        dated += _each(name, "move", value.get("user_id_update"), partial(_user_id_update, channel))
        receipts += _each(name, "status", value.get("statuses"), partial(_receipt, channel))
        for code in _each(name, "error", value.get("errors"), lambda error: [code_of(error)]):
            log.warning("%s: WhatsApp reports %s", channel, explain(code))
    return [*_in_order(dated), *receipts]


def _each(name: str, what: str, things: object, reader: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
    """What is in each; one that can't be read is logged without its content, and the rest goes on."""
    if things is None:
        return
    for thing in things if isinstance(things, list) else [things]:
        try:
            found = list(reader(thing))
        except Exception as error:  # of any kind: another try would not help, and the rest must go on
            log.warning("%s: skipped a %s that can't be read (%s)", name, what, type(error).__name__)
        else:
            yield from found


def _changes(entry: Any) -> list[Any]:
    changes = _dict(entry)["changes"]
    if not isinstance(changes, list):
        raise TypeError("not a list")
    return changes


def _ours(name: str, numbers: Mapping[str, str], change: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The value of a change that is about messages to one of our numbers, with its channel."""
    if _dict(change).get("field") not in ("messages", "user_id_update"):
        return
    value = _dict(change["value"])
    number = _id(_dict(value["metadata"])["phone_number_id"])
    channel = numbers.get(number)
    if channel is not None:
        yield channel, value
    else:
        shown = number if number.isascii() and number.isalnum() else "…"
        log.warning("%s: skipped what is for the number with id %.40s: it is not ours", name, shown)


def _in_order(dated: Iterable[_Dated]) -> list[Item]:
    """By time, to the second as WhatsApp tells it; what has no time stays behind what came before it."""
    latest = datetime.min.replace(tzinfo=UTC)
    keyed: list[tuple[datetime, Item]] = []
    for moment, item in dated:
        latest = moment or latest
        keyed.append((latest, item))
    return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]


# Messages -------------------------------------------------------------------------------------------------------------


def _message(channel: str, value: Mapping[str, Any], message: Any) -> Iterator[_Dated]:
    if _dict(message).get("group_id") is not None:
        return  # residents write to us alone
    moment = _moment(message.get("timestamp"))
    if message.get("type") == "system":
        yield from ((moment, moved) for moved in _system(channel, message))
    else:
        yield moment, _inbound(channel, message, _contact(value, message.get("from")), moment)


def _contact(value: Mapping[str, Any], phone: object) -> Mapping[str, Any]:
    """Who wrote: by telephone number, or the only contact there is, where all messages have one sender."""
    contacts, messages = _dicts(value.get("contacts")), _dicts(value.get("messages"))
    if phone and (mine := [contact for contact in contacts if contact.get("wa_id") == phone]):
        return mine[0]
    alone = len(contacts) == 1 and all(message.get("from") == phone for message in messages)
    return contacts[0] if alone else {}


def _inbound(
    channel: str, message: dict[str, Any], contact: Mapping[str, Any], moment: datetime | None
) -> Inbound:
    key = _id(message["id"])
    phone = message.get("from") or contact.get("wa_id")
    known = [one for one in (message.get("from_user_id"), contact.get("user_id"), phone) if one]
    address = next((_id(one) for one in known if isinstance(one, str) and BSUID.fullmatch(one)), None)
    also = (_id(phone),) if address and phone and phone != address else ()
    if address is None:
        address = _id(phone)
    base = Inbound(channel, address, key, ref=key, sent_at=moment, also=also)
    return _filled(base, message)


def _filled(base: Inbound, message: Mapping[str, Any]) -> Inbound:
    """With what was sent. What we don't know is UNSUPPORTED: better a polite answer than silence."""
    kind = message.get("type")
    match kind:
        case "text":
            return replace(base, kind=Kind.TEXT, text=_words(message["text"]["body"]))
        case "button":
            return _pressed(base, message["button"].get("payload"), message["button"].get("text"))
        case "interactive":
            return _interactive(base, message.get("interactive"))
        case "location":
            return replace(base, kind=Kind.LOCATION, place=_place(message["location"]))
        case "contacts":
            return replace(base, kind=Kind.CONTACT)
        case "reaction":
            reaction = message["reaction"]
            emoji = _words(reaction.get("emoji") or "")
            return replace(base, kind=Kind.REACTION, text=emoji, ref=_id(reaction["message_id"]))
        case "edit":
            edit = message["edit"]
            about = _id(edit["original_message_id"])
            return replace(base, kind=Kind.EDIT, text=_new_words(edit["message"]), ref=about)
        case "revoke":
            return replace(base, kind=Kind.REVOKE, ref=_id(message["revoke"]["original_message_id"]))
        case "request_welcome":
            return replace(base, kind=Kind.START)
        case str() if kind in _MEDIA:
            return _file(base, _MEDIA[kind], _dict(message[kind]))
        case _:
            return replace(base, kind=Kind.UNSUPPORTED)


def _interactive(base: Inbound, interactive: object) -> Inbound:
    """A button or a row of a list; anything else (a form, a call permission, nothing at all) is not ours."""
    if isinstance(interactive, dict) and interactive.get("type") in ("button_reply", "list_reply"):
        reply = _dict(interactive[interactive["type"]])
        return _pressed(base, reply.get("id"), reply.get("title"))
    return replace(base, kind=Kind.UNSUPPORTED)


def _pressed(base: Inbound, choice: object, label: object) -> Inbound:
    text = _words(label or "")
    if not choice:
        return replace(base, kind=Kind.TEXT, text=text)
    return replace(base, kind=Kind.CHOICE, text=text, choice=_id(choice))


def _file(base: Inbound, kind: Kind, file: Mapping[str, Any]) -> Inbound:
    media = None
    if file.get("id"):
        media = Media(
            _id(file["id"]),
            mime=_words(file.get("mime_type") or ""),
            name=_words(file.get("filename") or ""),
            sha256=_hash(file.get("sha256")),
        )
    return replace(base, kind=kind, text=_words(file.get("caption") or ""), media=media)


def _new_words(message: Mapping[str, Any]) -> str:
    """The words of an edited message: its text, or the caption of its file."""
    if message.get("type") == "text":
        return _words(message["text"]["body"])
    return _words(_dict(message[message["type"]]).get("caption") or "")


def _place(location: Mapping[str, Any]) -> Place | None:
    """None where it is no spot on this earth."""
    latitude, longitude = (_degrees(location.get(axis)) for axis in ("latitude", "longitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    words = (_words(location.get(name) or "") for name in ("name", "address"))
    return Place(latitude, longitude, *words)


def _degrees(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -180 <= value <= 180:
        return None
    return float(value)


def _hash(value: object) -> str | None:
    """In hexadecimals; WhatsApp gives base 64."""
    if not isinstance(value, str):
        return None
    if _HEX_HASH.fullmatch(value):
        return value.lower()
    try:
        raw = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return None
    return raw.hex() if len(raw) == 32 else None


# Moves and receipts ---------------------------------------------------------------------------------------------------


def _system(channel: str, message: Mapping[str, Any]) -> Iterator[Moved]:
    """Another telephone number makes another user id, and WhatsApp may tell of one of them or of both."""
    system = _dict(message["system"])
    if system.get("type") not in _MOVES:
        return
    new_user = system.get("user_id")
    old_user = system.get("previous_user_id") or message.get("from_user_id")
    old_user = None if old_user == new_user else old_user
    old_phone, new_phone = message.get("from"), system.get("wa_id") or system.get("new_wa_id")
    if old_user and new_user:
        yield from _moved(channel, old_user, new_user)
        yield from _moved(channel, old_phone, new_phone)
    else:
        yield from _moved(channel, old_user or old_phone, new_user or new_phone)


def _user_id_update(channel: str, update: Any) -> Iterator[_Dated]:
    """The same in the shape of another field of the webhook."""
    change = _dict(_dict(update)["user_id"])
    moment = _moment(update.get("timestamp"))
    yield from ((moment, moved) for moved in _moved(channel, change["previous"], change["current"]))


def _moved(channel: str, before: object, after: object) -> Iterator[Moved]:
    if before and after and before != after:
        # A user id is never given to somebody else; a telephone number may be.
        yield Moved(channel, _id(before), _id(after), lasting=bool(BSUID.fullmatch(_id(before))))


def _receipt(channel: str, status: Any) -> Iterator[Receipt]:
    word = _dict(status).get("status")
    state = _STATES.get(word) if isinstance(word, str) else None
    if state is None or status.get("recipient_type") == "group":
        return
    key = _id(status["id"])
    if state is not Delivery.FAILED:
        yield Receipt(channel, key, state)
        return
    errors = status.get("errors")
    code = code_of(errors[0]) if isinstance(errors, list) and errors else None
    meaning = trouble(code)
    yield Receipt(channel, key, state, explain(code), retryable=meaning.retryable, window=meaning.window)


# Values ---------------------------------------------------------------------------------------------------------------


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _id(value: object) -> str:
    """Whole, or not at all: a part of an id is another id."""
    if not isinstance(value, str):
        raise TypeError("not an id")
    if not value or len(value) > _ID_LENGTH or _UNSTORABLE.search(value):
        raise ValueError("not an id")
    return value


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return _UNSTORABLE.sub("", value)


def _moment(value: object) -> datetime | None:
    """Seconds since 1970; None where it is no such thing: the message counts, not its time."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
