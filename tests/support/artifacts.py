"""Artifacts from older locks (tests/data/artifacts), with their scores at that time: read them and make new ones.

`make artifacts` makes one of each recipe with the present lock. docs/upgrades.md says when. With names of recipes, the module makes those.
"""

from __future__ import annotations

import json
import lzma
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from numpy.typing import NDArray
from thinc.api import Model

from winnow.domain.dataset import Example
from winnow.domain.errors import EncoderError
from winnow.domain.job import Hyperparameters
from winnow.domain.label_names import NamedLabel
from winnow.domain.model import DESCRIPTION
from winnow.recipes import cnn, sentence, zero_shot
from winnow.recipes.artifact import Answering, OfSentences, TrainedClassifier
from winnow.recipes.catalogue import ZERO_SHOT
from winnow.recipes.encoder import Encoding
from winnow.recipes.kernel_ridge import KernelRidge
from winnow.recipes.mixture import Mixture
from winnow.training.fit import train

DATA = Path(__file__).parents[1] / "data"
FOLDER = DATA / "artifacts"
# Artifacts must stay readable across releases of these packages.
PACKAGES = ("spacy", "thinc", "numpy")

_DATASETS = {
    **{
        "linear": "exclusive.json",
        "cnn": "exclusive.json",
        "sentence": "exclusive.json",
        "light": "exclusive.json",
        "best": "multilabel.jsonl",
    },
    # Of its examples, only the names of the labels.
    ZERO_SHOT: "exclusive.json",
}
_SETTINGS = Hyperparameters(n_iter=8)
_MADE, _VECTORS, _PACKED = "made.json", "vectors-", ".xz"

# Also for the tokenizer: contractions, abbreviations, an emoticon, an emoji, an address, units, a hyphen, other scripts, and an empty text.
TEXTS = (
    "My sourdough won't rise, what's wrong with it?",
    "How deep do tulip bulbs go?",
    "I've got a flat tyre 10km from home :-(",
    "The parcel came two days late, e.g. on Jan. 3rd at 5p.m.",
    "I can't log in at https://example.com/login?next=%2F any more!!!",
    "Refund of $1,234.56 to no-reply@example.com, please",
    "ROSES, roses and half-hardy annuals 🌹",
    "Die Straße ist naß, ﬁne für mein Fahrrad",
    "今日はいい天気ですね",
    "?",
)


@dataclass(frozen=True)
class StoredArtifact:
    """An artifact of a lock. `made_by` has the versions, and `scores` has the scores of TEXTS, of shape (texts, labels).

    vectors: the vectors of TEXTS at that time, of shape (texts, dimensions), by the name of the encoder.
    """

    name: str
    recipe: str
    made_by: dict[str, str]
    files: dict[str, bytes]
    scores: NDArray[np.float32]
    vectors: dict[str, NDArray[np.float32]]

    @property
    def has_stages(self) -> bool:
        return bool(json.loads(self.files[DESCRIPTION]).get("early"))

    def find(self, name: str, digest: str) -> Encoding:
        """An encoder with the stored vectors of TEXTS (recipes.encoder.Find): another processor rounds its int8 products differently."""
        if name not in self.vectors:
            raise EncoderError(f"{self.name} was made without the encoder {name}")
        return _Then(name, digest, self.vectors[name])


@dataclass(frozen=True)
class _Then:
    """An encoder that knows only TEXTS."""

    name: str
    digest: str
    known: NDArray[np.float32]

    def vectors(self, texts: Sequence[str], windows: int = 1) -> NDArray[np.float32]:
        return self.known[[TEXTS.index(text) for text in texts]]


def stored() -> Iterator[StoredArtifact]:
    """All stored artifacts, by name."""
    for folder in sorted(FOLDER.iterdir()):
        made = json.loads((folder / _MADE).read_text())
        assert tuple(made["texts"]) == TEXTS, f"{folder.name} has scores of other texts"
        files = {path.name.removesuffix(_PACKED): lzma.decompress(path.read_bytes()) for path in folder.glob(f"*{_PACKED}")}
        vectors = {path.stem.removeprefix(_VECTORS): np.load(path) for path in folder.glob(f"{_VECTORS}*")}
        yield StoredArtifact(folder.name, made["recipe"], made["made_by"], files, np.array(made["scores"], np.float32), vectors)


def present() -> dict[str, str]:
    """The versions of this environment."""
    return {package: version(package) for package in PACKAGES}


def make(recipe: str) -> Path | None:
    """Train, and write the artifact with its scores. Returns its folder, or None if it exists: artifacts are never made again."""
    made_by = present()
    folder = FOLDER / "-".join([recipe, *(f"{package}-{made_by[package]}" for package in PACKAGES)])
    if folder.exists():
        return None
    dataset = _DATASETS[recipe]
    examples = _examples(dataset)
    trained = _of_names(examples) if recipe == ZERO_SHOT else train(recipe, examples, _SETTINGS, exclusive=dataset == "exclusive.json")
    _shrink(trained.classifier)
    # With so few examples, no stage before the last one answers. With this margin, each of best's three answers some of TEXTS.
    trained = replace(trained, early=tuple(replace(stage, margin=1.4) for stage in trained.early))
    files = trained.to_files()
    # Read it from its files, as after publishing: some numbers are rounded there.
    published = TrainedClassifier.from_files(files)
    made = {
        "recipe": recipe,
        "made_by": made_by,
        "date": datetime.now(UTC).date().isoformat(),
        "labels": published.labels,
        "texts": TEXTS,
        "scores": [[round(score, 9) for score in row] for row in published.scores(TEXTS).astype(float).tolist()],
    }
    folder.mkdir(parents=True)
    for name, body in files.items():
        (folder / f"{name}{_PACKED}").write_bytes(lzma.compress(body))
    if isinstance(published.classifier, OfSentences):
        for encoding in published.classifier.encodings:
            np.save(folder / f"{_VECTORS}{encoding.name}.npy", encoding.vectors(TEXTS))
    (folder / _MADE).write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n")
    return folder


def _examples(dataset: str) -> list[Example]:
    text = (DATA / dataset).read_text()
    records = [json.loads(line) for line in text.splitlines()] if dataset.endswith(".jsonl") else json.loads(text)
    return [Example(record["text"], tuple(record["labels"] if "labels" in record else [record["label"]])) for record in records]


def _of_names(examples: Sequence[Example]) -> TrainedClassifier:
    names = sorted({label for example in examples for label in example.labels})
    classifier = zero_shot.Classifier(names, exclusive=True, language="en").learn([NamedLabel(name) for name in names])
    return TrainedClassifier(ZERO_SHOT, classifier, zero_shot.TEMPERATURE, (zero_shot.NEVER,) * len(names))


def _shrink(classifier: Answering) -> None:
    """Make the artifact small: round large arrays, and drop rows that TEXTS don't need. The scores are computed after this."""
    match classifier:
        case cnn.Classifier():
            _shrink_cnn(classifier.textcat.model)
        case sentence.Classifier(head=KernelRidge(projection=np.ndarray() as projection) as head):
            head.projection = _rounded(projection, 32)
        case Mixture():
            for each in classifier.sentences:
                _shrink(each)


def _shrink_cnn(model: Model[Any, Any]) -> None:
    docs = [spacy.blank("en").make_doc(text) for text in TEXTS]
    scores, backpropagate = model.begin_update(docs)
    # A row without a gradient had no part in the scores.
    backpropagate(np.ones_like(scores))
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                weights: Any = _rounded(np.asarray(node.get_param(name)), 4)
                node.set_param(name, weights * node.get_grad(name).any(axis=1, keepdims=True) if node.name == "hashembed" else weights)


def _rounded(weights: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """Round to this many steps up to the largest weight."""
    step = np.abs(weights).max() / np.float32(steps) or np.float32(1)
    return np.asarray(np.round(weights / step) * step, np.float32)


if __name__ == "__main__":
    for each in sys.argv[1:] or _DATASETS:
        where = make(each)
        print(f"{each}: {where.relative_to(Path.cwd()) if where else 'there already, made by these versions'}")
