"""`python -m engine` runs the engine; `python -m engine train` trains the model where something changed."""

from __future__ import annotations

import asyncio
import os
import sys


def main(arguments: list[str]) -> int:
    """The exit code of one command."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    if arguments == ["train"]:
        from engine.train import train

        return train()
    if arguments:
        sys.stderr.write("usage: python -m engine [train]\n")
        return 2
    return _serve()


def _serve() -> int:
    from engine import logs, parent
    from engine.server import serve
    from engine.settings import Settings, SettingsError

    try:
        settings = Settings.read()
    except SettingsError as error:
        sys.stderr.write(f"engine: {error}\n")
        return 2
    logs.configure(settings.log_level)
    parent.watch(settings.parent)
    try:
        return asyncio.run(serve(settings))
    except OSError as error:
        sys.stderr.write(f"engine: can't listen on {settings.host}:{settings.port}: {error.strerror}\n")
        return 1


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code) if code == 0 and len(sys.argv) == 1 else sys.exit(code)
