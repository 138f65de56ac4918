"""`python -m bot` is the `klaartje` command, for where it is not installed."""

from __future__ import annotations

from bot.cli import main

main(prog_name="klaartje")
