"""A stand-in for Open Zaak (zaken and catalogi, as far as a reader sees them) that keeps its rules, as recorded of the
real one, and what it was asked.

In a test: `async with FakeOpenZaak() as fake: cases = ZgwCases(fake.url, fake.client, fake.secret, RSIN)`.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

from tests.fakes.openklant import Mishap
from tests.fakes.openzaak_rules import Json, Refusal, check_question, check_token

BASE = "/zaken/api/v1"
CATALOGUE = "/catalogi/api/v1"
RSIN = "002564440"
STEPS = (
    ("Ontvangen", "Wij hebben uw aanvraag ontvangen."),
    ("In behandeling", "Wij behandelen uw aanvraag."),
    ("Besluit genomen", "Wij hebben een besluit genomen."),
)
"""The statuses of a type, with the text for who asked."""


class FakeOpenZaak:
    """The server. `cases`, `roles` and `statuses` are what is in it, `calls` what was asked; `mishap` what goes wrong.

    `filters`: whether lists are of what was asked for; else of all there is. `page`: rows on one page, at most.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.client, self.secret = "klaartje", "geheim-van-open-zaak-dat-lang-genoeg-is"
        self.cases: list[Json] = []
        self.roles: list[Json] = []
        self.statuses: list[Json] = []
        self.results: list[Json] = []
        self.types: dict[str, Json] = {}
        self.calls: list[str] = []
        self.tokens: list[str] = []
        self.mishap: Mishap | None = None
        self.filters = True
        self.page = 100
        self.url = ""
        self.clock = clock
        self._runner: web.AppRunner | None = None

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

    # -- what the municipality's people do ---------------------------------------------------------------------

    def open(
        self,
        reference: str,
        kind: str = "Kapvergunning",
        *,
        organisation: str = RSIN,
        home: Json | None = None,
        born: str = "19800201",
        who: str = "natuurlijk_persoon",
        role: str = "initiator",
        **values: Any,
    ) -> str:
        """A case with somebody who asked for it, not yet with a status; its uuid."""
        key = str(uuid.uuid4())
        address = f"{BASE}/zaken/{key}"
        row: Json = {
            "uuid": key,
            "identificatie": reference,
            "bronorganisatie": organisation,
            "omschrijving": "Kapvergunning Dorpsstraat 1, mevrouw Jansen",
            "zaaktype": self._kind(kind),
            "startdatum": "2026-10-01",
            "einddatum": None,
            "einddatumGepland": "2026-11-12",
            "uiterlijkeEinddatumAfdoening": "2026-12-24",
            "vertrouwelijkheidaanduiding": "openbaar",
            "verlenging": None,
            "opschorting": {"indicatie": False, "eerdereOpschorting": False, "reden": ""},
            "status": None,
            "resultaat": None,
        }
        self.cases.append(row | values)
        self.roles.append(
            {
                "uuid": str(uuid.uuid4()),
                "zaak": address,
                "betrokkeneType": who,
                "omschrijving": "Aanvrager",
                "omschrijvingGeneriek": role,
                "betrokkeneIdentificatie": {
                    "inpBsn": "999992958",
                    "geslachtsnaam": "Jansen",
                    "geboortedatum": born,
                    "verblijfsadres": home
                    if home is not None
                    else {
                        "aoaPostcode": "1234AB",
                        "aoaHuisnummer": 12,
                        "aoaHuisletter": "",
                        "aoaHuisnummertoevoeging": "",
                    },
                },
            }
        )
        return key

    def set_status(self, key: str, number: int, at: datetime | None = None, *, result: str = "") -> None:
        """The next status of a case; the last one ends it, with a result."""
        row = self._one(self.cases, key)
        found = {
            "uuid": str(uuid.uuid4()),
            "zaak": f"{BASE}/zaken/{key}",
            "statustype": f"{row['zaaktype']}/{number}",
            "datumStatusGezet": (at or datetime.now(UTC)).isoformat().replace("+00:00", "Z"),
            "statustoelichting": "alleen voor collega's",
        }
        self.statuses.append(found)
        row["status"] = f"{BASE}/statussen/{found['uuid']}"
        if number == len(STEPS) - 1:
            row["einddatum"] = found["datumStatusGezet"][:10]
            outcome = {"uuid": str(uuid.uuid4()), "omschrijving": result or "Verleend"}
            self.results.append(outcome)
            row["resultaat"] = f"{BASE}/resultaten/{outcome['uuid']}"

    def change(self, key: str, **values: Any) -> None:
        """Something else of a case."""
        self._one(self.cases, key).update(values)

    def remove(self, key: str) -> None:
        """Take a case away."""
        self.cases = [row for row in self.cases if row["uuid"] != key]

    def notice(self, key: str) -> Json:
        """What the Notificaties API posts when a status was set."""
        case = f"{self.url}{BASE}/zaken/{key}"
        return {
            "kanaal": "zaken",
            "hoofdObject": case,
            "resource": "status",
            "resourceUrl": f"{self.url}{BASE}/statussen/{uuid.uuid4()}",
            "actie": "create",
            "aanmaakdatum": "2026-11-23T09:00:00Z",
            "kenmerken": {"bronorganisatie": RSIN, "zaaktype": "", "vertrouwelijkheidaanduiding": "openbaar"},
        }

    # -- the calls ---------------------------------------------------------------------------------------------

    async def _take(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(f"{BASE}/")
        self.calls.append(path)
        self.tokens.append(request.headers.get("Authorization", ""))
        if self.mishap and self.mishap.meets(request.method, path):
            self.mishap.times -= 1
            await asyncio.sleep(self.mishap.wait)
            if self.mishap.status is not None:
                headers = dict(self.mishap.headers)
                return web.Response(status=self.mishap.status, body=self.mishap.body, headers=headers)
            if not self.mishap.wait:
                assert request.transport
                request.transport.abort()
                return web.Response()
        try:
            value = self._answer(request, path)
        except Refusal as refusal:
            return web.json_response(refusal.body(self.url), status=refusal.status, headers=_HEADERS)
        return web.json_response(value, headers=_HEADERS)

    def _answer(self, request: web.Request, path: str) -> Json:
        if not request.path.startswith(f"{BASE}/"):
            raise Refusal(404, "not_found")
        check_token(request.headers.get("Authorization", ""), {self.client: self.secret}, self.clock())
        resource, _, key = path.partition("/")
        rows = {"zaken": self.cases, "rollen": self.roles, "statussen": self.statuses}.get(resource)
        if rows is None or request.method != "GET":
            raise Refusal(404, "not_found")
        check_question(resource, request.headers, request.query, many=not key)
        if key:
            return self._shown(resource, self._one(rows, key), request.query.get("expand", ""))
        return self._list(resource, rows, request.query)

    def _list(self, resource: str, rows: list[Json], query: Mapping[str, str]) -> Json:
        asked = {name: value for name, value in query.items() if name not in ("page", "pageSize", "expand")}
        asked |= {"zaak": asked["zaak"].removeprefix(self.url)} if "zaak" in asked else {}
        found = [
            row
            for row in reversed(rows)
            if not self.filters or all(str(row[name]) == value for name, value in asked.items())
        ]
        size, page = min(int(query.get("pageSize", "100")), self.page), int(query.get("page", "1"))
        if page > 1 and (page - 1) * size >= len(found):
            raise Refusal(404, "not_found", "Ongeldige pagina.")
        rest = "&".join(f"{name}={value}" for name, value in query.items() if name != "page")
        there = f"{self.url}{BASE}/{resource}?{rest}&page="
        return {
            "count": len(found),
            "next": f"{there}{page + 1}" if page * size < len(found) else None,
            "previous": f"{there}{page - 1}" if page > 1 else None,
            "results": [
                self._shown(resource, row, query.get("expand", ""))
                for row in found[(page - 1) * size : page * size]
            ],
        }

    def _shown(self, resource: str, row: Json, expand: str) -> Json:
        shown = {"url": f"{self.url}{BASE}/{resource}/{row['uuid']}", **row}
        for name in ("zaak", "status", "zaaktype", "resultaat", "statustype"):
            if shown.get(name):
                shown[name] = f"{self.url}{shown[name]}"
        if resource == "zaken":
            shown["_expand"] = self._expanded(row, set(filter(None, expand.split(","))))
        return shown

    def _expanded(self, row: Json, wanted: set[str]) -> Json:
        """What is nested: only what there is, and of that only what was asked for."""
        found: Json = {}
        if "zaaktype" in wanted:
            found["zaaktype"] = {"url": f"{self.url}{row['zaaktype']}", **self.types[row["zaaktype"]]}
        if "status" in wanted and row["status"]:
            status = self._one(self.statuses, row["status"].rpartition("/")[2])
            found["status"] = self._shown("statussen", status, "")
            if "status.statustype" in wanted:
                name, text = STEPS[int(status["statustype"].rpartition("/")[2])]
                kind = {"omschrijving": name, "omschrijvingGeneriek": name, "statustekst": text}
                found["status"]["_expand"] = {"statustype": kind | {"isEindstatus": name == STEPS[-1][0]}}
        if "resultaat" in wanted and row["resultaat"]:
            result = self._one(self.results, row["resultaat"].rpartition("/")[2])
            found["resultaat"] = {"uuid": result["uuid"]}
            if "resultaat.resultaattype" in wanted:
                found["resultaat"]["_expand"] = {"resultaattype": {"omschrijving": result["omschrijving"]}}
        return found

    def _kind(self, name: str) -> str:
        for address, kind in self.types.items():
            if kind["omschrijvingGeneriek"] == name:
                return address
        address = f"{CATALOGUE}/zaaktypen/{uuid.uuid4()}"
        self.types[address] = {
            "identificatie": f"ZT-{len(self.types) + 1:02}",
            "omschrijving": f"{name} aanvragen",
            "omschrijvingGeneriek": name,
        }
        return address

    @staticmethod
    def _one(rows: list[Json], key: str) -> Json:
        found = [row for row in rows if row["uuid"] == key]
        if not found:
            raise Refusal(404, "not_found")
        return found[0]


_HEADERS = {"API-version": "1.5.1", "Content-Crs": "EPSG:4326"}
