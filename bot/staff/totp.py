"""The second proof: a code of six digits that changes each half minute (TOTP), from an app on a telephone."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

import pyotp
import segno

STEP = 30
_SPREAD = 1
"""Half minutes that the clock of the telephone may be wrong, each way."""


def new_secret() -> str:
    """160 random bits in base32."""
    return pyotp.random_base32(32)


def address(secret: str, name: str, issuer: str) -> str:
    """What the picture says to the app."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def picture(text: str) -> str:
    """A QR code as SVG to stand in a page, dark on light in any theme; it has no style of its own."""
    drawn: str = segno.make(text, micro=False, error="m").svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return drawn


def spaced(secret: str) -> str:
    """The secret in groups of four, to be typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The half minute that a code belongs to; None where it is not right. Each is compared, right or not."""
    digits = re.sub(r"\s", "", code)
    current = int(now.timestamp()) // STEP
    app = pyotp.TOTP(secret)
    found = None
    for step in range(current - _SPREAD, current + _SPREAD + 1):
        if hmac.compare_digest(app.generate_otp(step).encode(), digits.encode("utf-8", "replace")):
            found = step
    return found
