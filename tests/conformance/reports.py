"""What every system of reports owes the house. Inherit, tell how to open it and what can go wrong."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.model import Report, ReportReceipt
from bot.ports import ReportFault, ReportProvider
from tests.conformance.cases import Trouble
from tests.conftest import SetClock
from tests.conversations.residents import PHOTO

REPORT = Report(
    "R12345678",
    "afval/prullenbak-is-vol",
    "De prullenbak zit vol",
    "Beukenlaan 12",
    datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    52.1,
    5.1,
    "06 12345678",
    "zwaan@voorbeeld.nl",
)


class ReportProviderConformance(ABC):
    """Inherit as `Test...`. A test has its own instance, so `open` may keep the system's stand-in on `self`."""

    sends_once = True
    """Whether it can tell that it has a report already."""

    @abstractmethod
    @asynccontextmanager
    async def open(self, clock: SetClock) -> AsyncIterator[ReportProvider]:
        """The system, with nothing in it."""
        yield NotImplemented

    @abstractmethod
    async def taken(self) -> Sequence[str]:
        """The texts of all reports that it has."""

    @abstractmethod
    async def photos(self, receipt: ReportReceipt) -> Sequence[bytes]:
        """The photos of one."""

    @abstractmethod
    async def closes(self, receipt: ReportReceipt) -> None:
        """Let its people be done with one."""

    def troubles(self) -> list[Trouble]:
        """What can go wrong; nothing with one that has no parts."""
        return []

    @pytest.fixture
    async def provider(self, clock: SetClock) -> AsyncIterator[ReportProvider]:
        async with self.open(clock) as provider:
            yield provider

    async def test_a_report_is_in_with_all_that_was_told(self, provider: ReportProvider) -> None:
        receipt = await provider.send(REPORT, key())
        assert receipt.id and 0 < len(receipt.number) <= 64
        (text,) = await self.taken()
        assert REPORT.text in text

    async def test_numbers_are_of_one_report(self, provider: ReportProvider) -> None:
        receipts = [await provider.send(REPORT, key()) for _ in range(3)]
        assert len({one.number for one in receipts}) == len({one.id for one in receipts}) == 3

    async def test_the_same_again_is_the_same_where_that_can_be_told(self, provider: ReportProvider) -> None:
        mine = key()
        first, again = await provider.send(REPORT, mine), await provider.send(REPORT, mine)
        assert (first == again) is self.sends_once
        assert len(await self.taken()) == (1 if self.sends_once else 2)

    @pytest.mark.parametrize(
        "changed",
        [
            {"latitude": None, "longitude": None},
            {"phone": ""},
            {"email": ""},
            {"phone": "", "email": ""},
            {"text": "é😀 <b>x</b> {x} \" ' ; --", "place": "bij de kerk"},
            {"text": "x" * 1000, "place": "y" * 200},
        ],
        ids=["words", "no phone", "no mail", "nobody", "strange", "long"],
    )
    async def test_whatever_a_resident_tells_is_taken(
        self, provider: ReportProvider, changed: dict[str, object]
    ) -> None:
        report = replace(REPORT, **changed)  # type: ignore[arg-type]
        await provider.send(report, key())
        (text,) = await self.taken()
        assert report.text in text

    async def test_photos_go_with_it(self, provider: ReportProvider) -> None:
        receipt = await provider.send(REPORT, key())
        await provider.attach(receipt.id, PHOTO, "image/png", key())
        await provider.attach(receipt.id, PHOTO, "image/png", key())
        assert await self.photos(receipt) == [PHOTO, PHOTO]

    async def test_a_photo_of_nothing_is_refused(self, provider: ReportProvider) -> None:
        with pytest.raises(ReportFault) as caught:
            await provider.attach(key(), PHOTO, "image/png", key())
        assert not caught.value.retryable

    async def test_it_is_looked_at_until_it_is_closed(self, provider: ReportProvider) -> None:
        receipt = await provider.send(REPORT, key())
        found = await provider.look(receipt.id)
        assert found and not found.closed and found.number == receipt.number
        assert found.since.tzinfo is not None
        assert await provider.look(receipt.id) == found
        await self.closes(receipt)
        done = await provider.look(receipt.id)
        assert done and done.closed and done.number == receipt.number and done.words != found.words

    @pytest.mark.parametrize("name", ["", "x", "../terms/categories", "00000000-0000-4000-8000-000000000000"])
    async def test_what_was_never_reported_is_not_there(self, provider: ReportProvider, name: str) -> None:
        assert await provider.look(name) is None

    async def test_what_goes_wrong_is_told_and_loses_nothing(self, provider: ReportProvider) -> None:
        receipt = await provider.send(REPORT, key())
        for trouble in self.troubles():
            trouble.cause()
            for what in (
                provider.send(REPORT, key()),
                provider.look(receipt.id),
                provider.attach(receipt.id, PHOTO, "image/png", key()),
            ):
                with pytest.raises(ReportFault) as caught:
                    await what
                assert caught.value.retryable is trouble.retryable, trouble.name
                for secret in ("zwanenzang", REPORT.text, REPORT.phone, REPORT.email, receipt.id):
                    assert secret not in caught.value.reason, trouble.name
            trouble.mend()
            assert await provider.look(receipt.id)

    async def test_health_and_check_never_raise(self, provider: ReportProvider) -> None:
        assert (await provider.health()).state == "ok"
        assert all(finding.state in ("ok", "todo") for finding in await provider.check())
        for trouble in self.troubles():
            trouble.cause()
            assert (await provider.health()).state in ("ok", "degraded", "down")
            findings = await provider.check()
            assert any(finding.state == "wrong" for finding in findings), trouble.name
            assert all(finding.advice for finding in findings if finding.state != "ok")
            trouble.mend()

    async def test_it_can_be_closed_twice(self, provider: ReportProvider) -> None:
        await provider.close()
        await provider.close()


def key() -> str:
    """A new one."""
    return str(uuid.uuid4())
