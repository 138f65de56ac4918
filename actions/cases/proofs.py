"""Whether a fact that was given is the one that a system of cases has of who asked."""

from __future__ import annotations

import re

from bot.model import Proof


def same_address(proof: Proof, postcode: str, number: int | None, addition: str) -> bool:
    """Postcode and number must be the same. An addition only where both have one: people leave it out."""
    if not postcode or not number or _plain(postcode) != proof.postcode or number != proof.house_number:
        return False
    return not proof.addition or not _plain(addition) or _plain(addition) == _plain(proof.addition)


def same_birth_date(proof: Proof, text: str) -> bool:
    """`19800102` or `1980-01-02`. One of which a part is not known (`19800000`) is never the same."""
    digits = re.sub(r"\D", "", text)
    return proof.birth_date is not None and digits == f"{proof.birth_date:%Y%m%d}"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())
