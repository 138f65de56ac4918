"""The plain-language check on whole articles, on the shipped content and phrases, and as a command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.cli import main as klaartje
from knowledge.article import LANGUAGES, parse
from knowledge.plain import check, check_article, check_file
from knowledge.plain.show import article_files, check_files

ROOT = Path(__file__).parents[2]
CONTENT = ROOT / "knowledge" / "content"
ARTICLES = sorted(CONTENT.glob("*.md"))
PHRASES = {
    key: entry
    for key, entry in yaml.safe_load((ROOT / "knowledge" / "phrases.yml").read_text(encoding="utf-8")).items()
    if key.partition("_")[0] not in LANGUAGES
}
EXAMPLE = (CONTENT / "paspoort-kwijt.md").read_text(encoding="utf-8")
HARD = """---
slug: hard
title: "Het opvragen van bescheiden"
upl: {name: paspoort, uri: http://standaarden.overheid.nl/owms/terms/paspoort}
theme: reisdocumenten
owner: Burgerzaken
review: 2027-01-01
policy: [click]
phrasings: [hoe werkt dat]
---
Wij bellen u terug.

Men kan bellen.

## kosten

- gratis
- derhalve niets
"""


@pytest.mark.parametrize("file", ARTICLES, ids=lambda file: file.stem)
def test_the_shipped_articles_are_b1(file: Path) -> None:
    (checked,) = check_files([file])
    assert checked.is_b1, "\n".join(checked.lines())


@pytest.mark.parametrize("key", [key for key in PHRASES if key.split("_")[0] not in LANGUAGES])
def test_what_klaartje_says_herself_is_b1(key: str) -> None:
    entry = PHRASES[key]
    labels = [part["label"] for field in ("choices", "links") for part in entry.get(field, [])]
    for text in (entry["text"], *labels):
        report = check(text, whole=False)
        assert report.is_b1, (text, report.findings)


def test_an_article_is_judged_by_all_its_dutch_texts() -> None:
    draft = parse(EXAMPLE, "paspoort-kwijt.md")
    assert check_article(draft).is_b1
    assert set(check_article(draft).parts) == {"title", "answer", *draft.aspects}
    for name in draft.aspects:
        aspects = {**draft.aspects, name: "U dient derhalve te bellen."}
        report = check_article(replace(draft, aspects=aspects))
        assert not report.is_b1
        assert {one.kind for one in report.parts[name].findings} == {"officialese"}
    assert not check_article(replace(draft, title="Men is zijn paspoort kwijt")).is_b1


def test_only_the_article_as_a_whole_must_speak_to_its_reader() -> None:
    draft = parse(EXAMPLE, "paspoort-kwijt.md")
    silent = "De gemeente haalt het afval op.\n" * 5 + "De gemeente haalt het afval op."
    spoken = replace(draft, answer="Bel ons. Wij helpen u.", aspects={"hoe": silent})
    assert check_article(spoken).is_b1
    nobody = replace(draft, title="Afval", answer=silent, aspects={"hoe": silent})
    kinds = [one.kind for one in check_article(nobody).findings]
    assert kinds == ["address"]


def test_places_are_those_of_the_file() -> None:
    for text in (HARD, HARD.replace("\n", "\r\n"), "\ufeff" + HARD):
        findings = check_file(text, "hard.md").findings
        assert [(one.line, one.column) for one in findings] == [(3, 26), (13, 1), (18, 3)]
        lines = text.removeprefix("\ufeff").splitlines()
        stretches = [lines[one.line - 1][one.column - 1 :][: one.length] for one in findings]
        assert stretches == ["bescheiden", "Men", "derhalve"]


def test_places_in_a_file_that_is_written_otherwise() -> None:
    text = (
        HARD.replace("title:", "'title':")
        .replace("## kosten", "##  kosten ")
        .replace("Wij bellen", "  Men belt")
    )
    places = [(one.line, one.column) for one in check_file(text, "hard.md").findings]
    assert places == [(3, 28), (11, 3), (13, 1), (18, 3)]


def test_translations_are_not_looked_at() -> None:
    text = HARD.replace("Men kan", "U kunt").replace("derhalve ", "").replace("bescheiden", "papieren")
    english = (
        f"{text}\n# en: Documents\nMen of je, derhalve: this sentence is far too long "
        + "and goes on " * 9
        + "\n"
    )
    assert check_file(text, "hard.md").is_b1
    assert check_file(english, "hard.md") == check_file(text, "hard.md")


def test_folders_and_files(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text(HARD, encoding="utf-8")
    (tmp_path / "a.md").write_text("niets", encoding="utf-8")
    (tmp_path / "c.txt").write_text("niets", encoding="utf-8")
    assert [file.name for file in article_files([tmp_path, tmp_path / "b.md"])] == ["a.md", "b.md", "b.md"]
    empty = tmp_path / "d"
    empty.mkdir()
    with pytest.raises(ValueError, match="no article"):
        article_files([empty])


def test_the_example_for_editors_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "redactie.md").read_text(encoding="utf-8")
    article, told = (
        re.findall(rf"^```{kind}\n(.*?)^```", page, re.M | re.S)[0] for kind in ("markdown", "check")
    )
    hard = article.replace(
        "Meld uw hond binnen 2 weken bij ons aan.", "U dient uw hond tijdig bij ons aan te melden."
    )
    assert hard != article
    monkeypatch.chdir(tmp_path)
    Path("hond-aanmelden.md").write_text(hard, encoding="utf-8")
    (checked,) = check_files([Path("hond-aanmelden.md")])
    assert "\n".join([*checked.lines(), ""]) == told
    assert check_file(article, "hond-aanmelden.md").is_b1


def run(*arguments: str) -> Result:
    return CliRunner().invoke(klaartje, ["content", "check", *arguments])


def test_the_command_tells_place_reason_and_suggestion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hard.md").write_text(HARD, encoding="utf-8")
    Path("kapot.md").write_text("---\nslug: Kapot\n---\n", encoding="utf-8")
    result = run("hard.md", "kapot.md", str(CONTENT / "paspoort-kwijt.md"))
    lines = result.output.splitlines()
    assert result.exit_code == 1
    assert lines[1] == "hard.md:13:1: fout: ‘men’ zegt niet wie. Zeg wie het doet: ‘u’, ‘wij’ of ‘mensen’."
    assert lines[3].startswith("hard.md: te moeilijk, score ")
    assert lines[4].startswith("kapot.md: onleesbaar: kapot.md")
    assert lines[-1] == "1 op B1, 2 te moeilijk"


def test_the_command_for_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hard.md").write_text(HARD, encoding="utf-8")
    Path("kapot.md").write_bytes(b"\xff")
    result = run("--json", ".")
    hard, broken = map(json.loads, result.output.splitlines())
    assert result.exit_code == 1
    assert (hard["slug"], hard["b1"], hard["verdict"]) == ("hard", False, "te moeilijk")
    assert [(one["part"], one["kind"], one["replacement"]) for one in hard["findings"]] == [
        ("title", "officialese", "papieren"),
        ("answer", "men", "U"),
        ("kosten", "officialese", "daarom"),
    ]
    assert set(hard["reading_ease"]) == {"title", "answer", "kosten"}
    assert (broken["b1"], bool(broken["error"])) == (False, True)


def test_the_command_without_a_path_takes_the_shipped_articles() -> None:
    result = run()
    assert result.output.splitlines()[-1] == f"{len(ARTICLES)} op B1, 0 te moeilijk"
    assert result.exit_code == 0


def test_the_command_where_there_is_no_article(tmp_path: Path) -> None:
    result = run(str(tmp_path))
    assert result.exit_code == 1
    assert "no article (*.md) in" in result.output


def test_nothing_heavy_is_imported_before_the_first_check() -> None:
    script = (
        "import sys; import bot.cli, knowledge.plain;"
        "heavy = {'wordfreq', 'pyphen', 'simplemma', 'spacy'} & set(sys.modules);"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("[]\n", "")
