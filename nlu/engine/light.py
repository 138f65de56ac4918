"""Rasa without TensorFlow, where the model has no use for it.

Importing TensorFlow takes 7 to 12 of the 12 to 17 seconds that Rasa's import takes, and 350 MB. Rasa needs it for three
classes that only watch or feed the training of a neural network, imported at the top of `rasa.utils.train_utils`,
which everything imports. So where a model holds only components known to be free of it, those two modules are
replaced by empty ones before Rasa is imported. TensorFlow itself is not touched or faked: with any other
component nothing is replaced, and all loads as usual, slower.
"""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path
from types import ModuleType

_TRAINING_HELPERS = {
    "rasa.utils.tensorflow.callback": ("RasaTrainingLogger", "RasaModelCheckpoint"),
    "rasa.utils.tensorflow.data_generator": ("RasaDataGenerator", "RasaBatchDataGenerator"),
}
_LIGHT = (
    "rasa.graph_components.",
    "rasa.core.policies.ensemble.",
    "rasa.core.policies.memoization.",
    "rasa.core.policies.rule_policy.",
    "rasa.nlu.classifiers.fallback_classifier.",
    "rasa.nlu.classifiers.keyword_intent_classifier.",
    "rasa.nlu.classifiers.logistic_regression_classifier.",
    "rasa.nlu.classifiers.regex_message_handler.",
    "rasa.nlu.extractors.entity_synonyms.",
    "rasa.nlu.extractors.regex_entity_extractor.",
    "rasa.nlu.featurizers.sparse_featurizer.",
    "rasa.nlu.tokenizers.whitespace_tokenizer.",
)


def model_is_light(model: Path) -> bool:
    """Whether every component of a trained model is known to work without TensorFlow."""
    nodes = json.loads(_metadata(model))["predict_schema"]["nodes"]
    return all(node["uses"].startswith(_LIGHT) for node in nodes.values())


def import_without_tensorflow() -> None:
    """Take the place of the two modules that import it. Before anything of Rasa is imported."""
    for name, classes in _TRAINING_HELPERS.items():
        if name not in sys.modules:
            module = ModuleType(name, "Left empty by engine.light.")
            module.__dict__.update({kind: type(kind, (), {}) for kind in classes})
            sys.modules[name] = module


def _metadata(model: Path) -> bytes:
    with tarfile.open(model) as archive:
        file = archive.extractfile("metadata.json")
        if file is None:
            raise ValueError("the model has no metadata")
        return file.read()
