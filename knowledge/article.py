"""An article as an editor writes it: one Markdown file, its rules, and its canonical form for storing.

Messages are for editors, so they are in Dutch: the place, what is wrong, and what to do about it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from bot.model import Link

ASPECTS = ("kosten", "meenemen", "duur", "hoe", "voorwaarden", "waar")
POLICIES = ("click", "call", "face")
TEXT_LIMIT = 600
"""Longest answer or aspect, in characters with the variables filled in: it fits one WhatsApp message."""

_SLUG_LIMIT = 56  # `article:<slug>` is a choice id: at most 64 bytes
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ACTION = re.compile(r"appointment:[a-z0-9]+(?:-[a-z0-9]+)*|status|report")
_URL = re.compile(r"https?://\S+|\{website\}(?:[/?#]\S*)?")
_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_HEADING = re.compile(r"^## *(.*)$", re.MULTILINE)
_INVISIBLE = "er staat een onzichtbaar teken in; typ de tekst opnieuw"
_REQUIRED = ("slug", "title", "upl", "theme", "owner", "review", "policy", "phrasings", "answer")
_OPTIONAL = ("valid_from", "valid_until", "links", "actions", "related", "aspects")


class ArticleError(ValueError):
    """The article can't be what it must be. `field` is the part of the article that the message is about."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """All of one article. Raises `ArticleError` where the shape is wrong; `problems` judges the contents.

    Texts may hold `{variables}`; they are trimmed, without control characters, and only `answer` and the
    values of `aspects` have more than one line.
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

    def __post_init__(self) -> None:
        for name, value in self._lines():
            _require_line(name, value)
        for name, text in self.texts():
            _require_text(name, text)
        for name in ("slug", "title", "theme", "owner", "upl_name"):
            _require(bool(getattr(self, name)), name, "is leeg; vul het in")
        _require(_is_slug(self.slug), "slug", "gebruik kleine letters, cijfers en streepjes")
        _require(len(self.slug) <= _SLUG_LIMIT, "slug", f"is te lang; gebruik hoogstens {_SLUG_LIMIT} tekens")
        _require(_URL.fullmatch(self.upl_uri) is not None, "upl", "de uri moet met http:// beginnen")
        for name in self.aspects:
            _require(name in ASPECTS, name, f"dit deel bestaat niet; kies uit {', '.join(ASPECTS)}")
        _require(bool(self.policy), "policy", f"is leeg; kies uit {', '.join(POLICIES)}")
        _require(len(set(self.policy)) == len(self.policy), "policy", "noem elke weg één keer")
        for way in self.policy:
            _require(way in POLICIES, "policy", f"{way!r} bestaat niet; kies uit {', '.join(POLICIES)}")
        for link in self.links:
            _require(bool(link.label), "links", "een link heeft geen label; schrijf wat daar staat")
            message = f"{link.url!r} is geen goede link; begin met https://, http:// of {{website}}"
            _require(_URL.fullmatch(link.url) is not None, "links", message)
        for action in self.actions:
            message = f"{action!r} bestaat niet; kies uit appointment:<product>, status en report"
            _require(_ACTION.fullmatch(action) is not None, "actions", message)
        for slug in self.related:
            other = _is_slug(slug) and slug != self.slug
            _require(other, "related", f"{slug!r} is geen slug van een ander artikel")
        ordered = self.valid_from is None or self.valid_until is None or self.valid_from <= self.valid_until
        _require(ordered, "valid_until", "ligt voor valid_from; draai de datums om")

    def texts(self) -> Iterator[tuple[str, str]]:
        """What a resident gets to read: the answer and each aspect, in the fixed order, by name."""
        yield "answer", self.answer
        yield from ((name, self.aspects[name]) for name in sorted(self.aspects, key=_aspect_order))

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
    data = {key: value for key, value in _data(draft).items() if key not in ("answer", "aspects")}
    header = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, default_flow_style=False, width=10**9)
    parts = [text if name == "answer" else f"## {name}\n{text}" for name, text in draft.texts()]
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


def problems(draft: ArticleDraft, facts: Mapping[str, str]) -> list[str]:
    """What keeps it from being published, one Dutch sentence each; `facts` is all that a text may name."""
    found: list[str] = []
    places = [*draft.texts(), ("title", draft.title)]
    places += [("links", part) for link in draft.links for part in (link.label, link.url)]
    for name, text in places:
        found += _variable_problems(name, text, facts)
    for name, text in draft.texts():
        length = len(_VARIABLE.sub(lambda match: facts.get(match[1], match[0]), text))
        if length > TEXT_LIMIT:
            found.append(f"{name}: {length} tekens; maak de tekst {length - TEXT_LIMIT} tekens korter.")
    seen: set[str] = set()
    for phrasing in draft.phrasings:
        key = phrasing_key(phrasing)
        if not key:
            found.append("phrasings: er staat een lege vraag in de lijst; haal die weg.")
        elif re.search(r"[{}]", phrasing):
            found.append(f"phrasings: {phrasing!r} bevat een accolade; een vraag heeft geen variabelen.")
        elif key in seen:
            found.append(f"phrasings: {phrasing!r} staat er twee keer in; haal er een weg.")
        seen.add(key)
    return found


def conflicts(drafts: Iterable[ArticleDraft]) -> list[str]:
    """What does not fit together in a set: a slug or a question twice, a related article not there."""
    found: list[str] = []
    drafts = list(drafts)
    slugs: set[str] = set()
    owners: dict[str, str] = {}
    for draft in drafts:
        if draft.slug in slugs:
            found.append(f"{draft.slug}: deze slug komt twee keer voor; kies een andere.")
        slugs.add(draft.slug)
        for phrasing in draft.phrasings:
            other = owners.setdefault(phrasing_key(phrasing), draft.slug)
            if other != draft.slug:
                found.append(f"{draft.slug}: {phrasing!r} staat ook bij {other}; kies waar de vraag hoort.")
    for draft in drafts:
        missing = (slug for slug in draft.related if slug not in slugs)
        found += (f"{draft.slug}: verwant artikel {slug} bestaat niet; haal het weg." for slug in missing)
    return found


def phrasing_key(phrasing: str) -> str:
    """What makes two phrasings the same: their words, without capitals, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", phrasing.casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))


def _variable_problems(name: str, text: str, facts: Mapping[str, str]) -> Iterator[str]:
    for variable in dict.fromkeys(_VARIABLE.findall(text)):
        if variable not in facts:
            close = difflib.get_close_matches(variable, facts, n=1)
            hint = f"bedoelt u {{{close[0]}}}?" if close else "voeg haar toe aan de gegevens van de gemeente."
            yield f"{name}: de variabele {{{variable}}} bestaat niet; {hint}"
    if re.search(r"[{}]", _VARIABLE.sub("", text)):
        yield f"{name}: er staat een losse accolade; een variabele schrijft u als {{telefoon}}."


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
        _require(field not in data, field, "staat er twee keer; haal er een weg")
        _require(field not in ("answer", "aspects"), field, "hoort onder de tweede regel ---")
        data[field] = _plain(value, field)
    return data


def _plain(node: yaml.Node, field: str) -> Any:
    """The value of a YAML node with every scalar as the text that stands there: `nee` stays `nee`."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, field) for item in node.value]
    pairs = [(str(key.value), _plain(value, field)) for key, value in node.value]
    _require(len(dict(pairs)) == len(pairs), field, "hier staat iets twee keer; haal er een weg")
    return dict(pairs)


def _body(body: str, first: int, lines: dict[str, int]) -> dict[str, Any]:
    headings = list(_HEADING.finditer(body))
    ends = [heading.start() for heading in headings] + [len(body)]
    lines["answer"] = first
    aspects: dict[str, str] = {}
    for heading, end in zip(headings, ends[1:], strict=True):
        name = heading[1].strip()
        lines[name] = first + body.count("\n", 0, heading.start())
        _require(name in ASPECTS, name, f"dit deel bestaat niet; kies uit {', '.join(ASPECTS)}")
        _require(name not in aspects, name, "dit deel staat er twee keer; voeg de teksten samen")
        aspects[name] = body[heading.end() : end]
    return {"answer": body[: ends[0]], "aspects": aspects}


def _build(data: Mapping[str, Any]) -> ArticleDraft:
    for name in data:
        known = ", ".join((*_REQUIRED[:-1], *_OPTIONAL[:-1]))
        _require(name in _REQUIRED or name in _OPTIONAL, name, f"dit veld bestaat niet; kies uit {known}")
    for name in _REQUIRED:
        _require(name in data, name, "dit veld ontbreekt; voeg het toe")
    upl_name, upl_uri = _pair(data["upl"], "upl", ("name", "uri"))
    links = _list(data.get("links", []), "links")
    aspects = _mapping(data.get("aspects", {}), "aspects")
    return ArticleDraft(
        slug=_text(data["slug"], "slug"),
        title=_text(data["title"], "title"),
        upl_name=upl_name,
        upl_uri=upl_uri,
        theme=_text(data["theme"], "theme"),
        owner=_text(data["owner"], "owner"),
        review=_date(data["review"], "review"),
        answer=_text(data["answer"], "answer"),
        policy=_texts(data["policy"], "policy"),
        phrasings=_texts(data["phrasings"], "phrasings"),
        aspects={name: _text(text, name) for name, text in aspects.items()},
        links=tuple(Link(*_pair(link, "links", ("label", "url"))) for link in links),
        actions=_texts(data.get("actions", []), "actions"),
        related=_texts(data.get("related", []), "related"),
        valid_from=_optional_date(data.get("valid_from"), "valid_from"),
        valid_until=_optional_date(data.get("valid_until"), "valid_until"),
    )


def _data(draft: ArticleDraft) -> dict[str, Any]:
    """All fields in the order of the file; optional ones only where they are set."""
    optional = {
        "links": [{"label": link.label, "url": link.url} for link in draft.links],
        "actions": list(draft.actions),
        "related": list(draft.related),
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
    }


def _aspect_order(name: str) -> int:
    return ASPECTS.index(name) if name in ASPECTS else len(ASPECTS)


def _is_slug(text: str) -> bool:
    return _SLUG.fullmatch(text) is not None


def _require(holds: bool, name: str, message: str) -> None:
    if not holds:
        raise ArticleError(message, name)


def _require_line(name: str, value: str) -> None:
    _require(value == value.strip(), name, "haal de spaties aan het begin en het eind weg")
    _require("\n" not in value, name, "zet dit op één regel")
    _require(_is_clean(value), name, _INVISIBLE)


def _require_text(name: str, text: str) -> None:
    _require(bool(text.strip()), name, "de tekst is leeg; schrijf de tekst of haal het deel weg")
    _require(text == text.strip(), name, "haal de lege regels aan het begin en het eind weg")
    _require(_is_clean(text.replace("\n", "")), name, _INVISIBLE)
    _require(not re.search(r"^#", text, re.MULTILINE), name, "een regel mag niet met # beginnen")


def _is_clean(text: str) -> bool:
    """No control characters, no halves of a character, no line breaks besides the ordinary one."""
    return all(unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp") for char in text)


def _place(error: Exception, header: str) -> str:
    """Where YAML stumbled, as far as it tells: the line in the file."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f", regel {error.problem_mark.line + 2}"
    bad = next((at for at, char in enumerate(header) if char != "\n" and not _is_clean(char)), None)
    return "" if bad is None else f", regel {header[:bad].count(chr(10)) + 2}"


def _text(value: Any, name: str) -> str:
    _require(isinstance(value, str), name, "hier hoort een tekst")
    return str(value).strip()


def _texts(value: Any, name: str) -> tuple[str, ...]:
    return tuple(_text(item, name) for item in _list(value, name))


def _list(value: Any, name: str) -> Sequence[Any]:
    _require(isinstance(value, list), name, "hier hoort een lijst, met een streepje voor elke regel")
    return list(value)


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    _require(isinstance(value, dict), name, "hier horen een naam en een waarde, zoals name: paspoort")
    return dict(value)


def _pair(value: Any, name: str, keys: tuple[str, str]) -> tuple[str, str]:
    found = _mapping(value, name)
    _require(set(found) == set(keys), name, f"hier horen {keys[0]} en {keys[1]}, en niets anders")
    return _text(found[keys[0]], name), _text(found[keys[1]], name)


def _date(value: Any, name: str) -> date:
    try:
        return date.fromisoformat(_text(value, name))
    except ValueError:
        raise ArticleError(f"{value!r} is geen datum; schrijf die als 2027-05-01", name) from None


def _optional_date(value: Any, name: str) -> date | None:
    return None if value in (None, "") else _date(value, name)
