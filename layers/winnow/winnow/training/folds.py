"""The fittings of one training: their examples, their progress, and the results on their held-out texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.datasets.split import FEWEST_TEXTS, fold_of, hold_out, sample
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.calibration import held_out_score
from winnow.recipes.catalogue import most_cross_validated
from winnow.recipes.familiarity import reception, strangers_of
from winnow.training.held_out import Asked, HeldOut

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The calibration is fitted on texts that were held out. With few examples, five folds hold out each text once. With more, one fitting
# holds out a tenth. All recipes except cnn are so cheap that they are then trained again on all examples. cnn is trained again only if
# there are few examples; otherwise the calibrated classifier answers.
_FOLDS, _SHARE = 5, 0.1
_FEW_FOR_CNN = 2_000

# The learning curve is measured at these shares of the examples that a fold learns from, and at all of them. cnn has none: it needs as
# many steps for few texts as for many, so its curve would take longer than the training.
_SHARES_OF_CURVE = (1 / 8, 1 / 4, 1 / 2)

# The most texts of left-out labels that measure how strangers are received.
_MOST_STRANGERS = 500

_DIGITS = 6
# The fields of a fold about its held-out texts.
_OF_HELD_OUT = ("logits", "truth", "nearness")


@dataclass(slots=True)
class Fold:
    """One fitting and its results. epochs: the loss and the score of each epoch; the score is None if nothing is held out.

    best: the epoch with the highest score, if needed, otherwise 0. early: whether patience ended the fitting.
    logits, truth: of the held-out texts, of shape (stages, texts, labels) and (texts, labels), once the fitting is done.
    nearness: of the same texts, of shape (stages, texts), if labels are exclusive.
    """

    epochs: list[tuple[float, float | None]] = field(default_factory=list)
    best: int = 0
    early: bool = False
    done: bool = False
    logits: NDArray[np.float32] | None = None
    truth: NDArray[np.bool_] | None = None
    nearness: NDArray[np.float32] | None = None


class FoldPlan:
    """The fittings of a training and their examples, in this order: those that calibrate, mostly one on all examples, maybe one without
    strangers, and those of the learning curve.

    Strangers are labels that a fitting never sees. They show how texts of unknown labels are received. A fitting of the learning curve
    learns from a part of a fold's examples.
    """

    def __init__(
        self, recipe: str, examples: Sequence[Example], labels: Sequence[str], settings: Hyperparameters, *, exclusive: bool
    ) -> None:
        self.recipe, self.examples, self.labels, self.settings, self.exclusive = recipe, examples, labels, settings, exclusive
        refits = recipe != "cnn" or len(examples) <= _FEW_FOR_CNN
        self.calibrating = _FOLDS if len(examples) <= most_cross_validated([recipe]) else 1
        self.strangers = {labels[number] for number in strangers_of(len(labels), settings.seed)} if exclusive else set[str]()
        # The fittings that end with a classifier that may answer; then the one without the strangers.
        self.answering = self.calibrating + refits
        self.measuring = self.answering + bool(self.strangers)
        self.sizes = self._sizes_of_curve() if self.cross_validates and recipe != "cnn" else []
        self.fittings = self.measuring + self.calibrating * len(self.sizes)

    def _sizes_of_curve(self) -> list[int]:
        """The numbers of examples that the learning curve's fittings learn from, the fewest first."""
        learnt, fewest = self.learnt_by_a_fold, FEWEST_TEXTS * len(self.labels)
        sizes = {max(fewest, round(share * learnt)) for share in _SHARES_OF_CURVE}
        return sorted(size for size in sizes if size < learnt)

    @property
    def learnt_by_a_fold(self) -> int:
        """The number of examples that a calibrating fitting learns from, if they are parted evenly."""
        return len(self.examples) - round(len(self.examples) / self.calibrating)

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
        if place >= self.measuring:
            size, fold = divmod(place - self.measuring, self.calibrating)
            part, held_out = self._folded(fold)
            return sample(part, self.sizes[size], self.settings.seed), held_out
        if place == self.calibrating:
            return self.examples, []
        return self._folded(place)

    def weight(self, place: int) -> int:
        """About how many examples one pass of the fitting at this place has."""
        return len(self.examples) if place < self.measuring else self.sizes[(place - self.measuring) // self.calibrating]

    def _folded(self, place: int) -> tuple[Sequence[Example], Sequence[Example]]:
        if self.calibrating == 1:
            return hold_out(self.examples, _SHARE, self.settings.seed)
        return fold_of(self.examples, place, self.calibrating, self.settings.seed)

    def is_without_strangers(self, place: int) -> bool:
        """Whether the fitting at this place never sees the strangers."""
        return bool(self.strangers) and place == self.answering


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
        """The planned number of passes over the examples, without those of the learning curve, if no further fitting ends early."""
        return sum(self._passes(place) for place in range(self.plan.measuring))

    def _passes(self, place: int) -> int:
        done = place < len(self.begun) and self.begun[place].done
        return len(self.begun[place].epochs) if done else self.planned(place)

    @property
    def epoch(self) -> int:
        """The number of finished passes."""
        return sum(len(fold.epochs) for fold in self.begun[: self.plan.measuring])

    def share(self, begun_pass: float) -> float:
        """The finished share of all fittings: 0 to 1. begun_pass: the finished share of the current pass."""
        done = sum(self.plan.weight(place) * len(fold.epochs) for place, fold in enumerate(self.begun))
        begun = self.plan.weight(len(self.begun) - 1) * begun_pass if self.begun else 0.0
        return min(1.0, (done + begun) / sum(self.plan.weight(place) * self._passes(place) for place in range(self.plan.fittings)))

    @property
    def loss(self) -> float | None:
        """The mean loss of a text in the last finished pass."""
        return next((loss for fold in reversed(self.begun[: self.plan.measuring]) for loss, _ in reversed(fold.epochs)), None)

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

    def held_out(self) -> Asked:
        """The answers about the texts that were held out for calibration."""
        folds = self.begun[: self.plan.calibrating]
        truth = [np.empty((0, len(self.plan.labels)), np.bool_), *(fold.truth for fold in folds if fold.truth is not None)]
        return Asked(self._logits(folds), np.concatenate(truth), self._nearness())

    def _logits(self, folds: Sequence[Fold]) -> NDArray[np.float32]:
        """The logits of the texts that these fittings held out, of shape (stages, texts, labels)."""
        found = [fold.logits for fold in folds if fold.logits is not None]
        return np.concatenate(found, axis=1) if found else np.empty((1, 0, len(self.plan.labels)), np.float32)

    def _nearness(self) -> NDArray[np.float32] | None:
        """The nearness of the texts that were held out for calibration, of shape (stages, texts). None if labels aren't exclusive."""
        near = [fold.nearness for fold in self.begun[: self.plan.calibrating] if fold.nearness is not None]
        return np.concatenate(near, axis=1) if near else None

    def answers(self) -> HeldOut:
        """The answers about the texts that were held out for calibration, by their places in the examples."""
        return self._answers(0, self._nearness())

    def answers_of_curve(self) -> list[tuple[int, HeldOut]]:
        """For each point of the learning curve that is done, the number of learnt examples, the fewest first, and the answers."""
        if not self.plan.sizes:
            return []
        points = [(size, self.plan.measuring + number * self.plan.calibrating) for number, size in enumerate(self.plan.sizes)]
        points.append((self.plan.learnt_by_a_fold, 0))
        of_point = {size: self.begun[first : first + self.plan.calibrating] for size, first in points}
        done = {size for size, folds in of_point.items() if len(folds) == self.plan.calibrating and all(fold.done for fold in folds)}
        return [(size, self._answers(first, None)) for size, first in points if size in done]

    def _answers(self, first: int, nearness: NDArray[np.float32] | None) -> HeldOut:
        """The answers about held-out texts by the fittings of the folds, which begin at the place `first`."""
        place_of = {id(example): place for place, example in enumerate(self.plan.examples)}
        logits = [fold.logits for fold in self.begun[first : first + self.plan.calibrating]]
        done = [number for number, found in enumerate(logits) if found is not None]
        places = [[place_of[id(example)] for example in self.plan.parted(number)[1]] for number in done]
        return HeldOut(
            places=np.array([place for of_fold in places for place in of_fold], np.int32),
            folds=np.repeat(np.array(done, np.int8), [len(of_fold) for of_fold in places]),
            logits=self._logits(self.begun[first : first + self.plan.calibrating]),
            nearness=nearness,
        )

    def held_out_score(self) -> float | None:
        """`held_out_score` of all texts that were held out for calibration, once the training is done. None if there are none.

        It is that of the last stage, which the others must not fall behind.
        """
        logits, truth, _ = self.held_out()
        return round(held_out_score(logits[-1], truth, exclusive=self.plan.exclusive), _DIGITS) if len(truth) else None

    def strange(self) -> Asked | None:
        """The answers of the fitting without strangers, about their texts and held-out ones. None if it isn't done, or there is none.

        The left-out labels have the logit minus infinity, so that the answers have the shape of all others.
        """
        fold = next(iter(self.begun[self.plan.answering : self.plan.measuring]), None)
        if fold is None or fold.logits is None or fold.truth is None or fold.nearness is None:
            return None
        known = np.array([label not in self.plan.strangers for label in self.plan.labels])
        logits = np.full((*fold.logits.shape[:-1], len(known)), -np.inf, np.float32)
        truth = np.zeros((len(fold.truth), len(known)), np.bool_)
        logits[..., known], truth[:, known] = fold.logits, fold.truth
        return Asked(logits, truth, fold.nearness)

    def strangers(self, trained: TrainedClassifier) -> dict[str, Any] | None:
        """How `trained` would receive texts of left-out labels: `reception`, and `labels`, their number. None if none were left out."""
        asked = self.strange()
        if asked is None or trained.least_familiarity is None:
            return None
        judged = trained.judge(asked.logits, asked.nearness)
        by_score = trained.accepts(replace(judged, surplus=None))
        return {"labels": len(self.plan.strangers), **reception(trained.accepts(judged), by_score, asked.truth)}

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
