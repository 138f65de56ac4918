"""The number of a case in a resident's words: `zaak 2026 12345` is ZAAK-2026-0000012345."""

from __future__ import annotations

import re
from collections.abc import Sequence

_DIGIT = "[0-9OQIL]"
"""A digit, or a letter that is only ever typed for one where digits stand; capitals or not."""
_REPAIRED = str.maketrans("OoQqIiLl", "00001111")
_GAP = r"[\s./_–-]*"
_IS = r"(?:\s*(?:nummer|nr|is|=|:|\.|#))*"
_ALONE_DIGITS = 3
"""So many digits must stand after a year where no word says that it is a number of a case."""
_MEANT = re.compile(r"(?<!\w)[A-Za-z]{1,8}[\s./-]?\d[\d./-]{3,20}|(?<!\w)\d[\d./-]{4,20}")


class References:
    """Reads numbers of the given forms: capitals as they are, JJJJ for a year, 9 for each digit at the end."""

    def __init__(self, forms: Sequence[str]) -> None:
        self._forms = [_Form(form) for form in forms]

    def read(self, text: str) -> str | None:
        """The first number in the text, as the system of cases has it; None where it is not certain."""
        return next((found for form in self._forms if (found := form.read(text))), None)

    def tries(self, text: str) -> bool:
        """Whether the text has something that is meant as a number."""
        return _MEANT.search(text) is not None


class _Form:
    """One form. The word before the year may be left out, and zeros before the digits, where something stands between;
    digits that are joined to the year must be all there. Without word or year, too."""

    def __init__(self, form: str) -> None:
        self._size = len(form) - len(form.rstrip("9"))
        self._before, year, self._between = form[: len(form) - self._size].partition("JJJJ")
        word = re.escape(re.sub(r"[^A-Z0-9]", "", self._before))
        named = rf"(?P<word>{word}{_IS}{_GAP})?" if word else "(?P<word>)"
        joint = re.escape(re.sub(r"[^A-Z0-9]", "", self._between))
        apart = rf"(?:[\s./_–-]+{joint}{_GAP}|{_GAP}{joint}[\s./_–-]+)(?P<digits>{_DIGIT}{{1,{self._size}}})"
        whole = rf"{joint}(?P<whole>{_DIGIT}{{{self._size}}})"
        row = rf"(?P<digits>{_DIGIT}{{1,{self._size}}})"
        tail = rf"(?P<year>(?:19|2[0OQ]){_DIGIT}{{2}})(?:{apart}|{whole})" if year else row
        self._pattern = re.compile(rf"(?<![\w.-]){named}{tail}(?![\w-])", re.IGNORECASE)

    def read(self, text: str) -> str | None:
        """The first number of this form."""
        for match in self._pattern.finditer(text):
            parts = match.groupdict()
            digits = (parts["digits"] or parts.get("whole") or "").translate(_REPAIRED)
            year = (parts.get("year") or "").translate(_REPAIRED)
            least = 1 if parts["word"] else _ALONE_DIGITS if year else self._size
            if len(digits) >= least and digits.strip("0"):
                return f"{self._before}{year}{self._between}{digits.zfill(self._size)}"
        return None
