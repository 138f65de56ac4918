"""The stand-in for Open Zaak answers as the real one was recorded to."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.fakes.openzaak import BASE, FakeOpenZaak

EXPAND = "status,status.statustype,zaaktype,resultaat,resultaat.resultaattype"
CRS = {"Accept-Crs": "EPSG:4326"}


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenZaak]:
    async with FakeOpenZaak() as fake:
        yield fake


def token(fake: FakeOpenZaak, *, client: str = "", secret: str = "", ago: int = 0) -> str:
    name = client or fake.client
    claims = {"iss": name, "iat": int(time.time()) - ago, "client_id": name}
    claims |= {"user_id": "x", "user_representation": "x"}
    return "Bearer " + jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret or fake.secret))


async def get(
    fake: FakeOpenZaak, path: str, *, word: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    given = {**(CRS if headers is None else headers), "Authorization": token(fake) if word is None else word}
    async with ClientSession() as session, session.get(f"{fake.url}{BASE}/{path}", headers=given) as answer:
        return answer.status, await answer.json()


async def test_who_may_not_is_told_why(fake: FakeOpenZaak) -> None:
    for word, code in {
        "": "permission_denied",
        "Token x": "permission_denied",
        token(fake, secret="x" * 40): "invalid-jwt-signature",
        "Bearer x.y.z": "invalid-jwt-signature",
        token(fake, client="niemand"): "invalid-client-identifier",
        token(fake, ago=3700): "jwt-expired",
    }.items():
        status, body = await get(fake, "zaken", word=word)
        assert (status, body["code"], body["status"]) == (403, code, 403)
        assert set(body) == {"type", "code", "title", "status", "detail", "instance"}
    assert (await get(fake, "zaken", word=token(fake, ago=-600)))[0] == 200  # in the future it is taken


async def test_questions_that_are_not_right(fake: FakeOpenZaak) -> None:
    assert (await get(fake, "zaken", headers={}))[0] == 412
    assert (await get(fake, "zaken", headers={"Accept-Crs": "EPSG:28992"}))[0] == 406
    status, body = await get(fake, "zaken?foo=1")
    assert (status, body["invalidParams"][0]["code"]) == (400, "unknown-parameters")
    assert (await get(fake, "zaken/11111111-1111-4111-8111-111111111111"))[0] == 404
    assert await get(fake, "zaken?identificatie=NOPE") == (
        200,
        {"count": 0, "next": None, "previous": None, "results": []},
    )
    assert (await get(fake, "rollen", headers={}))[0] == 200  # coordinates are a matter of cases


async def test_a_case_with_what_is_nested(fake: FakeOpenZaak) -> None:
    key = fake.open("ZAAK-1")
    bare = (await get(fake, "zaken?identificatie=ZAAK-1"))[1]["results"][0]
    assert (bare["_expand"], bare["status"]) == ({}, None)
    fake.set_status(key, 1)
    whole = (await get(fake, f"zaken?identificatie=ZAAK-1&expand={EXPAND}"))[1]["results"][0]
    assert whole["_expand"]["zaaktype"]["omschrijvingGeneriek"] == "Kapvergunning"
    kind = whole["_expand"]["status"]["_expand"]["statustype"]
    assert (kind["omschrijving"], kind["statustekst"]) == ("In behandeling", "Wij behandelen uw aanvraag.")
    assert "resultaat" not in whole["_expand"]
    fake.set_status(key, 2)
    done = (await get(fake, f"zaken/{key}?expand={EXPAND}"))[1]
    assert (
        done["einddatum"]
        and done["_expand"]["resultaat"]["_expand"]["resultaattype"]["omschrijving"] == "Verleend"
    )
    roles = (await get(fake, f"rollen?zaak={whole['url']}&omschrijvingGeneriek=initiator"))[1]["results"]
    assert [role["zaak"] for role in roles] == [whole["url"]]
    assert roles[0]["betrokkeneIdentificatie"]["inpBsn"] == "999992958"


async def test_pages(fake: FakeOpenZaak) -> None:
    for number in range(5):
        fake.open(f"ZAAK-{number}")
    status, page = await get(fake, "zaken?pageSize=2")
    assert (status, page["count"], len(page["results"]), page["previous"]) == (200, 5, 2, None)
    assert "page=2" in page["next"]
    last = (await get(fake, "zaken?pageSize=2&page=3"))[1]
    assert (len(last["results"]), last["next"]) == (1, None)
    assert (await get(fake, "zaken?pageSize=2&page=4"))[0] == 404
