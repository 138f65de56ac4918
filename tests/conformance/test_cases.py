"""Every system of cases, held to the same: the made-up one, and Open Zaak. And what only that one has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from actions.cases import zgw_api
from actions.cases.demo import PATHS, DemoCases
from actions.cases.zgw import ZgwCases
from bot.model import Proof
from bot.ports import CaseFault, CaseProvider
from tests.conformance.cases import BORN, HOME, CaseProviderConformance, Trouble
from tests.conftest import SetClock
from tests.fakes.openklant import Mishap
from tests.fakes.openzaak import RSIN, FakeOpenZaak


class TestDemo(CaseProviderConformance):
    known, unknown = "ZAAK-2026-0000000101", "ZAAK-2026-0000000999"

    @asynccontextmanager
    async def open(self, clock: SetClock) -> AsyncIterator[DemoCases]:
        self.clock = clock
        self.clock.now = datetime(2026, 10, 13, 9, 0, tzinfo=UTC)
        yield DemoCases(clock)

    def moves_on(self) -> None:
        self.clock.forward(days=4)

    def ends(self) -> None:
        self.clock.forward(days=49)

    async def test_the_same_moment_gives_the_same_cases(self, clock: SetClock) -> None:
        for path in PATHS:
            assert await DemoCases(clock).look(path.reference) == await DemoCases(clock).look(path.reference)

    async def test_every_case_goes_through_all_its_statuses(self, clock: SetClock) -> None:
        for path in PATHS:
            seen = set()
            for _ in range(400):
                case = await DemoCases(clock).look(path.reference)
                assert case and case.status and case.status.since <= clock.now
                assert case.started <= case.status.since.date()
                seen.add(case.status.names[0])
                clock.forward(seconds=path.again.total_seconds() / 100)
            assert seen == {name for _, name in path.steps}


class TestZgw(CaseProviderConformance):
    known, unknown = "ZAAK-2026-0000012345", "ZAAK-2026-0000099999"

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(zgw_api, "_SECONDS", 1.0)

    @asynccontextmanager
    async def open(self, clock: SetClock) -> AsyncIterator[ZgwCases]:
        async with FakeOpenZaak() as self.fake:
            self.key = self.fake.open(self.known)
            self.fake.set_status(self.key, 0, datetime(2026, 10, 1, 9, tzinfo=UTC))
            self.fake.open(
                "ZAAK-2026-0000054321", home={"aoaPostcode": "1234AB", "aoaHuisnummer": 99}, born=""
            )
            provider = ZgwCases(self.fake.url, self.fake.client, self.fake.secret, RSIN)
            yield provider
            await provider.close()

    def moves_on(self) -> None:
        self.fake.set_status(self.key, 1, datetime(2026, 10, 9, 9, tzinfo=UTC))

    def ends(self) -> None:
        self.fake.set_status(self.key, 2, datetime(2026, 11, 9, 9, tzinfo=UTC))

    def _mishap(self, name: str, mishap: Mishap, **more: bool) -> Trouble:
        def cause() -> None:
            self.fake.mishap = replace(mishap)

        def mend() -> None:
            self.fake.mishap = None

        return Trouble(name, cause, mend, **more)

    def troubles(self) -> list[Trouble]:
        secret, client = self.fake.secret, self.fake.client

        def change(**values: str) -> None:
            for name, value in values.items():
                setattr(self.fake, name, value)

        other = "geheim-dat-niemand-kent-en-lang-genoeg"
        huge = b'{"results": "' + b"x" * (5 * 2**20) + b'"}'
        return [
            Trouble(
                "another secret", lambda: change(secret=other), lambda: change(secret=secret), retryable=False
            ),
            Trouble(
                "unknown client", lambda: change(client="x"), lambda: change(client=client), retryable=False
            ),
            self._mishap("nobody there", Mishap()),
            self._mishap("slow", Mishap(wait=2.0)),
            self._mishap("an error of its own", Mishap(500, b"<h1>Server Error (500) zwanenzang</h1>")),
            self._mishap("busy", Mishap(503)),
            self._mishap("too fast", Mishap(429)),
            self._mishap("not there at all", Mishap(404, b"zwanenzang"), retryable=False),
            self._mishap("may not read", Mishap(403, b'{"code": "permission_denied"}'), retryable=False),
            self._mishap(
                "sent on", Mishap(302, headers={"Location": "https://elsewhere.example/"}), retryable=False
            ),
            self._mishap("garbage", Mishap(200, b"zwanenzang")),
            self._mishap("another shape", Mishap(200, b'["zwanenzang"]')),
            self._mishap("results that are none", Mishap(200, b'{"count": "x", "results": 5}')),
            self._mishap("rows that are none", Mishap(200, b'{"count": "x", "results": [5]}')),
            self._mishap("far too much", Mishap(200, huge)),
        ]

    async def test_a_token_is_of_this_moment(self, provider: CaseProvider) -> None:
        start = time.time()
        ours = [start]
        later = ZgwCases(self.fake.url, self.fake.client, self.fake.secret, RSIN, now=lambda: ours[0])
        self.fake.clock = lambda: start + 3000
        assert await later.find(self.known, HOME)
        self.fake.clock = lambda: start + 3700
        with pytest.raises(CaseFault, match="jwt-expired"):
            await later.find(self.known, HOME)
        ours[0] = start + 3700  # the same provider, an hour later
        assert await later.find(self.known, HOME)
        await later.close()

    async def test_a_number_is_of_one_organisation(self, provider: CaseProvider) -> None:
        self.fake.open(self.unknown, organisation="123456782")
        assert await provider.find(self.unknown, HOME) is None

    async def test_two_of_one_number_are_none(self, provider: CaseProvider) -> None:
        self.fake.open(self.known, born="19900101")
        assert await provider.find(self.known, HOME) is None

    async def test_a_server_that_overlooks_filters_leads_to_nobody_else(self, provider: CaseProvider) -> None:
        self.fake.filters = False
        other = Proof(postcode="1234AB", house_number=99)
        assert await provider.find(self.known, other) is None
        assert await provider.find(self.known, HOME)

    async def test_who_asked_may_be_on_another_page(self, provider: CaseProvider) -> None:
        for number in range(4):
            role = self.fake.roles[0] | {
                "uuid": str(number),
                "betrokkeneIdentificatie": {"geboortedatum": "1"},
            }
            self.fake.roles.append(role)
        self.fake.page = 1
        assert await provider.find(self.known, HOME)
        assert self.fake.calls.count("rollen") == 5

    async def test_only_who_asked_counts(self, provider: CaseProvider) -> None:
        self.fake.open(self.unknown, role="behandelaar")
        assert await provider.find(self.unknown, HOME) is None

    @pytest.mark.parametrize(
        ("born", "fits"),
        [("1980-02-01", True), ("19800201", True), ("19800000", False), ("", False), ("1980", False)],
    )
    async def test_a_date_of_birth_that_is_not_whole_is_no_proof(
        self, provider: CaseProvider, born: str, fits: bool
    ) -> None:
        self.fake.open(self.unknown, born=born)
        assert (await provider.find(self.unknown, BORN) is not None) is fits

    async def test_what_is_missing_of_an_address_proves_nothing(self, provider: CaseProvider) -> None:
        for number, home in enumerate(
            ({}, {"aoaPostcode": "", "aoaHuisnummer": 12}, {"aoaPostcode": "1234AB"})
        ):
            reference = f"ZAAK-2026-{number:010}"
            self.fake.open(reference, home=home)
            assert await provider.find(reference, HOME) is None
            assert await provider.find(reference, Proof()) is None

    async def test_what_it_tells(self, provider: CaseProvider) -> None:
        self.moves_on()
        self.fake.change(self.key, opschorting={"indicatie": True, "reden": "zwanenzang"})
        case = await self.found(provider)
        assert case.types == ("ZT-01", "Kapvergunning aanvragen", "Kapvergunning")
        assert case.status
        assert case.status.names == ("In behandeling",)
        assert case.status.text == "Wij behandelen uw aanvraag."
        assert (case.suspended, str(case.deadline), str(case.planned)) == (True, "2026-12-24", "2026-11-12")
        assert "zwanenzang" not in repr(case)

    async def test_a_case_without_a_status_yet(self, provider: CaseProvider) -> None:
        self.fake.open(self.unknown)
        case = await provider.find(self.unknown, HOME)
        assert case and case.status is None

    async def test_half_an_answer_is_no_answer(self, provider: CaseProvider) -> None:
        """A server that does not know `expand` gives the case without its status: no reason to tell of none."""
        self.fake.types.clear()
        self.fake.types |= {row["zaaktype"]: {"omschrijvingGeneriek": "x"} for row in self.fake.cases}
        self.fake.change(self.key, startdatum="gisteren")
        with pytest.raises(CaseFault, match="unreadable"):
            await provider.look(self.key)

    async def test_a_case_that_was_taken_away(self, provider: CaseProvider) -> None:
        self.fake.remove(self.key)
        assert await provider.look(self.key) is None

    async def test_no_call_holds_what_proves(self, provider: CaseProvider) -> None:
        await provider.find(self.known, HOME)
        assert self.fake.calls == ["zaken", "rollen"]

    async def test_health_is_kept_for_a_while(self, provider: CaseProvider) -> None:
        await asyncio.gather(*(provider.health() for _ in range(5)))
        assert self.fake.calls == ["zaken"]

    async def test_check_tells_of_an_organisation_without_cases(self) -> None:
        async with FakeOpenZaak() as fake:
            provider = ZgwCases(fake.url, fake.client, fake.secret, RSIN)
            states = {finding.what: finding.state for finding in await provider.check()}
            await provider.close()
        assert states == {"address and token": "ok", "cases": "todo"}
