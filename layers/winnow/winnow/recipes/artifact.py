"""An artifact: the files from which our own code restores a version's classifier. They contain only data."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from winnow.domain.answer import ExplainedWord, Explanation, ScoredLabel
from winnow.domain.errors import ArtifactError, WinnowError
from winnow.domain.model import DESCRIPTION
from winnow.recipes.calibration import scores_of
from winnow.recipes.catalogue import COSTS
from winnow.recipes.encoder import Find, described, find_installed
from winnow.recipes.familiarity import EARLIER_SCORE_WEIGHT, SCORE_WEIGHT, familiarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes import best, cnn, linear, sentence
    from winnow.recipes.encoder import Encoding

type Classifier = linear.Classifier | cnn.Classifier | sentence.Classifier | best.Classifier

_WEIGHTS = "weights.bin"
# The form that `to_files` writes. It grows when a release can't read the files of an earlier release.
_FORM = 1
# Of a score in answers. float32 has hardly more digits.
_DIGITS = 6
# The size of a float32.
_BITS = 32


@runtime_checkable
class OfSentences(Protocol):
    """A classifier with a sentence encoder."""

    @property
    def encoding(self) -> Encoding: ...


@runtime_checkable
class OfWords(Protocol):
    """A classifier whose logits are sums over the words of a text."""

    def contributions(self, text: str, label: str) -> tuple[float, list[ExplainedWord]]: ...


def recipe_of(name: str) -> Any:
    """The module of a recipe, with its `settings` and its `Classifier`. It is imported only here, because cnn needs spaCy."""
    if name not in COSTS:
        message = f"There is no recipe {name!r}"
        raise ValueError(message)
    module = f"winnow.recipes.{name}"
    return sys.modules[module] if module in sys.modules else _import_to_stay(module)


def _import_to_stay(module: str) -> Any:
    """Import without garbage collection, and never collect what was imported: that took a tenth of spaCy's import time."""
    # A freeze would also keep models loaded before for ever: spaCy's models are cycles.
    may_freeze = "spacy" not in sys.modules
    gc.disable()
    try:
        return import_module(module)
    finally:
        if may_freeze:
            gc.freeze()
        gc.enable()


@dataclass(frozen=True, slots=True)
class Judged:
    """The result for texts.

    logits and calibrated scores: both of shape (texts, labels). familiar: whether each text is near enough to the learnt texts to accept a
    label, of shape (texts,); None if that isn't checked.
    """

    logits: NDArray[np.float32]
    scores: NDArray[np.float32]
    familiar: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A classifier ready to answer, with its temperature and the lowest score at which each label is accepted.

    least_familiarity: the lowest familiarity at which any label is accepted. None if labels aren't exclusive or an earlier release trained
    the classifier without it. score_weight: the weight of the score in the familiarity.
    """

    recipe: str
    classifier: Classifier
    temperature: float
    thresholds: tuple[float, ...]
    least_familiarity: float | None = None
    score_weight: float = SCORE_WEIGHT
    _least_scores: NDArray[np.float32] = field(init=False, repr=False, compare=False)
    """The thresholds in the type that numpy compares with, of shape (labels,)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_least_scores", np.array(self.thresholds, np.float32))

    @property
    def labels(self) -> tuple[str, ...]:
        return self.classifier.labels

    @property
    def exclusive(self) -> bool:
        return self.classifier.exclusive

    @property
    def encoder(self) -> dict[str, str] | None:
        """The name and digest of the sentence encoder that it needs. None if it needs none."""
        if not isinstance(self.classifier, OfSentences):
            return None
        return described(self.classifier.encoding)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated scores from 0 to 1, of shape (texts, labels). Each row adds up to 1 if labels are exclusive."""
        return self.judged(texts).scores

    def judged(self, texts: Sequence[str]) -> Judged:
        """Logits, scores and familiarity of texts."""
        if self.least_familiarity is None:
            return self.judge(self.classifier.logits(texts), None)
        return self.judge(*self.classifier.judged(texts))

    def judge(self, logits: NDArray[np.float32], nearness: NDArray[np.float32] | None) -> Judged:
        """`judged` of texts whose logits and nearness are known. Shapes: (texts, labels) and (texts,)."""
        scores = scores_of(logits, self.temperature, exclusive=self.exclusive)
        if nearness is None or self.least_familiarity is None:
            return Judged(logits, scores, None)
        return Judged(logits, scores, familiarity(nearness, scores, self.score_weight) >= np.float32(self.least_familiarity))

    def accepts(self, judged: Judged) -> NDArray[np.bool_]:
        """Whether any label of each text is accepted, of shape (texts,)."""
        _, _, accepted = self._ranked(judged, 1 if self.exclusive else None)
        return accepted.any(axis=1)

    def predict(self, texts: Sequence[str], n_top: int | None = None) -> list[list[ScoredLabel]]:
        """The n_top best labels of each text (None: all), best first. With exclusive labels, only the first can be accepted."""
        order, scores, accepted = self._ranked(self.judged(texts), n_top)
        rounded = scores.astype(np.float64).round(_DIGITS)
        labels, rows = self.labels, zip(order.tolist(), rounded.tolist(), accepted.tolist(), strict=True)
        return [[ScoredLabel(labels[number], score, taken) for number, score, taken in zip(*row, strict=True)] for row in rows]

    def _ranked(self, judged: Judged, n_top: int | None) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.bool_]]:
        """The numbers of each text's n_top best labels (None: all), best first, their scores, and whether they are accepted.

        All are of shape (texts, n_top).
        """
        # Scores are never negative, so they sort like their bits. Subtracting the label's number below the bits puts equal scores in the
        # order of the labels. A stable argsort takes four times as long.
        keys = (judged.scores.view(np.int32).astype(np.int64) << _BITS) - np.arange(len(self.labels))
        keys.sort(axis=1)
        order = -keys[:, ::-1][:, :n_top] & ((1 << _BITS) - 1)
        scores = judged.scores[np.arange(len(order))[:, None], order]
        accepted = scores >= self._least_scores.take(order)
        if self.exclusive:
            # Only the best label can be accepted.
            accepted[:, 1:] = False
        if judged.familiar is not None:
            accepted &= judged.familiar[:, None]
        return order, scores, accepted

    def choose(self, texts: Sequence[str]) -> list[set[str]]:
        """The labels that a client would use for each text: the best one if labels are exclusive, otherwise all accepted ones."""
        ranked = self.predict(texts, 1 if self.exclusive else None)
        return [{scored.label for scored in row if scored.accepted or self.exclusive} for row in ranked]

    @property
    def nbytes(self) -> int:
        """The bytes in memory, without the shared sentence encoder."""
        return self.classifier.nbytes

    def explain(self, text: str, label: str) -> Explanation:
        """The contribution of each word to the label's logit: exact if logits are sums over words, otherwise by leaving words out."""
        if isinstance(self.classifier, OfWords):
            bias, words = self.classifier.contributions(text, label)
            return Explanation(label, "exact", bias + sum(word.contribution for word in words), self.temperature, bias, words, 0)
        from winnow.recipes import occlusion  # noqa: PLC0415 - few predictions need it

        logit, words, left = occlusion.explained(self.classifier.logits, text, self.labels.index(label))
        return Explanation(label, "occlusion", logit, self.temperature, None, words, left)

    def to_files(self) -> dict[str, bytes]:
        description = {
            "form": _FORM,
            "recipe": self.recipe,
            "language": self.classifier.language,
            "labels": self.labels,
            "exclusive": self.exclusive,
            "temperature": self.temperature,
            "thresholds": self.thresholds,
            "least_familiarity": self.least_familiarity,
            "score_weight": self.score_weight,
            "encoder": self.encoder,
        }
        return {DESCRIPTION: json.dumps(description, ensure_ascii=False).encode(), _WEIGHTS: self.classifier.to_bytes()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], find: Find = find_installed) -> TrainedClassifier:
        """Restore the classifier with our own code: the files are data, and choose only the recipe. The caller checks their digest first.

        find: finds the sentence encoder, if one is needed.

        Raises ArtifactError if this release can't read the files, and EncoderError if the encoder isn't available.
        """
        try:
            return cls._from_files(files, find)
        except WinnowError:
            raise
        except Exception as error:
            raise ArtifactError(f"The version's files can't be read by this release ({type(error).__name__}): train it again.") from error

    @classmethod
    def _from_files(cls, files: Mapping[str, bytes], find: Find) -> TrainedClassifier:
        description = json.loads(files[DESCRIPTION])
        if description.get("form", _FORM) != _FORM:
            raise ArtifactError(
                f"The version's files have the form {description['form']!r}, but this release only reads {_FORM}: train it again."
            )
        recipe = description["recipe"]
        # Older artifacts don't have all of these.
        needed, least = description.get("encoder"), description.get("least_familiarity")
        score_weight = description.get("score_weight", EARLIER_SCORE_WEIGHT)
        given = {"encoding": find(needed["name"], needed["digest"])} if needed else {}
        made_by = recipe_of(recipe).Classifier
        classifier: Classifier = made_by(
            description["labels"], exclusive=description["exclusive"], language=description["language"], **given
        )
        classifier.from_bytes(files[_WEIGHTS])
        return cls(recipe, classifier, description["temperature"], tuple(description["thresholds"]), least, score_weight)
