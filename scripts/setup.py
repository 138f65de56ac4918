"""Makes both environments and the dialogue model (`python3 -m scripts.setup`); does only what is not done."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from scripts import pythons
from scripts.environments import LANGUAGE, main_environment, rasa_environment
from scripts.model import Model
from scripts.progress import Progress
from scripts.runner import Problem, Runner, exclusive

ROOT = Path(__file__).resolve().parent.parent
MAIN_PYTHONS = ("3.11", "3.12", "3.13")


def interpreter() -> Path:
    """The Python that the main project runs on: this one, or the newest on the machine that fits."""
    if "{}.{}".format(*sys.version_info[:2]) in MAIN_PYTHONS:
        return Path(sys.executable)
    for version in reversed(MAIN_PYTHONS):
        found = pythons.find(version, os.environ)
        if found:
            return found
    raise Problem(
        "Klaartje needs Python 3.11, 3.12 or 3.13; this is {}.{} and no other was found.\n".format(
            *sys.version_info
        )
        + "Install one (Debian: apt-get install python3 python3-venv; macOS: brew install python@3.13)\n"
        "and run: make setup PYTHON=/path/to/python3"
    )


def setup(*, held: int, dev: bool, slim: bool, verbose: bool) -> None:
    """Goes through the steps; each says itself whether it has anything to do."""
    main = main_environment(ROOT, interpreter, dev=dev, slim=slim)
    rasa = rasa_environment(ROOT, main)
    steps = [*main.steps(), *rasa.steps(), Model(ROOT / LANGUAGE).step()]
    due = [step for step in steps if step.stale()]
    if not due:
        return
    progress = Progress([step.seconds for step in due], sys.stderr)
    runner = Runner(ROOT, progress, held=held, verbose=verbose)
    for step in due:
        with progress.step(step.title):
            step.work(runner)


def main() -> int:
    """The command line. Exit code 1 with a clear message, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="scripts.setup", description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    parser.add_argument("--slim", action="store_true", help="without sentence-transformers and torch")
    parser.add_argument("--verbose", action="store_true", help="show what the tools say")
    options = parser.parse_args()
    try:
        with exclusive(ROOT) as held:
            setup(held=held, dev=options.dev, slim=options.slim, verbose=options.verbose)
    except Problem as problem:
        sys.stderr.write(f"\n{problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Nothing is lost: the same command goes on from here.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
