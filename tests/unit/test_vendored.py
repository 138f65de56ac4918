"""Third-party files of the chat page are as they were fetched, with their licences beside them."""

from __future__ import annotations

import json

from assets.vendor import ASSETS, VENDOR, WANTED, sums


def test_vendored_files_are_unchanged() -> None:
    assert sums() == (VENDOR / "SHA256SUMS").read_text(encoding="utf-8")


def test_every_package_is_pinned_and_has_its_licence() -> None:
    pinned = json.loads((ASSETS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert pinned.keys() == WANTED.keys()
    assert all(version[0].isdigit() for version in pinned.values())
    for package in WANTED:
        assert list((VENDOR / package.rpartition("/")[2]).glob("LICENSE*"))
