"""A stand-in for the REST API of JCC-Afspraken (WARP), as recorded of the real one, that keeps what is booked.

In a test: `async with FakeJcc() as fake: calendar = Jcc(Api(fake.url + BASE, fake.client, fake.secret), database)`.
"""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from aiohttp import web

from tests.fakes.calendar_server import CalendarServer, Json

BASE = "/api/warp/v1"
MOST_DAYS = 50


class FakeJcc(CalendarServer):
    """`today` is its date: it breaks at what lies before. `tokens` are the ones that are good; `fields` what it wants
    to know of who comes."""

    def __init__(self) -> None:
        super().__init__("jcc.json")
        self.client, self.secret = "klaartje", "geheim-van-jcc"
        self.today = date(2026, 11, 23)
        self.tokens: set[str] = set()
        self.life: int | None = 3600
        self.activities: list[Json] = []
        self.locations: dict[str, Json] = {}
        self.fields = self.shape("customerfields")
        self.rejects = ""
        """A field of who comes that it does not take."""

    def add_activity(self, name: str, **values: Any) -> str:
        """An activity that can be booked; its id."""
        key = str(uuid.uuid4())
        self.activities.append(self.shape("activity", id=key, description=name, **values))
        return key

    def add_location(self, name: str, *, activity: str, **values: Any) -> tuple[str, dict[datetime, int]]:
        """A location with an activity; its id and its places, to be filled."""
        key = str(uuid.uuid4())
        self.locations[key] = self.shape("location", id=key, description=name, **values)
        return key, self.places.setdefault((activity, key), {})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(f"{BASE}/")
        if (request.method, path) == ("POST", "connect/token"):
            return self._token(request, dict(await request.post()))
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            return web.Response(status=401)
        does: dict[tuple[str, str], Callable[[web.Request], web.Response]] = {
            ("GET", "activity/listforappointment"): self._activities,
            ("GET", "location/forappointment"): self._locations,
            ("GET", "activity/appointmentdaterange"): self._range,
            ("GET", "appointment/availabletimelist"): self._times,
            ("GET", "appointment/calculateduration"): self._duration,
            ("GET", "customer/customerfields/required"): self._fields,
            ("GET", "appointment"): self._get,
            ("DELETE", "appointment"): self._delete,
        }
        if (request.method, path) == ("POST", "appointment"):
            return self._book(await request.read())
        if (request.method, path) not in does:
            return web.Response(status=404)
        try:
            return does[request.method, path](request)
        except (KeyError, ValueError):  # as recorded: whatever is wrong with a question breaks it
            return self._broken(request.path)

    # -- what it says ---------------------------------------------------------------------------------------

    def _json(self, value: Any, status: int = 200) -> web.Response:
        return web.json_response(value, status=status)

    def _broken(self, path: str) -> web.Response:
        return self._json(self.shape("problem", instance=path), 500)

    def _token(self, request: web.Request, form: Json) -> web.Response:
        known = b64encode(f"{self.client}:{self.secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {known}":
            return self._json({"error": "invalid_client"}, 400)
        if form != {"grant_type": "client_credentials", "scope": "warp-api"}:
            return self._json({"error": "invalid_scope"}, 400)
        token = uuid.uuid4().hex
        self.tokens.add(token)
        told = self.shape("token", access_token=token, expires_in=self.life)
        return self._json({name: value for name, value in told.items() if value is not None})

    def _activities(self, request: web.Request) -> web.Response:
        return self._json(self.activities)

    def _locations(self, request: web.Request) -> web.Response:
        wanted = request.query["selectedActivityId"]
        return self._json([self.locations[place] for activity, place in self.places if activity == wanted])

    def _range(self, request: web.Request) -> web.Response:
        self._known(request.query["activityId"])
        last = self.today.replace(year=self.today.year + 1)
        told = self.shape("daterange", minDate=f"{self.today}T00:00:00", maxDate=f"{last}T00:00:00")
        return self._json(told)

    def _times(self, request: web.Request) -> web.Response:
        query = request.query
        first, last = date.fromisoformat(query["fromDate"]), date.fromisoformat(query["toDate"])
        activity = self._known(query["activityId"])
        if first < self.today or last < first or (last - first).days > MOST_DAYS or int(query["amount"]) < 1:
            raise ValueError
        self.locations[query["locationId"]]
        places = self.places.get((activity["id"], query["locationId"]), {})
        free = sorted(at for at, left in places.items() if left > 0 and first <= at.date() < last)
        seconds = activity["appointmentDuration"] * int(query["amount"])
        told = self.shape(
            "timelist", availableTimesList=[at.isoformat() for at in free], appointmentDuration=seconds
        )
        if not free:
            del told["availableTimesList"]  # what is empty is left out
        return self._json(told)

    def _duration(self, request: web.Request) -> web.Response:
        date.fromisoformat(request.query["dateTime"])
        seconds = self._known(request.query["activityId"])["appointmentDuration"]
        return self._json(seconds // 60 * int(request.query["amount"]))

    def _fields(self, request: web.Request) -> web.Response:
        self._known(request.query["selectedActivityId"])
        # As recorded: what is visible, or not so, is left out.
        return self._json({name: value for name, value in self.fields.items() if value})

    def _book(self, content: bytes) -> web.Response:
        try:
            body = json.loads(content)
            [asked], [who] = body["activityList"], body["customerList"]
            activity, place = self._known(asked["activityId"]), self.locations[body["locationId"]]
            begin, end = (datetime.fromisoformat(body[name]) for name in ("fromDateTime", "toDateTime"))
            assert begin.tzinfo and end.tzinfo and body["id"] is None and who["isMainCustomer"] is True
            start, until = begin.replace(tzinfo=None), end.replace(tzinfo=None)
        except (ValueError, LookupError, TypeError, AssertionError):
            return self._broken(f"{BASE}/appointment")
        self.bodies.append(body)
        lacking = [
            name for name, theirs in _REQUIRED.items() if self.fields[name] == 2 and not who.get(theirs)
        ]
        if lacking or not who.get("lastName") or (self.rejects and who.get(self.rejects)):
            return self._json(self.shape("refusal", code=1020, validateErrors=[*lacking, self.rejects]))
        places = self.places.get((activity["id"], place["id"]), {})
        if places.get(start, 0) < 1:
            return self._json(self.shape("refusal", code=1012, message="Time slot not available"))
        places[start] -= 1
        key = str(uuid.uuid4())
        made = self.shape(
            "appointment",
            id=key,
            startDateTime=start.isoformat(),
            endDateTime=until.isoformat(),
            activityList=[self.shape("activityList", amount=asked["amount"], activity=activity)],
            customerList=[who],
            location={"id": place["id"], "description": place["description"]},
            message=body["message"],
        )
        self.appointments[key] = made | {"wall": (activity["id"], place["id"], start)}
        return self._json(self.shape("acknowledge", id=key))

    def _get(self, request: web.Request) -> web.Response:
        made = self.appointments.get(request.query["id"])
        if made is None:
            return web.Response(status=404)
        return self._json({name: value for name, value in made.items() if name != "wall"})

    def _delete(self, request: web.Request) -> web.Response:
        key = request.query["id"]
        if key not in self.appointments:
            return web.Response(status=404)
        activity, place, start = self.appointments.pop(key)["wall"]
        self.places[activity, place][start] += 1
        return self._json(self.shape("cancelled", id=key))

    def _known(self, activity: str) -> Json:
        found = [one for one in self.activities if one["id"] == activity]
        if not found:
            raise KeyError(activity)
        return found[0]


_REQUIRED = {
    "firstName": "firstName",
    "initials": "initials",
    "birthDate": "birthDate",
    "emailAddress": "emailAddress",
    "mainPhoneNumber": "phoneNumber",
    "mobilePhoneNumber": "mobilePhoneNumber",
}
"""What it calls a field when it asks, and when it is told."""
