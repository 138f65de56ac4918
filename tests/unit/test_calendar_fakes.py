"""The stand-ins for Qmatic and JCC are held to what the real ones answer, and our side reads nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import pytest
from aiohttp import ClientSession

from actions.appointments import calls
from actions.appointments.jcc import Jcc
from actions.appointments.jcc_api import Api as JccApi
from actions.appointments.qmatic import Qmatic
from actions.appointments.qmatic_api import Api as QmaticApi
from bot.clock import AMSTERDAM
from bot.db.database import Database
from bot.model import Booking
from bot.ports import AppointmentProvider
from tests.conformance.calendar import DETAILS
from tests.conftest import SetClock
from tests.fakes import jcc as jcc_module
from tests.fakes import qmatic as qmatic_module
from tests.fakes.calendar_server import FIXTURES, Mishap
from tests.fakes.jcc import FakeJcc
from tests.fakes.qmatic import FakeQmatic

DAY = date(2026, 12, 1)
WALL = datetime(2026, 12, 1, 9, 0)
START = WALL.replace(tzinfo=AMSTERDAM)
one_store = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LISTS = {
    "serviceList",
    "branchList",
    "branch",
    "dates",
    "times",
    "appointment",
    "appointmentList",
    "notifications",
}
"""What Qmatic wraps its answers in."""


def names(value: Any) -> Iterator[str]:
    """All names of fields within."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from names(inner)
    if isinstance(value, list):
        for inner in value:
            yield from names(inner)


class Watched(dict[str, Any]):
    """An object that notes what is asked of it."""

    read: ClassVar[set[str]] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of all fields that our side reads."""
    found: set[str] = set()
    monkeypatch.setattr(Watched, "read", found)
    monkeypatch.setattr(calls, "_parsed", lambda text: json.loads(text, object_pairs_hook=Watched))
    return found


async def all_of_it(calendar: AppointmentProvider, product: str, location: str) -> None:
    await calendar.products()
    await calendar.locations(product)
    await calendar.days(product, location, DAY, DAY)
    await calendar.fields(product)
    made = await calendar.book(Booking(product, location, START, 2, DETAILS), "sleutel")
    assert await calendar.get(made.id) == made
    with pytest.raises(Exception, match="time"):
        await calendar.book(Booking(product, location, START, 1, DETAILS), "te laat")
    await calendar.cancel(made.id)
    await calendar.check()


@pytest.fixture
async def qmatic() -> AsyncIterator[FakeQmatic]:
    async with FakeQmatic() as fake:
        fake.add_service("Paspoort", "Paspoort")
        fake.add_branch("balie", "Balie", service="Paspoort")[WALL] = 1
        yield fake


@pytest.fixture
async def jcc() -> AsyncIterator[FakeJcc]:
    async with FakeJcc() as fake:
        activity = fake.add_activity("Paspoort")
        fake.add_location("Balie", activity=activity)[1][WALL] = 1
        yield fake


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


@one_store
async def test_of_qmatic_nothing_is_read_that_it_does_not_tell(
    qmatic: FakeQmatic, read: set[str], database: Database, clock: SetClock
) -> None:
    calendar = Qmatic(QmaticApi(qmatic.url, token=qmatic.token), database, clock=clock)
    qmatic.mishap = Mishap(method="POST", after=True, times=1)  # so that it is looked up too
    await all_of_it(calendar, "Paspoort", "balie")
    await calendar.close()
    assert read - LISTS <= set(names(fixture("qmatic.json")))
    assert {"publicId", "timeZone", "appointmentList", "notes", "start", "numberOfCustomers"} <= read


@one_store
async def test_of_jcc_nothing_is_read_that_it_does_not_tell(
    jcc: FakeJcc, read: set[str], database: Database, clock: SetClock
) -> None:
    calendar = Jcc(JccApi(jcc.url + jcc_module.BASE, jcc.client, jcc.secret, clock), database, clock=clock)
    [(product, location)] = jcc.places
    await all_of_it(calendar, product, location)
    await calendar.close()
    # A house number may have a suffix, by the description of the interface.
    assert read - {"houseNumberSuffix"} <= set(names(fixture("jcc.json")))
    assert {"acknowledgeIsSuccess", "availableTimesList", "isAnyPhoneNumberRequired", "code"} <= read


# -- Qmatic, as recorded -------------------------------------------------------------------------------------


class Caller:
    """Somebody with credentials."""

    def __init__(self, base: str, session: ClientSession, headers: dict[str, str]) -> None:
        self._base, self._session, self.headers = base, session, headers

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any, dict[str, str]]:
        url = f"{self._base}/{path}"
        async with self._session.request(method, url, json=body, headers=self.headers) as answer:
            content = await answer.read()
            value = json.loads(content) if content else None
            return answer.status, value, dict(answer.headers)


BODY = {
    "title": "x",
    "customers": [{"lastName": "X", "externalId": "e1"}],
    "services": [{"publicId": "Paspoort"}],
}


async def test_qmatic_books_as_recorded(qmatic: FakeQmatic) -> None:
    async with ClientSession() as session:
        ask = Caller(qmatic.url + qmatic_module.BASE, session, {"auth-token": qmatic.token})
        times = "v2/branches/balie/dates/2026-12-01/times"
        _, told, _ = await ask("GET", f"{times};servicePublicId=Paspoort;numberOfCustomers=2")
        assert told["times"] == ["09:00"]
        assert told["meta"]["arguments"] == {"servicePublicId": "[Paspoort]", "numberOfCustomers": "[2]"}
        _, told, _ = await ask("GET", "v2/branches/balie/dates;servicePublicId=Paspoort")
        assert told["dates"] == ["2026-12-01T00:00:00"]
        status, made, headers = await ask("POST", f"{times}/09:00/book", BODY)
        assert (status, headers["Content-Type"]) == (202, "application/text;charset=UTF-8")
        assert (made["start"], made["end"]) == (
            "2026-12-01T08:00:00.000+0000",
            "2026-12-01T08:10:00.000+0000",
        )
        assert set(made) == set(fixture("qmatic.json")["appointment"])
        status, _, headers = await ask("POST", f"{times}/09:00/book", BODY)
        assert status == 404 and headers["error_message"]
        _, found, _ = await ask("GET", "v1/customers/externalId/e1/appointments")
        assert [one["publicId"] for one in found["appointmentList"]] == [made["publicId"]]
        assert (await ask("GET", f"v1/appointments/{made['publicId']}"))[1]["appointment"] == made
        assert (await ask("DELETE", f"v1/appointments/{made['publicId']}"))[:2] == (204, None)
        assert (await ask("DELETE", f"v1/appointments/{made['publicId']}"))[0] == 404
        assert (await ask("GET", "v1/customers/externalId/e1/appointments"))[1]["appointmentList"] == []
        assert (await ask("GET", "v1/customers/externalId/e2/appointments"))[0] == 404
        ask.headers = {}
        assert (await ask("GET", "v1/services"))[0] == 401


async def test_qmatic_makes_time_for_each_who_comes(qmatic: FakeQmatic) -> None:
    async with ClientSession() as session:
        ask = Caller(qmatic.url + qmatic_module.BASE, session, {"auth-token": qmatic.token})
        body = BODY | {"customers": [{"lastName": "X"}] * 3}
        _, made, _ = await ask("POST", "v2/branches/balie/dates/2026-12-01/times/09:00/book", body)
        assert (made["numberOfCustomers"], made["end"]) == (3, "2026-12-01T08:20:00.000+0000")


# -- JCC, as recorded ----------------------------------------------------------------------------------------


@pytest.fixture
async def ask_jcc(jcc: FakeJcc) -> AsyncIterator[Caller]:
    async with ClientSession() as session:
        form = {"grant_type": "client_credentials", "scope": "warp-api"}
        headers = {"Authorization": calls.basic(jcc.client, jcc.secret)}
        url = f"{jcc.url}{jcc_module.BASE}/connect/token"
        async with session.post(url, data=form, headers=headers) as answer:
            token = (await answer.json())["access_token"]
        yield Caller(jcc.url + jcc_module.BASE, session, {"Authorization": f"Bearer {token}"})


async def test_jcc_lists_times_as_recorded(jcc: FakeJcc, ask_jcc: Caller) -> None:
    [(product, location)] = jcc.places
    query = f"appointment/availabletimelist?locationId={location}&activityId={product}"

    async def times(first: date, last: date, amount: int = 1) -> tuple[int, Any]:
        return (await ask_jcc("GET", f"{query}&fromDate={first}&toDate={last}&amount={amount}"))[:2]

    status, told = await times(DAY, DAY + timedelta(days=1), 2)
    assert (status, told) == (
        200,
        {"availableTimesList": ["2026-12-01T09:00:00"], "appointmentDuration": 1200},
    )
    assert (await times(DAY - timedelta(days=1), DAY))[1] == {
        "appointmentDuration": 600
    }  # its end is not in it
    assert (await times(DAY, DAY + timedelta(days=50)))[0] == 200
    for first, last in ((DAY, DAY + timedelta(days=51)), (date(2026, 1, 1), DAY), (DAY, date(2026, 11, 30))):
        status, told = await times(first, last)
        assert (status, told["title"], told["code"]) == (500, "InternalException", -1)
    status, minutes, _ = await ask_jcc(
        "GET", f"appointment/calculateduration?activityId={product}&amount=2&dateTime=2026-12-01"
    )
    assert (status, minutes) == (200, 20)
    assert (await ask_jcc("GET", "appointment/calculateduration?activityId=&amount=1&dateTime=2026-12-01"))[
        0
    ] == 500


async def test_jcc_books_as_recorded(jcc: FakeJcc, ask_jcc: Caller) -> None:
    [(product, location)] = jcc.places
    who = {"gender": 0, "lastName": "X", "birthDate": "2000-02-02", "id": None, "isMainCustomer": True}
    body = {
        "id": None,
        "activityList": [{"activityId": product, "amount": 1}],
        "customerList": [who],
        "fromDateTime": "2026-12-01T09:00:00+01:00",
        "toDateTime": "2026-12-01T09:10:00+01:00",
        "locationId": location,
        "message": "",
        "fieldList": None,
    }
    lacking = body | {"customerList": [{**who, "birthDate": None}]}
    status, told, _ = await ask_jcc("POST", "appointment", lacking)
    assert (status, told["acknowledgeIsSuccess"]) == (200, False)
    status, made, _ = await ask_jcc("POST", "appointment", body)
    assert (status, set(made), made["acknowledgeIsSuccess"]) == (200, {"id", "acknowledgeIsSuccess"}, True)
    status, told, _ = await ask_jcc("POST", "appointment", body)
    assert (status, told["acknowledgeIsSuccess"]) == (200, False)
    _, found, _ = await ask_jcc("GET", f"appointment?id={made['id']}")
    assert (found["startDateTime"], found["endDateTime"]) == ("2026-12-01T09:00:00", "2026-12-01T09:10:00")
    assert set(found) == set(fixture("jcc.json")["appointment"])
    assert (await ask_jcc("DELETE", f"appointment?id={made['id']}"))[:2] == (200, {"id": made["id"]})
    assert (await ask_jcc("GET", f"appointment?id={made['id']}"))[0] == 404
    assert (await ask_jcc("POST", "appointment", body | {"activityList": []}))[0] == 500
    ask_jcc.headers = {}
    assert (await ask_jcc("GET", "activity/listforappointment"))[0] == 401
