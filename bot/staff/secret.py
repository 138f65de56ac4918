"""Random words that stand for a right: long enough never to be guessed, kept only as a hash."""

from __future__ import annotations

import hashlib
import re
import secrets

_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """256 random bits, as 43 characters that fit in a link and in a cookie."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether it has the form of one."""
    return _FORM.fullmatch(text) is not None


def hashed(token: str) -> str:
    """What the store keeps of it. No slow hash is needed: there is nothing to guess."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
