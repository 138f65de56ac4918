"""The containers: valid, locked down, and with settings that the programs really read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli import main as klaartje
from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = Path(sys.executable).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"web", "worker", "migrate", "embedded"}
PUBLIC = {"web", "embedded"}
DOCKERFILES = ["Dockerfile", "nlu/Dockerfile"]
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
FOR_COMPOSE = {"COMPOSE_PROFILES", "BIND", "PUBLISHED_PORT", "POSTGRES_PASSWORD"}

each_service = pytest.mark.parametrize("name", SERVICES)
each_dockerfile = pytest.mark.parametrize("file", DOCKERFILES)


def networks(name: str) -> set[str]:
    return set(SERVICES[name]["networks"])


def test_compose_file_fits_the_specification() -> None:
    command = [TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_services_of_each_profile() -> None:
    of = {p: {n for n, s in SERVICES.items() if p in s["profiles"]} for p in ("scaled", "embedded")}
    assert of["scaled"] == {"migrate", "web", "worker", "nlu", "postgres", "redis"}
    assert of["embedded"] == {"embedded", "nlu"}


def test_only_the_web_publishes_a_port_on_loopback_unless_told_otherwise() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == PUBLIC
    for name in PUBLIC:
        assert SERVICES[name]["ports"] == ["${BIND:-127.0.0.1}:${PUBLISHED_PORT:-8080}:8080"]


def test_stores_and_engine_live_on_internal_networks_apart_from_each_other() -> None:
    internal = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    for name in ("postgres", "redis", "nlu"):
        assert networks(name) <= internal
    assert not networks("nlu") & networks("postgres")
    assert not networks("web") & networks("nlu")


def test_who_shows_the_files_of_residents_can_only_read_them() -> None:
    assert "media:/var/lib/klaartje/media:ro" in SERVICES["web"]["volumes"]
    assert "media:/var/lib/klaartje/media" in SERVICES["worker"]["volumes"]
    assert (
        "install -d -o klaartje -g klaartje -m 700 /var/lib/klaartje/media"
        in (ROOT / "Dockerfile").read_text()
    )


@each_service
def test_every_service_is_guarded(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert not service.get("privileged")
    assert "network_mode" not in service
    assert {"cpus", "memory", "pids"} <= service["deploy"]["resources"]["limits"].keys()
    assert service["restart"].startswith("on-failure" if name == "migrate" else "unless-stopped")


@each_service
def test_every_lasting_service_tells_whether_it_is_well(name: str) -> None:
    health = SERVICES[name]["healthcheck"]
    assert health == {"disable": True} if name == "migrate" else health["test"][0] == "CMD"


@each_service
def test_nothing_runs_as_root(name: str) -> None:
    service = SERVICES[name]
    if "build" not in service:
        assert service["user"] not in ("root", "0")
        return
    dockerfile = (ROOT / service["build"]["context"] / "Dockerfile").read_text()
    users = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.M)
    assert users and all(int(part) >= 10000 for part in users[-1])


@each_service
def test_who_is_waited_for_is_in_the_same_profiles(name: str) -> None:
    service = SERVICES[name]
    for other in service.get("depends_on", {}):
        assert set(service["profiles"]) <= set(SERVICES[other]["profiles"])


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_commands_and_settings_of_the_bot_exist(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SERVICES[name]
    assert service["command"][0] in klaartje.commands
    given = {**EXAMPLE, **service["environment"]}
    known = {field.upper() for field in Settings.model_fields}
    assert given.keys() - FOR_COMPOSE <= known
    for key in known:
        monkeypatch.delenv(key, raising=False)
    for key, value in given.items():
        monkeypatch.setenv(key, re.sub(r"\$\{\w+:\?[^}]*\}", "0" * 64, value))
    settings = Settings.read()
    assert settings.embedded is (name == "embedded")
    assert (settings.redis_url is None) is (name == "embedded")
    assert settings.engine_url == "http://nlu:5065"


def test_nlu_reads_what_it_is_given_and_gets_no_secret_that_is_not_its_own() -> None:
    environment = SERVICES["nlu"]["environment"]
    read = (ROOT / "nlu" / "engine" / "settings.py").read_text()
    assert all(f'"{key}"' in read for key in environment)
    assert "env_file" not in SERVICES["nlu"]
    aliases = [SERVICES[name]["networks"]["engine"]["aliases"] for name in ("worker", "embedded")]
    assert aliases == [["actions"], ["actions"]]
    assert environment["ACTIONS_URL"].startswith("http://actions:5066/")


def test_every_variable_is_in_the_example_and_no_secret_has_a_value() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) <= EXAMPLE.keys()
    assert all(not value for key, value in EXAMPLE.items() if re.search("PASSWORD|SECRET|TOKEN", key))
    assert "SECRET:-" not in text and "PASSWORD:-" not in text


@each_dockerfile
def test_hadolint_has_nothing_to_say(file: str) -> None:
    done = subprocess.run([TOOLS / "hadolint", file], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@each_dockerfile
def test_an_image_is_locked_checked_and_passes_signals_on(file: str) -> None:
    text = (ROOT / file).read_text()
    assert "--require-hashes" in text
    assert re.search(r"^HEALTHCHECK .*\\\n +CMD \[", text, re.M)
    assert re.search(r'^CMD \["', text, re.M) and not re.search(r"^(CMD|ENTRYPOINT) [^\[]", text, re.M)
    assert len(re.findall(r"^FROM \S+-slim-bookworm\b", text, re.M)) == 2


@each_dockerfile
def test_an_image_copies_only_what_is_there_and_not_ignored(file: str) -> None:
    folder = (ROOT / file).parent
    ignored = (folder / ".dockerignore").read_text().split()
    for line in re.findall(r"^COPY (?!--from)(.+)$", (ROOT / file).read_text(), re.M):
        for source in line.split()[:-1]:
            assert (folder / source).exists()
            assert "*" not in ignored or f"!{source}" in ignored
