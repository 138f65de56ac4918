"""The engine's door: `POST /reply` for the house, `GET /health` for whoever waits."""

from __future__ import annotations

import asyncio
import hmac
import logging
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from engine.logs import log, silence_structlog
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.dialogue import Dialogue
    from engine.remote import ActionServer

logger = logging.getLogger(__name__)
_PATIENCE = 10.0


class BadRequest(Exception):
    """The body is not what the protocol says. `detail` names the field."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Engine:
    """The HTTP side. Listens at once; answers turns as soon as the model is loaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dialogue: Dialogue | None = None
        self._actions: ActionServer | None = None
        self.stopping = asyncio.Event()
        self.failed = False

    def application(self) -> web.Application:
        """Its routes."""
        app = web.Application(client_max_size=2**20)
        app.router.add_post("/reply", self._reply)
        app.router.add_get("/health", self._health)
        app.on_cleanup.append(self._close)
        return app

    def load(self) -> None:
        """Load the model in a thread, so that `/health` answers meanwhile. A model that can't be loaded stops us."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._load, args=(loop,), name="load", daemon=True).start()

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        started = time.perf_counter()
        try:
            dialogue, actions = _load_model(self._settings)
        except Exception:
            logger.critical("the model can't be loaded", exc_info=True)
            self.failed = True
            loop.call_soon_threadsafe(self.stopping.set)
            return
        loop.call_soon_threadsafe(self._ready, dialogue, actions)
        log(
            logger,
            logging.INFO,
            "ready",
            seconds=round(time.perf_counter() - started, 2),
            model=dialogue.model_id,
        )

    def _ready(self, dialogue: Dialogue, actions: ActionServer) -> None:
        self._dialogue, self._actions = dialogue, actions

    async def _close(self, _: web.Application) -> None:
        if self._actions is not None:
            await self._actions.close()

    async def _health(self, _: web.Request) -> web.Response:
        if self._dialogue is None:
            return web.json_response({"state": "starting", "model": None})
        return web.json_response({"state": "ok", "model": self._dialogue.model_id})

    async def _reply(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._settings.secret}".encode()):
            return _error(401, "unauthorized")
        if self._dialogue is None:
            return _error(503, "starting")
        from engine.dialogue import TurnFailed

        started = time.perf_counter()
        try:
            conversation_id, message, memory = _read(await _json(request))
            reply = await self._dialogue.reply(conversation_id, message, memory)
        except BadRequest as error:
            return _error(400, "bad_request", error.detail)
        except TurnFailed as error:
            log(logger, logging.ERROR, "turn failed", detail=error.detail)
            if error.unreachable:
                return _error(503, "actions_unreachable", error.detail)
            return _error(500, "turn_failed", error.detail)
        route = (reply["trace"] or {}).get("route")
        log(logger, logging.DEBUG, "turn", ms=round((time.perf_counter() - started) * 1000, 1), route=route)
        return web.json_response(reply)


async def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; open turns are finished first. The exit code."""
    engine = Engine(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, engine.stopping.set)
    runner = web.AppRunner(engine.application(), access_log=None, shutdown_timeout=_PATIENCE)
    await runner.setup()
    try:
        await _listen(runner, settings)
        engine.load()
        await engine.stopping.wait()
    finally:
        await runner.cleanup()
    log(logger, logging.INFO, "stopped")
    return 1 if engine.failed else 0


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    """Take the port; a predecessor that is just leaving gets a moment."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
    log(logger, logging.INFO, "listening", host=settings.host, port=settings.port)


def _load_model(settings: Settings) -> tuple[Dialogue, ActionServer]:
    from engine import light

    if light.model_is_light(settings.model):
        light.import_without_tensorflow()
    silence_structlog()
    from engine.dialogue import Dialogue
    from engine.remote import ActionServer

    actions = ActionServer(settings.actions_url, settings.actions_secret)
    return Dialogue(settings.model, actions), actions


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise BadRequest("not JSON") from None


def _read(body: Any) -> tuple[str, dict[str, Any], object]:
    """The parts of a request. A broken memory is no error: the conversation starts fresh."""
    if not isinstance(body, dict):
        raise BadRequest("body")
    conversation_id, message = body.get("conversation_id"), body.get("message")
    if not isinstance(conversation_id, str) or not conversation_id:
        raise BadRequest("conversation_id")
    if not isinstance(message, dict) or not isinstance(message.get("text"), str):
        raise BadRequest("message.text")
    if not isinstance(message.get("choice"), (str, type(None))):
        raise BadRequest("message.choice")
    if not isinstance(message.get("metadata", {}), dict):
        raise BadRequest("message.metadata")
    return conversation_id, message, body.get("memory")


def _error(status: int, error: str, detail: str = "") -> web.Response:
    return web.json_response({"error": error, "detail": detail}, status=status)
