"""The setup: finds its Pythons, does only what is not done yet, survives interruptions, says how long it takes."""

from __future__ import annotations

import fcntl
import io
import os
import re
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import pythons
from scripts.environments import Environment, fill, fill_torch, main_environment, rasa_python
from scripts.model import Model
from scripts.progress import Progress, span
from scripts.runner import Problem, Runner, exclusive
from scripts.stamps import BEGUN, Stamp


def program(path: Path, script: str) -> Path:
    """A little shell program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def python(path: Path, version: str = "3.10") -> Path:
    """Something that answers like a Python of a version."""
    return program(path, f"echo {version}")


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "PREFIXES", ())
    monkeypatch.delenv("PYTHON310", raising=False)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def runner(folder: Path) -> Runner:
    return Runner(folder, Progress([1.0], io.StringIO()), held=0)


class TestFinder:
    """Where Python 3.10 is looked for."""

    def test_the_path_is_first(self, tmp_path: Path) -> None:
        wanted = python(tmp_path / "bin" / "python3.10")
        python(tmp_path / "home" / ".pyenv" / "versions" / "3.10.1" / "bin" / "python3.10")
        env = {"PATH": str(wanted.parent), "HOME": str(tmp_path / "home")}
        assert pythons.find("3.10", env) == wanted

    def test_what_does_not_run_or_is_another_version_is_passed_by(self, tmp_path: Path) -> None:
        program(
            tmp_path / "shims" / "python3.10", "echo 'pyenv: python3.10: command not found' >&2; exit 127"
        )
        python(tmp_path / "wrong" / "python3.10", "3.11")
        (tmp_path / "plain").mkdir()
        (tmp_path / "plain" / "python3.10").write_text("not a program")
        wanted = python(tmp_path / "good" / "python3.10")
        folders = ("shims", "wrong", "plain", "missing", "good")
        env = {"PATH": os.pathsep.join(str(tmp_path / folder) for folder in folders)}
        assert pythons.find("3.10", env) == wanted

    def test_the_newest_of_pyenv(self, tmp_path: Path) -> None:
        for version in ("3.9.18", "3.10.4", "3.10.13", "3.10.9", "3.11.7"):
            name = f"python{version.rpartition('.')[0]}"
            python(tmp_path / "versions" / version / "bin" / name, version.rpartition(".")[0])
        found = pythons.find("3.10", {"PYENV_ROOT": str(tmp_path)})
        assert found == tmp_path / "versions" / "3.10.13" / "bin" / "python3.10"

    def test_homebrew_and_framework_folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pythons, "PREFIXES", (str(tmp_path / "opt" / "python@{version}" / "bin"),))
        wanted = python(tmp_path / "opt" / "python@3.10" / "bin" / "python3.10")
        assert pythons.find("3.10", {}) == wanted

    def test_one_that_uv_knows(self, tmp_path: Path) -> None:
        known = python(tmp_path / "managed" / "python3.10")
        uv = program(tmp_path / "uv", f'[ "$2" = find ] && echo {known}')
        assert pythons.find("3.10", {}, uv) == known

    def test_none_at_all_is_a_clear_message(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program(tmp_path / "bin" / "uv", "exit 2")
        monkeypatch.setenv("PATH", "")
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
        with pytest.raises(
            Problem, match=r"(?s)Python 3\.10.*uv python install.*pyenv install.*brew.*PYTHON310"
        ):
            rasa_python(tmp_path)

    def test_uv_fetches_one_when_there_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fetched = python(tmp_path / "managed" / "python3.10")
        wanted = (
            f'case "$*" in *install*) ;; *--managed-python*) echo {fetched};; *) exit 2;; esac; echo done >&2'
        )
        program(tmp_path / "bin" / "uv", wanted)
        monkeypatch.setenv("PATH", "/bin")
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
        assert rasa_python(tmp_path) == fetched

    def test_the_one_that_was_asked_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHON310", str(python(tmp_path / "mine")))
        assert rasa_python(tmp_path) == tmp_path / "mine"
        monkeypatch.setenv("PYTHON310", str(python(tmp_path / "other", "3.12")))
        with pytest.raises(Problem, match="PYTHON310"):
            rasa_python(tmp_path)


class House:
    """A project folder with an environment whose making and filling are counted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.done: list[str] = []
        self.fails = False
        for name in (
            "requirements.lock",
            "requirements-dev.lock",
            "requirements-build.lock",
            "requirements-encoders.lock",
            "requirements-torch.lock",
            "pyproject.toml",
        ):
            (root / name).write_text(name)

    def environment(self, *, dev: bool = False, slim: bool = False) -> Environment:
        real = main_environment(self.root, lambda: Path("python3"), dev=dev, slim=slim)
        return replace(real, make=self.make, install=self.install)

    def make(self, _runner: Runner) -> None:
        self.done.append("make")
        python(self.root / ".venv" / "bin" / "python")
        (self.root / ".venv" / ".filled").unlink(missing_ok=True)

    def install(self, _runner: Runner) -> None:
        self.done.append("fill")
        if self.fails:
            raise Problem("no network")

    def setup(self, *, dev: bool = False, slim: bool = False) -> list[str]:
        self.done.clear()
        for step in [step for step in self.environment(dev=dev, slim=slim).steps() if step.stale()]:
            step.work(runner(self.root))
        return self.done


class TestEnvironment:
    """An environment is whole, or it is made again."""

    @pytest.fixture
    def house(self, tmp_path: Path) -> House:
        return House(tmp_path)

    def test_the_second_time_nothing_is_done(self, house: House) -> None:
        assert house.setup() == ["make", "fill"]
        assert house.setup() == []

    @pytest.mark.parametrize("file", ["requirements.lock", "pyproject.toml"])
    def test_new_versions_are_put_in_place(self, house: House, file: str) -> None:
        house.setup()
        (house.root / file).write_text("newer")
        assert house.setup() == ["fill"]
        assert house.setup() == []

    def test_new_tools_or_a_lost_python_make_it_anew(self, house: House) -> None:
        house.setup()
        (house.root / "requirements-build.lock").write_text("newer")
        assert house.setup() == ["make", "fill"]
        (house.root / ".venv" / "bin" / "python").unlink()
        assert house.setup() == ["make", "fill"]

    def test_a_moved_folder_makes_it_anew(self, house: House, tmp_path: Path) -> None:
        house.setup()
        moved = tmp_path.with_name(tmp_path.name + "-moved")
        tmp_path.rename(moved)
        house.root = moved
        assert house.setup() == ["make", "fill"]

    def test_what_broke_off_is_made_anew(self, house: House) -> None:
        house.fails = True
        with pytest.raises(Problem):
            house.setup()
        house.fails = False
        assert house.setup() == ["make", "fill"]

    def test_what_the_tests_need_is_added_once_and_stays(self, house: House) -> None:
        house.setup()
        assert house.setup(dev=True) == ["fill"]
        assert house.setup(dev=True) == []
        assert house.setup() == []

    @pytest.mark.parametrize("dev", [False, True])
    def test_torch_is_added_once_and_stays(self, house: House, dev: bool) -> None:
        assert house.setup(dev=dev, slim=True) == ["make", "fill"]
        assert house.setup(dev=dev, slim=True) == []
        assert house.setup(dev=dev) == ["fill"]
        assert house.setup(dev=dev) == []
        assert house.setup(dev=dev, slim=True) == []

    @pytest.mark.parametrize("file", ["requirements-encoders.lock", "requirements-torch.lock"])
    def test_slim_does_not_look_at_the_locks_of_torch(self, house: House, file: str) -> None:
        house.setup(slim=True)
        (house.root / file).write_text("newer")
        assert house.setup(slim=True) == []
        assert house.setup() == ["fill"]


class TestFill:
    """uv first; pip where uv does not do it."""

    @pytest.mark.parametrize("uv", [None, "exit 1"])
    def test_pip_takes_over(self, tmp_path: Path, uv: str | None) -> None:
        if uv:
            program(tmp_path / "bin" / "uv", uv)
        program(tmp_path / "bin" / "python", f'echo "$@" > {tmp_path}/asked')
        fill(runner(tmp_path), tmp_path, tmp_path / "target", "-r", "some.lock")
        asked = (tmp_path / "asked").read_text()
        assert asked.startswith("-m pip --python") and asked.endswith("install -q -r some.lock\n")

    def test_when_both_fail_both_are_told(self, tmp_path: Path) -> None:
        program(tmp_path / "bin" / "uv", "echo uv is sad; exit 1")
        program(tmp_path / "bin" / "python", "echo pip is sad; exit 1")
        with pytest.raises(Problem, match=r"(?s)uv is sad.*pip is sad"):
            fill(runner(tmp_path), tmp_path, tmp_path, "-r", "some.lock")


class TestTorch:
    """The CPU build or none."""

    def test_what_pip_was_set_up_for_comes_first(self, tmp_path: Path) -> None:
        program(tmp_path / "bin" / "python", f'echo "$@" > {tmp_path}/asked')
        fill_torch(runner(tmp_path), tmp_path, Path("torch.lock"))
        asked = (tmp_path / "asked").read_text().split()
        assert asked[:3] == ["-m", "pip", "install"] and asked[-3:] == [
            "--require-hashes",
            "-r",
            "torch.lock",
        ]

    def test_else_the_index_that_uv_knows(self, tmp_path: Path) -> None:
        program(tmp_path / "bin" / "python", "exit 1")
        program(tmp_path / "bin" / "uv", f'echo "$@" > {tmp_path}/asked')
        fill_torch(runner(tmp_path), tmp_path, Path("torch.lock"))
        assert "--torch-backend cpu" in (tmp_path / "asked").read_text()

    def test_nowhere_is_told_with_the_ways_out(self, tmp_path: Path) -> None:
        program(tmp_path / "bin" / "python", "echo pip is sad; exit 1")
        with pytest.raises(Problem, match=r"(?s)pip is sad.*SLIM=1.*PIP_FIND_LINKS"):
            fill_torch(runner(tmp_path), tmp_path, Path("torch.lock"))

    @pytest.mark.parametrize("slim", [False, True])
    def test_slim_leaves_it_out(self, tmp_path: Path, slim: bool) -> None:
        program(tmp_path / ".venv" / "bin" / "uv", f'echo "$@" >> {tmp_path}/asked')
        program(tmp_path / ".venv" / "bin" / "python", f'echo "$@" >> {tmp_path}/asked')
        main_environment(tmp_path, lambda: Path("python3"), dev=True, slim=slim).install(runner(tmp_path))
        locks = re.findall(r"requirements[a-z-]*\.lock", (tmp_path / "asked").read_text())
        torch = ["requirements-torch.lock", "requirements-encoders.lock"]
        assert locks == ["requirements-dev.lock", *([] if slim else torch)]


def test_the_model_is_trained_when_something_written_changed(tmp_path: Path) -> None:
    nlu = tmp_path / "nlu"
    program(nlu / ".venv" / "bin" / "python", 'mkdir -p models; echo "$@" >> models/trained')
    (nlu / "config.yml").write_text("pipeline: []")

    def setup() -> int:
        step = Model(nlu).step()
        if step.stale():
            step.work(runner(tmp_path))
        return (nlu / "models" / "trained").read_text().count("-m engine train\n")

    assert [setup(), setup()] == [1, 1]
    (nlu / "config.yml").write_text("pipeline: [Tokenizer]")
    assert [setup(), setup()] == [2, 2]
    (nlu / "__pycache__").mkdir()
    (nlu / "__pycache__" / "made.pyc").write_text("by a machine")
    (nlu / ".ruff_cache").mkdir()
    (nlu / ".ruff_cache" / "kept").write_text("by a tool")
    assert setup() == 2
    Stamp(nlu / "models" / ".stamp").begin()
    assert Stamp(nlu / "models" / ".stamp").read() == BEGUN
    assert setup() == 3


class TestRunner:
    """One tool at a time."""

    def test_a_failing_tool_is_told_with_its_last_words(self, tmp_path: Path) -> None:
        script = "for i in $(seq 100); do echo line $i; done; exit 3"
        with pytest.raises(Problem, match=r"exit code 3") as caught:
            runner(tmp_path).run("sh", "-c", script)
        assert "line 100" in str(caught.value) and "line 60\n" not in str(caught.value)

    def test_an_interruption_stops_the_tool(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pids: list[int] = []
        progress = Progress([1.0], io.StringIO())

        def interrupted() -> None:
            if (tmp_path / "pid").exists():
                pids.append(int((tmp_path / "pid").read_text()))
                raise KeyboardInterrupt

        monkeypatch.setattr(progress, "tick", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Runner(tmp_path, progress, held=0).run("sh", "-c", "echo $$ > new; mv new pid; exec sleep 60")
        with pytest.raises(ProcessLookupError):
            os.kill(pids[0], 0)

    def test_the_settings_of_another_environment_do_not_leak_in(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
        runner(tmp_path).run("sh", "-c", '[ -z "$VIRTUAL_ENV" ]')

    def test_a_second_setup_waits(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        first = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(first, fcntl.LOCK_EX)
        release = threading.Timer(0.1, os.close, [first])
        release.start()
        with exclusive(tmp_path) as held:
            assert os.fstat(held).st_ino == tmp_path.stat().st_ino
        release.join()
        assert "waiting" in capsys.readouterr().err


class TestProgress:
    """How far, and how long still."""

    def test_lines_with_an_estimate_that_learns(self) -> None:
        out, now = io.StringIO(), [0.0]
        progress = Progress([10, 20, 30], out, lambda: now[0])
        with progress.step("First"):
            now[0] += 25  # two and a half times as slow as the table says
        with progress.step("Second"):
            now[0] += 40
        assert out.getvalue().splitlines() == [
            "[1/3] First: about 10 s; 1 min to go in all",
            "[1/3] First: done in 25 s",
            "[2/3] Second: about 40 s; 1 min 40 s to go in all",
            "[2/3] Second: done in 40 s",
        ]

    def test_one_live_line_on_a_terminal(self) -> None:
        out, now = Terminal(), [0.0]
        progress = Progress([10, 20], out, lambda: now[0])
        with progress.step("First"):
            for _ in range(3):
                now[0] += 3
                progress.tick()
        lines = out.getvalue().split("\r\x1b[K")
        assert lines[-2].startswith("[1/2] First: 9 s of about 10 s; 21 s to go in all")
        assert out.getvalue().count("\n") == 1

    def test_a_step_that_takes_too_long_is_never_said_to_be_over(self) -> None:
        now = [0.0]
        progress = Progress([10], io.StringIO(), lambda: now[0])
        with progress.step("First"):
            now[0] = 100
            assert progress.left() == 10

    @pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59.6, "1 min"), (83, "1 min 23 s")])
    def test_spans(self, seconds: float, words: str) -> None:
        assert span(seconds) == words
