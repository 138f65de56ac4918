"""What a message means in the form of appointments: it changes the draft, or it was no answer to anything there."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any

from actions import callback_answers as answers
from actions.appointments import facts
from actions.appointments.desk import Desk
from actions.appointments.draft import BOOK, CANCEL, SHOW, Draft
from actions.appointments.heard import OUTRIGHT, Heard, mode
from actions.appointments.orders import Known, reference_in
from actions.appointments.timing import ABOUT_TIMES, QUESTION, Times, proof
from actions.lookup import Lookup, Topic
from actions.tasks import product as product_of
from bot.clock import AMSTERDAM
from bot.model import Route
from bot.ports import Article

TRIES = 3
"""So often a reference and what goes with it may be wrong before a person is offered."""

_LEAVING = frozenset({"cancel", "human"})


class Reader:
    """Reads messages with one desk. Raises `CalendarFault` where the calendar had to be asked."""

    def __init__(self, desk: Desk, lookup: Lookup) -> None:
        self._desk = desk
        self._lookup = lookup
        self.times = Times(desk)
        self._steps: Mapping[str, Callable[[Draft, Heard], Coroutine[Any, Any, bool]]] = {
            "which": self._which,
            "product": self._product,
            "when": self.times.read,
            "details": self._details,
            "confirm": self._confirm,
            "change": self._change,
        }

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
        if heard.value or heard.intent != "appointment" or not OUTRIGHT.search(heard.text):
            return False
        wanted = mode(heard.text)
        return wanted != draft.mode if wanted else draft.mode != BOOK and not draft.old

    async def begin(self, draft: Draft, heard: Heard) -> None:
        """Take all that the first message says."""
        draft.child = facts.child(heard.text)
        draft.people = facts.people(heard.text) or 1
        await self.times.take_place(draft, heard.text)
        draft.want(self._desk.wanted(heard.text, heard.now))
        if draft.product and draft.exact:
            await self.times.pick(draft, heard.now)
        if (number := facts.phone(heard.text)) and draft.mode == BOOK:
            draft.details["phone"] = number

    def begin_move(self, draft: Draft, heard: Heard, old: datetime) -> None:
        """Take where it is to be moved to: what stands behind `naar`, or an earlier or later time than the old one."""
        _, _, towards = heard.text.rpartition(" naar ")
        if towards != heard.text and (wanted := self._desk.wanted(towards, heard.now)):
            draft.want(wanted)
        elif compared := self.times.compared(heard, old):
            draft.want(compared)
        elif facts.earlier(heard.text) or re.search(r"\blater\b", heard.text, re.IGNORECASE):
            draft.way = "earlier" if facts.earlier(heard.text) else "later"

    def take_article(self, draft: Draft, article: Article) -> bool:
        """Take what an article's appointment is for; False where none can be made here."""
        product = self._desk.product_of(article)
        if product is None:
            return False
        draft.article, draft.product, draft.title = article.slug, product, article.title
        draft.child = draft.child or article.slug.endswith("-kind")
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
        if own and (wanted := self._desk.wanted(heard.text, heard.now)):
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
        said = proof(heard)
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
        if answers.asks(heard.text) and not ABOUT_TIMES.search(heard.text):
            return False
        about = await product_of(self._lookup, heard.text, Route.APPOINTMENT, Topic(heard.article))
        if about and about.named and self.take_article(draft, about.article):
            await self.begin(draft, heard)
            return True
        if heard.intent in ("appointment", "inform", "affirm"):
            draft.note = "appointment_product_bad"
            return True
        return False

    async def _details(self, draft: Draft, heard: Heard) -> bool:
        lacking = await self.lacking(draft)
        if QUESTION.search(heard.text) or (answers.asks(heard.text) and heard.intent == "question"):
            return False
        if (
            heard.intent == "deny"
            or facts.later(heard.text)
            or facts.earlier(heard.text)
            or facts.elsewhere(heard.text)
        ):
            return await self.times.again(draft, heard)
        before = dict(draft.details)
        draft.details |= proof(heard)
        rest = [name for name in lacking if not draft.details.get(name)]
        if (
            "name" in rest
            and heard.intent not in ("greet", "thanks", "help", "affirm")
            and (called := facts.name(heard.text))
        ):
            draft.details["name"] = called
        if (
            draft.details == before
            and self._desk.wanted(heard.text, heard.now)
            and not facts.tries_birth_date(heard.text)
        ):
            return await self.times.again(draft, heard)
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
        if heard.intent == "deny" and not self._desk.wanted(heard.text, heard.now):
            draft.changing = True
            return True
        if QUESTION.search(heard.text):
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
            return await self.times.other_place(draft)
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
        told = proof(heard)
        if told:
            draft.details |= told
            draft.changing = False
            return True
        if re.search(r"\b(gegevens|naam|geboortedatum|telefoon\w*|nummer)\b", heard.text, re.IGNORECASE):
            draft.details, draft.changing = {}, False
            return True
        if (
            self._desk.wanted(heard.text, heard.now)
            or facts.elsewhere(heard.text)
            or facts.earlier(heard.text)
            or facts.later(heard.text)
            or facts.location(heard.text, await self._desk.locations(draft))
            or re.search(r"\b(tijd|dag|moment|datum)\b", heard.text, re.IGNORECASE)
        ):
            return await self.times.again(draft, heard)
        return False


_BAD = {
    "name": "appointment_name_bad",
    "birth_date": "appointment_birth_date_bad",
    "phone": "appointment_phone_bad",
    "email": "appointment_email_bad",
}
