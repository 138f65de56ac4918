"""The stand-in for Open Klant is held to what the real one answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.fakes.openklant import BASE, FakeOpenKlant

CONTACT = {"kanaal": "WhatsApp", "onderwerp": "Paspoort", "taal": "nld", "vertrouwelijk": True}
ABOUT = {"objectId": "T1", "codeObjecttype": "x", "codeRegister": "klaartje", "codeSoortObjectId": "y"}


class Caller:
    """Somebody with a token."""

    def __init__(self, fake: FakeOpenKlant, session: ClientSession) -> None:
        self.fake, self._session = fake, session

    async def __call__(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Token {token or self.fake.token}"}
        url = f"{self.fake.url}{BASE}/{path}"
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def call() -> AsyncIterator[Caller]:
    async with FakeOpenKlant() as fake, ClientSession() as session:
        yield Caller(fake, session)


def wrong(value: Any) -> list[tuple[str, str]]:
    return [(param["name"], param["code"]) for param in value["invalidParams"]]


async def test_a_contact(call: Caller) -> None:
    status, made = await call("POST", "klantcontacten", CONTACT | {"onbekend": 1})
    assert status == 201
    assert (made["nummer"], made["referentienummer"], made["inhoud"]) == (None, None, "")
    assert made["hadBetrokkenen"] == made["leiddeTotInterneTaken"] == []
    assert made["url"] == f"{call.fake.url}{BASE}/klantcontacten/{made['uuid']}"
    assert await call("GET", f"klantcontacten/{made['uuid']}") == (200, made)
    assert (await call("GET", "klantcontacten/x"))[0] == 404


async def test_every_field_that_is_wrong_is_named(call: Caller) -> None:
    body = {"kanaal": "WhatsApp", "onderwerp": "x" * 201, "taal": "nl", "inhoud": "y" * 1001}
    status, value = await call("POST", "klantcontacten", body)
    assert (status, value["code"], value["title"]) == (400, "invalid", "Ongeldige invoerwaarde.")
    assert wrong(value) == [
        ("onderwerp", "max_length"),
        ("inhoud", "max_length"),
        ("vertrouwelijk", "required"),
    ]
    assert set(value) == {"type", "code", "title", "status", "detail", "instance", "invalidParams"}


async def test_a_number_is_digits_and_unique(call: Caller) -> None:
    assert wrong((await call("POST", "klantcontacten", CONTACT | {"referentienummer": "T1"}))[1]) == [
        ("referentienummer", "invalid")
    ]
    numbered = CONTACT | {"referentienummer": "1234567890"}
    assert (await call("POST", "klantcontacten", numbered))[0] == 201
    assert wrong((await call("POST", "klantcontacten", numbered))[1]) == [("referentienummer", "unique")]
    status, value = await call("POST", "maak-klantcontact", {"klantcontact": numbered})
    assert (status, wrong(value)) == (400, [("klantcontact.referentienummer", "unique")])


async def test_contact_person_and_object_at_once_or_none(call: Caller) -> None:
    person = {"wasPartij": None, "rol": "klant", "initiator": True}
    body = {
        "klantcontact": CONTACT,
        "betrokkene": person | {"rol": "onbekend"},
        "onderwerpobject": {"wasKlantcontact": None, "onderwerpobjectidentificator": ABOUT},
    }
    status, value = await call("POST", "maak-klantcontact", body)
    assert (status, wrong(value)) == (400, [("betrokkene.rol", "invalid_choice")])
    assert not call.fake.rows["klantcontacten"]
    status, value = await call("POST", "maak-klantcontact", body | {"betrokkene": person})
    assert status == 201
    assert value["betrokkene"]["hadKlantcontact"]["uuid"] == value["klantcontact"]["uuid"]
    assert value["onderwerpobject"]["klantcontact"]["uuid"] == value["klantcontact"]["uuid"]
    assert len(value["klantcontact"]["hadBetrokkenen"]) == 1


@pytest.mark.parametrize(
    ("phone", "fine"),
    [
        ("0612345678", True),
        ("+31612345678", True),
        ("0031612345678", True),
        ("06 12345678", False),
        ("08001234", False),
        ("0800123456", False),
        ("14020", False),
    ],
)
async def test_telephone_numbers(call: Caller, phone: str, fine: bool) -> None:
    body = {"adres": phone, "soortDigitaalAdres": "telefoonnummer"}
    status, value = await call("POST", "digitaleadressen", body)
    assert status == (201 if fine else 400)
    assert fine or wrong(value) == [("adres", "invalid")]


async def test_a_task_is_for_actors_that_there_are(call: Caller) -> None:
    contact = (await call("POST", "klantcontacten", CONTACT))[1]["uuid"]
    task = {
        "gevraagdeHandeling": "Bellen",
        "aanleidinggevendKlantcontact": {"uuid": contact},
        "status": "te_verwerken",
    }
    assert wrong((await call("POST", "internetaken", task))[1]) == [("nonFieldErrors", "invalid")]
    nobody = task | {"toegewezenAanActoren": [{"uuid": contact}]}
    assert wrong((await call("POST", "internetaken", nobody))[1]) == [
        ("toegewezenAanActoren.0.uuid", "invalid")
    ]
    status, made = await call(
        "POST", "internetaken", task | {"toegewezenAanActoren": [{"uuid": call.fake.team}]}
    )
    assert (status, made["toegewezenAanActor"]) == (201, made["toegewezenAanActoren"][0])
    _, closed = await call("PATCH", f"internetaken/{made['uuid']}", {"status": "verwerkt"})
    assert closed["afgehandeldOp"]


async def test_lists_have_filters_and_pages(call: Caller) -> None:
    for number in range(3):
        await call("POST", "klantcontacten", CONTACT | {"referentienummer": f"{number}"})
    _, page = await call("GET", "klantcontacten?pageSize=2")
    assert (page["count"], len(page["results"]), page["previous"]) == (3, 2, None)
    assert page["next"]
    assert len((await call("GET", "klantcontacten?pageSize=2&page=2"))[1]["results"]) == 1
    assert (await call("GET", "klantcontacten?pageSize=2&page=3"))[0] == 404
    assert (await call("GET", "klantcontacten?referentienummer=1"))[1]["count"] == 1
    assert (await call("GET", "klantcontacten?referentienummer=9"))[1]["count"] == 0
    status, value = await call("GET", "klantcontacten?onbekend=1")
    assert (status, wrong(value)) == (400, [("onbekend", "unknown-parameters")])


async def test_who_has_no_token(call: Caller) -> None:
    status, value = await call("GET", "klantcontacten", token="x")
    assert (status, value["code"], value["detail"]) == (401, "authentication_failed", "Ongeldige token.")
