"""Passwords: which are good enough, and how they are kept (argon2id)."""

from __future__ import annotations

import asyncio
import re
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 200
_DIFFERENT = 6
_AT_ONCE = 2
"""Each hash takes 64 MiB and a tenth of a second of a processor: more at once would be a way to exhaust us."""

_COMMON = ("wachtwoord", "password", "welkom", "gemeente", "klaartje", "qwerty", "azerty", "12345678")
"""What a guesser tries first. One of these may be in it, but not be most of it."""


def problems(password: str, *names: str) -> list[str]:
    """What is wrong with a new password, as sentences for who chooses it; empty where it is good."""
    plain = _normal(password).casefold()
    found = []
    if len(plain) < SHORTEST:
        found.append(f"Uw wachtwoord is te kort. Gebruik {SHORTEST} tekens of meer.")
    if max(len(plain), len(password)) > LONGEST:
        found.append(f"Uw wachtwoord is te lang. Gebruik {LONGEST} tekens of minder.")
    parts = {part for name in names for part in re.split(r"[\W_]+", _normal(name).casefold())}
    if any(len(part) >= 3 and part in plain for part in parts):
        found.append("Uw naam staat in uw wachtwoord. Kies een wachtwoord zonder uw naam.")
    if len(plain) >= SHORTEST and len(set(plain)) < _DIFFERENT:
        found.append("Uw wachtwoord heeft te veel dezelfde tekens. Gebruik meer verschillende tekens.")
    elif any(len(set(plain.replace(word, ""))) < _DIFFERENT for word in _COMMON if word in plain):
        found.append("Uw wachtwoord is makkelijk te raden. Kies bijvoorbeeld vier woorden achter elkaar.")
    return found


class Passwords:
    """Makes and checks hashes, off the event loop. An unknown password takes as long as a known one."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """What to keep of it."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether it is the one. Without one the same work is done, for the same answer: no."""
        if self._nobody is None:
            self._nobody = await self.hash("nobody has this password")
        async with self._turns:
            right = await asyncio.to_thread(self._verify, password, kept or self._nobody)
        return right and kept is not None

    def is_old(self, kept: str) -> bool:
        """Whether it was made with less work than is asked for today."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, _normal(password[:LONGEST]))
        except (VerificationError, InvalidHashError):
            return False


def _normal(text: str) -> str:
    """The same letters are the same, whichever keyboard made them."""
    return unicodedata.normalize("NFKC", text)
