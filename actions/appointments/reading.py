"""What a message means in the form of appointments: it changes the draft, or it was no answer to anything there."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions import callback_answers as answers
from actions.appointments import facts, moments
from actions.appointments.desk import Desk, wanted_product
from actions.appointments.draft import BOOK, CANCEL, MOVE, SHOW, Draft
from actions.appointments.orders import Known, reference_in
from actions.lookup import Lookup, Topic
from actions.tasks import product as product_of
from bot.clock import AMSTERDAM
from bot.model import Command, Route
from bot.ports import Article

TRIES = 3
"""So often a reference and what goes with it may be wrong before a person is offered."""

_LEAVING = frozenset({"cancel", "human"})
_QUESTION = re.compile(
    r"^\W*(en |maar )?(wat|hoe|waar|waarom|wie|welke|waarvoor|moet|mag|heb|is het|zijn jullie|how|what|where)\b",
    re.IGNORECASE,
)
_ABOUT_TIMES = re.compile(
    r"\b(plek|plaats|tijd|tijden|vrij|mogelijk\w*|terecht|kan ik (dan )?komen|ruimte|slots?|available)\b",
    re.IGNORECASE,
)
_MODES = (
    (
        MOVE,
        r"\b(verzet\w*|verplaats\w*|verschui\w*|wijzig\w*|verander\w*|reschedule|move)\b"
        r"|\b(andere?|nieuwe) (tijd|dag|datum)\b|\bzetten\b.*\bafspraak\b.*\bnaar\b"
        r"|\bafspraak\b.*\b(eerder|later|naar (een )?andere?)\b"
        r"|\bkan (dan |die dag |helaas )?niet (komen|op)\b.*\bander",
    ),
    (
        CANCEL,
        r"\b(af ?zeg\w*|zeg\b.*\baf|afgezegd|annuleer\w*|annuleren|annulering|cancel\w*|schrap\w*|verwijder\w*)\b"
        r"|\bhaal\b.*\bweg\b|\b(kan|kom|ga) (\w+ ){0,3}niet( door| komen| meer)?\b"
        r"|\b(niet doorgaan|gaat niet door|can't make it)\b",
    ),
    (
        SHOW,
        r"\b(wanneer|hoe laat|waar|welke (dag|tijd|datum)) (is|was|heb ik|staat|moet ik).*\b(mijn|m'n|me|die|een)"
        r" afspraak\b|\b(tijd|datum|bevestiging|gegevens) van (mijn|m'n|de) afspraak\b"
        r"|\bmijn afspraak (bekijken|opzoeken|checken)\b|\bheb ik (al |nog )?een afspraak\b"
        r"|\bwhen is my appointment\b",
    ),
)
_OUTRIGHT = re.compile(r"\b(afspra(ak|ken)|appointment)\b", re.IGNORECASE)
_COMING = re.compile(
    r"\b(ik kom|we komen|wij komen|ik ben er|ik zal er zijn|i will be there|i'm coming)\b", re.IGNORECASE
)


@dataclass(slots=True)
class Heard:
    """One message, with what must be known to read it."""

    text: str
    intent: str
    value: str
    conversation_id: str
    turn: str
    now: datetime
    article: str | None = None


def mode(text: str) -> str | None:
    """What is to be done with an appointment that is there: move, cancel or show it; None where a new one is meant."""
    return next((name for name, words in _MODES if re.search(words, text, re.IGNORECASE)), None)


def coming(text: str) -> bool:
    """Whether somebody says that they will come."""
    return _COMING.search(text) is not None and mode(text) is None


class Reader:
    """Reads messages with one desk. Raises `CalendarFault` where the calendar had to be asked."""

    def __init__(self, desk: Desk, lookup: Lookup) -> None:
        self._desk = desk
        self._lookup = lookup
        self._steps: Mapping[str, Callable[[Draft, Heard], Coroutine[Any, Any, bool]]] = {
            "which": self._which,
            "product": self._product,
            "when": self._when,
            "details": self._details,
            "confirm": self._confirm,
            "change": self._change,
        }
        self.commands: list[Command] = []

    async def step(self, draft: Draft) -> str:
        """What is to be asked next; `done` where all is known and the resident said yes."""
        if draft.mode != BOOK and not draft.old:
            return "which"
        if draft.mode == SHOW:
            return "shown"
        if draft.ready:
            return "done"
        if draft.mode == CANCEL:
            return "confirm"
        if not draft.product:
            return "product"
        if draft.changing:
            return "change"
        if not draft.start:
            return "when"
        return "details" if await self.lacking(draft) else "confirm"

    async def lacking(self, draft: Draft) -> list[str]:
        """What must still be told of who comes."""
        return [
            one.name
            for one in await self._desk.fields(draft)
            if one.required and not draft.details.get(one.name)
        ]

    async def read(self, draft: Draft, heard: Heard) -> bool:
        """Take what the message says; False where it was no answer."""
        if heard.intent in _LEAVING or self._begins_anew(draft, heard):
            return False
        return await self._steps[await self.step(draft)](draft, heard)

    @staticmethod
    def _begins_anew(draft: Draft, heard: Heard) -> bool:
        """Whether the message says outright that something else is wanted of an appointment: that begins it anew."""
        if heard.value or heard.intent != "appointment" or not _OUTRIGHT.search(heard.text):
            return False
        wanted = mode(heard.text)
        return wanted != draft.mode if wanted else draft.mode != BOOK and not draft.old

    async def begin(self, draft: Draft, heard: Heard) -> None:
        """Take all that the first message says."""
        draft.child = facts.child(heard.text)
        draft.people = facts.people(heard.text) or 1
        await self.take_place(draft, heard.text)
        draft.want(moments.understand(heard.text, heard.now))
        if draft.product and draft.exact:
            await self._pick(draft, heard.now)
        if (number := facts.phone(heard.text)) and draft.mode == BOOK:
            draft.details["phone"] = number

    def begin_move(self, draft: Draft, heard: Heard) -> None:
        """Take where it is to be moved to: what stands behind `naar`, or an earlier or later time."""
        _, _, towards = heard.text.rpartition(" naar ")
        if towards != heard.text and (wanted := moments.understand(towards, heard.now)):
            draft.want(wanted)
        elif facts.earlier(heard.text) or re.search(r"\blater\b", heard.text, re.IGNORECASE):
            draft.way = "earlier" if facts.earlier(heard.text) else "later"

    def take_article(self, draft: Draft, article: Article) -> bool:
        """Take what an article's appointment is for; False where none can be made here."""
        name = wanted_product(article)
        if name is None or name not in self._desk.bookable:
            return False
        draft.article, draft.product, draft.title = article.slug, name, article.title
        draft.child = draft.child or article.slug.endswith("-kind")
        return True

    async def take_place(self, draft: Draft, text: str) -> bool:
        """Take the location that a text names."""
        found = facts.location(text, await self._desk.locations(draft))
        if found is None or found.id == draft.location:
            return found is not None
        draft.location, draft.place = found.id, found.name
        draft.start, draft.shown = None, []
        return True

    def take_known(self, draft: Draft, known: Known) -> None:
        """An appointment that is there is the one that is meant."""
        draft.old, draft.article, draft.product, draft.title = (
            known.key,
            known.article,
            known.product,
            known.title,
        )
        draft.location, draft.place, draft.people = known.location, known.place, known.people
        draft.details = dict(known.details)

    # -- the steps ------------------------------------------------------------------------------------------

    async def _which(self, draft: Draft, heard: Heard) -> bool:
        own = await self._desk.orders.own(heard.conversation_id, heard.now)
        reference = reference_in(heard.value or heard.text)
        if chosen := next((one for one in own if one.reference == reference), None):
            self.take_known(draft, chosen)
            return True
        if own and (wanted := moments.understand(heard.text, heard.now)):
            fits = [
                one
                for one in own
                if any(
                    a <= one.start < b or a.date() == one.start.astimezone(AMSTERDAM).date()
                    for a, b in wanted.spans
                )
            ]
            if len(fits) == 1:
                self.take_known(draft, fits[0])
                return True
        said = self._proof(heard)
        if not (reference or said):
            if answers.asks(heard.text) or heard.intent == "question":
                return False
            draft.note = "appointment_reference_bad"
            return True
        draft.reference = reference or draft.reference
        draft.details |= said
        if not draft.reference:
            return True
        if not draft.details:
            draft.note = "appointment_ask_proof"
            return True
        found = await self._desk.orders.prove(draft.reference, draft.details, heard.now)
        if found:
            self.take_known(draft, found)
            return True
        draft.tries += 1
        draft.reference, draft.details = None, {}
        draft.note = "appointment_not_found" if draft.tries < TRIES else "appointment_not_found_again"
        return True

    async def _product(self, draft: Draft, heard: Heard) -> bool:
        name = heard.value or ""
        if product := await self._desk.product(name):
            about = await product_of(self._lookup, product.name, Route.APPOINTMENT, Topic())
            if not (about and self.take_article(draft, about.article) and draft.product == product.id):
                draft.product, draft.title, draft.article = product.id, product.name, None
            return True
        if answers.asks(heard.text) and not _ABOUT_TIMES.search(heard.text):
            return False
        about = await product_of(self._lookup, heard.text, Route.APPOINTMENT, Topic(heard.article))
        if about and about.named and self.take_article(draft, about.article):
            await self.begin(draft, heard)
            return True
        if heard.intent in ("appointment", "inform", "affirm"):
            draft.note = "appointment_product_bad"
            return True
        return False

    async def _when(self, draft: Draft, heard: Heard) -> bool:
        value = heard.value
        if value in ("later", "earlier"):
            draft.way = value
            return True
        if value == "wait" or (not value and draft.way == "earlier" and heard.intent == "affirm"):
            return await self._wait(draft, heard)
        if value.startswith("@"):
            return await self._choose_place(draft, value[1:])
        if value in draft.shown:
            draft.start = value
            return True
        if value:
            return False
        return await self._when_in_words(draft, heard)

    async def _when_in_words(self, draft: Draft, heard: Heard) -> bool:
        text = heard.text
        wanted = moments.understand(text, heard.now)
        if _QUESTION.search(text) and not _ABOUT_TIMES.search(text) and not facts.elsewhere(text):
            return False
        taken = await self.take_place(draft, text)
        self._take_details(draft, heard)
        if wanted:
            draft.want(wanted)
            await self._pick(draft, heard.now)
            return True
        if taken:
            return True
        if facts.elsewhere(text):
            return await self._other_place(draft)
        if facts.earlier(text) or facts.later(text):
            draft.way = "earlier" if facts.earlier(text) else "later"
            return True
        number = facts.ordinal(text)
        if number is not None and number < len(draft.shown):
            draft.start = draft.shown[number]
            return True
        if draft.shown and (facts.any_time(text) or heard.intent == "affirm"):
            draft.start = draft.shown[0]
            return True
        if heard.intent == "deny":
            draft.way = "later"
            return True
        if heard.intent == "appointment" and _OUTRIGHT.search(text):
            return False  # for something else, perhaps: it is begun anew
        if heard.intent in ("inform", "appointment", "callback") and not answers.asks(text):
            draft.note = "appointment_when_bad"
            return True
        return False

    async def _pick(self, draft: Draft, now: datetime) -> None:
        """Choose the one free time that fits, where an exact one was named or where it was among those shown."""
        wanted = draft.wanted
        place = await self._desk.place(draft)
        if wanted is None or place is None or not wanted.exact:
            return
        if (
            draft.shown and len(wanted.spans) > 1
        ):  # a time of day alone: `half tien`, of those that were shown
            shown = [datetime.fromisoformat(one) for one in draft.shown]
            fits = [one for one in shown if any(a <= one < b for a, b in wanted.spans)]
        else:
            fits = await self._desk.free(draft, place.id, now).within(wanted.spans)
        if len(fits) == 1:
            draft.start = fits[0].isoformat(timespec="minutes")
            draft.location, draft.place = place.id, place.name

    async def _wait(self, draft: Draft, heard: Heard) -> bool:
        """Put the resident on the waiting list."""
        place = await self._desk.place(draft)
        old = await self._desk.orders.get(draft.old, heard.now) if draft.old else None
        before = draft.shown[0] if draft.shown else None
        latest = old.start.isoformat() if old else before
        if place is None:
            return False
        args = {
            "act": "wait",
            "product": draft.product,
            "article": draft.article,
            "location": place.id,
            "people": draft.people,
            "before": latest
            or datetime.fromtimestamp(heard.now.timestamp() + 60 * 86_400, AMSTERDAM).isoformat(),
        }
        self.commands.append(Command("appointment", args))
        draft.note, draft.way = "appointment_waiting", ""
        return True

    async def _choose_place(self, draft: Draft, location: str) -> bool:
        there = [one for one in await self._desk.locations(draft) if one.id == location]
        if not there:
            return False
        draft.location, draft.place = there[0].id, there[0].name
        draft.start, draft.shown, draft.way = None, [], ""
        return True

    async def _other_place(self, draft: Draft) -> bool:
        now = await self._desk.place(draft)
        others = [one for one in await self._desk.locations(draft) if now and one.id != now.id]
        if not others:
            draft.note = "appointment_one_place"
            return True
        return await self._choose_place(draft, others[0].id)

    async def _details(self, draft: Draft, heard: Heard) -> bool:
        lacking = await self.lacking(draft)
        if _QUESTION.search(heard.text) or (answers.asks(heard.text) and heard.intent == "question"):
            return False
        if (
            heard.intent == "deny"
            or facts.later(heard.text)
            or facts.earlier(heard.text)
            or facts.elsewhere(heard.text)
        ):
            return await self._back_to_times(draft, heard)
        before = dict(draft.details)
        self._take_details(draft, heard)
        rest = [name for name in lacking if not draft.details.get(name)]
        if (
            "name" in rest
            and heard.intent not in ("greet", "thanks", "help", "affirm")
            and (called := facts.name(heard.text))
        ):
            draft.details["name"] = called
        if (
            draft.details == before
            and moments.understand(heard.text, heard.now)
            and not facts.tries_birth_date(heard.text)
        ):
            return await self._back_to_times(draft, heard)
        if draft.details == before:
            if heard.intent in ("affirm", "inform", "appointment") or answers.tries_phone(heard.text):
                draft.note = _BAD[lacking[0]]
                return True
            return False
        still = await self.lacking(draft)
        if "birth_date" in still and facts.tries_birth_date(heard.text):
            draft.note = _BAD["birth_date"]
        elif "phone" in still and answers.tries_phone(facts.without_dates(heard.text)):
            draft.note = _BAD["phone"]
        return True

    def _take_details(self, draft: Draft, heard: Heard) -> None:
        """All of phone, e-mail and date of birth that the text holds."""
        draft.details |= self._proof(heard)

    @staticmethod
    def _proof(heard: Heard) -> dict[str, str]:
        today = heard.now.astimezone(AMSTERDAM).date()
        found = {
            "phone": facts.phone(heard.text),
            "email": facts.email(heard.text),
            "birth_date": facts.birth_date(heard.text, today),
        }
        return {name: value for name, value in found.items() if value}

    async def _back_to_times(self, draft: Draft, heard: Heard) -> bool:
        """Another time than the one that was chosen."""
        draft.start, draft.changing = None, False
        if await self._when_in_words(draft, heard):
            return True
        draft.way = "later"
        return True

    async def _confirm(self, draft: Draft, heard: Heard) -> bool:
        if heard.intent in ("affirm", "thanks"):
            draft.ready = True
            return True
        if draft.mode == CANCEL:
            if heard.intent != "deny" and heard.intent in ("inform", "appointment"):
                draft.note = "appointment_confirm_bad"
                return True
            return False
        if heard.value:
            return await self._change(draft, heard)
        if heard.intent == "deny" and not moments.understand(heard.text, heard.now):
            draft.changing = True
            return True
        if _QUESTION.search(heard.text):
            return False
        if await self._changed(draft, heard):
            return True
        if heard.intent in ("inform", "appointment"):
            draft.note = "appointment_confirm_bad"
            return True
        return False

    async def _change(self, draft: Draft, heard: Heard) -> bool:
        what = heard.value
        if what == "time":
            draft.want(None)
            draft.start, draft.changing, draft.way = None, False, "later" if draft.shown else ""
        elif what == "place":
            draft.changing = False
            return await self._other_place(draft)
        elif what == "details":
            draft.details, draft.changing = {}, False
        elif what:
            return False
        elif heard.intent in ("affirm", "thanks"):
            draft.changing, draft.ready = False, True
        elif not await self._changed(draft, heard):
            if heard.intent in ("inform", "appointment"):
                draft.note = "appointment_change_bad"
                return True
            return False
        return True

    async def _changed(self, draft: Draft, heard: Heard) -> bool:
        """What the resident corrects in words."""
        told = self._proof(heard)
        if told:
            draft.details |= told
            draft.changing = False
            return True
        if re.search(r"\b(gegevens|naam|geboortedatum|telefoon\w*|nummer)\b", heard.text, re.IGNORECASE):
            draft.details, draft.changing = {}, False
            return True
        if (
            moments.understand(heard.text, heard.now)
            or facts.elsewhere(heard.text)
            or facts.earlier(heard.text)
            or facts.later(heard.text)
            or facts.location(heard.text, await self._desk.locations(draft))
            or re.search(r"\b(tijd|dag|moment|datum)\b", heard.text, re.IGNORECASE)
        ):
            return await self._back_to_times(draft, heard)
        return False


_BAD = {
    "name": "appointment_name_bad",
    "birth_date": "appointment_birth_date_bad",
    "phone": "appointment_phone_bad",
    "email": "appointment_email_bad",
}
