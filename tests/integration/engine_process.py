"""The real engine as a process, and the actions it calls, served from a thread of this one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

from actions.references import References
from actions.reports.categories import Categories
from actions.server import add_actions
from actions.status import StatusRules
from bot.ports import KnowledgeSearch
from bot.settings import ROOT
from tests import services
from tests.calendars import Switched
from tests.fakes.search import WordSearch
from tests.house import MUNICIPALITY

NLU = ROOT / "nlu"
SECRET, ACTIONS_SECRET = "of the engine", "of the actions"
DEADLINE = 120.0
"""Seconds for a start: a busy machine takes its time, and only a hang should fail."""


def _status() -> StatusRules:
    """What the shipped municipality lets be looked up."""
    rules = MUNICIPALITY.cases
    assert rules
    articles = frozenset(slug for one in rules.types for slug in one.articles)
    return StatusRules(References(rules.references), rules.facts, articles)


def interpreter() -> str:
    """The Python 3.10 that has Rasa."""
    python = Path(os.environ.get("ENGINE_PYTHON") or NLU / ".venv" / "bin" / "python")
    if not python.exists():
        raise services.Missing(f"no Rasa environment at {python}: make setup, or set ENGINE_PYTHON")
    return str(python)


def train() -> None:
    """Make the model, where it is not current."""
    run = [services.need(interpreter), "-m", "engine", "train"]
    subprocess.run(run, cwd=NLU, check=True, capture_output=True, timeout=600)


@contextmanager
def actions_server(search: KnowledgeSearch | None = None, desk: Switched | None = None) -> Iterator[str]:
    """All actions behind their door; its address. `desk`: where appointments are made."""
    loop = asyncio.new_event_loop()
    if desk is not None:
        desk.loop = loop
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    app = web.Application()
    add_actions(
        app,
        search or WordSearch(),
        ACTIONS_SECRET,
        desk=desk.desk if desk else None,
        status=_status(),
        reports=Categories.load(),
    )
    runner = web.AppRunner(app)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"http://127.0.0.1:{port}/actions/webhook"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@dataclass
class EngineProcess:
    """One engine that runs, and all that it printed."""

    process: subprocess.Popen[bytes]
    url: str
    output: Path

    @classmethod
    def start(cls, actions_url: str, **environment: str) -> Self:
        """Start one; it may still be loading."""
        port = services.free_port()
        handle, name = tempfile.mkstemp(prefix="engine-", suffix=".log")
        with os.fdopen(handle, "wb") as output:
            process = subprocess.Popen(
                [services.need(interpreter), "-m", "engine"],
                cwd=NLU,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={
                    **os.environ,
                    "ENGINE_PORT": str(port),
                    "ENGINE_SECRET": SECRET,
                    "ACTIONS_URL": actions_url,
                    "ACTIONS_SECRET": ACTIONS_SECRET,
                    **environment,
                },
            )
        return cls(process, f"http://127.0.0.1:{port}", Path(name))

    async def wait_for(self, state: str) -> None:
        """Until `/health` says so."""
        end = time.monotonic() + DEADLINE
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"{self.url}/health") as response:
                        if (await response.json())["state"] == state:
                            return
                except aiohttp.ClientError:
                    assert self.process.poll() is None, self.printed()
                assert time.monotonic() < end, f"not {state} in time: {self.printed()}"
                await asyncio.sleep(0.02)

    def printed(self) -> str:
        """Its stdout and stderr until now."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """Ask it to stop; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if self.process.stdin:
                self.process.stdin.close()
            self.output.unlink(missing_ok=True)


@dataclass
class Conversation:
    """A resident in a test: keeps the memory between the messages, as the house does."""

    session: aiohttp.ClientSession
    url: str
    id: str = "c-1"
    memory: Any = None
    reply: Mapping[str, Any] = field(default_factory=dict)

    async def post(
        self, text: str = "", choice: str | None = None, **metadata: Any
    ) -> tuple[int, Mapping[str, Any]]:
        """One message; status and body."""
        body = {
            "conversation_id": self.id,
            "message": {"text": text, "choice": choice, "metadata": metadata},
            "memory": self.memory,
        }
        headers = {"Authorization": f"Bearer {SECRET}"}
        async with self.session.post(f"{self.url}/reply", json=body, headers=headers) as response:
            return response.status, await response.json()

    async def say(self, text: str = "", choice: str | None = None) -> list[str]:
        """One message that must get a reply; what was said: phrase keys, texts, and commands as `!name`."""
        status, body = await self.post(text, choice)
        assert status == 200, body
        self.reply, self.memory = body, body["memory"]
        said = [str(message.get("phrase") or message["text"]) for message in body["messages"]]
        return [*said, *(f"!{command['name']}" for command in body["commands"])]

    async def choose(self, choice: str) -> list[str]:
        """One button."""
        return await self.say("", choice)

    @property
    def route(self) -> str:
        """The route of the last reply."""
        return str(self.reply["trace"]["route"])
