"""The list of staff on pages, for administrators: who works here, with which roles and teams, who may in no more."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.municipality import Municipality
from bot.ports import Refused
from bot.staff.members import MOST, Member, Members, StaffError, Wanted, Why, member_of, state_of
from bot.staff.roles import DUTCH, Permission, known
from bot.staff.sessions import Visit
from bot.web.staff import words
from bot.web.staff.account import who
from bot.web.staff.deeds import DEEDS, DONE, Deed
from bot.web.staff.door import Door, see_other
from bot.web.staff.form import field, fields

PLACE = "/beheer/medewerkers"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff as the pages show them."""

    member: Member
    state: str
    roles: str
    teams: str
    seen: str

    @property
    def disabled(self) -> bool:
        """Whether they are let in no more."""
        return self.state == words.STATES["disabled"]

    def is_like(self, term: str) -> bool:
        """Whether this is who is looked for."""
        return term.lower() in f"{self.member.name} {self.member.display_name}".lower()


class PeoplePages:
    """`/beheer/medewerkers`. `local`: whether there are passwords with us; `link_of` makes a link of its token."""

    def __init__(
        self,
        door: Door,
        members: Members,
        municipality: Municipality,
        link_of: Callable[[str], str],
        clock: Clock,
        *,
        local: bool,
    ) -> None:
        self._door = door
        self._members = members
        self._teams = {team.name: team.title for team in municipality.teams}
        self._usual = municipality.most_conversations
        self._link_of = link_of
        self._clock = clock
        self._local = local

    def routes(self) -> list[web.RouteDef]:
        """All of them need the permission to manage staff."""

        def look(path: str, handler: Any) -> web.RouteDef:
            return self._door.get(f"{PLACE}{path}", Permission.MANAGE_STAFF, handler)

        def do(path: str, handler: Any) -> web.RouteDef:
            return self._door.post(f"{PLACE}{path}", Permission.MANAGE_STAFF, handler)

        found = [look("", self.show)]
        if self._local:
            found += [look("/nieuw", self.new), do("/nieuw", self.add)]
        return [
            *found,
            look("/{id}", self.person),
            do("/{id}", self.change),
            look("/{id}/{deed}", self.ask),
            do("/{id}/{deed}", self.act),
        ]

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """Everybody, or who is looked for."""
        term = request.query.get("zoek", "").strip()[:64]
        everybody = [self._shown(row) for row in await self._members.listed()]
        return self._door.look.page(
            "people",
            visit,
            people=[one for one in everybody if one.is_like(term)],
            number=len(everybody),
            term=term,
            local=self._local,
            several=len(self._teams) > 1,
            done=DONE.get(request.query.get("gelukt", ""), ""),
        )

    async def new(self, _request: web.Request, visit: Visit) -> web.Response:
        """The form for somebody new."""
        return self._new(visit, {}, {})

    def _new(self, visit: Visit, errors: dict[str, str], given: dict[str, Any]) -> web.Response:
        values = {"name": "", "display": "", "role": [], "team": [], **given}
        return self._form("person_new", visit, errors, values=values)

    async def add(self, request: web.Request, visit: Visit) -> web.Response:
        """Add them; the answer shows the link, once."""
        form = await request.post()
        given = {"name": field(form, "name").strip(), **self._given(form)}
        errors = self._wrong(given)
        if not errors:
            try:
                token = await self._members.add(
                    given["name"],
                    given["display"],
                    known(given["role"]),
                    given["team"],
                    actor=who(visit).name,
                )
            except StaffError as error:
                errors = dict([words.WHY[error.why]])
            else:
                return self._link(visit, token, given["display"], given["name"].lower(), new=True)
        return self._new(visit, errors, given)

    async def person(self, request: web.Request, visit: Visit) -> web.Response:
        """One of them."""
        person = await self._person(request)
        return self._change(visit, person, {}, {}, done=DONE.get(request.query.get("gelukt", ""), ""))

    async def change(self, request: web.Request, visit: Visit) -> web.Response:
        """Take another name, other roles, other teams, another number of conversations; what the provider of a work
        account says stays as it is."""
        person, form = await self._person(request), await request.post()
        given = {**self._given(form), "most": field(form, "most").strip()[:16]}
        local, most = person.member.local, _most(given["most"])
        errors = self._wrong(given) if local else {}
        if most is None:
            errors |= dict([words.WHY[Why.BAD_MOST]])
        if not errors:
            wanted = Wanted(
                given["display"] if local else None,
                known(given["role"]) if local else None,
                self._teams_wanted(person.member, given["team"]),
                most,
            )
            try:
                await self._members.change(person.member.name, wanted, actor=who(visit).name, guarded=True)
            except StaffError as error:
                errors = dict([words.WHY[error.why]])
            else:
                return see_other(f"{PLACE}/{person.member.id}?gelukt=opslaan")
        return self._change(visit, person, errors, given)

    def _teams_wanted(self, member: Member, given: Iterable[str]) -> Iterable[str] | None:
        """None where the form has no teams, or the provider says them."""
        fixed = not member.local and self._members.teams_elsewhere
        return None if fixed or len(self._teams) < 2 else given

    def _change(
        self,
        visit: Visit,
        person: Person,
        errors: dict[str, str],
        given: dict[str, Any],
        *,
        done: str = "",
    ) -> web.Response:
        member = person.member
        boxes = {"role": list(member.roles), "team": list(member.teams)}
        now = {"display": member.display_name, "most": member.most or "", **boxes}
        return self._form(
            "person",
            visit,
            errors,
            person=person,
            values={**now, **given},
            usual=self._usual,
            mine=member.id == who(visit).id,
            teams_elsewhere=not member.local and self._members.teams_elsewhere,
            local=self._local,
            done=done,
        )

    async def ask(self, request: web.Request, visit: Visit) -> web.Response:
        """What will happen, before it does."""
        return self._ask(visit, await self._person(request), _deed(request))

    def _ask(self, visit: Visit, person: Person, deed: Deed, problem: str = "") -> web.Response:
        status = 422 if problem else 200
        more = {"person": person, "deed": deed, "problem": problem, "place": PLACE}
        return self._door.look.page("person_deed", visit, status=status, **more)

    async def act(self, request: web.Request, visit: Visit) -> web.Response:
        """Do it."""
        person, deed = await self._person(request), _deed(request)
        name, actor = person.member.name, who(visit).name
        try:
            if deed.key == "link":
                return await self._renew(visit, person)
            acts: dict[str, Callable[[], Awaitable[None]]] = {
                "blokkeren": lambda: self._members.disable(name, actor=actor, guarded=True),
                "toelaten": lambda: self._members.enable(name, actor=actor),
                "verwijderen": lambda: self._members.remove(name, actor=actor, guarded=True),
            }
            await acts[deed.key]()
        except StaffError as error:
            return self._ask(visit, person, deed, words.WHY[error.why][1])
        there = PLACE if deed.key == "verwijderen" else f"{PLACE}/{person.member.id}"
        return see_other(f"{there}?gelukt={deed.key}")

    async def _renew(self, visit: Visit, person: Person) -> web.Response:
        member = person.member
        token = await self._members.reset(member.name, actor=who(visit).name, guarded=True)
        return self._link(visit, token, member.display_name, member.name, new=False)

    def _link(self, visit: Visit, token: str, display: str, name: str, *, new: bool) -> web.Response:
        link = self._link_of(token)
        return self._door.look.page("person_link", visit, link=link, display=display, name=name, new=new)

    async def _person(self, request: web.Request) -> Person:
        """Who the address names. Raises `Refused`."""
        key = request.match_info["id"]
        row = next((one for one in await self._members.listed() if one.id == key), None)
        if row is None:
            raise Refused(Why.UNKNOWN, 404)
        return self._shown(row)

    def _shown(self, row: Any) -> Person:
        member, seen = member_of(row), row.seen_at or row.signed_in_at
        titles = [title for name, title in self._teams.items() if name in member.teams]
        return Person(
            member,
            words.STATES[state_of(row)],
            words.roles(row.roles) or "geen",
            ", ".join(titles) or "alle teams",
            words.moment(seen, self._clock()) if seen else "nog nooit",
        )

    def _given(self, form: Any) -> dict[str, Any]:
        """What somebody filled in; of boxes only those that we have."""
        return {
            "display": " ".join(field(form, "display").split())[:128],
            "role": sorted(known(fields(form, "role"))),
            "team": [name for name in fields(form, "team") if name in self._teams],
        }

    @staticmethod
    def _wrong(given: dict[str, Any]) -> dict[str, str]:
        wrong = {} if given["display"] else {"display": "Vul de naam van uw collega in."}
        if given.get("name") == "":
            wrong["name"] = "Vul een gebruikersnaam in."
        return wrong if given["role"] else {**wrong, **dict([words.WHY[Why.NO_ROLE]])}

    def _form(self, name: str, visit: Visit, errors: dict[str, str], **values: Any) -> web.Response:
        boxes = {"roles": [(role.value, said) for role, said in DUTCH.items()], "teams": self._teams.items()}
        status = 422 if errors else 200
        return self._door.look.page(name, visit, status=status, errors=errors, place=PLACE, **boxes, **values)


def _most(text: str) -> int | None:
    """How many conversations somebody filled in; 0 for nothing, None where it is no such number."""
    if not text:
        return 0
    number = int(text) if re.fullmatch("[0-9]{1,2}", text) else 0
    return number if 1 <= number <= MOST else None


def _deed(request: web.Request) -> Deed:
    found = DEEDS.get(request.match_info["deed"])
    if found is None:
        raise Refused("there is no such deed", 404)
    return found
