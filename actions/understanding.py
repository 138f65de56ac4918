"""What surrounds the dialogue, whichever engine runs it: danger before it, moods and other languages around it."""

from __future__ import annotations

from actions.alarm import DangerAlarm
from actions.danger import DangerWords
from actions.escalation import Escalating
from actions.interpreter import Interpreter
from actions.language import LanguageDetector, load_tongues
from actions.moods import Moods
from actions.multilingual import Multilingual
from actions.phrases import Phrases
from bot.ports import Alarm, DialogueEngine, KnowledgeSearch


class Understanding:
    """Builds them on one search and one phrase book. Loading takes half a second: make one and keep it."""

    def __init__(self, search: KnowledgeSearch, phrases: Phrases | None = None) -> None:
        self._search = search
        self._tongues = load_tongues()
        self._detector = LanguageDetector(self._tongues)
        self._interpreter = Interpreter(search, phrases or Phrases.load())
        self._words = DangerWords.load()
        self._moods = Moods.load()

    @property
    def urgent(self) -> tuple[str, ...]:
        """The articles for who is in danger."""
        return self._words.slugs

    def alarm(self) -> Alarm:
        """What hears words of danger."""
        return DangerAlarm(self._words, self._search, self._detector, self._interpreter)

    def around(self, engine: DialogueEngine) -> DialogueEngine:
        """The engine, which now also understands other languages and brings a person where it must."""
        engine = Escalating(engine, self._search, self._moods)
        return Multilingual(engine, self._search, self._detector, self._tongues, self._interpreter)
