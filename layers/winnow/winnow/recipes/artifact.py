"""An artifact: the files from which a version's classifier is made again, by our own code, with nothing in them but data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from winnow.domain import DESCRIPTION, ScoredLabel
from winnow.recipes import best, cnn, linear, sentence
from winnow.recipes.calibration import scores_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Classifier = linear.Classifier | cnn.Classifier | sentence.Classifier | best.Classifier

CLASSIFIERS: dict[str, type[linear.Classifier] | type[cnn.Classifier] | type[sentence.Classifier] | type[best.Classifier]] = {
    linear.NAME: linear.Classifier,
    cnn.NAME: cnn.Classifier,
    sentence.NAME: sentence.Classifier,
    best.NAME: best.Classifier,
}

_WEIGHTS = "weights.bin"
# Of a score, in answers. float32 has hardly more.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A classifier ready to answer: its temperature, and the threshold that each label's score must reach to be accepted."""

    recipe: str
    classifier: Classifier
    temperature: float
    thresholds: tuple[float, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return self.classifier.labels

    @property
    def exclusive(self) -> bool:
        return self.classifier.exclusive

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated scores from 0 to 1, of shape (texts, labels). Exclusive: each row adds up to 1."""
        return scores_of(self.classifier.logits(texts), self.temperature, exclusive=self.exclusive)

    def predict(self, texts: Sequence[str], n_top: int | None = None) -> list[list[ScoredLabel]]:
        """For each text its n_top best labels (None: all), best first. Exclusive: only the first can be accepted."""
        return [self._ranked(row, n_top) for row in self.scores(texts)]

    def choose(self, texts: Sequence[str]) -> list[set[str]]:
        """For each text the labels that a client would take: exclusive, the best one; else those accepted, maybe none."""
        ranked = self.predict(texts, 1 if self.exclusive else None)
        return [{scored.label for scored in row if scored.accepted or self.exclusive} for row in ranked]

    def _ranked(self, row: NDArray[np.float32], n_top: int | None) -> list[ScoredLabel]:
        # Stable, so that equal scores come in the order of the labels.
        order = np.argsort(-row, kind="stable")[:n_top].tolist()
        accepted = [row[column] >= self.thresholds[column] and (rank == 0 or not self.exclusive) for rank, column in enumerate(order)]
        return [
            ScoredLabel(self.labels[column], round(float(row[column]), _DIGITS), bool(taken))
            for column, taken in zip(order, accepted, strict=True)
        ]

    def to_files(self) -> dict[str, bytes]:
        description = {
            "recipe": self.recipe,
            "language": self.classifier.language,
            "labels": self.labels,
            "exclusive": self.exclusive,
            "temperature": self.temperature,
            "thresholds": self.thresholds,
        }
        return {DESCRIPTION: json.dumps(description, ensure_ascii=False).encode(), _WEIGHTS: self.classifier.to_bytes()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> TrainedClassifier:
        """Make the classifier again. The files must be those that `to_files` made: the caller checks their digest."""
        description = json.loads(files[DESCRIPTION])
        recipe = description["recipe"]
        classifier = CLASSIFIERS[recipe](description["labels"], exclusive=description["exclusive"], language=description["language"])
        classifier.from_bytes(files[_WEIGHTS])
        return cls(recipe, classifier, description["temperature"], tuple(description["thresholds"]))
