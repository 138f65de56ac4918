"""What residents say for what the articles call it: `foetsie` for `kwijt`, `zwarte bak` for `grijze bak`.

One YAML file a theme in `knowledge/lexicon`: the word of the articles, and a list of what people say instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import yaml

from knowledge.tokens import fold, tokens, words

FOLDER = Path(__file__).with_name("lexicon")


class LexiconError(ValueError):
    """A file that is no lexicon; the message names it and says what to do."""


class Lexicon:
    """Words and short phrases, each with what the articles call it."""

    def __init__(self, said: Mapping[str, list[str]]) -> None:
        """`said`: for each word of the articles what people say instead."""
        self._meant: dict[tuple[str, ...], tuple[str, ...]] = {}
        for plain, others in said.items():
            for other in others:
                key = tuple(fold(word) for word in words(other))
                self._meant[key] = tuple(dict.fromkeys((*self._meant.get(key, ()), plain)))
        self._meant.pop((), None)
        self._longest = max((len(key) for key in self._meant), default=0)
        self._tokens = {
            key: tuple(dict.fromkeys(token for word in plain for token in tokens(word)))
            for key, plain in self._meant.items()
        }

    def __len__(self) -> int:
        return len(self._meant)

    def tokens(self, text: str) -> set[str]:
        """The tokens of what the words of a text are called in the articles."""
        folded = [fold(word) for word in words(text)]
        return {token for _, _, key in self._found(folded) for token in self._tokens[key]}

    def plain(self, text: str, known: Callable[[str], bool]) -> str:
        """The text with every word or phrase that the articles don't use replaced by the one that they do.
        `known` tells whether the articles use a word. The text itself where there is nothing to replace."""
        written = words(text)
        parts: list[str] = []
        end = 0
        for start, length, key in self._found([fold(word) for word in written]):
            said = written[start : start + length]
            if not all(known(word) for word in said):
                parts += [*written[end:start], self._meant[key][0]]
                end = start + length
        return " ".join((*parts, *written[end:])) if end else text

    def _found(self, folded: list[str]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Where something of the lexicon stands, how many words it is, and its key; the longest one first."""
        start = 0
        while start < len(folded):
            for length in range(min(self._longest, len(folded) - start), 0, -1):
                key = tuple(folded[start : start + length])
                if key in self._meant:
                    yield start, length, key
                    start += length
                    break
            else:
                start += 1


def read_lexicon(folder: Path = FOLDER) -> Lexicon:
    """All files of a folder together. Raises `LexiconError`."""
    said: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.yml")):
        try:
            data = yaml.safe_load(path.read_text("utf-8"))
        except yaml.YAMLError:
            raise LexiconError(f"{path.name}: can't be read as YAML") from None
        if not isinstance(data, dict) or not all(isinstance(others, list) for others in data.values()):
            raise LexiconError(f"{path.name}: write each line as `word: [what people say, ...]`")
        for plain, others in data.items():
            said.setdefault(str(plain), []).extend(map(str, others))
    return Lexicon(said)


@lru_cache(maxsize=1)
def shipped() -> Lexicon:
    """The lexicon that comes with the articles, read once."""
    return read_lexicon()
