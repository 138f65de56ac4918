"""Messages a second from the webhook to the channel server, and the same messages through plain Rasa."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from bench.http import Connection, post
from bench.report import Report, milliseconds, quantile
from bench.vendor import Vendor
from bot.settings import ROOT
from tests import processes
from tests.processes import NLU, Program

RESIDENTS = (1, 50)
MESSAGES = {1: 150, 50: 500}
CONVERSATION = 10
"""So many messages has a conversation; then one begins a new one."""

QUESTIONS = ROOT / "tests" / "fixtures" / "questions.jsonl"
SECRETS = {"ACTIONS_SECRET": "bench-actions", "ENGINE_SECRET": "bench-engine"}
_OPENINGS = ("", "hallo, ", "goedemorgen ")
_ENDINGS = ("", "?", " alvast bedankt", " gr noor")

Ask = Callable[[int, str], Awaitable[float]]
"""Has a resident say something; the seconds until the answer is there."""


async def measure(directory: Path) -> Report:
    """Ours, durable, from webhook to channel server; and `rasa run` with its REST channel; in one run."""
    report = Report("Turns, end to end (SQLite, one machine)", "make bench ARGS=turns")
    texts = questions()
    actions_port = processes.port()
    async with (
        ours(directory, actions_port) as (ask_us, ours_note),
        plain_rasa(directory, actions_port) as ask_rasa,
    ):
        for residents in RESIDENTS:
            count = MESSAGES[residents]
            us = await _load(ask_us, texts[:count], residents)
            # Not to the letter the same: what our search has just seen would cost it nothing.
            them = await _load(ask_rasa, [f"{text}!" for text in texts[:count]], residents)
            del texts[:count]
            who = f"{residents} resident{'s' if residents > 1 else ''}"
            for name, (rate, delays) in (("ours", us), ("plain Rasa", them)):
                spread = (
                    f"p50 {milliseconds(quantile(delays, 0.5))}, p95 {milliseconds(quantile(delays, 0.95))}"
                )
                report.add(f"{who}: {name}", f"{rate:.1f}/s", spread)
            aim = "at least 1; p95 below 60 ms" if residents == 1 else "at least 1"
            report.add(f"{who}: ratio", f"{us[0] / them[0]:.2f}", f"aim: {aim}")
        report.add("one turn, lease to commit", await ours_note(), "mean over all of these, from /metrics")
    return report


async def _load(ask: Ask, texts: Sequence[str], residents: int) -> tuple[float, list[float]]:
    """Each resident asks, reads the answer, asks again; messages a second, and the delay of each."""
    delays: list[float] = []
    each = len(texts) // residents
    chats = [
        [residents * 1000 + number * 100 + chat for chat in range(-(-each // CONVERSATION))]
        for number in range(residents)
    ]

    async def resident(number: int) -> None:
        for message in range(each):
            delays.append(await ask(chats[number][message // CONVERSATION], texts[number * each + message]))

    for number in range(residents):
        for chat in chats[number]:
            await ask(chat, "help")  # the first message brings the welcome as well
    started = perf_counter()
    await asyncio.gather(*(resident(number) for number in range(residents)))
    return len(delays) / (perf_counter() - started), delays


def questions() -> list[str]:
    """Questions as residents ask them, no two alike, none that ends with a person: then the bot is silent."""
    cases = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    plain = [case["text"] for case in cases if "iemand" not in case["text"]]
    varied = [f"{opening}{text}{ending}" for opening in _OPENINGS for ending in _ENDINGS for text in plain]
    random.Random(3).shuffle(varied)
    return varied


@asynccontextmanager
async def ours(directory: Path, actions_port: int) -> AsyncIterator[tuple[Ask, Callable[[], Awaitable[str]]]]:
    """`klaartje run`, Telegram by webhook; and what its metrics say of a turn."""
    port = processes.port()
    url = f"http://127.0.0.1:{port}"
    async with Vendor().serving() as vendor:
        environment = {
            "ENGINE_PYTHON": str(processes.trained()),
            "PORT": str(port),
            "ENGINE_PORT": str(processes.port()),
            "ACTIONS_PORT": str(actions_port),
            **SECRETS,
            **vendor.settings(url),
        }
        with processes.bot("run", directory, environment).start() as house:
            await processes.ready(url, seconds=300)
            connections: dict[int, Connection] = {}

            async def ask(resident: int, text: str) -> float:
                if resident not in connections:
                    connections[resident] = await Connection.open(url)
                return await vendor.ask(connections[resident], resident, text)

            async def note() -> str:
                return milliseconds(await _mean_turn(actions_port))

            yield ask, note
            await house.stop()


async def _mean_turn(port: int) -> float:
    connection = await Connection.open(f"http://127.0.0.1:{port}")
    _, page = await connection.post(b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n")
    connection.close()
    found = dict(
        line.rsplit(" ", 1) for line in page.decode().splitlines() if line.startswith("klaartje_turn_s")
    )
    return float(found["klaartje_turn_seconds_sum"]) / float(found["klaartje_turn_seconds_count"])


@asynccontextmanager
async def plain_rasa(directory: Path, actions_port: int) -> AsyncIterator[Ask]:
    """`rasa run`: the same model, its REST channel, its SQL tracker store on SQLite, our actions."""
    port = processes.port()
    endpoints, credentials = directory / "endpoints.yml", directory / "credentials.yml"
    credentials.write_text("rest:\n")
    endpoints.write_text(
        f"""action_endpoint:
  url: http://127.0.0.1:{actions_port}/actions/webhook
  headers: {{Authorization: "Bearer {SECRETS["ACTIONS_SECRET"]}"}}
tracker_store:
  type: SQL
  dialect: sqlite
  db: {directory / "rasa.db"}
"""
    )
    options = ["--model", str(NLU / "models" / "klaartje.tar.gz"), "--endpoints", str(endpoints)]
    options += ["--credentials", str(credentials), "--port", str(port), "--interface", "127.0.0.1"]
    rasa = Program(
        "rasa",
        [str(processes.trained()), "-m", "rasa", "run", *options],
        {
            "RASA_TELEMETRY_ENABLED": "false",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        },
        directory=directory,
        log=directory / "rasa.log",
    )
    connections: dict[int, Connection] = {}

    async def ask(resident: int, text: str) -> float:
        if resident not in connections:
            connections[resident] = await Connection.open(f"http://127.0.0.1:{port}")
        body = json.dumps({"sender": f"r{resident}", "message": text}).encode()
        started = perf_counter()
        status, answer = await connections[resident].post(post("/webhooks/rest/webhook", body))
        if status != 200 or answer == b"[]":
            raise RuntimeError(f"plain Rasa: {status} {answer!r}: {rasa.said[-2000:]}")
        return perf_counter() - started

    async def answering() -> bool:
        try:
            return bool(await ask(1, "help"))
        except (OSError, RuntimeError):
            return False

    with rasa.start():
        await processes.until(answering, 300, "plain Rasa answers")
        yield ask
