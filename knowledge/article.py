"""An article as an editor writes it: one Markdown file, its rules, and its canonical form for storing.

Messages are for editors, so they are in Dutch: the place, what is wrong, and what to do about it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from bot.model import Link
from bot.ports import Translation
from knowledge import fields
from knowledge.fields import ArticleError

ASPECTS = ("kosten", "meenemen", "duur", "hoe", "voorwaarden", "waar")
POLICIES = ("click", "call", "face", "person")
"""The ways that an article prefers, in its own order; with `person` somebody takes the conversation over at once."""
LANGUAGES = ("en", "de", "pl", "tr", "ar", "uk")
"""What an article may be translated into, by ISO 639-1 code, in the order of the file."""

TEXT_LIMIT = 600
"""Longest answer or aspect, in characters with the variables filled in: it fits one WhatsApp message."""

_SLUG_LIMIT = 56  # `article:<slug>` is a choice id: at most 64 bytes
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ACTION = re.compile(r"appointment:[a-z0-9]+(?:-[a-z0-9]+)*|status|report")
_URL = re.compile(r"https?://\S+|\{website\}(?:[/?#]\S*)?")
_HEADING = re.compile(r"^## *(.*)$", re.MULTILINE)
_LANGUAGE = re.compile(r"^# *([a-z]{2,3}):(.*)$", re.MULTILINE)
_NO_ASPECT = f"dit deel bestaat niet; kies uit {', '.join(ASPECTS)}"
_REQUIRED = ("slug", "title", "upl", "theme", "owner", "review", "policy", "phrasings", "answer")
_OPTIONAL = ("valid_from", "valid_until", "links", "actions", "related", "aspects", "translations")
_IN_BODY = ("answer", "aspects", "translations")


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """All of one article. Raises `ArticleError` where the shape is wrong; `problems` judges the contents.

    Texts may hold `{variables}`; they are trimmed, without control characters, and only `answer` and the
    values of `aspects` have more than one line. A translation is the same article in another language: title,
    answer and aspects; its links, actions and all else are those of the article.
    """

    slug: str
    title: str
    upl_name: str
    upl_uri: str
    theme: str
    owner: str
    review: date
    answer: str
    policy: tuple[str, ...]
    phrasings: tuple[str, ...] = ()
    aspects: Mapping[str, str] = field(default_factory=dict, hash=False)
    links: tuple[Link, ...] = ()
    actions: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    translations: Mapping[str, Translation] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, value in self._lines():
            fields.require_line(name, value)
        for name, text in self.texts():
            fields.require_text(name, text)
        for name in ("slug", "title", "theme", "owner", "upl_name"):
            fields.require(bool(getattr(self, name)), name, "is leeg; vul het in")
        fields.require(_is_slug(self.slug), "slug", "gebruik kleine letters, cijfers en streepjes")
        fields.require(
            len(self.slug) <= _SLUG_LIMIT, "slug", f"is te lang; gebruik hoogstens {_SLUG_LIMIT} tekens"
        )
        fields.require(_URL.fullmatch(self.upl_uri) is not None, "upl", "de uri moet met http:// beginnen")
        for name in self.aspects:
            fields.require(name in ASPECTS, name, _NO_ASPECT)
        for language, translation in self.translations.items():
            _require_translation(language, translation)
        fields.require(bool(self.policy), "policy", f"is leeg; kies uit {', '.join(POLICIES)}")
        fields.require(len(set(self.policy)) == len(self.policy), "policy", "noem elke weg één keer")
        for way in self.policy:
            fields.require(way in POLICIES, "policy", f"{way!r} bestaat niet; kies uit {', '.join(POLICIES)}")
        for link in self.links:
            fields.require(bool(link.label), "links", "een link heeft geen label; schrijf wat daar staat")
            message = f"{link.url!r} is geen goede link; begin met https://, http:// of {{website}}"
            fields.require(_URL.fullmatch(link.url) is not None, "links", message)
        for action in self.actions:
            message = f"{action!r} bestaat niet; kies uit appointment:<product>, status en report"
            fields.require(_ACTION.fullmatch(action) is not None, "actions", message)
        for slug in self.related:
            other = _is_slug(slug) and slug != self.slug
            fields.require(other, "related", f"{slug!r} is geen slug van een ander artikel")
        ordered = self.valid_from is None or self.valid_until is None or self.valid_from <= self.valid_until
        fields.require(ordered, "valid_until", "ligt voor valid_from; draai de datums om")

    def texts(self) -> Iterator[tuple[str, str]]:
        """What a resident gets to read: the answer and each aspect, in the fixed order, by name."""
        return _texts(self)

    def translated(self) -> Iterator[tuple[str, Translation]]:
        """The translations by language, in the fixed order."""
        yield from (
            (code, self.translations[code]) for code in sorted(self.translations, key=_order(LANGUAGES))
        )

    def _lines(self) -> Iterator[tuple[str, str]]:
        for name in ("slug", "title", "theme", "owner"):
            yield name, getattr(self, name)
        yield from (("upl", self.upl_name), ("upl", self.upl_uri))
        for link in self.links:
            yield from (("links", link.label), ("links", link.url))
        yield from (("phrasings", phrasing) for phrasing in self.phrasings)


def parse(text: str, name: str) -> ArticleDraft:
    """Read an article file. Raises `ArticleError`: `name`, line, what is wrong and what to do."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    header, mark, body = text.removeprefix("---\n").partition("\n---\n")
    if not text.startswith("---\n") or not mark:
        raise ArticleError(f"{name}, regel 1: begin met een regel ---, dan de velden, dan weer een regel ---")
    lines: dict[str, int] = {}
    try:
        data = _header(header, lines)
        data |= _body(body, header.count("\n") + 4, lines)
        return _build(data)
    except (yaml.YAMLError, RecursionError) as error:
        message = "onleesbaar; let op inspringen, en zet een tekst met : of # tussen aanhalingstekens"
        raise ArticleError(f"{name}{_place(error, header)}: {message}") from None
    except ArticleError as error:
        where = f", regel {lines[error.field]}" if error.field in lines else ""
        about = f", bij {error.field!r}" if error.field else ""
        raise ArticleError(f"{name}{where}{about}: {error}", error.field) from None


def dump(draft: ArticleDraft) -> str:
    """The article as a file: always the same bytes for the same article."""
    data = {key: value for key, value in _data(draft).items() if key not in _IN_BODY}
    header = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, default_flow_style=False, width=10**9)
    parts = [_sections(draft)]
    parts += [f"# {code}: {version.title}\n{_sections(version)}" for code, version in draft.translated()]
    return f"---\n{header}---\n" + "\n\n".join(parts) + "\n"


def to_json(draft: ArticleDraft) -> str:
    """Canonical JSON: equal articles give equal text."""
    return json.dumps(_data(draft), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def from_json(text: str) -> ArticleDraft:
    """The article that `to_json` wrote. Raises `ArticleError`."""
    try:
        data = json.loads(text)
    except ValueError:
        raise ArticleError("dit is geen JSON") from None
    if not isinstance(data, dict):
        raise ArticleError("dit is geen artikel")
    return _build(data)


def draft_hash(draft: ArticleDraft) -> str:
    """A fingerprint of the contents: 64 hexadecimal digits."""
    return hashlib.sha256(to_json(draft).encode()).hexdigest()


class _Loader(yaml.BaseLoader):
    """YAML without anchors: a few lines of them can stand for gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="alias", problem_mark=self.get_mark())
        return super().compose_node(parent, index)


def _header(header: str, lines: dict[str, int]) -> dict[str, Any]:
    node = yaml.compose(header, Loader=_Loader)
    if not isinstance(node, yaml.MappingNode):
        raise ArticleError("tussen de regels --- horen velden, zoals slug: paspoort-kind")
    data: dict[str, Any] = {}
    for key, value in node.value:
        field = str(key.value)
        lines[field] = key.start_mark.line + 2
        fields.require(field not in data, field, "staat er twee keer; haal er een weg")
        fields.require(field not in _IN_BODY, field, "hoort onder de tweede regel ---")
        data[field] = _plain(value, field)
    return data


def _plain(node: yaml.Node, field: str) -> Any:
    """The value of a YAML node with every scalar as the text that stands there: `nee` stays `nee`."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, field) for item in node.value]
    pairs = [(str(key.value), _plain(value, field)) for key, value in node.value]
    fields.require(len(dict(pairs)) == len(pairs), field, "hier staat iets twee keer; haal er een weg")
    return dict(pairs)


def _body(body: str, first: int, lines: dict[str, int]) -> dict[str, Any]:
    """The texts under the header: the Dutch ones, then each translation under its `# en: Title`."""
    headings = list(_LANGUAGE.finditer(body))
    ends = [heading.start() for heading in headings] + [len(body)]
    data = _text_parts(body[: ends[0]], first, "", lines)
    translations: dict[str, Any] = {}
    for heading, end in zip(headings, ends[1:], strict=True):
        code = heading[1]
        line = first + body.count("\n", 0, heading.start())
        lines[code] = line
        fields.require(code not in translations, code, "deze taal staat er twee keer; haal er een weg")
        parts = _text_parts(body[heading.end() + 1 : end], line + 1, f"{code}, ", lines)
        translations[code] = {"title": heading[2].strip(), **parts}
    return {**data, "translations": translations}


def _text_parts(text: str, first: int, prefix: str, lines: dict[str, int]) -> dict[str, Any]:
    """An answer and its aspects under `## name`; `prefix` stands before their names in what is said of them."""
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings] + [len(text)]
    lines[f"{prefix}answer"] = first
    aspects: dict[str, str] = {}
    for heading, end in zip(headings, ends[1:], strict=True):
        name = heading[1].strip()
        place = prefix + name
        lines[place] = first + text.count("\n", 0, heading.start())
        fields.require(name in ASPECTS, place, _NO_ASPECT)
        fields.require(name not in aspects, place, "dit deel staat er twee keer; voeg de teksten samen")
        aspects[name] = text[heading.end() : end]
    return {"answer": text[: ends[0]], "aspects": aspects}


def _build(data: Mapping[str, Any]) -> ArticleDraft:
    for name in data:
        known = ", ".join((*_REQUIRED[:-1], *_OPTIONAL[:-1]))
        fields.require(
            name in _REQUIRED or name in _OPTIONAL, name, f"dit veld bestaat niet; kies uit {known}"
        )
    for name in _REQUIRED:
        fields.require(name in data, name, "dit veld ontbreekt; voeg het toe")
    upl_name, upl_uri = fields.pair(data["upl"], "upl", ("name", "uri"))
    links = fields.many(data.get("links", []), "links")
    translations = fields.mapping(data.get("translations", {}), "translations")
    return ArticleDraft(
        slug=fields.text(data["slug"], "slug"),
        title=fields.text(data["title"], "title"),
        upl_name=upl_name,
        upl_uri=upl_uri,
        theme=fields.text(data["theme"], "theme"),
        owner=fields.text(data["owner"], "owner"),
        review=fields.day(data["review"], "review"),
        answer=fields.text(data["answer"], "answer"),
        policy=fields.texts(data["policy"], "policy"),
        phrasings=fields.texts(data["phrasings"], "phrasings"),
        aspects=_aspects(data, ""),
        links=tuple(Link(*fields.pair(link, "links", ("label", "url"))) for link in links),
        actions=fields.texts(data.get("actions", []), "actions"),
        related=fields.texts(data.get("related", []), "related"),
        valid_from=fields.optional_day(data.get("valid_from"), "valid_from"),
        valid_until=fields.optional_day(data.get("valid_until"), "valid_until"),
        translations={code: _translation(code, version) for code, version in translations.items()},
    )


def _translation(code: str, value: Any) -> Translation:
    data = fields.mapping(value, code)
    fields.require(set(data) == {"title", "answer", "aspects"}, code, "hier horen een titel en een tekst")
    answer = fields.text(data["answer"], f"{code}, answer")
    return Translation(fields.text(data["title"], code), answer, _aspects(data, f"{code}, "))


def _aspects(data: Mapping[str, Any], prefix: str) -> dict[str, str]:
    found = fields.mapping(data.get("aspects", {}), f"{prefix}aspects")
    return {name: fields.text(text, prefix + name) for name, text in found.items()}


def _require_translation(code: str, version: Translation) -> None:
    fields.require(code in LANGUAGES, code, f"deze taal bestaat niet; kies uit {', '.join(LANGUAGES)}")
    fields.require_line(code, version.title)
    fields.require(bool(version.title), code, f"de titel is leeg; schrijf die achter # {code}:")
    for name in version.aspects:
        fields.require(name in ASPECTS, f"{code}, {name}", _NO_ASPECT)
    for name, text in _texts(version):
        fields.require_text(f"{code}, {name}", text)


def _texts(version: ArticleDraft | Translation) -> Iterator[tuple[str, str]]:
    yield "answer", version.answer
    yield from ((name, version.aspects[name]) for name in sorted(version.aspects, key=_order(ASPECTS)))


def _sections(version: ArticleDraft | Translation) -> str:
    parts = (text if name == "answer" else f"## {name}\n{text}" for name, text in _texts(version))
    return "\n\n".join(parts)


def _data(draft: ArticleDraft) -> dict[str, Any]:
    """All fields in the order of the file; optional ones only where they are set."""
    optional = {
        "links": [{"label": link.label, "url": link.url} for link in draft.links],
        "actions": list(draft.actions),
        "related": list(draft.related),
    }
    translations = {
        code: {"title": version.title, "answer": version.answer, "aspects": dict(version.aspects)}
        for code, version in draft.translated()
    }
    validity = {"valid_from": draft.valid_from, "valid_until": draft.valid_until}
    return {
        "slug": draft.slug,
        "title": draft.title,
        "upl": {"name": draft.upl_name, "uri": draft.upl_uri},
        "theme": draft.theme,
        "owner": draft.owner,
        "review": draft.review,
        **{name: value for name, value in validity.items() if value is not None},
        "policy": list(draft.policy),
        **{name: value for name, value in optional.items() if value},
        "phrasings": list(draft.phrasings),
        "answer": draft.answer,
        "aspects": dict(draft.aspects),
        **({"translations": translations} if translations else {}),
    }


def _order(names: tuple[str, ...]) -> Callable[[str], int]:
    return lambda name: names.index(name) if name in names else len(names)


def _is_slug(text: str) -> bool:
    return _SLUG.fullmatch(text) is not None


def _place(error: Exception, header: str) -> str:
    """Where YAML stumbled, as far as it tells: the line in the file."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f", regel {error.problem_mark.line + 2}"
    bad = next((at for at, char in enumerate(header) if char != "\n" and not fields.is_clean(char)), None)
    return "" if bad is None else f", regel {header[:bad].count(chr(10)) + 2}"
