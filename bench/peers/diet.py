"""Rasa's own default pipeline behind the protocol of `bench.peers.peer`. Runs on the engine's Python, alone."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import yaml
from rasa.core.agent import Agent
from rasa.engine.recipes import config_files
from rasa.model_training import train_nlu

_FALLBACK = "nlu_fallback"


def train(pairs: list[tuple[str, str]], directory: Path) -> Agent:
    """The pipeline that Rasa takes where none is written down, on these texts and their intents."""
    intents: dict[str, list[str]] = {}
    for text, intent in pairs:
        intents.setdefault(intent, []).append(text)
    examples = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)}
        for intent, texts in intents.items()
    ]
    data, config = directory / "nlu.yml", directory / "config.yml"
    data.write_text(yaml.safe_dump({"version": "3.1", "nlu": examples}, allow_unicode=True), "utf-8")
    default = yaml.safe_load((Path(config_files.__path__[0]) / "default_config.yml").read_text("utf-8"))
    if epochs := os.environ.get("DIET_EPOCHS"):
        for part in default["pipeline"]:
            if part["name"] in ("DIETClassifier", "ResponseSelector"):
                part["epochs"] = int(epochs)
    config.write_text(yaml.safe_dump({**default, "language": "nl"}), "utf-8")
    return Agent.load(train_nlu(str(config), str(data), str(directory)))


async def ask(agent: Agent, text: str) -> list[tuple[str, float]]:
    """Intents, likeliest first. The default pipeline's own threshold is left out: ours decide for all alike."""
    parsed: dict[str, Any] = await agent.parse_message(text)
    return [(one["name"], one["confidence"]) for one in parsed["intent_ranking"] if one["name"] != _FALLBACK]


def main() -> None:
    """Answer the lines of standard input."""
    answers, sys.stdout = sys.stdout, sys.stderr  # Rasa prints
    agent = None
    loop = asyncio.new_event_loop()
    with TemporaryDirectory() as directory:
        for line in sys.stdin:
            call = json.loads(line)
            started = perf_counter()
            answer: dict[str, Any] = {}
            if "train" in call:
                agent = train(call["train"], Path(directory))
            else:
                answer["ranked"] = loop.run_until_complete(ask(agent, call["ask"]))
            print(json.dumps({**answer, "seconds": perf_counter() - started}), file=answers, flush=True)


if __name__ == "__main__":
    main()
