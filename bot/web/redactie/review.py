"""From draft to published: a colleague looks at it, the gate is gone through, and every old version can come back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.clock import AMSTERDAM, Clock
from bot.drafts import Drafts
from bot.editing import Editing
from bot.ports import Refused
from bot.staff.members import Members
from bot.staff.roles import Permission
from bot.staff.sessions import Visit
from bot.standing import DraftError, Standing
from bot.web.redactie import words
from bot.web.redactie.fields import LABELS, seen_of
from bot.web.redactie.pages import ARTICLE, PLACE
from bot.web.staff.account import who
from bot.web.staff.door import Door, see_other
from bot.web.staff.form import field
from bot.web.staff.words import moment, person
from bot.worddiff import changes

_REMARK = 500


class ReviewPages:
    """What comes after writing."""

    def __init__(self, door: Door, drafts: Drafts, editing: Editing, members: Members, clock: Clock) -> None:
        self._door = door
        self._drafts = drafts
        self._editing = editing
        self._members = members
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Looking needs the permission to edit; what residents notice needs that to publish."""
        edit, publish = Permission.EDIT_ARTICLES, Permission.PUBLISH_ARTICLES
        return [
            self._door.get(f"{ARTICLE}/controle", edit, self.show),
            self._door.post(f"{ARTICLE}/controle", publish, self.decide),
            self._door.get(f"{ARTICLE}/versies", edit, self.history),
            self._door.post(f"{ARTICLE}/versies", edit, self.restore),
            self._door.post(f"{ARTICLE}/weggooien", edit, self.discard),
            self._door.post(f"{ARTICLE}/intrekken", publish, self.withdraw),
        ]

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """What is new in it, how it looks, and what the gate says."""
        standing = await self._standing(request)
        done = words.DONE.get(request.query.get("gelukt", ""), "")
        return await self._review(visit, standing, done=done)

    async def decide(self, request: web.Request, visit: Visit) -> web.Response:
        """Publish it now or later, or send it back."""
        form, standing = await request.post(), await self._standing(request)
        doing, slug, actor = field(form, "doen"), standing.slug, who(visit).name
        if doing == "terug":
            remark = " ".join(field(form, "remark").split())[:_REMARK]
            if not remark:
                wrong = {"remark": "Schrijf wat er anders moet."}
                return await self._review(visit, standing, errors=wrong)
            back = self._drafts.send_back(slug, seen_of(form), actor, remark)
            return await self._done(visit, standing, back, "terug")
        at, errors = None, {}
        if doing == "plannen":
            at = _moment(field(form, "at"))
            errors = {} if at else {"at": "Kies een dag en een tijd."}
        elif doing != "publiceren":
            raise Refused("there is no such deed", 404)
        gate = await self._gate(standing)
        errors |= gate["errors"]
        if gate["doubts"] and not field(form, "toch"):
            errors["toch"] = "Er zijn twijfels. Lees ze, en kruis aan dat u toch wilt publiceren."
        if errors:
            return await self._review(visit, standing, errors=errors, gate=gate)
        publish = self._drafts.publish(slug, seen_of(form), actor, at)
        return await self._done(visit, standing, publish, "gepland" if at else "gepubliceerd")

    async def _done(self, visit: Visit, standing: Standing, deed: Awaitable[Any], done: str) -> web.Response:
        try:
            await deed
        except DraftError as error:
            now = await self._drafts.standing(standing.slug)
            return await self._review(visit, now, errors={"main": words.WHY[error.why]})
        return see_other(f"{PLACE}/artikel/{standing.slug}?gelukt={done}")

    async def _gate(self, standing: Standing) -> dict[str, Any]:
        """What keeps the draft from residents (`errors`), and what makes one doubt."""
        if standing.draft is None:
            return {"errors": {}, "doubts": False, "judged": None, "beside": None}
        judged = await asyncio.to_thread(self._editing.judge, standing.draft.content)
        beside = await self._editing.beside(judged.content) if judged.content is not None else None
        errors = {**judged.errors, **(beside.errors if beside else {})}
        doubts = not judged.plain or beside is None or bool(beside.stolen)
        return {"errors": errors, "doubts": doubts, "judged": judged, "beside": beside}

    async def _review(
        self,
        visit: Visit,
        standing: Standing,
        *,
        errors: dict[str, str] | None = None,
        gate: dict[str, Any] | None = None,
        done: str = "",
    ) -> web.Response:
        draft, mine = standing.draft, who(visit)
        gate = gate or await self._gate(standing)
        shown = {**(errors or {})}
        own = bool(draft and self._drafts.four_eyes and mine.name in draft.authors)
        return self._door.look.page(
            "article_review",
            visit,
            status=422 if shown else 200,
            errors=shown,
            standing=standing,
            draft=draft,
            authors=", ".join(await self._members.display_names(list(draft.authors))) if draft else "",
            when=moment(draft.publish_at, self._clock()) if draft and draft.publish_at else "",
            changed=changes(standing.published or {}, draft.content) if draft else [],
            previews=self._editing.preview(draft.content, "") if draft else [],
            gate=gate,
            own=own,
            four_eyes=self._drafts.four_eyes,
            may_publish=mine.may(Permission.PUBLISH_ARTICLES),
            seen=f"{standing.seen.version}.{standing.seen.revision}",
            channels=words.CHANNELS,
            labels=LABELS,
            done=done,
        )

    async def history(self, request: web.Request, visit: Visit) -> web.Response:
        """Every version, with what it changed in the one before."""
        standing = await self._standing(request)
        found = await self._drafts.revisions(standing.slug)
        authors = sorted({one.author for one in found})
        names = dict(zip(authors, await self._members.display_names(authors), strict=True))
        older = [*found[1:], None]
        return self._door.look.page(
            "article_history",
            visit,
            standing=standing,
            versions=[
                {
                    "number": one.number,
                    "when": moment(one.at, self._clock()),
                    "author": person(one.author, names[one.author]),
                    "changed": changes(before.content, one.content) if before else [],
                    "first": before is None,
                }
                for one, before in zip(found, older, strict=True)
            ],
            seen=f"{standing.seen.version}.{standing.seen.revision}",
            labels=LABELS,
        )

    async def restore(self, request: web.Request, visit: Visit) -> web.Response:
        """An old text becomes the draft."""
        form = await request.post()
        number = field(form, "versie")
        wanted = int(number) if number.isdecimal() and len(number) < 10 else 0
        return await self._plain(
            request,
            visit,
            "teruggezet",
            lambda slug, seen, actor: self._drafts.restore(slug, wanted, seen, actor),
        )

    async def discard(self, request: web.Request, visit: Visit) -> web.Response:
        """The draft goes."""
        return await self._plain(request, visit, "weggegooid", self._drafts.discard)

    async def withdraw(self, request: web.Request, visit: Visit) -> web.Response:
        """Residents get it no more."""
        return await self._plain(request, visit, "ingetrokken", self._drafts.withdraw)

    async def _plain(self, request: web.Request, visit: Visit, done: str, deed: Any) -> web.Response:
        """A deed that needs nothing but what was seen."""
        form, standing = await request.post(), await self._standing(request)
        try:
            await deed(standing.slug, seen_of(form), who(visit).name)
        except DraftError as error:
            now = await self._drafts.standing(standing.slug)
            return await self._review(visit, now, errors={"main": words.WHY[error.why]})
        if done == "weggegooid":
            return see_other(f"{PLACE}?gelukt={done}")
        return see_other(f"{PLACE}/artikel/{standing.slug}?gelukt={done}")

    async def _standing(self, request: web.Request) -> Standing:
        try:
            return await self._drafts.standing(request.match_info["slug"])
        except DraftError as error:
            raise Refused(error.why.value, 404) from None


def _moment(text: str) -> datetime | None:
    """The moment in a field of the browser, in Amsterdam; None where there is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=AMSTERDAM) if found.tzinfo is None and 2000 <= found.year <= 2999 else None
