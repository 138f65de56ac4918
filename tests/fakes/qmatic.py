"""A stand-in for the public appointment API of Qmatic Orchestra, as recorded of real ones, that keeps what is booked.

In a test: `async with FakeQmatic() as fake: calendar = Qmatic(Api(fake.url, token=fake.token), database)`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from tests.fakes.calendar_server import CalendarServer, Json

BASE = "/calendar-backend/public/api"


class FakeQmatic(CalendarServer):
    """`taken` is the status for a time that is not free; `customers`: whether it can be asked who comes with an id."""

    def __init__(self) -> None:
        super().__init__("qmatic.json")
        self.token = "geheim-van-qmatic"
        self.taken = 404
        self.customers = True
        self.services: list[Json] = []
        self.branches: dict[str, Json] = {}
        self._people: set[str] = set()
        self.rejects = ""
        """A field of who comes that it does not take."""

    def add_service(self, key: str, name: str, **values: Any) -> None:
        """A service that can be booked."""
        self.services.append(self.shape("service", publicId=key, name=name, **values))

    def add_branch(self, key: str, name: str, *, service: str, **values: Any) -> dict[datetime, int]:
        """A branch with a service; its places, to be filled."""
        self.branches[key] = self.shape("branch", publicId=key, name=name, **values)
        return self.places.setdefault((service, key), {})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("auth-token") != self.token:
            return web.Response(status=401)
        path = request.raw_path.removeprefix(BASE)
        content = await request.read()
        for method, pattern, does in self._routes():
            if request.method == method and (match := re.fullmatch(pattern, path)):
                return does(*match.groups(), *([content] if method == "POST" else []))
        return self._missing()

    def _routes(self) -> list[tuple[str, str, Callable[..., web.Response]]]:
        dates = r"/v2/branches/([^/;]+)/dates"
        return [
            ("GET", r"/v1/services", self._services),
            ("GET", r"/v1/services/([^/;]+)/branches", self._branches),
            ("GET", r"/v1/branches/([^/;]+)", self._branch),
            ("GET", rf"{dates};servicePublicId=([^;]+)(?:;numberOfCustomers=(\d+))?", self._dates),
            (
                "GET",
                rf"{dates}/(\d{{4}}-\d\d-\d\d)/times;servicePublicId=([^;]+)(?:;numberOfCustomers=(\d+))?",
                self._times,
            ),
            ("POST", rf"{dates}/(\d{{4}}-\d\d-\d\d)/times/(\d\d:\d\d)/book", self._book),
            ("GET", r"/v1/appointments/([^/;]+)", self._appointment),
            ("DELETE", r"/v1/appointments/([^/;]+)", self._delete),
            ("GET", r"/v1/customers/externalId/([^/;]+)/appointments", self._of_customer),
        ]

    # -- what it says ---------------------------------------------------------------------------------------

    def _listed(self, name: str, found: Any, **arguments: str) -> web.Response:
        count = len(found) if isinstance(found, list) else 1
        meta = self.shape("meta", totalResults=count, arguments=arguments)
        return web.json_response({"meta": meta, name: found, "notifications": []})

    def _missing(self) -> web.Response:
        return web.Response(status=404)

    def _services(self) -> web.Response:
        return self._listed("serviceList", self.services)

    def _branches(self, service: str) -> web.Response:
        if not self._known(service):
            return self._missing()
        found = [self.branches[branch] for one, branch in self.places if one == service]
        return self._listed("branchList", found)

    def _branch(self, branch: str) -> web.Response:
        if branch not in self.branches:
            return self._missing()
        return self._listed("branch", self.branches[branch])

    def _dates(self, branch: str, service: str, number: str | None) -> web.Response:
        if (free := self._free(branch, service)) is None:
            return self._missing()
        days = sorted({at.date() for at in free})
        told = [f"{day.isoformat()}T00:00:00" for day in days]
        return self._listed("dates", told, **self._asked(service, number))

    def _times(self, branch: str, day: str, service: str, number: str | None) -> web.Response:
        if (free := self._free(branch, service)) is None:
            return self._missing()
        told = [f"{at:%H:%M}" for at in sorted(free) if at.date() == date.fromisoformat(day)]
        return self._listed("times", told, **self._asked(service, number))

    def _book(self, branch: str, day: str, clock: str, content: bytes) -> web.Response:
        try:
            body = json.loads(content)
            service, people = body["services"][0]["publicId"], body["customers"]
        except (ValueError, LookupError, TypeError):
            return web.Response(status=400)
        self.bodies.append(body)
        start = datetime.fromisoformat(f"{day}T{clock}")
        if any(self.rejects and one.get(self.rejects) for one in people):
            return web.Response(
                status=500, headers={"error_code": "E412", "error_message": f"{self.rejects} is not valid"}
            )
        places = self.places.get((service, branch), {})
        if places.get(start, 0) < 1:
            return web.Response(
                status=self.taken, headers={"error_code": "E409", "error_message": "Slot not available"}
            )
        places[start] -= 1
        zone = ZoneInfo(self.branches[branch]["timeZone"])
        known = next(one for one in self.services if one["publicId"] == service)
        length = known["duration"] + known["additionalCustomerDuration"] * (len(people) - 1)
        begin = start.replace(tzinfo=zone).astimezone(UTC)
        made = self.shape(
            "appointment",
            publicId=uuid.uuid4().hex,
            title=body["title"],
            notes=body.get("notes"),
            start=_told(begin),
            end=_told(begin + timedelta(minutes=length)),
            numberOfCustomers=len(people),
            services=[known],
            branch=self.branches[branch],
            customers=[self._customer(one) for one in people],
        )
        self._people |= {one["externalId"] for one in made["customers"] if one["externalId"]}
        self.appointments[made["publicId"]] = made | {"wall": (service, branch, start)}
        # As recorded: 202, and not called JSON.
        return web.Response(
            status=202, text=json.dumps(made), headers={"Content-Type": "application/text;charset=UTF-8"}
        )

    def _customer(self, given: Json) -> Json:
        born = given.get("dateOfBirth")
        told = int(datetime.fromisoformat(born).replace(tzinfo=UTC).timestamp() * 1000) if born else None
        name = f"{given.get('firstName') or 'null'} {given.get('lastName') or 'null'}"
        values = {**given, "dateOfBirth": told, "dateOfBirthWithoutTime": born, "name": name}
        return self.shape("customer", publicId=uuid.uuid4().hex, **values)

    def _shown(self, made: Json) -> Json:
        return {name: value for name, value in made.items() if name != "wall"}

    def _appointment(self, key: str) -> web.Response:
        if key not in self.appointments:
            return self._missing()
        return self._listed("appointment", self._shown(self.appointments[key]))

    def _delete(self, key: str) -> web.Response:
        if key not in self.appointments:
            return self._missing()
        service, branch, start = self.appointments.pop(key)["wall"]
        self.places[service, branch][start] += 1
        return web.Response(status=204)

    def _of_customer(self, key: str) -> web.Response:
        found = [
            self._shown(one)
            for one in self.appointments.values()
            if any(customer["externalId"] == key for customer in one["customers"])
        ]
        if not self.customers or key not in self._people:
            return self._missing()
        return self._listed("appointmentList", found)

    def _known(self, service: str) -> bool:
        return any(one["publicId"] == service for one in self.services)

    def _free(self, branch: str, service: str) -> list[datetime] | None:
        if branch not in self.branches or not self._known(service):
            return None
        return [at for at, left in self.places.get((service, branch), {}).items() if left > 0]

    def _asked(self, service: str, number: str | None) -> dict[str, str]:
        return {"servicePublicId": f"[{service}]"} | ({"numberOfCustomers": f"[{number}]"} if number else {})


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"
