"""An artifact: the files from which a version's classifier is made again, by our own code, with nothing in them but data."""

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
from winnow.recipes.familiarity import familiarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes import best, cnn, linear, sentence
    from winnow.recipes.encoder import Encoding

type Classifier = linear.Classifier | cnn.Classifier | sentence.Classifier | best.Classifier

_WEIGHTS = "weights.bin"
# Of what `to_files` writes: grows when a release can't read what one before it wrote.
_FORM = 1
# Of a score, in answers. float32 has hardly more.
_DIGITS = 6
# Of a float32.
_BITS = 32


@runtime_checkable
class OfSentences(Protocol):
    """A classifier that reads texts by a sentence encoder, and so can tell how near those lie that it learnt (recipes.familiarity)."""

    @property
    def encoding(self) -> Encoding: ...

    def judged(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...


@runtime_checkable
class OfWords(Protocol):
    """A classifier whose logits are sums over the words of a text, and nothing else."""

    def contributions(self, text: str, label: str) -> tuple[float, list[ExplainedWord]]: ...


def recipe_of(name: str) -> Any:
    """The module of a recipe, with its `settings` and its `Classifier`. Imported here and no sooner: only cnn's needs spaCy."""
    if name not in COSTS:
        message = f"There is no recipe {name!r}"
        raise ValueError(message)
    module = f"winnow.recipes.{name}"
    return sys.modules[module] if module in sys.modules else _import_to_stay(module)


def _import_to_stay(module: str) -> Any:
    """Garbage isn't looked for meanwhile, nor in what was imported ever after: of spaCy's import that was a tenth."""
    # Models that were loaded before would be kept for ever, too: spaCy's are cycles.
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
    """What a classifier thinks of texts: logits and calibrated scores, both of shape (texts, labels); and whether each text lies near
    enough to what was learnt for any label to be accepted, of shape (texts,), None where nothing is asked of that."""

    logits: NDArray[np.float32]
    scores: NDArray[np.float32]
    familiar: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A classifier ready to answer: its temperature, and the threshold that each label's score must reach to be accepted.

    least_familiarity: what a text's familiarity must reach, too, where the classifier can tell it and labels are exclusive; else None.
    """

    recipe: str
    classifier: Classifier
    temperature: float
    thresholds: tuple[float, ...]
    least_familiarity: float | None = None
    _least_scores: NDArray[np.float32] = field(init=False, repr=False, compare=False)
    """The thresholds as numpy compares with them, of shape (labels,)."""

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
        """The sentence encoder that it needs: name and digest. None where it needs none."""
        if not isinstance(self.classifier, OfSentences):
            return None
        return described(self.classifier.encoding)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated scores from 0 to 1, of shape (texts, labels). Exclusive: each row adds up to 1."""
        return self.judged(texts).scores

    def judged(self, texts: Sequence[str]) -> Judged:
        """All that is thought of texts."""
        if self.least_familiarity is not None and isinstance(self.classifier, OfSentences):
            logits, nearness = self.classifier.judged(texts)
            scores = scores_of(logits, self.temperature, exclusive=self.exclusive)
            familiar = familiarity(nearness, scores) >= np.float32(self.least_familiarity)
        else:
            logits, familiar = self.classifier.logits(texts), None
            scores = scores_of(logits, self.temperature, exclusive=self.exclusive)
        return Judged(logits, scores, familiar)

    def accepts(self, judged: Judged) -> NDArray[np.bool_]:
        """Whether any label of each text is accepted, of shape (texts,)."""
        _, _, accepted = self._ranked(judged, 1 if self.exclusive else None)
        return accepted.any(axis=1)

    def predict(self, texts: Sequence[str], n_top: int | None = None) -> list[list[ScoredLabel]]:
        """For each text its n_top best labels (None: all), best first. Exclusive: only the first can be accepted."""
        order, scores, accepted = self._ranked(self.judged(texts), n_top)
        rounded = scores.astype(np.float64).round(_DIGITS)
        labels, rows = self.labels, zip(order.tolist(), rounded.tolist(), accepted.tolist(), strict=True)
        return [[ScoredLabel(labels[number], score, taken) for number, score, taken in zip(*row, strict=True)] for row in rows]

    def _ranked(self, judged: Judged, n_top: int | None) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.bool_]]:
        """The numbers of each text's n_top best labels (None: all), best first, their scores, and whether they are accepted, all of
        shape (texts, n_top)."""
        # Scores sort like their bits, since none is negative; the label's number, taken off below them, puts equal ones in the order of
        # the labels. A stable argsort takes four times as long.
        keys = (judged.scores.view(np.int32).astype(np.int64) << _BITS) - np.arange(len(self.labels))
        keys.sort(axis=1)
        order = -keys[:, ::-1][:, :n_top] & ((1 << _BITS) - 1)
        scores = judged.scores[np.arange(len(order))[:, None], order]
        accepted = scores >= self._least_scores.take(order)
        if self.exclusive:
            # Only the best can be.
            accepted[:, 1:] = False
        if judged.familiar is not None:
            accepted &= judged.familiar[:, None]
        return order, scores, accepted

    def choose(self, texts: Sequence[str]) -> list[set[str]]:
        """For each text the labels that a client would take: exclusive, the best one; else those accepted, maybe none."""
        ranked = self.predict(texts, 1 if self.exclusive else None)
        return [{scored.label for scored in row if scored.accepted or self.exclusive} for row in ranked]

    @property
    def nbytes(self) -> int:
        """How much memory it holds, but for the sentence encoder, which all share."""
        return self.classifier.nbytes

    @property
    def can_explain(self) -> bool:
        """Whether it can say which words gave a text its label."""
        return isinstance(self.classifier, OfWords)

    def explain(self, text: str, label: str) -> Explanation | None:
        """What of a text gave a label its logit. None where it can't say."""
        if not isinstance(self.classifier, OfWords):
            return None
        bias, words = self.classifier.contributions(text, label)
        return Explanation(label, bias + sum(word.contribution for word in words), self.temperature, bias, words)

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
            "encoder": self.encoder,
        }
        return {DESCRIPTION: json.dumps(description, ensure_ascii=False).encode(), _WEIGHTS: self.classifier.to_bytes()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], find: Find = find_installed) -> TrainedClassifier:
        """Make the classifier again, by our own code: the files are data, and name nothing but a recipe. They must be those that `to_files`
        made: the caller checks their digest. ArtifactError where they can't be read, as those of a later release.

        find: where its sentence encoder comes from, if it needs one. EncoderError where that one isn't to be had.
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
            raise ArtifactError(f"The version's files have the form {description['form']!r}, and this release reads the form {_FORM}.")
        recipe = description["recipe"]
        # Artifacts made before there was such a thing have none.
        needed, least = description.get("encoder"), description.get("least_familiarity")
        given = {"encoding": find(needed["name"], needed["digest"])} if needed else {}
        made_by = recipe_of(recipe).Classifier
        classifier: Classifier = made_by(
            description["labels"], exclusive=description["exclusive"], language=description["language"], **given
        )
        classifier.from_bytes(files[_WEIGHTS])
        return cls(recipe, classifier, description["temperature"], tuple(description["thresholds"]), least)
