"""A stand-in for Open Klant 2 (klantinteracties) that keeps its rules, as recorded of the real one, and what it got.

In a test: `async with FakeOpenKlant() as fake: registry = OpenKlant(fake.url, fake.token, fake.team)`.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests.fakes.openklant_rules import FIELDS, IDENTIFICATOR, Json, Refusal, checked, invalid

BASE = "/klantinteracties/api/v1"
NOW = "2026-11-23T09:00:00.000000Z"

FILTERS: Mapping[str, Mapping[str, str]] = {
    "klantcontacten": {"referentienummer": "referentienummer", "nummer": "nummer", "kanaal": "kanaal"},
    "betrokkenen": {"hadKlantcontact__uuid": "hadKlantcontact.uuid"},
    "digitaleadressen": {
        "verstrektDoorBetrokkene__uuid": "verstrektDoorBetrokkene.uuid",
        "adres": "adres",
        "soortDigitaalAdres": "soortDigitaalAdres",
    },
    "onderwerpobjecten": {
        "klantcontact__uuid": "klantcontact.uuid",
        "onderwerpobjectidentificatorObjectId": "onderwerpobjectidentificator.objectId",
        "onderwerpobjectidentificatorCodeObjecttype": "onderwerpobjectidentificator.codeObjecttype",
        "onderwerpobjectidentificatorCodeRegister": "onderwerpobjectidentificator.codeRegister",
        "onderwerpobjectidentificatorCodeSoortObjectId": "onderwerpobjectidentificator.codeSoortObjectId",
    },
    "actoren": {"naam": "naam", "soortActor": "soortActor"},
    "internetaken": {
        "aanleidinggevendKlantcontact__uuid": "aanleidinggevendKlantcontact.uuid",
        "klantcontact__uuid": "aanleidinggevendKlantcontact.uuid",
        "referentienummer": "referentienummer",
        "status": "status",
    },
}
"""The questions of a list that it knows here, with what they are about; others are an error, as they are there."""


@dataclass
class Mishap:
    """What goes wrong, at calls of a method to a path (all where empty), so many times. `after`: it is done first.
    `status` with a `body`, or the connection breaks; `wait` seconds pass before."""

    status: int | None = None
    body: bytes = b""
    method: str = ""
    path: str = ""
    times: int = 1_000_000
    after: bool = False
    wait: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)

    def meets(self, method: str, path: str) -> bool:
        """Whether this call is one of them."""
        return self.times > 0 and self.method in ("", method) and self.path in ("", path)


class FakeOpenKlant:
    """The server. `rows` is what is in it, by resource; `calls` what was asked, in order; `mishap` what goes wrong.

    `numbers`: whether it knows the field `referentienummer`, as it does since 2.16.
    """

    def __init__(self, *, numbers: bool = True) -> None:
        self.token = "geheim-van-open-klant"
        self.rows: dict[str, list[Json]] = {name: [] for name in FIELDS}
        self.calls: list[tuple[str, str]] = []
        self.bodies: list[Json] = []
        self.mishap: Mishap | None = None
        self.filters = True
        """Whether lists are of what was asked for; else of all there is."""
        self.url = ""
        self._numbers = numbers
        self._runner: web.AppRunner | None = None
        self.team = self._add(
            "actoren",
            {
                "naam": "KCC",
                "soortActor": "organisatorische_eenheid",
                "indicatieActief": True,
                "actoridentificator": dict(IDENTIFICATOR),
                "actorIdentificatie": {"omschrijving": "", "emailadres": "", "faxnummer": ""},
            },
        )["uuid"]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner
        await self._runner.cleanup()

    def put(self, resource: str, **values: Any) -> Json:
        """Somebody else's row."""
        given = {name: one.default for name, one in FIELDS[resource].items()}
        return self._add(resource, given | values)

    def of(self, resource: str, **values: Any) -> list[Json]:
        """The rows with these values."""
        return [row for row in self.rows[resource] if all(row[name] == one for name, one in values.items())]

    # -- the calls ------------------------------------------------------------------------------------------

    async def _take(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(f"{BASE}/")
        self.calls.append((request.method, path))
        mishap = self.mishap if self.mishap and self.mishap.meets(request.method, path) else None
        answer: web.StreamResponse | None = None
        if mishap is None or mishap.after:
            answer = await self._answer(request, path)
        if mishap is None:
            assert answer
            return answer
        mishap.times -= 1
        await asyncio.sleep(mishap.wait)
        if mishap.status is not None:
            return web.Response(status=mishap.status, body=mishap.body, headers=dict(mishap.headers))
        if mishap.wait and answer is None:
            return await self._answer(request, path)
        assert request.transport
        request.transport.abort()
        return web.Response()

    async def _answer(self, request: web.Request, path: str) -> web.Response:
        try:
            if not request.path.startswith(f"{BASE}/"):
                raise _missing()
            if request.headers.get("Authorization") != f"Token {self.token}":
                title = "Ongeldige authenticatiegegevens."
                raise Refusal(401, "authentication_failed", title, detail="Ongeldige token.")
            status, value = self._do(request.method, path, request.query, await request.read())
        except Refusal as refusal:
            status, value = refusal.status, refusal.body(self.url)
        return web.json_response(value, status=status, headers={"API-version": "0.9.0"})

    def _do(self, method: str, path: str, query: Mapping[str, str], content: bytes) -> tuple[int, Json]:
        resource, _, key = path.partition("/")
        if method == "POST" and path == "maak-klantcontact":
            return 201, self._make(self._body(content))
        if resource not in self.rows:
            raise _missing()
        match method, key:
            case "GET", "":
                return 200, self._list(resource, query)
            case "POST", "":
                return 201, self._shown(resource, self._create(resource, self._body(content)))
            case "GET", _:
                return 200, self._shown(resource, self._one(resource, key))
            case "PATCH", _ if resource == "internetaken":
                row = self._one(resource, key)
                row.update(self._body(content))
                row["afgehandeldOp"] = NOW if row["status"] == "verwerkt" else None
                return 200, self._shown(resource, row)
        raise Refusal(405, "method_not_allowed", f'Methode "{method}" niet toegestaan.')

    def _body(self, content: bytes) -> Json:
        try:
            body = json.loads(content)
        except ValueError:
            raise Refusal(400, "parse_error", "JSON parse error") from None
        self.bodies.append(body)
        return body if isinstance(body, dict) else {}

    def _list(self, resource: str, query: Mapping[str, str]) -> Json:
        known = FILTERS[resource]
        if unknown := [name for name in query if name not in (*known, "page", "pageSize", "expand")]:
            raise invalid(
                *((name, "unknown-parameters", f"Onbekende query parameters: {name}") for name in unknown)
            )
        found = [
            self._shown(resource, row)
            for row in reversed(self.rows[resource])
            if not self.filters
            or all(_at(row, place) == query[name] for name, place in known.items() if name in query)
        ]
        size, page = min(int(query.get("pageSize", "100")), 500), int(query.get("page", "1"))
        if page > 1 and (page - 1) * size >= len(found):
            raise Refusal(404, "not_found", "Ongeldige pagina.")
        more = page * size < len(found)
        return {
            "count": len(found),
            "next": f"{self.url}{BASE}/{resource}?page={page + 1}" if more else None,
            "previous": f"{self.url}{BASE}/{resource}?page={page - 1}" if page > 1 else None,
            "results": found[(page - 1) * size : page * size],
        }

    def _create(self, resource: str, body: Json, but: tuple[str, ...] = ()) -> Json:
        if not self._numbers:
            body = {name: value for name, value in body.items() if name != "referentienummer"}
        return self._add(resource, checked(resource, body, self._exists, self._taken(resource), but))

    def _make(self, body: Json) -> Json:
        """Contact, who was in contact and what it is about: all of them or none."""
        parts = {"betrokkene": "hadKlantcontact", "onderwerpobject": "klantcontact"}
        resources = {"betrokkene": "betrokkenen", "onderwerpobject": "onderwerpobjecten"}
        if "klantcontact" not in body:
            raise invalid(("klantcontact", "required", "Dit veld is vereist."))
        wrong: list[tuple[str, str, str]] = []
        for name, resource in {"klantcontact": "klantcontacten", **resources}.items():
            if name not in body:
                continue
            try:
                but = (parts[name],) if name in parts else ()
                checked(resource, body[name], self._exists, self._taken(resource), but)
            except Refusal as refusal:
                wrong += [(f"{name}.{p['name']}", p["code"], p["reason"]) for p in refusal.params or ()]
        if wrong:
            raise invalid(*wrong)
        contact = self._create("klantcontacten", body["klantcontact"])
        made: Json = {}
        for name, resource in resources.items():
            if name in body:
                link = {parts[name]: {"uuid": contact["uuid"]}}
                made[name] = self._shown(resource, self._create(resource, body[name] | link))
        return {"klantcontact": self._shown("klantcontacten", contact), **made}

    # -- what is in it --------------------------------------------------------------------------------------

    def _add(self, resource: str, values: Json) -> Json:
        row = {"uuid": str(uuid.uuid4()), **json.loads(json.dumps(values))}
        if resource == "internetaken":
            row["toegewezenAanActoren"] = row["toegewezenAanActoren"] or [row["toegewezenAanActor"]]
            row |= {"toegewezenOp": NOW, "afgehandeldOp": None}
        self.rows[resource].append(row)
        return row

    def _one(self, resource: str, key: str) -> Json:
        found = [row for row in self.rows[resource] if row["uuid"] == key]
        if not found:
            raise _missing()
        return found[0]

    def _exists(self, resource: str, key: str) -> bool:
        return any(row["uuid"] == key for row in self.rows.get(resource, ()))

    def _taken(self, resource: str) -> Any:
        return lambda name, value: any(row[name] == value for row in self.rows[resource])

    def _link(self, resource: str, key: str) -> Json:
        return {"uuid": key, "url": f"{self.url}{BASE}/{resource}/{key}"}

    def _links(self, resource: str, place: str, key: str) -> list[Json]:
        return [self._link(resource, row["uuid"]) for row in self.rows[resource] if _at(row, place) == key]

    def _shown(self, resource: str, row: Json) -> Json:
        key = row["uuid"]
        shown = self._link(resource, key) | row
        for name, one in FIELDS[resource].items():
            if one.to and row[name]:
                links = [
                    self._link(one.to, inner["uuid"]) for inner in (row[name] if one.many else [row[name]])
                ]
                shown[name] = links if one.many else links[0]
        match resource:
            case "klantcontacten":
                shown |= {
                    "gingOverOnderwerpobjecten": self._links("onderwerpobjecten", "klantcontact.uuid", key),
                    "hadBetrokkenActoren": [],
                    "omvatteBijlagen": [],
                    "hadBetrokkenen": self._links("betrokkenen", "hadKlantcontact.uuid", key),
                    "leiddeTotInterneTaken": self._links(
                        "internetaken", "aanleidinggevendKlantcontact.uuid", key
                    ),
                }
            case "betrokkenen":
                place = "verstrektDoorBetrokkene.uuid"
                name = row["contactnaam"] or {}
                whole = " ".join(filter(None, (name.get("voornaam"), name.get("achternaam"))))
                shown |= {
                    "digitaleAdressen": self._links("digitaleadressen", place, key),
                    "volledigeNaam": whole,
                }
            case "internetaken":
                shown["toegewezenAanActor"] = shown["toegewezenAanActoren"][0]
        return shown


def _missing() -> Refusal:
    return Refusal(404, "not_found", "Niet gevonden.")


def _at(row: Json, place: str) -> Any:
    value: Any = row
    for name in place.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
