"""Every register of contacts, held to the same, on both stores: our own, and Open Klant. And what only that one has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa

from actions.contacts import openklant_api
from actions.contacts.local import LocalRegistry
from actions.contacts.openklant import OpenKlant
from bot.db.database import Database
from bot.db.tables import contacts
from bot.ports import ContactRegistry, RegistryFault
from tests.conformance.registry import PHONE, TOPIC, ContactRegistryConformance, Misfortune, Seen
from tests.fakes.openklant import FakeOpenKlant, Mishap


class TestLocal(ContactRegistryConformance):
    @asynccontextmanager
    async def open(self, database: Database) -> AsyncIterator[ContactRegistry]:
        self.database = database
        yield LocalRegistry(database)

    async def seen(self, reference: str) -> Seen:
        query = sa.select(sa.func.count()).where(contacts.c.reference == reference)
        async with self.database.read() as connection:
            return Seen(await connection.scalar(query) or 0, None, None)

    def misfortunes(self) -> list[Misfortune]:
        async def rename(before: str, after: str) -> None:
            async with self.database.write() as connection:
                await connection.execute(sa.text(f"ALTER TABLE {before} RENAME TO {after}"))

        return [
            Misfortune(
                "the table is away",
                lambda: rename("contacts", "elsewhere"),
                lambda: rename("elsewhere", "contacts"),
            )
        ]


class TestOpenKlant(ContactRegistryConformance):
    numbers = True

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(openklant_api, "_SECONDS", 1.0)

    @asynccontextmanager
    async def open(self, database: Database) -> AsyncIterator[OpenKlant]:
        async with FakeOpenKlant(numbers=self.numbers) as self.fake:
            registry = OpenKlant(self.fake.url, self.fake.token, self.fake.team)
            yield registry
            await registry.close()

    async def seen(self, reference: str) -> Seen:
        about = [
            row["klantcontact"]["uuid"]
            for row in self.fake.rows["onderwerpobjecten"]
            if row["onderwerpobjectidentificator"]["objectId"] == reference
        ]
        tasks = [
            t for t in self.fake.rows["internetaken"] if t["aanleidinggevendKlantcontact"]["uuid"] in about
        ]
        people = [p["uuid"] for p in self.fake.rows["betrokkenen"] if p["hadKlantcontact"]["uuid"] in about]
        phones = [
            row["adres"]
            for row in self.fake.rows["digitaleadressen"]
            if row["verstrektDoorBetrokkene"]["uuid"] in people
        ]
        assert len(people) == len(about)
        return Seen(len(about), len(tasks), tuple(phones))

    def _mishap(self, name: str, mishap: Mishap, **more: object) -> Misfortune:
        def cause() -> None:
            self.fake.mishap = replace(mishap)

        def mend() -> None:
            self.fake.mishap = None

        return Misfortune(name, cause, mend, **more)  # type: ignore[arg-type]

    def misfortunes(self) -> list[Misfortune]:
        def token(value: str) -> None:
            self.fake.token = value

        known = self.fake.token
        declined = (
            b'{"code": "invalid", "status": 400, "detail": "zwanenzang", "invalidParams":'
            b' [{"name": "kanaal", "code": "invalid", "reason": "zwanenzang"}]}'
        )
        found = [
            Misfortune("another token", lambda: token("geheim-2"), lambda: token(known)),
            self._mishap("nobody there", Mishap()),
            self._mishap("slow", Mishap(wait=2.0)),
            self._mishap("an error of its own", Mishap(500, b"<h1>Server Error (500) zwanenzang</h1>")),
            self._mishap("busy", Mishap(503, headers={"Retry-After": "120"}), retry_after=120.0),
            self._mishap("too fast", Mishap(429, headers={"Retry-After": "7"}), retry_after=7.0),
            self._mishap("a bad Retry-After", Mishap(429, headers={"Retry-After": "-1"})),
            self._mishap("forbidden", Mishap(403, b'{"code": "permission_denied"}')),
            self._mishap("not there", Mishap(404, b"zwanenzang")),
            self._mishap("sent on", Mishap(302, headers={"Location": "https://elsewhere.example/"})),
            self._mishap("declined", Mishap(400, declined), retryable=False),
            self._mishap("declined without a word", Mishap(400, b"zwanenzang"), retryable=False),
            self._mishap("declined strangely", Mishap(400, b'{"invalidParams": [5, {}]}'), retryable=False),
            self._mishap("declined by a proxy", Mishap(413, b"zwanenzang"), retryable=False),
            self._mishap("half of the numbers", Mishap(201, b'{"klantcontact": {"uuid": 5}}', method="POST")),
            self._mishap("an id that is a way", Mishap(201, b'{"klantcontact": {"uuid": "../x"}}', "POST")),
        ]
        for path in ("betrokkenen", "digitaleadressen", "internetaken", "maak-klantcontact"):
            found.append(self._mishap(f"an error at {path}", Mishap(500, path=path)))
        for number, garbage in enumerate(
            (b"", b"<html>", b"null", b"[]", b"5", b'{"results": null}', b"\xff\xfe", b"[" * 100_000)
        ):
            found.append(self._mishap(f"garbage {number}", Mishap(200, garbage)))
        return found

    def cuts(self) -> list[Misfortune]:
        paths = ("maak-klantcontact", "digitaleadressen", "internetaken")
        dropped = [
            self._mishap(f"dropped after {path}", Mishap(None, b"", "POST", path, after=True))
            for path in paths
        ]
        slow = [
            self._mishap(f"slow after {path}", Mishap(None, b"", "POST", path, after=True, wait=1.5))
            for path in paths
        ]
        errors = [
            self._mishap(f"a gateway's error after {path}", Mishap(504, b"", "POST", path, after=True))
            for path in paths
        ]
        return [*dropped, *slow, *errors]

    async def test_what_it_gets(self, registry: ContactRegistry) -> None:
        """Only what is needed, and in the form in which employees' screens look for it."""
        request = await self.callback("T1A2B3C4D", channel="whatsapp")
        key = await registry.register_callback(request)
        [contact] = self.fake.rows["klantcontacten"]
        assert contact["uuid"] == key
        assert contact["onderwerp"] == f"Terugbelverzoek: {TOPIC}"
        assert "T1A2B3C4D" in contact["inhoud"]
        assert (contact["kanaal"], contact["taal"], contact["vertrouwelijk"]) == ("WhatsApp", "nld", True)
        assert (contact["plaatsgevondenOp"], contact["indicatieContactGelukt"]) == (
            "2026-11-23T09:00:00Z",
            False,
        )
        [person] = self.fake.rows["betrokkenen"]
        assert (person["wasPartij"], person["rol"], person["initiator"]) == (None, "klant", True)
        [phone] = self.fake.rows["digitaleadressen"]
        assert (phone["adres"], phone["soortDigitaalAdres"]) == ("0612345678", "telefoonnummer")
        assert phone["verstrektDoorBetrokkene"] == {"uuid": person["uuid"]}
        [about] = self.fake.rows["onderwerpobjecten"]
        assert about["onderwerpobjectidentificator"] == {
            "objectId": "T1A2B3C4D",
            "codeObjecttype": "chatgesprek",
            "codeRegister": "klaartje",
            "codeSoortObjectId": "referentie",
        }
        [task] = self.fake.rows["internetaken"]
        assert task["gevraagdeHandeling"] == "Contact opnemen met betrokkene"
        assert task["toegewezenAanActoren"] == [{"uuid": self.fake.team}]
        assert task["status"] == "te_verwerken"
        assert "in de ochtend" in task["toelichting"]
        told = str(self.fake.bodies)
        assert told.count("12345678") == 1 and request.contact.conversation_id not in told
        assert all("12345678" not in path for _, path in self.fake.calls)

    async def test_nobody_gets_a_task_without_a_number(self, registry: ContactRegistry) -> None:
        await registry.register_callback(await self.callback())
        made = [path for method, path in self.fake.calls if method == "POST"]
        assert made == ["maak-klantcontact", "digitaleadressen", "internetaken"]

    @pytest.mark.parametrize(
        ("phone", "shown", "kind"),
        [
            ("+31 6 12345678", "+31612345678", "telefoonnummer"),
            ("(020) 123-45 67", "0201234567", "telefoonnummer"),
            ("0800 1234", "08001234", "overig"),
        ],
    )
    async def test_numbers_as_it_takes_them(
        self, registry: ContactRegistry, phone: str, shown: str, kind: str
    ) -> None:
        await registry.register_callback(replace(await self.callback(), phone=phone))
        [row] = self.fake.rows["digitaleadressen"]
        assert (row["adres"], row["soortDigitaalAdres"]) == (shown, kind)

    async def test_who_was_taken_away_is_put_back(self, registry: ContactRegistry) -> None:
        request = await self.callback()
        await registry.register_callback(request)
        for name in ("betrokkenen", "digitaleadressen"):
            self.fake.rows[name].clear()
        await registry.register_callback(request)
        assert await self.seen(request.contact.reference) == Seen(1, 1, (PHONE.replace(" ", ""),))

    async def test_a_task_that_was_done_is_not_made_again(self, registry: ContactRegistry) -> None:
        request = await self.callback()
        await registry.register_callback(request)
        self.fake.rows["internetaken"][0]["status"] = "verwerkt"
        await registry.register_callback(request)
        assert len(self.fake.rows["internetaken"]) == 1

    async def test_it_takes_no_answer_to_another_question(self, registry: ContactRegistry) -> None:
        """A server that overlooks the filter must not lead to somebody else's contact."""
        other = self.fake.put("klantcontacten", kanaal="balie", onderwerp="x", taal="nld", vertrouwelijk=True)
        for number in range(3):
            about = {"objectId": f"TANDER{number}", "codeObjecttype": "chatgesprek"}
            self.fake.put(
                "onderwerpobjecten",
                klantcontact={"uuid": other["uuid"]},
                onderwerpobjectidentificator=about
                | {"codeRegister": "klaartje", "codeSoortObjectId": "referentie"},
            )
        self.fake.filters = False
        request = await self.callback()
        assert await registry.register_callback(request) != other["uuid"]
        assert await self.seen(request.contact.reference) == Seen(1, 1, (PHONE.replace(" ", ""),))
        for _ in range(600):
            self.fake.put("onderwerpobjecten", klantcontact=None)
        with pytest.raises(RegistryFault) as caught:
            await registry.register_callback(await self.callback("TAAAA0002"))
        assert not caught.value.retryable and "filter" in caught.value.reason

    async def test_it_reads_all_pages(
        self, registry: ContactRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(openklant_api, "PAGE", 1)
        request = await self.callback()
        await registry.register_callback(request)
        contact = self.fake.rows["klantcontacten"][0]["uuid"]
        for _ in range(2):
            about = {"objectId": "TAAAA0001", "codeRegister": "klaartje", "codeObjecttype": "iets-anders"}
            self.fake.put(
                "onderwerpobjecten", klantcontact={"uuid": contact}, onderwerpobjectidentificator=about
            )
        assert await registry.register_callback(request) == contact
        assert len(self.fake.rows["klantcontacten"]) == 1

    async def test_the_token_goes_nowhere_else(self, registry: ContactRegistry) -> None:
        async with FakeOpenKlant() as other:
            self.fake.mishap = Mishap(
                307, headers={"Location": f"{other.url}/klantinteracties/api/v1/actoren"}
            )
            with pytest.raises(RegistryFault) as caught:
                await registry.register_callback(await self.callback())
            assert caught.value.reason == "HTTP 307: is OPENKLANT_URL right?"
            assert not other.calls

    async def test_the_state_of_it(self, registry: ContactRegistry) -> None:
        assert [(f.what, f.state) for f in await registry.check()] == [
            ("address and token", "ok"),
            ("team", "ok"),
        ]
        self.fake.rows["actoren"][0]["indicatieActief"] = False
        assert [f.advice for f in await registry.check()][-1] == "the actor of OPENKLANT_ACTOR is not active"
        self.fake.rows["actoren"].clear()
        assert "there is no actor" in [f.advice for f in await registry.check()][-1]
        self.fake.token = "geheim-2"
        [finding] = await registry.check()
        assert finding.state == "wrong" and "OPENKLANT_TOKEN" in finding.advice
        calls = len(self.fake.calls)
        assert (await registry.health()).state == "down"
        assert (await registry.health()).state == "down"
        assert len(self.fake.calls) == calls + 1  # kept for a while

    async def test_an_address_without_tls_is_told(self) -> None:
        registry = OpenKlant(
            "http://openklant.invalid/klantinteracties/api/v1/", "x", self.__class__.__name__
        )
        assert (await registry.check())[0].state == "todo"
        await registry.close()
        with pytest.raises(RegistryFault):
            await registry._api.get("actoren")


class TestOpenKlantBefore216(TestOpenKlant):
    """It has no number of its own for our references, so two at the same moment make two. One after the other don't."""

    numbers = False

    async def test_at_the_same_moment_it_is_once(self, registry: ContactRegistry) -> None:
        request = await self.callback()
        await asyncio.gather(*(registry.register_callback(request) for _ in range(4)))
        first = await registry.register_callback(request)
        assert await registry.register_callback(request) == first


async def test_a_number_that_is_somebody_elses(database: Database) -> None:
    from actions.contacts.openklant import _numbers

    register = TestOpenKlant()
    async with register.open(database) as registry:
        register.store = database
        request = await register.callback()
        first, second, *_ = _numbers(request.contact.reference)
        register.fake.put("klantcontacten", referentienummer=first, kanaal="balie", onderwerp="x")
        await registry.register_callback(request)
        assert register.fake.rows["klantcontacten"][-1]["referentienummer"] == second
        assert register.fake.rows["internetaken"][-1]["referentienummer"] == first
