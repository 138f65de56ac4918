"""Our search beside Rasa's DIET and NLP.js: `make bench ARGS=peers`; `QUESTIONS=FILE.jsonl` for other questions."""

from bench.peers.compare import measure

__all__ = ["measure"]
