"""An aiohttp handler that does nothing: what our webhook is compared with. `python -m bench.nothing PORT`."""

from __future__ import annotations

import sys

from aiohttp import web


async def nothing(_request: web.Request) -> web.Response:
    """Say that it is fine."""
    return web.json_response({"accepted": 1})


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/webhooks/telegram", nothing)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
