"""The documentation is true: what it names exists, what it lists is complete, and its examples run."""

from __future__ import annotations

import ast
import json
import logging
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from prometheus_client import Counter, Gauge, Histogram

from bot import metrics
from bot.accounts import accounts
from bot.cli import main as klaartje
from bot.files import ALLOWED
from bot.keywords import keyword
from bot.municipality import Municipality
from bot.settings import Settings
from bot.statuses import Statuses
from bot.templates import read_templates
from bot.wording import Wording
from connectors import whatsapp_errors
from knowledge import article
from knowledge.problems import problems

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DUTCH = ("beheer.md", "bewoners.md", "kcc.md", "redactie.md", "sturing.md")
_CATEGORIES = "knowledge/report_categories.yml"
FOLDERS = ("bot", "actions", "knowledge", "connectors", "nlu", "scripts", "tests", "docs", "assets")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


# -- links, names and places ---------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The headings as a forge makes them addresses."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), re.M)
    plain = (unicodedata.normalize("NFC", heading.replace("`", "").strip().lower()) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    text = without_code(page.read_text(encoding="utf-8"))
    for target in [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'src="([^"]+)"', text)]:
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        assert found.is_file() and found.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(found), target


@each_page
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    assert not re.search(r"/(work|tmp|root|home|Users)\b/?", page.read_text(encoding="utf-8"))


def paths(text: str) -> Iterator[tuple[str, str]]:
    """Each `folder/file.py` and `folder/file.py: Class.method` with its two parts."""
    for code in re.findall(r"`([^`\n]+)`", without_code(text)):
        match = re.fullmatch(rf"((?:{'|'.join(FOLDERS)})(?:/[\w.-]+)+/?)(?:: ([\w.]+))?", code)
        if match and ".venv" not in match[1] and not match[1].startswith("nlu/models"):
            yield match[1], match[2] or ""


@cache
def names(file: Path) -> frozenset[str]:
    """All that a module and its classes define, as `name` and `Class.name`."""
    return frozenset(_defined(ast.parse(file.read_text(encoding="utf-8")).body, ""))


def _defined(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        match node:
            case ast.ClassDef(name=name):
                yield prefix + name
                yield from _defined(node.body, f"{prefix}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield prefix + name


@each_page
def test_every_file_and_name_exists(page: Path) -> None:
    for path, name in paths(page.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path
        assert not name or name in names(ROOT / path), f"{path}: {name}"


def test_the_way_of_a_message_is_told_with_names() -> None:
    told = {path for path, name in paths(read("docs/flow.md")) if name}
    story = "edge residents inbox worker turn engine wording conversation record window post outbox receipts files"
    assert told >= {f"bot/{name}.py" for name in (*story.split(), "transcript")}


@each_page
def test_named_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    text = page.read_text(encoding="utf-8")
    code = [*re.findall(r"`([^`\n]+)`", without_code(text)), *blocks(text, r"\w*")]
    for line in "\n".join(code).splitlines():
        if found := re.match(r"(?:[A-Z_]+=\S+ )*make (?!\w+=)([a-z-]+)", line.strip()):
            assert found[1] in targets, line


@pytest.mark.parametrize("name", DUTCH)
def test_dutch_pages_say_u(name: str) -> None:
    assert not re.search(r"\b(je|jij|jou|jouw|jullie)\b", without_code(read(f"docs/{name}")), re.I)


# -- settings ------------------------------------------------------------------------------------------------

Row = Mapping[str, str]


def tables(heading: str) -> dict[str, Row]:
    """The variables in the tables of one part of the page, by name."""
    part = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", read("docs/settings.md"), re.M | re.S)
    assert part, heading
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (.+?) \| (.+?) \| `(.+?)` \|$", part[1], re.M)
    found = {
        name: {"default": default.strip("`"), "meaning": m, "example": e} for name, default, m, e in rows
    }
    assert len(found) == len(rows) == part[1].count("\n| `")
    return found


def shown(value: Any) -> str:
    """A default as the page writes it."""
    if isinstance(value, Path):
        return value.relative_to(ROOT).as_posix() if value.is_absolute() else value.as_posix()
    return "—" if value in (None, (), "") else str(value)


def test_settings_of_the_bot(no_environment: Callable[[str, str], None]) -> None:
    documented = tables("The bot")
    assert {name: row["default"] for name, row in documented.items()} == {
        name.upper(): shown(field.default) for name, field in Settings.model_fields.items()
    }
    assert Settings.read() == Settings.model_construct()
    for name, row in documented.items():
        no_environment(name, row["example"])
    Settings.read()


@pytest.fixture
def engine_settings(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The engine's own module: nothing but Python's library in it."""
    spec = spec_from_file_location("engine_settings", ROOT / "nlu" / "engine" / "settings.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "engine_settings", module)
    spec.loader.exec_module(module)
    return module


def test_settings_of_the_engine(engine_settings: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    documented = tables("The engine")
    assert set(re.findall(r'"([A-Z]+_[A-Z_]+)"', read("nlu/engine/settings.py"))) == set(documented)
    for name in documented:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(engine_settings.SettingsError):
        engine_settings.Settings.read()
    for name in ("ENGINE_SECRET", "ACTIONS_SECRET"):
        monkeypatch.setenv(name, documented[name]["example"])
    settings = engine_settings.Settings.read()
    found = {
        "ENGINE_HOST": settings.host,
        "ENGINE_PORT": str(settings.port),
        "ACTIONS_URL": settings.actions_url,
        "ENGINE_MODEL": shown(settings.model),
        "LOG_LEVEL": settings.log_level,
    }
    assert {name: documented[name]["default"] for name in found} == found
    assert settings.parent is None
    for name, row in documented.items():
        monkeypatch.setenv(name, row["example"])
    assert engine_settings.Settings.read().log_level == documented["LOG_LEVEL"]["example"]


def test_variables_of_compose() -> None:
    text = read("docker-compose.yml")
    used = dict(re.findall(r"\$\{(\w+)(?::-(\w+(?:\.\w+)*))?", text))
    documented = tables("docker compose")
    assert set(documented) == {*used, "COMPOSE_PROFILES"}
    assert all(documented[name]["default"] == (default or "—") for name, default in used.items())


def test_variables_of_make() -> None:
    of_make = dict(re.findall(r"^([A-Z]+) \?=[ ]*(.*)$", read("Makefile"), re.M))
    of_setup = environment_of("scripts")
    documented = tables("make")
    assert set(documented) == {*of_make, *of_setup}
    assert all(documented[name]["default"] == (default or "—") for name, default in of_make.items())


def test_variables_of_the_tests() -> None:
    of_the_bot = {name.upper() for name in Settings.model_fields}
    assert set(tables("The tests")) == environment_of("tests") - of_the_bot


def environment_of(folder: str) -> set[str]:
    """What is read of the environment by its own name."""
    reading = re.compile(r'os\.environ(?:\.get\(|\[)"([A-Z0-9_]+)"(?!\] =)')
    files = (file for file in (ROOT / folder).rglob("*.py") if file != Path(__file__))
    return {name for file in files for name in reading.findall(file.read_text(encoding="utf-8"))}


# -- commands ------------------------------------------------------------------------------------------------


def leaves(command: click.Command, path: str = "klaartje") -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, f"{path} {name}")
    else:
        yield path, command


def sections() -> dict[str, str]:
    parts = re.split(r"^## `(.+)`$", read("docs/commands.md"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_is_described_and_nothing_else() -> None:
    assert set(sections()) - {"klaartje --version"} == {path for path, _ in leaves(klaartje)}


def test_every_option_is_described_with_its_default_and_nothing_else() -> None:
    described = sections()
    for path, command in leaves(klaartje):
        listed = dict(re.findall(r"^- `(--[\w-]+)`:([^-]*)", described[path], re.M))
        options = [param for param in command.params if isinstance(param, click.Option)]
        assert set(listed) == {name for option in options for name in option.opts}, path
        for option in options:
            if option.show_default:
                assert f"Default: `{option.default}`" in described[path], path


def test_every_command_has_an_example() -> None:
    for path, text in sections().items():
        examples = "".join(blocks(text, "sh") + blocks(text, "console"))
        assert path in examples, path


def test_commands_named_anywhere_exist() -> None:
    known = {path for path, _ in leaves(klaartje)}
    for page in PAGES:
        for words in re.findall(
            r"klaartje((?: [a-z]+)+)", "\n".join(re.findall(r"`([^`]+)`", page.read_text()))
        ):
            tried = ["klaartje" + " ".join(["", *words.split()[:count]]) for count in (1, 2)]
            assert known.intersection(tried), (page.name, words)


@pytest.fixture
def same_logging() -> Iterator[None]:
    """The commands set up the logs of their process; here that is the tests' own."""
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]


@pytest.mark.usefixtures("same_logging")
def test_the_examples_do_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_environment: Callable[[str, str], None]
) -> None:
    """On an empty store, in the order of the page."""
    no_environment("STATE_DIR", "var")
    no_environment("LOG_LEVEL", "ERROR")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "knowledge").symlink_to(ROOT / "knowledge")
    told = "".join(blocks(read("docs/commands.md"), "console"))
    done = ""
    for line in re.findall(r"^\$ klaartje .+$", told, re.M):
        done += f"{line}\n{CliRunner().invoke(klaartje, line.split()[2:]).output}"
    assert re.fullmatch(re.escape(told).replace(re.escape("..."), ".*"), done), done


# -- lists that must be complete -----------------------------------------------------------------------------


def test_every_metric_is_described() -> None:
    collectors = [one for one in vars(metrics).values() if isinstance(one, Counter | Gauge | Histogram)]
    described = [metric for collector in collectors for metric in collector.describe()]
    ours = {f"{m.name}_total" if m.type == "counter" else m.name for m in described}
    assert set(re.findall(r"^\| `(klaartje_\w+)` \|", read("docs/engineer.md"), re.M)) == ours


def test_the_yaml_and_json_in_the_pages_can_be_read() -> None:
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8"), "ya?ml"):
            yaml.safe_load(block)
        for block in blocks(page.read_text(encoding="utf-8"), "json"):
            rest = block.strip()
            while rest:
                _, end = json.JSONDecoder().raw_decode(rest)
                rest = rest[end:].lstrip()


def test_the_number_of_articles() -> None:
    number = len(list((ROOT / "knowledge" / "content").glob("*.md")))
    assert f"loads {number} articles" in " ".join(read("README.md").split())


def test_words_that_always_work() -> None:
    words = re.findall(r"^\| (\w+) \| .+ \|$", read("docs/bewoners.md"), re.M)
    found = {keyword(word, None) for word in words}
    assert len(words) == 5 and len(found) == 5 and None not in found


def test_the_templates_for_engineers_can_be_read(tmp_path: Path) -> None:
    templates, _ = blocks(read("docs/channels.md"), "yaml")
    file = tmp_path / "templates.yml"
    file.write_text(templates, encoding="utf-8")
    found = read_templates(file, facts())
    shipped = read_templates(ROOT / "knowledge" / "templates.yml", facts())
    assert found["afspraak_morgen"].choices and found["schrijf_ons"] == shipped["schrijf_ons"]


def test_the_accounts_for_engineers_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, example = blocks(read("docs/channels.md"), "yaml")
    for name in re.findall(r"\{env: (\w+)\}", example):
        monkeypatch.setenv(name, "a-secret")
    secret, file = tmp_path / "secret", tmp_path / "channels.yml"
    secret.write_text("123456:ABC\n", encoding="utf-8")
    file.write_text(example.replace("/run/secrets/telegram-jeugd", str(secret)), encoding="utf-8")
    found = accounts(Settings.model_construct(channels=file, public_url="https://chat.example.nl"))
    assert sorted(found) == ["telegram-jeugd", "whatsapp-wijkteam"]


def test_errors_of_whatsapp_are_told_as_the_log_tells_them() -> None:
    told = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", read("docs/channels.md"), re.M)
    assert len(told) > 20
    for code, reason, advice in told:
        assert f"{code}: {reason}" == whatsapp_errors.explain(int(code))
        assert whatsapp_errors.trouble(int(code)).retryable == advice.startswith("*Again.*")


def test_kinds_of_files_that_are_kept_are_all_told() -> None:
    (told,) = re.findall(
        r"^- At most `MEDIA_MAX_MB`\. Kept are (.+?), \*\*by", read("docs/channels.md"), re.M | re.S
    )
    names = {"JPEG" if name == "jpg" else name.upper() for name in ALLOWED.values()}
    assert {name.upper() for name in re.split(r",\s|\sand\s", told)} == names


def facts() -> Mapping[str, str]:
    return Municipality.load(ROOT / "knowledge" / "municipality.yml").variables


def test_the_article_for_editors_can_be_published() -> None:
    (text,) = blocks(read("docs/redactie.md"), "markdown")
    draft = article.parse(text, "hond-aanmelden.md")
    assert problems(draft, facts()) == []
    assert article.dump(draft) == text


def test_the_translation_for_editors_can_be_published() -> None:
    (text,) = blocks(read("docs/redactie.md"), "markdown")
    translation, *_ = blocks(read("docs/redactie.md"), "text")
    draft = article.parse(f"{text}\n{translation}", "hond-aanmelden.md")
    assert list(draft.translations) == ["en"]
    assert problems(draft, facts()) == []
    assert article.dump(draft) == f"{text}\n{translation}"


def test_the_messages_for_editors_are_the_real_ones() -> None:
    (text,) = blocks(read("docs/redactie.md"), "markdown")
    *_, messages = blocks(read("docs/redactie.md"), "text")
    first, *others = messages.splitlines()
    with pytest.raises(article.ArticleError) as error:
        article.parse(text.replace("uri: http:", "uri: htp:"), "hond-aanmelden.md")
    assert str(error.value) == first
    long = text.replace("---\nMeld", f"---\n{'x ' * 209}Meld").replace("{telefoon}", "{telefon}")
    found = problems(article.parse(long, "hond-aanmelden.md"), facts())
    shape = re.compile(r"\d+")
    assert {shape.sub("0", f"hond-aanmelden.md: {line}") for line in found} == {
        shape.sub("0", line) for line in others
    }


def test_fields_and_parts_of_an_article_are_all_told() -> None:
    text = read("docs/redactie.md")
    told = {name: needed == "ja" for name, needed in re.findall(r"^\| `(\w+)` \| (ja|nee) \|", text, re.M)}
    required, optional = (
        set(article._REQUIRED) - {"answer"},
        set(article._OPTIONAL) - {"aspects", "translations"},
    )
    assert told == {**dict.fromkeys(required, True), **dict.fromkeys(optional, False)}
    parts = dict(re.findall(r"^\| `(\w+)` \| ([A-Z][^|]+\?) \|$", text, re.M))
    wording = Wording.load(ROOT / "knowledge" / "phrases.yml", facts())
    assert parts == {aspect: wording.say(f"aspect_{aspect}").text for aspect in article.ASPECTS}
    assert f"hoogstens {article.TEXT_LIMIT} tekens" in text
    assert f"hoogstens {article._SLUG_LIMIT} tekens" in text


def test_the_municipality_for_editors_can_be_read(tmp_path: Path) -> None:
    example, cases, statuses, categories, phrases = blocks(read("docs/redactie.md"), "yaml")
    file = tmp_path / "municipality.yml"
    file.write_text(example + cases, encoding="utf-8")
    municipality = Municipality.load(file)
    assert municipality.variables["openingstijden_medewerkers"]
    assert municipality.variables["mijn_zaken"] == "https://www.zonneveen.example/mijn-zaken"
    assert municipality.cases and municipality.cases.of(["kwijtschelding"])
    file.write_text(statuses, encoding="utf-8")
    assert Statuses.load(file).of(["Kapvergunning"], ["wacht op informatie"])
    [told], shipped = (yaml.safe_load(text)["categories"] for text in (categories, read(_CATEGORIES)))
    assert all(set(told) == set(one) for one in shipped)
    file.write_text(phrases, encoding="utf-8")
    assert Wording.load(file, municipality.variables).keys() == ["not_found", "thanks"]
