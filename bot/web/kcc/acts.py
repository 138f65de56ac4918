"""What an agent does on the console: each act is one POST with JSON, and is answered with what to say about it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.desk import Agent, Desk, DeskError, Outcome
from bot.files import Files
from bot.offers import Offers
from bot.ports import Refused
from bot.signs import Signs
from bot.web.kcc.doors import As, Door, problem
from bot.web.kcc.shelf import Shelf
from bot.web.kcc.words import PRESENCES
from bot.web.member import Member, Permission
from bot.window import TemplateError, WindowClosed

LONGEST = 4_000
"""Characters of a message or a note."""

_HERE = "/kcc/conversations/{id}"


class Acts:
    """Does them. `as_agent` makes an agent of a member."""

    def __init__(
        self, desk: Desk, offers: Offers, files: Files, signs: Signs, shelf: Shelf, as_agent: As
    ) -> None:
        self._desk = desk
        self._offers = offers
        self._files = files
        self._signs = signs
        self._shelf = shelf
        self._as_agent = as_agent

    def doors(self) -> list[Door]:
        """All of them."""
        acts: Mapping[str, Callable[[web.Request, Agent], Awaitable[dict[str, Any]]]] = {
            "/kcc/presence": self.presence,
            "/kcc/next": self.next,
            f"{_HERE}/take": self.take,
            f"{_HERE}/decline": self.decline,
            f"{_HERE}/send": self.send,
            f"{_HERE}/template": self.template,
            f"{_HERE}/note": self.note,
            f"{_HERE}/return": self.give_back,
            f"{_HERE}/close": self.close,
            f"{_HERE}/handover": self.hand_over,
            f"{_HERE}/typing": self.typing,
        }
        doors = [Door("POST", path, Permission.ANSWER, self._guarded(act)) for path, act in acts.items()]
        return [*doors, Door("POST", "/kcc/files/{id}", Permission.SEE_FILES, self.open_file)]

    def _guarded(
        self, act: Callable[[web.Request, Agent], Awaitable[dict[str, Any]]]
    ) -> Callable[[web.Request, Member], Awaitable[web.StreamResponse]]:
        async def handler(request: web.Request, member: Member) -> web.StreamResponse:
            try:
                done = await act(request, self._as_agent(member))
            except WindowClosed:
                return problem(409, "U kunt deze bewoner nu alleen een sjabloon sturen.")
            except TemplateError:
                return problem(409, "Vul alle velden van het sjabloon in.")
            except DeskError as error:
                return problem(409, str(error))
            except Refused as error:
                return problem(error.status, error.reason)
            return web.json_response(done, headers={"Cache-Control": "no-store"})

        return handler

    async def presence(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """The console is there; and how the agent is, where they say so."""
        state = (await _body(request)).get("state")
        if state is not None and state not in PRESENCES:
            raise Refused("Deze aanwezigheid bestaat niet.")
        await self._desk.seen(agent, state)
        return {"told": f"U staat nu op: {PRESENCES[state]}."} if state else {}

    async def next(self, _request: web.Request, agent: Agent) -> dict[str, Any]:
        """Take who waits longest."""
        await self._is_here(agent)
        key = await self._desk.next(agent)
        if key is None:
            return {"told": "Er wacht niemand in uw rij."}
        return {"conversation": key, "told": "U heeft het gesprek."}

    async def take(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """Take this one."""
        await self._is_here(agent)
        await self._desk.take(_key(request), agent)
        return {"conversation": _key(request), "told": "U heeft het gesprek."}

    async def decline(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """Not this one now, which was offered."""
        await self._offers.decline(_key(request), agent.id)
        return {"told": "Het gesprek gaat naar een collega, en blijft in de rij."}

    async def _is_here(self, agent: Agent) -> None:
        """Who takes a conversation has a console that is open: without a sign of life it would go back at once."""
        await self._desk.seen(agent)

    async def send(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """Say something. `article` and `revision`: where the words come from."""
        body = await _body(request)
        text, hold = _text(body, "text"), body.get("hold") is True
        article, revision = body.get("article"), body.get("revision")
        source = None
        if isinstance(article, str) and isinstance(revision, int):
            source = (article, revision) if self._shelf.is_intact(text, article, revision) else None
        key = await self._desk.send(
            _key(request), agent, text, hold=hold, key=_message_key(body), source=source
        )
        return {"id": key, "told": "Bewaard tot de bewoner weer schrijft." if hold else ""}

    async def template(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """Say what may go outside the window."""
        body = await _body(request)
        values = {name[6:]: str(value) for name, value in body.items() if name.startswith("value-")}
        name = _text(body, "template")
        key = await self._desk.template(_key(request), agent, name, values, key=_message_key(body))
        return {"id": key, "told": "Het sjabloon gaat weg."}

    async def note(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """Write for colleagues."""
        await self._desk.note(_key(request), agent, _text(await _body(request), "text"))
        return {"told": "De notitie is bewaard."}

    async def give_back(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """Klaartje goes on."""
        await self._desk.give_back(_key(request), agent, _outcome(await _body(request)))
        return {"told": "Klaartje gaat verder met dit gesprek."}

    async def close(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """It is over."""
        await self._desk.close(_key(request), agent, _outcome(await _body(request)))
        return {"told": "Het gesprek is afgesloten."}

    async def hand_over(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """To a team or a colleague: `to` is `team:<name>` or `agent:<id>`."""
        body = await _body(request)
        kind, _, name = str(body.get("to") or "").partition(":")
        where: dict[str, str] = {"team" if kind == "team" else "to": name} if name else {}
        await self._desk.hand_over(_key(request), agent, _text(body, "reason"), **where)
        return {"told": "Het gesprek is overgedragen."}

    async def typing(self, request: web.Request, agent: Agent) -> dict[str, Any]:
        """The agent types."""
        await self._signs.typing(_key(request), agent.id)
        return {}

    async def open_file(self, request: web.Request, member: Member) -> web.StreamResponse:
        """A link to a file, for some minutes."""
        token = await self._files.link(request.match_info["id"], actor=member.id)
        if token is None:
            return problem(404, "Dit bestand is er niet (meer).")
        return web.json_response({"url": f"/kcc/files/{token}"}, headers={"Cache-Control": "no-store"})


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except (ValueError, RecursionError):
        raise Refused("Dit verzoek is niet te lezen.") from None
    if not isinstance(body, dict):
        raise Refused("Dit verzoek is niet te lezen.")
    return body


def _key(request: web.Request) -> str:
    return request.match_info["id"]


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise Refused("Vul eerst iets in.")
    if len(text) > LONGEST:
        raise Refused(f"De tekst is te lang: er mogen {LONGEST} tekens in.")
    return text


def _message_key(body: Mapping[str, Any]) -> str | None:
    """The id that the page gave its message: sent again, it is said once."""
    value = body.get("id")
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        raise Refused("Dit verzoek is niet te lezen.") from None


def _outcome(body: Mapping[str, Any]) -> Outcome:
    value = body.get("outcome")
    if value not in set(Outcome):
        raise Refused("Kies hoe het gesprek is afgelopen.")
    return Outcome(value)
