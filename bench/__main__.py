"""`python -m bench [PART ...]`: all but those that take minutes, where none is named."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

LONG = ("storm", "console", "desk", "peers", "setup")
PARTS = ("turns", "webhook", "starts", "search", *LONG)


async def main(wanted: list[str]) -> int:
    """Measure and print; the exit code."""
    if unknown := set(wanted) - set(PARTS):
        sys.stderr.write(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}\n")
        return 2
    others = psutil.cpu_percent(1.0)
    print(f"{psutil.cpu_count()} cores, of which {others:.0f} % is in use by others now")
    for part in wanted or PARTS[: -len(LONG)]:
        print(f"measuring: {part} ...", file=sys.stderr, flush=True)
        with TemporaryDirectory(prefix="klaartje-bench-") as directory:
            report = await import_module(f"bench.{part}").measure(Path(directory))
        print("\n".join(report.lines()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
