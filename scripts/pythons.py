"""Finds a Python of a given version on this machine: asked for, on the PATH, by pyenv, Homebrew or uv."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

PREFIXES = (
    "/opt/homebrew/opt/python@{version}/bin",
    "/usr/local/opt/python@{version}/bin",
    "/home/linuxbrew/.linuxbrew/opt/python@{version}/bin",
    "/Library/Frameworks/Python.framework/Versions/{version}/bin",
    "/usr/bin",
    "/usr/local/bin",
)


def output(*command: str | Path, timeout: float = 60) -> str | None:
    """What a command prints, or nothing where it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def version_of(python: str | Path) -> str | None:
    """`3.10` for a Python 3.10 that really runs; a pyenv shim of a version that is not active does not."""
    return output(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")


def has_venv(python: str | Path) -> bool:
    """Debian leaves `venv` out of its Python; it is a package of its own there."""
    return output(python, "-c", "import venv, ensurepip") is not None


def candidates(version: str, env: Mapping[str, str]) -> Iterator[Path]:
    """Where a Python of this version may be, most wanted first."""
    name = f"python{version}"
    for folder in env.get("PATH", "").split(os.pathsep):
        if folder:
            yield Path(folder, name)
    pyenv = Path(env.get("PYENV_ROOT") or Path(env.get("HOME", "/"), ".pyenv"))
    patches = sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"), key=lambda path: (len(str(path)), path))
    yield from reversed(patches)
    for prefix in PREFIXES:
        yield Path(prefix.format(version=version), name)


def find(version: str, env: Mapping[str, str], uv: Path | None = None) -> Path | None:
    """The first Python of this version that runs. With uv also the ones that uv knows."""
    for candidate in candidates(version, env):
        if os.access(candidate, os.X_OK) and version_of(candidate) == version:
            return candidate
    if uv is not None:
        known = output(uv, "python", "find", "--no-python-downloads", "--no-project", version)
        if known and version_of(known) == version:
            return Path(known)
    return None


def fetch(version: str, uv: Path) -> Path | None:
    """Lets uv download a Python of this version; nothing where it can't."""
    if output(uv, "python", "install", version, timeout=900) is None:
        return None
    known = output(uv, "python", "find", "--managed-python", "--no-project", version)
    return Path(known) if known and version_of(known) == version else None


def working(tool: str, env: Mapping[str, str]) -> Path | None:
    """A tool from the PATH that really runs."""
    found = shutil.which(tool, path=env.get("PATH", ""))
    return Path(found) if found and output(found, "--version") else None
