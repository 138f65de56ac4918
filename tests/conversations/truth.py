"""The truth files: conversations as YAML, one a file. `pytest --update-conversations` writes them anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent

Truth = dict[str, Any]


def files() -> list[Path]:
    """All of them."""
    return sorted(HERE.glob("*.yaml"))


def read(path: Path) -> Truth:
    """One conversation: `about`, `now`, `channel`, and `say`, the turns with what came of each."""
    found: Truth = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def write(path: Path, truth: Truth) -> None:
    """The same conversation with what is true now; equal truths give equal bytes."""
    text = yaml.dump(
        truth, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=False, width=1_000_000
    )
    path.write_text(text, encoding="utf-8")


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
