"""Every system of reports, held to the same: our own list on both stores, and Signalen. And what only that one has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa

from actions.reports import signalen_api
from actions.reports.local import LocalReports
from actions.reports.signalen import Signalen
from bot.db.database import Database
from bot.db.tables import audit, local_photos, local_reports
from bot.model import ReportReceipt
from bot.ports import ReportFault, ReportProvider
from tests.conformance.cases import Trouble
from tests.conformance.reports import REPORT, ReportProviderConformance, key
from tests.conftest import SetClock
from tests.fakes.openklant import Mishap
from tests.fakes.signalen import BASE, FakeSignalen

POINT = (52.09, 5.12)


class TestLocal(ReportProviderConformance):
    @pytest.fixture(autouse=True)
    def store(self, database: Database) -> None:
        self.database = database

    @asynccontextmanager
    async def open(self, clock: SetClock) -> AsyncIterator[LocalReports]:
        self.own = LocalReports(self.database, clock)
        yield self.own

    async def taken(self) -> Sequence[str]:
        async with self.database.read() as connection:
            return (await connection.execute(sa.select(local_reports.c.text))).scalars().all()

    async def photos(self, receipt: ReportReceipt) -> Sequence[bytes]:
        query = sa.select(local_photos.c.content).where(local_photos.c.report_key == receipt.id)
        async with self.database.read() as connection:
            return (await connection.execute(query)).scalars().all()

    async def closes(self, receipt: ReportReceipt) -> None:
        assert await self.own.done(receipt.number, actor="els")

    async def test_what_is_closed_is_noted_and_leaves_the_list(self, provider: ReportProvider) -> None:
        receipt = await provider.send(REPORT, key())
        assert [row.reference for row in await self.own.listed()] == [REPORT.reference]
        await self.closes(receipt)
        assert not await self.own.listed()
        assert [row.reference for row in await self.own.listed(every=True)] == [REPORT.reference]
        for number in (
            receipt.number,
            "M-2025-00001",
            "M-2026-99999",
            "",
            "M-",
            "M-x-1",
            "M-2026-" + "9" * 30,
        ):
            assert not await self.own.done(number, actor="els")
        async with self.database.read() as connection:
            rows = (await connection.execute(sa.select(audit.c.actor, audit.c.action, audit.c.object))).all()
        assert [tuple(row) for row in rows] == [("els", "closed report", receipt.number)]

    async def test_the_same_photo_again_is_one(self, provider: ReportProvider) -> None:
        receipt, mine = await provider.send(REPORT, key()), key()
        for _ in range(2):
            await provider.attach(receipt.id, b"x", "image/png", mine)
        assert await self.photos(receipt) == [b"x"]


class TestSignalen(ReportProviderConformance):
    sends_once = False

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signalen_api, "_SECONDS", 1.0)

    @asynccontextmanager
    async def open(self, clock: SetClock) -> AsyncIterator[Signalen]:
        async with FakeSignalen() as self.fake:
            provider = Signalen(self.fake.url, POINT)
            yield provider
            await provider.close()

    async def taken(self) -> Sequence[str]:
        return [row["text"] for row in self.fake.signals]

    async def photos(self, receipt: ReportReceipt) -> Sequence[bytes]:
        return [content for _, content in self.fake.photos[receipt.id]]

    async def closes(self, receipt: ReportReceipt) -> None:
        self.fake.close(receipt.id)

    def troubles(self) -> list[Trouble]:
        secret = b'{"detail": "zwanenzang"}'
        return [
            self._mishap("away", Mishap(503, secret)),
            self._mishap("broken", Mishap(500, b"<html>zwanenzang")),
            self._mishap("throttled", Mishap(429, secret, headers={"Retry-After": "7"})),
            self._mishap("gone silent", Mishap()),
            self._mishap("too slow", Mishap(200, b"{}", wait=1.5)),
            self._mishap("garbage", Mishap(200, b"zwanenzang")),
            self._mishap("another shape", Mishap(200, b'{"results": 5, "status": []}')),
            self._mishap("not ours", Mishap(401, secret), retryable=False),
            self._mishap("not allowed", Mishap(403, secret), retryable=False),
        ]

    def _mishap(self, name: str, mishap: Mishap, *, retryable: bool = True) -> Trouble:
        def cause() -> None:
            self.fake.mishap = mishap

        def mend() -> None:
            self.fake.mishap = None

        return Trouble(name, cause, mend, retryable)

    async def test_what_goes_wrong_is_told_and_loses_nothing(self, provider: ReportProvider) -> None:
        """A photo asks nothing of an answer that says it is in, so what it says does not matter there."""
        receipt = await provider.send(REPORT, key())
        for trouble in self.troubles():
            trouble.cause()
            for what in (provider.send(REPORT, key()), provider.look(receipt.id)):
                with pytest.raises(ReportFault) as caught:
                    await what
                assert caught.value.retryable is trouble.retryable, trouble.name
                for secret in ("zwanenzang", REPORT.text, REPORT.phone, REPORT.email, receipt.id):
                    assert secret not in caught.value.reason, trouble.name
            trouble.mend()
            assert await provider.look(receipt.id)

    async def test_health_and_check_never_raise(self, provider: ReportProvider) -> None:
        assert (await provider.health()).state == "ok"
        for trouble in self.troubles():
            trouble.cause()
            fresh = Signalen(self.fake.url, POINT)  # one that has kept no state of health
            assert (await fresh.health()).state == "degraded", trouble.name
            await fresh.close()
            findings = await provider.check()
            assert any(finding.state == "wrong" for finding in findings), trouble.name
            assert all(finding.advice for finding in findings if finding.state != "ok")
            trouble.mend()

    async def test_exactly_the_keys_that_it_takes(self, provider: ReportProvider) -> None:
        await provider.send(REPORT, key())
        [row] = self.fake.signals
        assert row["location"] == {"geometrie": {"type": "Point", "coordinates": [5.1, 52.1]}}
        assert row["category"] == {
            "sub_category": f"{self.fake.url}{BASE}/terms/categories/afval/sub_categories/prullenbak-is-vol"
        }
        assert row["reporter"] == {
            "email": "zwaan@voorbeeld.nl",
            "phone": "06 12345678",
            "sharing_allowed": False,
        }
        assert row["incident_date_start"] == "2026-11-23T09:00:00+00:00"
        assert row["text"].endswith("Plek: Beukenlaan 12\nGemeld in de chat, kenmerk R12345678.")

    async def test_a_place_in_words_is_put_in_the_middle_and_told_so(self, provider: ReportProvider) -> None:
        await provider.send(replace(REPORT, latitude=None, longitude=None), key())
        [row] = self.fake.signals
        assert row["location"]["geometrie"]["coordinates"] == [5.12, 52.09]
        assert "Plek: Beukenlaan 12 (het punt op de kaart is niet precies)" in row["text"]

    async def test_a_call_of_which_nobody_knows_how_it_ended(self, provider: ReportProvider) -> None:
        for mishap in (
            Mishap(times=1, after=True),
            Mishap(502, times=1, after=True),
            Mishap(times=1, wait=2),
        ):
            self.fake.mishap = mishap
            with pytest.raises(ReportFault) as caught:
                await provider.send(REPORT, key())
            assert caught.value.unknown and caught.value.retryable
        assert len(self.fake.signals) == 2  # it took what it did not answer to

    async def test_what_it_never_got_is_not_unknown(self) -> None:
        nowhere = Signalen("http://127.0.0.1:9", POINT)
        with pytest.raises(ReportFault) as caught:
            await nowhere.send(REPORT, key())
        await nowhere.close()
        assert caught.value.retryable and not caught.value.unknown

    async def test_it_says_when_it_wants_it_again(self, provider: ReportProvider) -> None:
        self.fake.mishap = Mishap(429, headers={"Retry-After": "7"})
        with pytest.raises(ReportFault) as caught:
            await provider.send(REPORT, key())
        assert (caught.value.retry_after, caught.value.unknown) == (7.0, False)

    async def test_a_category_that_it_lacks_stays_a_fault(self, provider: ReportProvider) -> None:
        with pytest.raises(ReportFault) as caught:
            await provider.send(replace(REPORT, category="afval/zwanen"), key())
        assert not caught.value.retryable
        assert await provider.categories() == ["afval/prullenbak-is-vol", "afval/huisafval", "overig/overig"]

    @pytest.mark.parametrize("mime", ["image/webp", "image/heic"])
    async def test_a_photo_of_a_kind_that_it_does_not_take(self, provider: ReportProvider, mime: str) -> None:
        receipt = await provider.send(REPORT, key())
        with pytest.raises(ReportFault) as caught:
            await provider.attach(receipt.id, b"x", mime, key())
        assert not caught.value.retryable

    async def test_what_residents_do_not_see_is_no_change(self, provider: ReportProvider) -> None:
        receipt = await provider.send(REPORT, key())
        before = await provider.look(receipt.id)
        self.fake.touch(receipt.id)
        assert await provider.look(receipt.id) == before

    async def test_one_that_was_taken_away(self, provider: ReportProvider) -> None:
        receipt = await provider.send(REPORT, key())
        self.fake.remove(receipt.id)
        assert await provider.look(receipt.id) is None

    async def test_an_address_without_tls_is_told(self) -> None:
        provider = Signalen("http://signalen.example", POINT)
        findings = await provider.check()
        await provider.close()
        assert next(finding.state for finding in findings) == "todo"
