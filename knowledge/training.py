"""Learns with sentence-transformers to tell articles apart by their phrasings. Imports torch: import it when used.

The vectors of the encoder stay as they are: each text is one token of a static embedding that is not trained. On top
is one dense layer, which starts by changing nothing and learns to bring two phrasings of the same article nearer to
each other than to a phrasing of any other article.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset, disable_progress_bars
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Dense, StaticEmbedding
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback

from knowledge.encoder import Vectors

BATCH = 128
"""Pairs that are held against each other, each of another article; fewer where there are fewer articles."""

_LEARNING_RATE = 1e-3
_SCALE = 20.0


def learn(groups: Sequence[Vectors], *, seed: int, steps: int) -> tuple[Vectors, Vectors]:
    """The weight (as `Adapter` has it) and the bias, learned from the vectors of each article's phrasings.

    Articles with one phrasing teach nothing and are left out; at least two must be left.
    """
    groups = [group for group in groups if len(group) > 1]
    rows = np.concatenate(groups)
    dim = rows.shape[1]
    vocabulary = {f"t{row}": row for row in range(len(rows))}
    texts = StaticEmbedding(Tokenizer(WordLevel(vocabulary, unk_token="t0")), embedding_weights=rows)  # noqa: S106
    texts.embedding.weight.requires_grad_(False)
    dense = Dense(
        dim,
        dim,
        activation_function=None,
        init_weight=torch.eye(dim),
        init_bias=torch.from_numpy(-rows.mean(axis=0)),
    )
    model = SentenceTransformer(modules=[texts, dense], device="cpu")
    size = min(BATCH, len(groups))
    _train(model, Dataset.from_dict(_pairs(groups, size, steps, seed)), size, seed)
    weight = dense.linear.weight.detach().numpy().T
    return np.ascontiguousarray(weight, dtype=np.float32), dense.linear.bias.detach().numpy().astype(
        np.float32
    )


def _pairs(groups: Sequence[Vectors], size: int, steps: int, seed: int) -> dict[str, list[str]]:
    """Pairs in the order in which they are learned from: of the next `size`, each is of another article."""
    chance = np.random.default_rng(seed)
    starts = np.cumsum([0, *(len(group) for group in groups)])
    pairs: dict[str, list[str]] = {"anchor": [], "positive": []}
    for _ in range(steps):
        for article in chance.permutation(len(groups))[:size]:
            first, second = chance.choice(len(groups[article]), 2, replace=False) + starts[article]
            pairs["anchor"].append(f"t{first}")
            pairs["positive"].append(f"t{second}")
    return pairs


def _train(model: SentenceTransformer, pairs: Dataset, size: int, seed: int) -> None:
    disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=size,
            learning_rate=_LEARNING_RATE,
            seed=seed,
            use_cpu=True,
            batch_sampler=_in_order,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        loss = MultipleNegativesRankingLoss(model, scale=_SCALE)
        model.model_card_data.widget = [
            {"text": ""}
        ]  # else examples are sought, for a card that nobody reads
        trainer = SentenceTransformerTrainer(model, arguments, train_dataset=pairs, loss=loss)
        trainer.remove_callback(PrinterCallback)
        trainer.train()


def _in_order(pairs: Dataset, batch_size: int, drop_last: bool, **_: Any) -> torch.utils.data.BatchSampler:
    return torch.utils.data.BatchSampler(SequentialSampler(pairs), batch_size, drop_last)
