"""What a message gives to the form for a report: values of slots, words on what is wrong with it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from actions import callback_answers, speech
from actions import report_answers as answers
from actions.report_answers import NONE
from actions.reports.categories import OTHER, Categories
from actions.sdk import Action, CollectingDispatcher, EventType, Tracker
from bot.model import Route, Say

FORM = "report_form"
ASKED = ("text", "category", "place", "photo", "contact", "confirm", "change")
SLOTS = (*(f"report_{name}" for name in ASKED), "report_spot")
EMPTY: Mapping[str, Any] = dict.fromkeys(SLOTS)
_LEAVING = frozenset({"cancel", "human"})
_ANSWERING = frozenset({"inform", "affirm", "thanks"})
_PHOTOS = 5
"""So many go along, at most."""

Filled = Mapping[str, Any] | None
"""New values of slots; None where the message was no answer."""


class ValidateReport(Action):  # type: ignore[misc]  # untyped
    """Takes what it can use from a message."""

    def __init__(self, categories: Categories) -> None:
        self._categories = categories
        self._readers: Mapping[str, Callable[[str, Tracker, CollectingDispatcher], Filled]] = {
            "report_text": self._text,
            "report_category": self._category,
            "report_place": self._place,
            "report_photo": self._photo,
            "report_contact": self._contact,
            "report_confirm": self._confirm,
            "report_change": self._change,
        }

    def name(self) -> str:
        """Its name in the domain."""
        return f"validate_{FORM}"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """The slots that the message fills."""
        requested = tracker.get_slot("requested_slot")
        if requested not in self._readers or acted(tracker):
            return []
        shared = _shared(tracker)
        words = speech.value(tracker) or speech.text(tracker)
        if speech.intent(tracker) in ("place", "photo"):
            if "report_photo" in shared:
                speech.say(dispatcher, Say("report_photo_taken"))
            return speech.slots(**shared)
        filled = self._readers[requested](words, tracker, dispatcher)
        return [] if filled is None and not shared else speech.slots(**{**shared, **(filled or {})})

    def _text(self, words: str, tracker: Tracker, dispatcher: CollectingDispatcher) -> Filled:
        if speech.intent(tracker) in _LEAVING | {"deny"} or callback_answers.asks(words):
            return None
        if not answers.cleaned(words, answers.LONGEST_TEXT):
            return _again("report_text", "report_text_bad", dispatcher)
        return _told(words, self._categories, tracker)

    def _category(self, words: str, tracker: Tracker, dispatcher: CollectingDispatcher) -> Filled:
        if found := self._categories.get(words):
            return {"report_category": found.id}
        if answers.other(words):
            return {"report_category": OTHER}
        if speech.intent(tracker) in _LEAVING or callback_answers.asks(words):
            return None
        told = answers.cleaned(f"{tracker.get_slot('report_text')}. {words}", answers.LONGEST_TEXT)
        guess = self._categories.guess(words)
        again = guess if guess.sure else self._categories.guess(told)
        # Asked once is enough: the people who read the report know where it belongs.
        return {"report_text": told, "report_category": again.categories[0].id if again.sure else OTHER}

    def _place(self, words: str, tracker: Tracker, dispatcher: CollectingDispatcher) -> Filled:
        if answers.tells(words) and not answers.place(words):
            return self._more(words, tracker, "report_place")
        return _place(words, tracker, dispatcher)

    def _photo(self, words: str, tracker: Tracker, dispatcher: CollectingDispatcher) -> Filled:
        if answers.none(words):
            return {"report_photo": NONE}
        if speech.intent(tracker) in _ANSWERING:
            return _again("report_photo", "report_photo_send", dispatcher)
        return self._more(words, tracker, "report_photo")

    def _contact(self, words: str, tracker: Tracker, dispatcher: CollectingDispatcher) -> Filled:
        if given := answers.contact(words):
            return {"report_contact": given}
        if answers.none(words):
            return {"report_contact": NONE}
        if answers.tries_contact(words) and not callback_answers.asks(words):
            return _again("report_contact", "report_contact_bad", dispatcher)
        if speech.intent(tracker) in _ANSWERING:
            return _again("report_contact", "report_contact_missing", dispatcher)
        return self._more(words, tracker, "report_contact")

    def _confirm(self, words: str, tracker: Tracker, dispatcher: CollectingDispatcher) -> Filled:
        intent = speech.intent(tracker)
        if intent in ("affirm", "thanks"):
            return {"report_confirm": True}
        if intent in _LEAVING or callback_answers.asks(words):
            return None
        if changed := self._changed(words):
            return changed
        if intent == "deny":
            return {"report_confirm": None, "requested_slot": "report_change"}
        if intent == "inform":
            return _again("report_confirm", "report_confirm_bad", dispatcher)
        return self._more(words, tracker, "report_confirm")

    def _change(self, words: str, tracker: Tracker, dispatcher: CollectingDispatcher) -> Filled:
        intent = speech.intent(tracker)
        if intent in _LEAVING or callback_answers.asks(words):
            return None
        if slot := (words if words in SLOTS else None):
            return {slot: None}
        if changed := self._changed(words):
            return changed
        if intent == "affirm":
            return {"report_confirm": True}
        return {
            **_again("report_change", "report_change_bad", dispatcher),
            "requested_slot": "report_change",
        }

    def _changed(self, words: str) -> Filled:
        """`De plek is Kerkstraat 5` has all; `de plek klopt niet` is asked again."""
        if given := answers.contact(words):
            return {"report_contact": given}
        slot = answers.change(words)
        if found := answers.place(words):
            return {"report_place": found, "report_spot": None}
        if slot == "report_place":
            return {"report_place": None, "report_spot": None}
        if slot == "report_text":
            return {"report_text": None, "report_category": None}
        return {slot: None} if slot else None

    def _more(self, words: str, tracker: Tracker, asked: str) -> Filled:
        """`Er ligt ook een tegel los`, a step too late, goes along."""
        if speech.intent(tracker) != Route.REPORT or callback_answers.asks(words):
            return None
        told = answers.cleaned(f"{tracker.get_slot('report_text')}. {words}", answers.LONGEST_TEXT)
        return {"report_text": told, asked: None}


def begun(tracker: Tracker, categories: Categories) -> dict[str, Any]:
    """All that the first message has: what, where, who, and what was shared with it."""
    text = speech.text(tracker) if not speech.value(tracker) else ""
    shared = _shared(tracker)
    if not metadata_of(tracker).get("shares"):
        shared.setdefault("report_photo", NONE)
    told = _told(text, categories, tracker) if _tells(text, categories) else {}
    return {**EMPTY, **told, **shared}


def _tells(text: str, categories: Categories) -> bool:
    """Whether a message says what is wrong; `ik wil iets melden` does not."""
    return categories.guess(text).sure or not answers.only_wants(text)


def _told(words: str, categories: Categories, tracker: Tracker) -> dict[str, Any]:
    text = answers.cleaned(answers.without_contact(words), answers.LONGEST_TEXT)
    found: dict[str, Any] = {"report_text": text or None}
    guess = categories.guess(text)
    if guess.sure:
        found["report_category"] = guess.categories[0].id
    if (place := answers.place(words)) and not tracker.get_slot("report_place"):
        found["report_place"] = place
    if contact := answers.contact(words):
        found["report_contact"] = contact
    return found


def _place(words: str, tracker: Tracker, dispatcher: CollectingDispatcher) -> Filled:
    if speech.intent(tracker) in _LEAVING or callback_answers.asks(words):
        return None
    place = answers.cleaned(answers.without_contact(words), answers.LONGEST_PLACE)
    unsure = callback_answers.unsure(words) or speech.intent(tracker) in ("affirm", "deny", "thanks")
    if unsure or not place:
        return _again("report_place", "report_place_bad", dispatcher)
    contact = answers.contact(words)
    return {"report_place": place, **({"report_contact": contact} if contact else {})}


def _shared(tracker: Tracker) -> dict[str, Any]:
    """What came beside the words: a place on the map, a photo."""
    found: dict[str, Any] = {}
    beside = metadata_of(tracker)
    if isinstance(place := beside.get("place"), Mapping):
        latitude, longitude = float(place["latitude"]), float(place["longitude"])
        found["report_spot"] = f"{latitude:.6f},{longitude:.6f}"
        named = ", ".join(filter(None, (str(place.get("name") or ""), str(place.get("address") or ""))))
        shown = answers.cleaned(named, answers.LONGEST_PLACE)
        found["report_place"] = shown or "de plek die u deelde op de kaart"
    if beside.get("photo"):
        photos = [*photos_of(tracker.get_slot("report_photo")), str(beside["turn"])]
        found["report_photo"] = ",".join(photos[:_PHOTOS])
    return found


def photos_of(value: Any) -> list[str]:
    """The messages whose photos go along, by the value of the slot."""
    return [] if value in (None, NONE) else str(value).split(",")


def metadata_of(tracker: Tracker) -> Mapping[str, Any]:
    """What came beside the words."""
    found: Mapping[str, Any] = tracker.latest_message.get("metadata") or {}
    return found


def _again(slot: str, phrase: str, dispatcher: CollectingDispatcher) -> dict[str, Any]:
    speech.say(dispatcher, Say(phrase))
    return {slot: None}


def acted(tracker: Tracker) -> list[str]:
    """The actions of this turn so far, besides the form's own."""
    names: list[str] = []
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            break
        if event.get("event") == "action" and event.get("name") != FORM:
            names.append(str(event.get("name")))
    return names
