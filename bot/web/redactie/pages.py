"""`/redactie`: the list of articles, the form of one, and the box to try a question in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.articles import PAGE, Articles, Shown, Sought
from bot.clock import AMSTERDAM, Clock
from bot.drafts import Drafts
from bot.editing import Editing
from bot.ports import Refused
from bot.staff.members import Members
from bot.staff.roles import Permission
from bot.staff.sessions import Visit
from bot.standing import Content, DraftError, Seen, Standing, Why
from bot.web.redactie import words
from bot.web.redactie.fields import ASPECTS, LABELS, WAYS, content_of, seen_of, slug_of, values_of
from bot.web.staff.account import who
from bot.web.staff.door import Door, see_other
from bot.web.staff.form import field
from bot.worddiff import changes

PLACE = "/redactie"
ARTICLE = f"{PLACE}/artikel/{{slug}}"
_QUESTION = 400


class EditorPages:
    """All that writing needs."""

    def __init__(
        self, door: Door, drafts: Drafts, articles: Articles, editing: Editing, members: Members, clock: Clock
    ) -> None:
        self._door = door
        self._drafts = drafts
        self._articles = articles
        self._editing = editing
        self._members = members
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """All of them need the permission to edit articles."""
        needs = Permission.EDIT_ARTICLES
        return [
            self._door.get(PLACE, needs, self.show),
            self._door.get(f"{PLACE}/nieuw", needs, self.new),
            self._door.post(f"{PLACE}/nieuw", needs, self.add),
            self._door.get(f"{PLACE}/proberen", needs, self.attempt),
            self._door.post(f"{PLACE}/bekijk", needs, self.look),
            self._door.get(ARTICLE, needs, self.edit),
            self._door.post(ARTICLE, needs, self.write),
        ]

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """The list, or what is looked for."""
        asked = {
            name: request.query.get(name, "").strip()[:128] for name in ("zoek", "thema", "afdeling", "staat")
        }
        asked["nakijken"] = "ja" if request.query.get("nakijken") else ""
        state = Shown(asked["staat"]) if asked["staat"] in set(Shown) else None
        page = request.query.get("pagina", "1")
        number = int(page) if page.isdecimal() and 0 < len(page) < 6 and int(page) else 1
        sought = Sought(asked["zoek"], asked["thema"], asked["afdeling"], state, bool(asked["nakijken"]))
        found = await self._articles.page(sought, number)
        kept = {name: value for name, value in asked.items() if value}
        return self._door.look.page(
            "articles",
            visit,
            found=found,
            asked=asked,
            themes=[(name, name) for name in await self._articles.names("theme")],
            owners=[(name, name) for name in await self._articles.names("owner")],
            states=words.SHOWN,
            today=self._clock().astimezone(AMSTERDAM).date(),
            day=words.day,
            done=words.DONE.get(request.query.get("gelukt", ""), ""),
            before=urlencode({**kept, "pagina": number - 1}) if number > 1 else "",
            after=urlencode({**kept, "pagina": number + 1}) if found.total > number * PAGE else "",
            number=number,
        )

    async def new(self, _request: web.Request, visit: Visit) -> web.Response:
        """An empty form."""
        return await self._form(visit, None, {})

    async def add(self, request: web.Request, visit: Visit) -> web.Response:
        """A new article, or a look at what it will be."""
        form = await request.post()
        slug = slug_of(field(form, "slug")) or slug_of(field(form, "title"))
        content = content_of(form, slug, None)
        if field(form, "doen") == "bekijk":
            return await self._form(visit, None, content, part=field(form, "part"))
        if not slug:
            return await self._form(visit, None, content, errors={"title": "Vul een titel in."})
        if not await self._drafts.create(slug, content, who(visit).name):
            wrong = {"slug": f"Er is al een artikel met de naam {slug}. Kies een andere korte naam."}
            return await self._form(visit, None, content, errors=wrong)
        return await self._saved(visit, slug, content, Seen(1, 0), field(form, "doen"))

    async def edit(self, request: web.Request, visit: Visit) -> web.Response:
        """One article, with who else has it open."""
        standing = await self.standing(request)
        done = words.DONE.get(request.query.get("gelukt", ""), "")
        return await self._form(visit, standing, await self._last(standing), done=done)

    async def write(self, request: web.Request, visit: Visit) -> web.Response:
        """Keep what was written, look at it, or ask a colleague to look at it."""
        form, standing = await request.post(), await self.standing(request)
        content = content_of(form, standing.slug, await self._last(standing))
        doing = field(form, "doen")
        if doing == "bekijk":
            return await self._form(visit, standing, content, seen=seen_of(form), part=field(form, "part"))
        try:
            seen = await self._drafts.save(standing.slug, content, seen_of(form), who(visit).name)
        except DraftError as error:
            if error.why is not Why.CHANGED:
                raise Refused(error.why.value, 404) from None
            now = await self._drafts.standing(standing.slug)
            theirs = changes(now.content or {}, content)
            return await self._form(visit, now, content, theirs=theirs, status=409)
        return await self._saved(visit, standing.slug, content, seen, doing)

    async def _saved(self, visit: Visit, slug: str, content: Content, seen: Seen, doing: str) -> web.Response:
        """On to the next page; to the review only with an article that is whole."""
        if doing != "controle":
            return see_other(f"{PLACE}/artikel/{slug}?gelukt=opgeslagen")
        judged = self._editing.judge(content)
        if judged.errors:
            standing = await self._drafts.standing(slug)
            return await self._form(visit, standing, content, errors=dict(judged.errors))
        await self._drafts.submit(slug, seen, who(visit).name)
        return see_other(f"{PLACE}/artikel/{slug}/controle?gelukt=controle")

    async def look(self, request: web.Request, visit: Visit) -> web.Response:
        """The part beside the form, for the script: how it looks, and what can be plainer."""
        form = await request.post()
        slug, content = field(form, "of"), content_of(form, field(form, "slug"), None)
        others = await self._others(slug, visit) if slug else []
        return self._door.look.page(
            "article_view", visit, **self._view(content, field(form, "part")), others=others
        )

    async def attempt(self, request: web.Request, visit: Visit) -> web.Response:
        """What Klaartje would answer."""
        question = request.query.get("vraag", "").strip()[:_QUESTION]
        tried = await self._editing.attempt(question) if question else None
        return self._door.look.page("article_try", visit, question=question, tried=tried, routes=words.ROUTES)

    async def standing(self, request: web.Request) -> Standing:
        """The article that the address names. Raises `Refused`."""
        try:
            return await self._drafts.standing(request.match_info["slug"])
        except DraftError as error:
            raise Refused(error.why.value, 404) from None

    async def _last(self, standing: Standing) -> Content:
        """Where writing begins; of a withdrawn article that is what residents read last."""
        if standing.content is not None:
            return standing.content
        old = await self._drafts.revisions(standing.slug, 1)
        return old[0].content if old else {"slug": standing.slug}

    async def _others(self, slug: str, visit: Visit) -> list[str]:
        """Who else has it open, by the name that colleagues see."""
        names = await self._drafts.visit(slug, who(visit).name)
        return await self._members.display_names(names)

    def _view(self, content: Content, part: str) -> dict[str, Any]:
        return {
            "judged": self._editing.judge(content),
            "previews": self._editing.preview(content, part),
            "part": part,
            "channels": words.CHANNELS,
            "labels": LABELS,
        }

    async def _form(
        self,
        visit: Visit,
        standing: Standing | None,
        content: Content,
        *,
        errors: dict[str, str] | None = None,
        seen: Seen | None = None,
        status: int = 200,
        theirs: Any = (),
        done: str = "",
        part: str = "",
    ) -> web.Response:
        now = seen or (standing.seen if standing else Seen(0, 0))
        return self._door.look.page(
            "article",
            visit,
            status=422 if errors else status,
            errors=errors or {},
            standing=standing,
            values=values_of(content),
            seen=f"{now.version}.{now.revision}",
            others=await self._others(standing.slug, visit) if standing else [],
            theirs=theirs,
            done=done,
            aspects=ASPECTS,
            ways=WAYS,
            variables=sorted(self._editing.variables.items()),
            themes=await self._articles.names("theme"),
            owners=await self._articles.names("owner"),
            four_eyes=self._drafts.four_eyes,
            **self._view(content, part),
        )
