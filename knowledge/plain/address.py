"""How the reader is spoken to: with `u`, never with `je`, and never as `men`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from knowledge.plain.hits import HOLLANDS_KROON, HOUSE, Hit
from knowledge.plain.text import Sentence
from knowledge.plain.words import lemma, word_set

_FAMILIAR = {
    "je": "u", "jij": "u", "jou": "u", "jouw": "uw", "jullie": "u", "jezelf": "uzelf", "jouwe": "uwe", "uwe": "u",
}  # fmt: skip
_POLITE = word_set("u uw uzelf uwe")
_LONG_ENOUGH = 30
"""Words from which a text must speak to its reader."""


def men(sentence: Sentence) -> Iterator[Hit]:
    """`men`, which says not who."""
    for token in sentence.words:
        if token.lower == "men":
            yield Hit(
                token.start, token.end, "men", "error", "‘men’ zegt niet wie.",
                "Zeg wie het doet: ‘u’, ‘wij’ of ‘mensen’.", HOLLANDS_KROON, "U" if token.text[0].isupper() else "u",
            )  # fmt: skip


def familiar(sentence: Sentence) -> Iterator[Hit]:
    """`je` and its family."""
    for token in sentence.words:
        polite = _FAMILIAR.get(token.lower)
        if polite is not None and token.lower != "uwe":
            replacement = polite.capitalize() if token.text[0].isupper() else polite
            reason = f"‘{token.text}’: wij zeggen ‘u’ tegen bewoners."
            yield Hit(
                token.start,
                token.end,
                "address",
                "error",
                reason,
                f"Schrijf ‘{replacement}’.",
                HOUSE,
                replacement,
            )


def nobody(sentences: Sequence[Sentence]) -> Iterator[Hit]:
    """A text of some length without `u` and without a sentence that asks the reader to do something."""
    words = [token for sentence in sentences for token in sentence.words]
    if len(words) < _LONG_ENOUGH or any(token.lower in _POLITE for token in words):
        return
    if any(_is_request(sentence) for sentence in sentences):
        return
    reason = "Deze tekst spreekt de lezer nergens aan met ‘u’."
    hint = "Zeg wat de lezer doet of krijgt: ‘U krijgt …’, ‘Vraag … aan’."
    first = sentences[0]
    yield Hit(first.start, first.end, "address", "error", reason, hint, HOUSE)


def _is_request(sentence: Sentence) -> bool:
    """Whether the sentence starts with an imperative: the stem of a verb, such as `Bel` or `Neem`."""
    first = sentence.words[0].lower
    base = lemma(first)
    return base != first and base.endswith("n") and not first.endswith(("t", "en", "d", "de", "te"))
