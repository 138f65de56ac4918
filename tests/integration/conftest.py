"""What tests with real processes share: a trained engine, and state directories that know the articles' vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import processes, services
from tests.processes import Program


@pytest.fixture(scope="session")
def engine_python() -> str:
    """The engine's Python, its model trained."""
    return services.need(lambda: str(processes.trained()))


@pytest.fixture
def state_dir(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An empty state directory; only what is slow to compute and always the same is kept between runs."""
    directory = tmp_path / "state"
    directory.mkdir()
    (directory / "vectors").symlink_to(request.config.cache.mkdir("vectors"))
    return directory


@pytest.fixture
def start() -> Iterator[Callable[[Program], Program]]:
    """Starts programs; none of them outlives the test."""
    with ExitStack() as stack:
        yield lambda program: stack.enter_context(program).start()
