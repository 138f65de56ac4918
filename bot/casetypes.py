"""Which cases residents may look up in the chat: the part `cases` of the municipality's file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ADDRESS, BIRTH_DATE = "address", "birth_date"

_FORM = re.compile(r"[A-Z0-9./-]*?(JJJJ)?[A-Z./-]*9{2,20}")
_EXAMPLE = {"J": "2026", "9": "12345"}


def _form(value: str) -> str:
    if not _FORM.fullmatch(value) or len(value) > 40:
        raise ValueError(
            "must look like ZAAK-JJJJ-9999999999: capitals, JJJJ for the year, 9 for each digit at the end"
        )
    return value


class CaseType(BaseModel):
    """One type that may be looked up. `type` is how the system of cases calls it (its identification or description),
    `name` how a resident does (`uw kapvergunning`). `proof` is the fact that must be given besides the number.
    `articles` are the answers about it: who asks how one of these stands is asked for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    type: Annotated[str, Field(min_length=1, max_length=80)]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    proof: Literal["address", "birth_date"] = "address"
    articles: tuple[str, ...] = ()


class CaseRules(BaseModel):
    """`references`: how a number looks, the usual one first. `link`: where residents log in and see their cases."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    types: Annotated[tuple[CaseType, ...], Field(min_length=1)]
    references: Annotated[tuple[Annotated[str, AfterValidator(_form)], ...], Field(min_length=1)]
    link: str = "{website}/mijn-zaken"

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [one.type.casefold() for one in self.types]
        if len(set(names)) < len(names):
            raise ValueError("two types have the same name")
        return self

    def of(self, names: Sequence[str]) -> CaseType | None:
        """The type that a case has, by the names that it is known by; None where it may not be looked up."""
        known = {name.casefold() for name in names}
        return next((one for one in self.types if one.type.casefold() in known), None)

    @property
    def facts(self) -> frozenset[str]:
        """The facts that are asked for, all types together."""
        return frozenset(one.proof for one in self.types)

    @property
    def born(self) -> str:
        """In words, the types for which the date of birth is asked: `uw bijstand of uw Wmo-hulp`."""
        names = [one.name for one in self.types if one.proof == BIRTH_DATE]
        return " of ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

    @property
    def example(self) -> str:
        """A number as it looks: `ZAAK-2026-0000012345`."""
        first = self.references[0].replace("JJJJ", _EXAMPLE["J"])
        digits = re.search(r"9+$", first)
        size = len(digits[0]) if digits else 0
        return f"{first[: len(first) - size]}{_EXAMPLE['9'].zfill(size)[-size:]}"
