"""Training by a recipe: choose settings, hold out texts for calibration, fit, calibrate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from winnow.datasets.split import hold_out
from winnow.domain import Example, Hyperparameters
from winnow.recipes import cnn, linear
from winnow.recipes.artifact import CLASSIFIERS, TrainedClassifier
from winnow.recipes.calibration import fit_temperature, fit_thresholds, scores_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SETTINGS = {linear.NAME: linear.settings, cnn.NAME: cnn.settings}

# The held-out shares of the training examples on which the calibration is fitted. linear is so cheap that it is then trained again
# on everything, and with few examples several times, to calibrate on more texts; cnn answers as it was when it was calibrated.
_FOLDS_OF_FEW, _SHARE_OF_FEW, _SHARE = 3, 0.2, 0.1
_FEW_EXAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training examples. number: of all the passes that the training makes. loss: the mean of a text.

    fitting: whether it was of the classifier that answers, and not of one that was only made to calibrate it.
    """

    number: int
    of: int
    loss: float
    fitting: bool


def settings_for(recipe: str, chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters with everything filled in that the client left open."""
    return _SETTINGS[recipe](chosen, texts, labels, exclusive=exclusive)


def train(
    recipe: str,
    examples: Sequence[Example],
    chosen: Hyperparameters,
    *,
    exclusive: bool,
    after_epoch: Callable[[Epoch], None] = lambda _: None,
) -> TrainedClassifier:
    """A calibrated classifier. The same for the same examples and seed; what after_epoch raises ends the training."""
    labels = sorted({label for example in examples for label in example.labels})
    settings = settings_for(recipe, chosen, len(examples), len(labels), exclusive=exclusive)
    refit = recipe == linear.NAME
    few = len(examples) <= _FEW_EXAMPLES
    folds = _FOLDS_OF_FEW if refit and few else 1
    passes = (folds + refit) * (settings.n_iter or 1)
    done = 0

    def fit(part: Sequence[Example], *, fitting: bool) -> cnn.Classifier | linear.Classifier:
        def count(_: int, loss: float) -> None:
            nonlocal done
            done += 1
            after_epoch(Epoch(done, passes, loss, fitting))

        classifier = CLASSIFIERS[recipe](labels, exclusive=exclusive, language=settings.spacy_model)
        classifier.train(part, settings, count)
        return classifier

    found: list[NDArray[np.float32]] = []
    truths: list[NDArray[np.bool_]] = []
    for fold in range(folds):
        part, held_out = hold_out(examples, _SHARE_OF_FEW if refit and few else _SHARE, settings.seed + fold)
        classifier = fit(part, fitting=not refit)
        found.append(classifier.logits([example.text for example in held_out]))
        truths.append(truth_of(held_out, labels))
    logits, truth = np.concatenate(found), np.concatenate(truths)
    temperature = fit_temperature(logits, truth, exclusive=exclusive)
    scores = scores_of(logits, temperature, exclusive=exclusive)
    thresholds = fit_thresholds(scores, truth, exclusive=exclusive, min_precision=settings.min_precision)
    return TrainedClassifier(recipe, fit(examples, fitting=True) if refit else classifier, temperature, thresholds)


def truth_of(examples: Sequence[Example], labels: Sequence[str]) -> NDArray[np.bool_]:
    """Which labels the examples have, of shape (examples, labels)."""
    return np.array([[label in example.labels for label in labels] for example in examples], dtype=np.bool_).reshape(-1, len(labels))
