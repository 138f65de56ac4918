"""Dates and times as residents write them in Dutch: `understand` reads them, `words` says them back.

Pure: no store, no clock of its own, nothing but the standard library and `holidays`.
"""

from actions.dates.reading import understand
from actions.dates.span import Context, Grain, Reading, Span, Understood
from actions.dates.speech import words

__all__ = ["Context", "Grain", "Reading", "Span", "Understood", "understand", "words"]
