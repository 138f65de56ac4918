"""What JCC wants to know of who comes: its fields and its two rules that one of a pair must be told, as ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actions.appointments.calls import Row
from actions.appointments.people import initials, split_name
from bot.model import Field
from bot.ports import BookingRefused

VISIBLE, HIDDEN, REQUIRED = 0, 1, 2
"""States of a field; one that is not told is visible."""

_MORE = (
    "lastNamePrefix",
    "socialSecurityNumber",
    "nationality",
    "language",
    "streetName",
    "houseNumber",
    "houseNumberSuffix",
    "postalCode",
    "city",
    "country",
)
"""What we do not ask: a product that requires one of these can't be had here."""
_LONGEST = 128


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted for an activity. `numbers` are the fields of JCC that our one telephone number goes into; `first`
    whether a first name or initials must be there, `letters` whether initials must; `more` is what we can't tell."""

    fields: list[Field]
    numbers: tuple[str, ...]
    first: bool
    letters: bool
    more: tuple[str, ...]

    @classmethod
    def read(cls, told: Row) -> Wanted:
        """From an answer of JCC. The last name is always required, and not among what it tells."""

        def state(name: str) -> int:
            found = told.get(name, VISIBLE)
            return found if found in (HIDDEN, REQUIRED) else VISIBLE

        def field(name: str, *states: int, needed: bool = False) -> list[Field]:
            required = needed or REQUIRED in states
            return [Field(name, required)] if required or VISIBLE in states else []

        any_number = told.get("isAnyPhoneNumberRequired") is True
        main, mobile = state("mainPhoneNumber"), state("mobilePhoneNumber")
        numbers = [
            theirs
            for theirs, one in (("phoneNumber", main), ("mobilePhoneNumber", mobile))
            if one == REQUIRED
        ]
        if not numbers:
            numbers = ["mobilePhoneNumber" if main == HIDDEN and mobile == VISIBLE else "phoneNumber"]
        return cls(
            fields=[
                Field("name", True),
                *field("birth_date", state("birthDate")),
                *field("phone", main, mobile, needed=any_number),
                *field("email", state("emailAddress")),
            ],
            numbers=tuple(numbers),
            first=(
                told.get("areFirstNameOrInitialsRequired") is True
                or REQUIRED in (state("firstName"), state("initials"))
            ),
            letters=state("initials") == REQUIRED,
            more=tuple(name for name in _MORE if state(name) == REQUIRED),
        )


def customer(details: Mapping[str, str], wanted: Wanted) -> dict[str, object]:
    """Who comes, as JCC books it: nothing but what it wants. Raises `BookingRefused`."""
    if wanted.more:
        raise BookingRefused(f"JCC requires what is not asked here: {', '.join(wanted.more)}")
    first, last = split_name(details["name"])
    if wanted.first and not first:
        raise BookingRefused("not told: a first name")
    found: dict[str, object] = {"gender": 0}  # "other": JCC requires it, and it is nobody's business
    if first:
        found["firstName"] = first[:_LONGEST]
        if wanted.letters:
            found["initials"] = initials(first)[:_LONGEST]
    found["lastName"] = last[:_LONGEST]
    names = {field.name for field in wanted.fields}
    told = {name: details.get(name, "").strip() for name in names}
    if told.get("birth_date"):
        found["birthDate"] = told["birth_date"]
    if told.get("email"):
        found["emailAddress"] = told["email"]
    if told.get("phone"):
        found |= dict.fromkeys(wanted.numbers, told["phone"])
    return {**found, "id": None, "isMainCustomer": True}
