"""YAML files that engineers write: a key that stands there twice is a mistake, not a choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class YamlError(ValueError):
    """The file can't be read; the message says why, and where."""


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key, (where, _) in zip(keys, node.value, strict=True):
            if isinstance(key, str) and keys.count(key) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"{key!r} stands there twice", problem_mark=where.start_mark
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """What is in the file; None where it is empty. Raises `YamlError`."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a safe loader
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise YamlError(f"{path} can't be read{line}: {error.problem or 'not YAML'}") from None
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlError(f"{path} can't be read ({type(error).__name__})") from None
