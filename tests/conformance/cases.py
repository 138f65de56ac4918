"""What every system of cases owes the house. Inherit, tell how to open it, which cases it has and what can go wrong."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date

import pytest

from bot.model import Case, Proof
from bot.ports import CaseFault, CaseProvider
from tests.conftest import SetClock

HOME = Proof(postcode="1234AB", house_number=12)
BORN = Proof(birth_date=date(1980, 2, 1))


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong, until `mend`, and whether it may pass by itself."""

    name: str
    cause: Callable[[], None]
    mend: Callable[[], None]
    retryable: bool = True


class CaseProviderConformance(ABC):
    """Inherit as `Test...`. A test has its own instance, so `open` may keep the system's stand-in on `self`."""

    known: str
    """The reference of a case of who lives at `HOME` and was born as `BORN`, and that is not done."""
    unknown: str

    @abstractmethod
    @asynccontextmanager
    async def open(self, clock: SetClock) -> AsyncIterator[CaseProvider]:
        """The system with that case."""
        yield NotImplemented

    @abstractmethod
    def moves_on(self) -> None:
        """Let something happen to the case that who follows it must hear."""

    @abstractmethod
    def ends(self) -> None:
        """Let the case come to its end."""

    def troubles(self) -> list[Trouble]:
        """What can go wrong; nothing with one that has no parts."""
        return []

    @pytest.fixture
    async def provider(self, clock: SetClock) -> AsyncIterator[CaseProvider]:
        async with self.open(clock) as provider:
            yield provider

    async def found(self, provider: CaseProvider, proof: Proof = HOME) -> Case:
        case = await provider.find(self.known, proof)
        assert case is not None
        return case

    async def test_it_is_found_by_either_fact(self, provider: CaseProvider) -> None:
        case = await self.found(provider)
        assert case.reference == self.known
        assert case.types and case.status and case.status.names
        assert case.status.since.tzinfo is not None
        assert case.ended is None
        assert await self.found(provider, BORN) == case

    async def test_an_addition_may_be_left_out_or_added(self, provider: CaseProvider) -> None:
        assert await provider.find(self.known, replace(HOME, addition="A"))

    @pytest.mark.parametrize(
        "proof",
        [
            replace(HOME, house_number=13),
            replace(HOME, postcode="1234AC"),
            replace(HOME, house_number=0),
            Proof(birth_date=date(1980, 1, 2)),
            Proof(birth_date=date(1981, 2, 1)),
            Proof(),
        ],
        ids=["number", "postcode", "no number", "day and month", "year", "nothing"],
    )
    async def test_a_wrong_fact_is_answered_as_an_unknown_case(
        self, provider: CaseProvider, proof: Proof
    ) -> None:
        assert await provider.find(self.known, proof) is None
        assert await provider.find(self.unknown, proof) is None
        assert await provider.find(self.unknown, HOME) is None

    @pytest.mark.parametrize(
        "reference", ["", "*", "%", "' OR 1=1 --", "a&bronorganisatie=1", "x" * 500, "é😀"]
    )
    async def test_a_strange_reference_is_an_unknown_case(
        self, provider: CaseProvider, reference: str
    ) -> None:
        assert await provider.find(reference, HOME) is None

    async def test_it_is_looked_at_again_by_its_key(self, provider: CaseProvider) -> None:
        case = await self.found(provider)
        assert await provider.look(case.key) == case
        for key in ("", "../zaken", "00000000-0000-4000-8000-000000000000", "x"):
            assert await provider.look(key) is None

    async def test_a_change_is_another_state_and_no_change_is_the_same(self, provider: CaseProvider) -> None:
        case = await self.found(provider)
        same = await provider.look(case.key)
        assert same and same.state == case.state
        self.moves_on()
        moved = await provider.look(case.key)
        assert moved and moved.state != case.state
        again = await provider.look(case.key)
        assert again and again.state == moved.state

    async def test_it_ends_with_a_result(self, provider: CaseProvider) -> None:
        case = await self.found(provider)
        self.ends()
        done = await provider.look(case.key)
        assert done and done.ended and done.result
        assert done.state != case.state

    async def test_nothing_tells_who_it_is(self, provider: CaseProvider) -> None:
        told = repr(await self.found(provider))
        for word in ("Jansen", "999992958", "1234AB", "1980", "collega"):
            assert word not in told
        assert "1234" not in repr(HOME) and "1980" not in repr(BORN)

    async def test_what_goes_wrong_is_told_and_never_an_unknown_case(self, provider: CaseProvider) -> None:
        case = await self.found(provider)
        for trouble in self.troubles():
            trouble.cause()
            for what in (provider.find(self.known, HOME), provider.look(case.key)):
                with pytest.raises(CaseFault) as caught:
                    await what
                assert caught.value.retryable is trouble.retryable, trouble.name
                for secret in ("zwanenzang", "geheim", "1234AB", self.known, case.key):
                    assert secret not in caught.value.reason, trouble.name
            trouble.mend()
            assert await self.found(provider) == case

    async def test_health_and_check_never_raise(self, provider: CaseProvider) -> None:
        assert (await provider.health()).state == "ok"
        assert all(finding.state in ("ok", "todo") for finding in await provider.check())
        for trouble in self.troubles():
            trouble.cause()
            assert (await provider.health()).state in ("ok", "degraded", "down")
            findings = await provider.check()
            assert any(finding.state == "wrong" for finding in findings), trouble.name
            assert all(finding.advice for finding in findings if finding.state != "ok")
            trouble.mend()

    async def test_it_can_be_closed_twice(self, provider: CaseProvider) -> None:
        await provider.close()
        await provider.close()
