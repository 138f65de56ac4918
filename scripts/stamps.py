"""Stamps: small files that say from what a thing was made, so that it is made again only after a change."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

BEGUN = "begun"
SKIPPED_FOLDERS = {"models", "__pycache__", "results", "tests"}


def fingerprint(*facts: str, root: Path, files: Iterable[Path]) -> str:
    """One hash over the facts and over the names (as seen from `root`) and contents of the files."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(fact.encode() + b"\0")
    for file in files:
        name = file.relative_to(root).as_posix()
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def sources(folder: Path) -> Iterator[Path]:
    """Every file that was written by people under a folder, in a fixed order."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in SKIPPED_FOLDERS)
        yield from (Path(parent, name) for name in sorted(files) if name[0] != ".")


@dataclass(frozen=True)
class Stamp:
    """One stamp file. It reads `begun` from the start of the work to its end: what broke off is known."""

    path: Path

    def read(self) -> str | None:
        """The fingerprint of what is there, `begun`, or nothing."""
        try:
            return self.path.read_text()
        except FileNotFoundError:
            return None

    def begin(self) -> None:
        """From here on the thing is not to be trusted."""
        self._write(BEGUN)

    def finish(self, key: str) -> None:
        """The thing is whole, made from what `key` stands for."""
        self._write(key)

    def _write(self, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_text(text)
        fresh.replace(self.path)
