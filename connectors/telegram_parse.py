"""What a Telegram update means to us. Residents write in private chats; anything else is not for us."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from telegram import CallbackQuery, Message, MessageReactionUpdated, ReactionTypeEmoji, Update
from telegram.constants import ChatType

from bot.model import Inbound, Kind, Media, Place

UPDATES = ("message", "edited_message", "callback_query", "message_reaction")
"""The kinds of update that are read; Telegram brings others only where they were asked for earlier. The last one
it promises only to a bot that is an administrator; private chats have none. Asking for it costs nothing."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w{1,32})?(?=\s|$)")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_PLAIN_UPDATE = {"update_id", "message"}
_PLAIN_MESSAGE = {"message_id", "from", "chat", "date", "text"}
_FILES = {"animation", "video", "video_note", "photo", "voice", "audio", "document", "sticker"}
_KINDS = (
    # In this order: an animation is also a document.
    ("animation", Kind.VIDEO),
    ("video", Kind.VIDEO),
    ("video_note", Kind.VIDEO),
    ("photo", Kind.IMAGE),
    ("voice", Kind.AUDIO),
    ("audio", Kind.AUDIO),
    ("document", Kind.DOCUMENT),
    ("sticker", Kind.STICKER),
    ("location", Kind.LOCATION),
    ("contact", Kind.CONTACT),
    ("poll", Kind.UNSUPPORTED),
    ("dice", Kind.UNSUPPORTED),
    ("game", Kind.UNSUPPORTED),
    ("story", Kind.UNSUPPORTED),
    ("checklist", Kind.UNSUPPORTED),
    ("paid_media", Kind.UNSUPPORTED),
    ("live_photo", Kind.UNSUPPORTED),
    # What the library does not know yet: better a polite answer than silence.
    ("api_kwargs", Kind.UNSUPPORTED),
)


def read(channel: str, payload: Mapping[str, Any]) -> Inbound | None:
    """The resident's message in an update, or None where there is none for us. Raises, in any way the
    library or a wrong type makes it, when the update is not what the Bot API says it is."""
    if payload.keys() == _PLAIN_UPDATE and (plain := _plain(channel, payload)):
        return plain
    if payload.keys().isdisjoint(UPDATES):
        return None  # "blocked by the resident" and the like: nothing to read, so nothing that can't be read
    update = Update.de_json(dict(payload), None)
    number = _id(update.update_id)
    if update.message is not None:
        return _message(channel, number, update.message)
    if update.edited_message is not None:
        return _edit(channel, number, update.edited_message)
    if update.callback_query is not None:
        return _press(channel, number, update.callback_query)
    if update.message_reaction is not None:
        return _reaction(channel, number, update.message_reaction)
    return None


def _plain(channel: str, payload: Mapping[str, Any]) -> Inbound | None:
    """A plain text, by far the most of what comes in, read without the library's objects: those cost ten times as
    much. None where it is anything more, or not quite right: then the library decides."""
    message, number = payload["message"], payload["update_id"]
    if not isinstance(message, dict) or message.keys() != _PLAIN_MESSAGE:
        return None
    match message:
        case {
            "message_id": int(key),
            "date": int(date),
            "text": str(text),
            "chat": {"id": int(chat), "type": ChatType.PRIVATE},
            "from": {"id": int(), "is_bot": False, "first_name": str()},
        }:
            kind, words = _text(text)
            return _inbound(
                channel, _id(number), _id(chat), _id(key), kind, words, datetime.fromtimestamp(date, UTC)
            )
    return None


def _message(channel: str, number: str, message: Message) -> Inbound | None:
    if not _from_resident(message):
        return None
    chat, key = _id(message.chat.id), _id(message.message_id)
    if message.text is not None:
        return _inbound(channel, number, chat, key, *_text(message.text), message.date)
    found = next(((name, kind) for name, kind in _KINDS if getattr(message, name)), None)
    if found is None:
        return None  # a service message: "pinned", "auto-delete on"
    name, kind = found
    base = _inbound(channel, number, chat, key, kind, _words(message.caption or ""), message.date)
    if name in _FILES:
        return replace(base, media=_media(getattr(message, name)))
    return replace(base, place=_place(message)) if kind is Kind.LOCATION else base


def _inbound(
    channel: str, number: str, chat: str, key: str, kind: Kind, text: str, date: datetime
) -> Inbound:
    return Inbound(
        channel,
        address=chat,
        # Update ids can restart at random; together with the message's own id they don't repeat.
        external_id=f"{number}:message:{key}",
        kind=kind,
        text=text,
        ref=key,
        sent_at=date,
    )


def _text(value: object) -> tuple[Kind, str]:
    text = _words(value)
    if command := _COMMAND.match(text):
        rest = text[command.end() :].strip()
        if command[1].lower() == "start":
            return Kind.START, rest
        return Kind.TEXT, f"{command[1]} {rest}".strip()
    return Kind.TEXT, text


def _media(file: Any) -> Media | None:
    """The file; of a photo, which comes in several sizes, the largest. Not all kinds tell all of it."""
    if isinstance(file, tuple):
        file = max(file, key=lambda size: size.width * size.height)
    ref = _words(file.file_id)
    mime, name = (_words(getattr(file, field, None) or "") for field in ("mime_type", "file_name"))
    return Media(ref, mime, name, _size(file.file_size)) if ref else None


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _place(message: Message) -> Place | None:
    """The spot, with the name of a venue (which is also a location); None where it is no spot on this earth."""
    spot, venue = message.location, message.venue
    if spot is None or not (_within(spot.latitude, 90) and _within(spot.longitude, 180)):
        return None
    title, address = (_words(venue.title), _words(venue.address)) if venue else ("", "")
    return Place(float(spot.latitude), float(spot.longitude), title, address)


def _within(value: object, most: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most


def _edit(channel: str, number: str, message: Message) -> Inbound | None:
    text = message.text or message.caption
    if text is None or not _from_resident(message):
        return None  # a live location that moved
    return Inbound(
        channel,
        address=_id(message.chat.id),
        external_id=f"{number}:edit:{_id(message.message_id)}",
        kind=Kind.EDIT,
        text=_words(text),
        ref=_id(message.message_id),
        sent_at=message.edit_date or message.date,
    )


def _press(channel: str, number: str, query: CallbackQuery) -> Inbound | None:
    chat = query.message.chat if query.message else None
    if chat is not None and chat.type != ChatType.PRIVATE:
        return None
    # The chat of a private conversation has the resident's id: good where the message is gone.
    address = _id(chat.id if chat else query.from_user.id)
    choice = _short(query.data or "")
    query_id = _short(query.id)
    return Inbound(
        channel,
        address=address,
        external_id=f"{number}:press:{query_id}",
        kind=Kind.CHOICE,
        text=_label(query, choice),
        choice=choice,
        reply_to=query_id,
    )


def _reaction(channel: str, number: str, change: MessageReactionUpdated) -> Inbound | None:
    """The emoji that is there now, or that there is none any more. Of several the first; those that are pictures of
    somebody's own have no character, so a change from one to another is nothing to us."""
    if change.chat.type != ChatType.PRIVATE or (change.user is not None and change.user.is_bot):
        return None
    before, now = (
        [_short(one.emoji) for one in side if isinstance(one, ReactionTypeEmoji)]
        for side in (change.old_reaction, change.new_reaction)
    )
    if not before and not now:
        return None
    key = _id(change.message_id)
    return Inbound(
        channel,
        address=_id(change.chat.id),
        external_id=f"{number}:reaction:{key}",
        kind=Kind.REACTION,
        text=now[0] if now else "",
        ref=key,
        sent_at=change.date,
    )


def _label(query: CallbackQuery, choice: str) -> str:
    """What stood on the button, where its message still tells."""
    markup = query.message.reply_markup if isinstance(query.message, Message) else None
    buttons = [button for row in markup.inline_keyboard for button in row] if markup else []
    return next((_words(button.text) for button in buttons if button.callback_data == choice), "")


def _from_resident(message: Message) -> bool:
    by_bot = message.from_user is not None and message.from_user.is_bot
    return message.chat.type == ChatType.PRIVATE and not by_bot


def _id(value: object) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise TypeError("not an id")
    return str(value)


def _short(value: object) -> str:
    """Callback data has 64 bytes at most; ids of queries and emoji are shorter still."""
    words = _words(value)
    if len(words) > 64:
        raise ValueError("too long")
    return words


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return _UNSTORABLE.sub("", value)
