"""The package: locks that cover everything, commands that exist, no traces of the machine it was made on."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENCODERS: list[str] = PROJECT["project"]["optional-dependencies"]["encoders"]
(TORCH,) = PROJECT["tool"]["uv"]["dependency-metadata"]
PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)(\[[^]]*\])?==(?P<version>\S+)(?P<rest>.*(?:\n +--hash=.*)*)", re.M)
TRACES = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|deb\.debian\.org|(?<![\w.)-])(/w[o]rk/(main|shared)|/tmp/b[a]sh|/r[o]ot/)"
)


def tree() -> list[Path]:
    """The files of the project: what git knows and what it would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def pins(lock: str) -> dict[str, set[str]]:
    """The versions in a lock file; more than one where platforms differ."""
    text = (ROOT / lock).read_text()
    assert not re.search(r"\s/", text), f"{lock} names a place on a machine"
    found: dict[str, set[str]] = {}
    for pin in PIN.finditer(text):
        assert "--hash=sha256:" in pin["rest"], f"{lock}: {pin['name']} has no hash"
        found.setdefault(canonicalize_name(pin["name"]), set()).add(pin["version"])
    return found


def missing(requirements: list[str], lock: str) -> list[str]:
    """The requirements that a lock does not meet."""
    locked = pins(lock)

    def met(requirement: Requirement) -> bool:
        versions = locked.get(canonicalize_name(requirement.name), set())
        return bool(versions) and all(requirement.specifier.contains(version) for version in versions)

    return [text for text in requirements if not met(Requirement(text))]


@pytest.mark.parametrize(
    ("requirements", "lock"),
    [
        (PROJECT["project"]["dependencies"], "requirements.lock"),
        (PROJECT["project"]["dependencies"], "requirements-dev.lock"),
        (PROJECT["dependency-groups"]["dev"], "requirements-dev.lock"),
        (PROJECT["dependency-groups"]["build"], "requirements-build.lock"),
        (PROJECT["project"]["dependencies"], "requirements-encoders.lock"),
        (ENCODERS[:1], "requirements-encoders.lock"),
        (ENCODERS[1:], "requirements-torch.lock"),
        (TORCH["requires-dist"], "requirements-encoders.lock"),
    ],
)
def test_a_lock_covers_what_it_is_made_of(requirements: list[str], lock: str) -> None:
    assert missing(requirements, lock) == [], "run: make lock"


def test_the_lock_of_rasa_covers_its_project() -> None:
    project = tomllib.loads((ROOT / "nlu" / "pyproject.toml").read_text())
    assert missing(project["project"]["dependencies"], "nlu/requirements.lock") == [], "run: make lock"


def test_tests_run_on_the_versions_that_residents_get() -> None:
    runtime, everything = pins("requirements.lock"), pins("requirements-dev.lock")
    assert runtime.items() <= everything.items()


def test_other_encoders_run_beside_all_the_rest() -> None:
    encoders, everything = pins("requirements-encoders.lock"), pins("requirements-dev.lock")
    assert pins("requirements.lock").items() <= encoders.items()
    assert {
        name for name in encoders.keys() & everything.keys() if encoders[name] != everything[name]
    } == set()


def test_torch_is_the_cpu_build_for_every_python_and_machine() -> None:
    lock = (ROOT / "requirements-torch.lock").read_text()
    version = next(iter(pins("requirements-torch.lock")["torch"])).partition("+")[0]
    mac, linux = PIN.finditer(lock)
    assert (mac["version"], linux["version"]) == (version, f"{version}+cpu")
    assert [pin["rest"].count("--hash=sha256:") for pin in (mac, linux)] == [3, 6]
    assert not any(
        name.startswith(("nvidia", "cuda", "triton", "torch")) for name in pins("requirements-encoders.lock")
    )


def test_the_default_installation_stays_light() -> None:
    assert not pins("requirements.lock").keys() & {"torch", "tensorflow", "rasa", "sentence-transformers"}


def test_no_trace_of_registries_or_of_a_machine() -> None:
    found = []
    for path in tree():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit.group()}" for hit in TRACES.finditer(text)]
    assert found == []


def test_every_command_of_make_works_and_is_told_by_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.M))
    told = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+)", told, re.M)) == targets
    assert {"setup", "run", "test", "check", "bench"} <= targets
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=True)


def test_documents_name_only_commands_of_make_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(), re.M))
    documents = [path for path in tree() if path.suffix == ".md" and "content" not in path.parts]
    named = {name for path in documents for name in re.findall(r"`make ([a-z-]+)", path.read_text())}
    assert named <= targets


def test_the_makefile_stays_within_what_an_old_make_knows() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert not re.search(r"!=|\.ONESHELL|\$\(file |^\t.*\bpip install\b", makefile, re.M)


def test_continuous_integration_runs_the_commands_of_the_readme() -> None:
    subprocess.run(["bash", "-n", ".ci/run"], cwd=ROOT, check=True)
    text = (ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in text
    assert re.findall(r"^make (\w+)$", text, re.M) == ["check", "test"]


def test_setup_needs_nothing_but_python() -> None:
    ours = {"scripts", *sys.stdlib_module_names}
    for path in (ROOT / "scripts").glob("*.py"):
        for line in path.read_text().splitlines():
            found = re.match(r"\s*(?:from|import) (\w+)", line)
            assert not found or found[1] in ours, f"{path.name}: {line}"


def test_licence_and_version_are_told_the_same_everywhere() -> None:
    public = yaml.safe_load((ROOT / "publiccode.yml").read_text())
    version = PROJECT["project"]["version"]
    assert public["softwareVersion"] == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
    assert f"image: klaartje:{version}" in (ROOT / "docker-compose.yml").read_text()
    assert public["legal"]["license"] == PROJECT["project"]["license"] == "EUPL-1.2"
    licence = (ROOT / "LICENSE").read_text()
    assert licence.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\n")
    assert all(f"\n{number}." in licence for number in range(1, 16))


def test_publiccode_follows_its_standard() -> None:
    public = yaml.safe_load((ROOT / "publiccode.yml").read_text())
    assert public["publiccodeYmlVersion"] == "0.4"
    mandatory = {"name", "url", "platforms", "categories", "developmentStatus", "softwareType", "description"}
    assert mandatory | {"legal", "maintenance", "localisation"} <= public.keys()
    assert public["developmentStatus"] in {"concept", "development", "beta", "stable", "obsolete"}
    assert public["softwareType"] == "standalone/web"
    assert public["maintenance"]["type"] in {"internal", "contract", "community", "none"}
    assert {"localisationReady", "availableLanguages"} <= public["localisation"].keys()
    for words in public["description"].values():
        assert len(words["shortDescription"]) <= 150
        assert 150 <= len(words["longDescription"]) <= 10_000
        assert words["features"]


def test_a_wheel_carries_all_that_is_not_code(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True, check=True
    )
    inside = {line.split()[0] for line in listed.stdout.splitlines()[1:]}
    packages = tuple(f"{name}/" for name in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    wanted = {path.relative_to(ROOT).as_posix() for path in tree()}
    assert {path for path in wanted if path.startswith(packages)} <= inside
    assert not any(path.startswith(("tests/", "scripts/", "nlu/")) for path in inside)
