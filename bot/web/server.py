"""The web server: applications, errors as JSON, safe headers, and a graceful stop."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import sqlalchemy as sa
from aiohttp import web

from bot.logs import trail
from bot.ports import Refused

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_BODY = 100 * 1024
"""Bytes of a request; a larger one is refused with 413."""


class NotListening(Exception):
    """The address can't be had; the message says which and why."""


def application(max_body: int = MAX_BODY) -> web.Application:
    """An application in which every error is JSON and nothing of a request is reflected."""
    return web.Application(middlewares=[_errors], client_max_size=max_body)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        return _problem(refused.status, refused.reason)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _problem(error.status, error.reason)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        log.error("the store did not take it: %s", trail(error))
        return _problem(503, "not stored: try again", {"Retry-After": "2"})
    except Exception as error:  # outermost boundary: told to the operator, not to the caller
        log.error("%s failed: %s", request.match_info.route.resource or "a request", trail(error))
        return _problem(500, "something went wrong here: try again later")


def _problem(status: int, reason: str, headers: dict[str, str] | None = None) -> web.Response:
    safe = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", **(headers or {})}
    return web.json_response({"error": reason}, status=status, headers=safe)


def client_address(trusted_proxies: int) -> Callable[[web.Request], str]:
    """Finds who calls: the peer, or behind `trusted_proxies` proxies of ours what the outermost one saw."""

    def find(request: web.Request) -> str:
        if trusted_proxies:
            forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
            if len(forwarded) >= trusted_proxies:
                return forwarded[-trusted_proxies]
        return request.remote or "unknown"

    return find


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the block runs; gives the port (chosen by the system where `port` is 0). Raises `NotListening`."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=3)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            raise NotListening(
                f"can't listen on {host} port {port}: {os.strerror(error.errno or 0)}"
            ) from None
        addresses = runner.addresses
        yield addresses[0][1]
    finally:
        await runner.cleanup()
