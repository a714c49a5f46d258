"""The fittings of one training: their examples, their progress, and the results on their held-out texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.datasets.split import fold_of, hold_out
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.calibration import held_out_score, scores_of
from winnow.recipes.catalogue import most_cross_validated
from winnow.recipes.familiarity import familiarity, reception, strangers_of
from winnow.training.held_out import HeldOut

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The calibration is fitted on texts that were held out. With few examples, five folds hold out each text once. With more, one fitting
# holds out a tenth. All recipes except cnn are so cheap that they are then trained again on all examples. cnn is trained again only if
# there are few examples; otherwise the calibrated classifier answers.
_FOLDS, _SHARE = 5, 0.1
_FEW_FOR_CNN = 2_000

# The most texts of left-out labels that measure how strangers are received.
_MOST_STRANGERS = 500

_DIGITS = 6
# The fields of a fold about its held-out texts.
_OF_HELD_OUT = ("logits", "truth", "nearness")


@dataclass(slots=True)
class Fold:
    """One fitting and its results. epochs: the loss and the score of each epoch; the score is None if nothing is held out.

    best: the epoch with the highest score, if needed, otherwise 0. early: whether patience ended the fitting.
    logits, truth: of the held-out texts, of shape (texts, labels), once the fitting is done.
    nearness: of the same texts, of shape (texts,), if labels are exclusive.
    """

    epochs: list[tuple[float, float | None]] = field(default_factory=list)
    best: int = 0
    early: bool = False
    done: bool = False
    logits: NDArray[np.float32] | None = None
    truth: NDArray[np.bool_] | None = None
    nearness: NDArray[np.float32] | None = None


class FoldPlan:
    """The fittings of a training and their examples: those that calibrate, mostly one on all examples, and maybe one without strangers.

    Strangers are labels that a fitting never sees. They show how texts of unknown labels are received.
    """

    def __init__(
        self, recipe: str, examples: Sequence[Example], labels: Sequence[str], settings: Hyperparameters, *, exclusive: bool
    ) -> None:
        self.recipe, self.examples, self.labels, self.settings, self.exclusive = recipe, examples, labels, settings, exclusive
        refits = recipe != "cnn" or len(examples) <= _FEW_FOR_CNN
        self.calibrating = _FOLDS if len(examples) <= most_cross_validated([recipe]) else 1
        self.strangers = {labels[number] for number in strangers_of(len(labels), settings.seed)} if exclusive else set[str]()
        # The fittings that end with a classifier of all labels; then the one without the strangers.
        self.answering = self.calibrating + refits
        self.fittings = self.answering + bool(self.strangers)

    @property
    def cross_validates(self) -> bool:
        """Whether the calibrating fittings together hold out each example."""
        return self.calibrating > 1

    def parted(self, place: int) -> tuple[Sequence[Example], Sequence[Example]]:
        """The examples that the fitting at this place learns from, and the held-out examples."""
        if self.is_without_strangers(place):
            part, held_out = self._folded(0)
            strange = [example for example in self.examples if self.strangers & set(example.labels)][:_MOST_STRANGERS]
            part, held_out = ([each for each in examples if not self.strangers & set(each.labels)] for examples in (part, held_out))
            return part, held_out + strange
        if place == self.calibrating:
            return self.examples, []
        return self._folded(place)

    def _folded(self, place: int) -> tuple[Sequence[Example], Sequence[Example]]:
        if self.calibrating == 1:
            return hold_out(self.examples, _SHARE, self.settings.seed)
        return fold_of(self.examples, place, self.calibrating, self.settings.seed)

    def is_without_strangers(self, place: int) -> bool:
        """Whether the fitting at this place never sees the strangers."""
        return place == self.answering


class Folds:
    """The fittings of a plan that are done, and last the one that is under way."""

    def __init__(self, plan: FoldPlan) -> None:
        self.plan = plan
        self.begun: list[Fold] = []

    def planned(self, place: int) -> int:
        """The epochs of the fitting at this place. After early ends, the fitting on all examples has the mean of the folds' best epochs."""
        calibrating = self.begun[: self.plan.calibrating]
        if place >= self.plan.calibrating and all(fold.done for fold in calibrating) and any(fold.early for fold in calibrating):
            return max(1, round(sum(fold.best for fold in calibrating) / len(calibrating)))
        return self.plan.settings.n_iter or 1

    @property
    def passes(self) -> int:
        """The planned number of passes over the examples, in all fittings, if no further fitting ends early."""
        ahead = range(len(self.begun), self.plan.fittings)
        begun = (len(fold.epochs) if fold.done else self.planned(place) for place, fold in enumerate(self.begun))
        return sum(begun) + sum(self.planned(place) for place in ahead)

    @property
    def epoch(self) -> int:
        """The number of finished passes."""
        return sum(len(fold.epochs) for fold in self.begun)

    @property
    def loss(self) -> float | None:
        """The mean loss of a text in the last finished pass."""
        return next((loss for fold in reversed(self.begun) for loss, _ in reversed(fold.epochs)), None)

    @property
    def score(self) -> float | None:
        """The last score on held-out examples (`held_out_score`)."""
        return next((score for fold in reversed(self.begun) for _, score in reversed(fold.epochs) if score is not None), None)

    @property
    def history(self) -> list[dict[str, float | None]]:
        """For each epoch of the classifier that answers: the mean loss of a text, and the score on held-out examples.

        If that classifier was trained on all examples, the scores are the means of the scores of the calibrating folds.
        """
        answering = [fold for fold in self.begun[: self.plan.answering] if fold.done][-1]
        measured = [answering] if answering.truth is not None else self.begun[: self.plan.calibrating]
        told: list[dict[str, float | None]] = []
        for place, (loss, _) in enumerate(answering.epochs):
            scores = [score for fold in measured for _, score in fold.epochs[place : place + 1] if score is not None]
            score = round(sum(scores) / len(scores), _DIGITS) if scores else None
            # With a much too high learning rate, losses are infinite or NaN.
            told.append({"epoch": place + 1, "loss": round(loss, _DIGITS) if math.isfinite(loss) else None, "score": score})
        return told

    def held_out(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Logits and truth of the texts that were held out for calibration, each of shape (texts, labels)."""
        labels = len(self.plan.labels)
        empty = Fold(logits=np.empty((0, labels), np.float32), truth=np.empty((0, labels), np.bool_))
        folds = [empty, *self.begun[: self.plan.calibrating]]
        logits = np.concatenate([fold.logits for fold in folds if fold.logits is not None])
        truth = np.concatenate([fold.truth for fold in folds if fold.truth is not None])
        return logits, truth

    def nearness(self) -> NDArray[np.float32] | None:
        """The nearness of the texts that were held out for calibration. None if labels aren't exclusive."""
        near = [fold.nearness for fold in self.begun[: self.plan.calibrating] if fold.nearness is not None]
        return np.concatenate(near) if near else None

    def answers(self) -> HeldOut:
        """The answers about the texts that were held out for calibration, by their places in the examples."""
        place_of = {id(example): place for place, example in enumerate(self.plan.examples)}
        done = [number for number, fold in enumerate(self.begun[: self.plan.calibrating]) if fold.logits is not None]
        places = [[place_of[id(example)] for example in self.plan.parted(number)[1]] for number in done]
        return HeldOut(
            places=np.array([place for of_fold in places for place in of_fold], np.int32),
            folds=np.repeat(np.array(done, np.int8), [len(of_fold) for of_fold in places]),
            logits=self.held_out()[0],
            nearness=self.nearness(),
        )

    def held_out_score(self) -> float | None:
        """`held_out_score` of all texts that were held out for calibration, once the training is done. None if there are none."""
        logits, truth = self.held_out()
        return round(held_out_score(logits, truth, exclusive=self.plan.exclusive), _DIGITS) if len(truth) else None

    def strangers(self, trained: TrainedClassifier) -> dict[str, Any] | None:
        """How `trained` would receive texts of left-out labels: `reception`, and `labels`, their number. None if none were left out."""
        fold = next(iter(self.begun[self.plan.answering :]), None)
        if fold is None or fold.logits is None or fold.truth is None or fold.nearness is None or trained.least_familiarity is None:
            return None
        scores = scores_of(fold.logits, trained.temperature, exclusive=True)
        familiar = familiarity(fold.nearness, scores, trained.score_weight)
        received = reception(familiar, scores, fold.truth, threshold=trained.thresholds[0], least=trained.least_familiarity)
        return {"labels": len(self.plan.strangers), **received}

    def save(self) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
        """What `resume` needs: a description of each fold, and the arrays of all folds."""
        about = [{"epochs": fold.epochs, "best": fold.best, "early": fold.early, "done": fold.done} for fold in self.begun]
        named = {f"fold{place}.{name}": getattr(fold, name) for place, fold in enumerate(self.begun) for name in _OF_HELD_OUT}
        return about, {name: array for name, array in named.items() if array is not None}

    def resume(self, about: Sequence[Mapping[str, Any]], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from what `save` returned."""
        self.begun = []
        for place, fold in enumerate(about):
            held_out: dict[str, Any] = {name: arrays.get(f"fold{place}.{name}") for name in _OF_HELD_OUT}
            self.begun.append(Fold(**fold, **held_out))
