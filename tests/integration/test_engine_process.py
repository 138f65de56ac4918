"""The engine as a process: how it starts, fails, keeps quiet and ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests import services
from tests.fakes.search import WordSearch
from tests.integration.engine_process import (
    NLU,
    SECRET,
    Conversation,
    EngineProcess,
    actions_server,
    interpreter,
    train,
)

pytestmark = pytest.mark.process


@pytest.fixture(scope="module", autouse=True)
def _trained() -> None:
    train()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def until(happened: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def actions_url() -> Iterator[str]:
    with actions_server(WordSearch()) as url:
        yield url


async def test_start_failures_silence_and_stop(session: aiohttp.ClientSession) -> None:
    """One engine through a whole life, at the level that prints most: starting it again for each costs seconds."""
    with actions_server(WordSearch()) as actions_url:
        engine = EngineProcess.start(actions_url, LOG_LEVEL="debug")
        resident = Conversation(session, engine.url, "c-geheim-adres")
        try:
            await engine.wait_for("starting")
            assert (await resident.post("hallo"))[0] == 503
            await engine.wait_for("ok")

            assert await resident.say("hallo geheimwoord") != []
            await resident.say("wat kost een paspoort geheimwoord")
            await resident.choose("article:geheimwoord")
            await resident.say("/human{geheimwoord")
            await resident.choose("callback")
            await resident.say("0612345678")
            await resident.say("ochtend")
            await resident.say("over geheimwoord")
            assert await resident.say("ja") == ["!callback"]

            before = resident.memory
            status, body = await resident.post("vraag over kapotzoek geheimwoord?")
            assert (status, body["error"], body["detail"]) == (
                500,
                "turn_failed",
                "action_answer: status 500",
            )
            assert resident.memory == before
        except BaseException:
            sys.stderr.write(engine.printed())
            engine.stop()
            raise
    try:
        status, body = await resident.post("hoe vraag ik een paspoort aan")
        assert (status, body["detail"]) == (503, "action_answer: ClientConnectorError")
        status, body = await resident.post("", "callback")
        assert (status, body["detail"]) == (503, "validate_callback_form: ClientConnectorError")
        assert await resident.say("hallo") == ["greet"]

        engine.process.send_signal(signal.SIGTERM)
        until(lambda: engine.process.poll() is not None)
        printed = engine.printed()
        assert engine.process.returncode == 0, printed
        assert "stopped" in printed
        for secret in ("geheim", "0612345678", "06 12345678", SECRET, "kapotzoek"):
            assert secret not in printed
        assert all(line.startswith("{") for line in printed.splitlines()), printed
    finally:
        engine.stop()


async def test_an_orphan_leaves_at_once(tmp_path: Path) -> None:
    """Kill -9 of the parent: the engine goes too, and its port is free."""
    port = services.free_port()
    script = tmp_path / "parent.py"
    script.write_text(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "ENGINE_PORT": str(port), "ENGINE_SECRET": "x", "ACTIONS_SECRET": "y"}
    parent = subprocess.Popen(
        [sys.executable, str(script), services.need(interpreter), "-m", "engine"],
        cwd=NLU,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout
    with parent.stdout:
        child = int(parent.stdout.readline())
    async with aiohttp.ClientSession() as session:
        end = time.monotonic() + 30
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/health"):
                    break
            except aiohttp.ClientError:
                assert time.monotonic() < end
                await asyncio.sleep(0.02)
    parent.kill()
    parent.wait()
    until(lambda: not _runs(child))


def test_an_orphan_from_the_first_moment_leaves_too(tmp_path: Path) -> None:
    """The parent dies before the engine has begun to look."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, subprocess, sys\n"
        "os.environ['ENGINE_PARENT_PID'] = str(os.getpid())\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=2)\n"
        "print(child.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    environment = {
        **os.environ,
        "ENGINE_PORT": str(services.free_port()),
        "ENGINE_SECRET": "x",
        "ACTIONS_SECRET": "y",
    }
    parent = subprocess.run(
        [sys.executable, str(script), services.need(interpreter), "-m", "engine"],
        cwd=NLU,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )
    until(lambda: not _runs(int(parent.stdout)))


def _runs(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("missing", ["ENGINE_SECRET", "ACTIONS_SECRET"])
def test_without_a_secret_it_does_not_start(missing: str) -> None:
    environment = {**os.environ, "ENGINE_SECRET": "x", "ACTIONS_SECRET": "y"}
    del environment[missing]
    run = [services.need(interpreter), "-m", "engine"]
    done = subprocess.run(
        run, cwd=NLU, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == f"engine: {missing} is not set\n"


def test_training_is_skipped_when_nothing_changed() -> None:
    run = [services.need(interpreter), "-m", "engine", "train"]
    done = subprocess.run(run, cwd=NLU, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "The dialogue model is up to date.\n"
