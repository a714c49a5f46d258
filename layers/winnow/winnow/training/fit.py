"""Training with a recipe: choose settings, hold out texts for calibration, fit, calibrate. In steps, so that another Lambda can go on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import encoder
from winnow.recipes.artifact import Classifier, TrainedClassifier, recipe_of
from winnow.recipes.calibration import held_out_score
from winnow.recipes.catalogue import OF_ENCODER
from winnow.recipes.encoder import Remembered
from winnow.recipes.label_matrix import label_flags
from winnow.training.calibrate import calibrated
from winnow.training.folds import Fold, FoldPlan, Folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding
    from winnow.recipes.fitting import Fitting

    Arrays = Mapping[str, NDArray[Any]]

# The share of a training's time that encoding takes, if there is an encoder. It is about the same for few and for many texts.
_ENCODING_TAKES = 0.6

# The format of what `save` writes. A training that was saved in another format starts again from the beginning.
_FORM = 4


def settings_for(recipe: str, chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters of a training. The recipe fills in those that the client didn't choose."""
    settings: Hyperparameters = recipe_of(recipe).settings(chosen, texts, labels, exclusive=exclusive)
    return settings


def train(recipe: str, examples: Sequence[Example], chosen: Hyperparameters, *, exclusive: bool) -> TrainedClassifier:
    """Train a calibrated classifier without a break. The same examples and seed give the same classifier."""
    training = Training(recipe, examples, chosen, exclusive=exclusive)
    for _ in training.steps():
        pass
    return training.result()


class Training:
    """The training of one classifier, by the fittings of a `FoldPlan`. folds: the fittings and their progress.

    chosen: the client's hyperparameters; the recipe fills in the others. encoding: gives texts their vectors, each text once, if the
    recipe needs vectors; None for this deployment's encoder. `steps` yields several times a second. After a yield, `save` can write what
    another Training with the same arguments needs to `resume`, and that one makes the same classifier.
    """

    def __init__(
        self,
        recipe: str,
        examples: Sequence[Example],
        chosen: Hyperparameters,
        *,
        exclusive: bool,
        encoding: Encoding | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.labels = sorted({label for example in examples for label in example.labels})
        self.settings = settings_for(recipe, chosen, len(examples), len(self.labels), exclusive=exclusive)
        self.seconds = 0.0
        self._recipe, self._exclusive, self._clock = recipe, exclusive, clock
        texts = [example.text for example in examples]
        self._encoding = Remembered(encoding or encoder.installed(), texts) if recipe in OF_ENCODER else None
        # The best epoch and its weights are needed only if patience or max_minutes may end the training.
        self._keeps_best = self.settings.patience is not None or self.settings.max_minutes is not None
        self.folds = Folds(FoldPlan(recipe, examples, self.labels, self.settings, exclusive=exclusive))
        self._fitting: Fitting | None = None
        self._put_down: Arrays = {}
        self._best = b""
        self._answer: Classifier | None = None
        self._out_of_minutes = False
        self._answer_cut_short = False

    @property
    def share(self) -> float:
        """The finished share of the training: 0 to 1."""
        fitted = self.folds.share(self._fitting.share if self._fitting else 0.0)
        return fitted if self._encoding is None else _ENCODING_TAKES * self._encoding.share + (1 - _ENCODING_TAKES) * fitted

    @property
    def seconds_to_go(self) -> float | None:
        """The estimated seconds until the end, from the time so far. None at the beginning."""
        if not self.share:
            return None
        left = self.seconds / self.share - self.seconds
        return left if self.settings.max_minutes is None else max(0.0, min(left, 60 * self.settings.max_minutes - self.seconds))

    @property
    def stopped(self) -> Literal["patience", "max_minutes"] | None:
        """What ended the training early, if anything did. The fittings that only measure don't count: without them nothing is lost."""
        if self._answer_cut_short:
            return "max_minutes"
        return "patience" if any(fold.early for fold in self.folds.begun) else None

    def steps(self) -> Iterator[None]:
        """Do the training, or the rest of it."""
        began = self._clock()
        for _ in self._fit_all():
            self.seconds += self._clock() - began
            yield
            began = self._clock()
        self.seconds += self._clock() - began

    def result(self) -> TrainedClassifier:
        """The calibrated classifier, once `steps` has ended."""
        if self._answer is None:
            raise RuntimeError("the training isn't done")
        logits, truth = self.folds.held_out()
        answer = self._answer
        if self._encoding:
            # From here on the classifier uses the encoder itself, and not the remembered vectors of the training texts.
            answer = self._new_classifier(self.labels, self._encoding.encoder).from_bytes(answer.to_bytes())
        return calibrated(self._recipe, answer, logits, truth, self.folds.nearness(), min_precision=self.settings.min_precision)

    def _fit_all(self) -> Iterator[None]:
        if self._encoding:
            yield from self._encoding.encode()
        while not self._out_of_minutes:
            begun = self.folds.begun
            if not begun or begun[-1].done:
                if len(begun) == self.folds.plan.fittings:
                    return
                begun.append(Fold())
            yield from self._fit(begun[-1], len(begun) - 1)

    def _fit(self, fold: Fold, place: int) -> Iterator[None]:
        plan, planned = self.folds.plan, self.folds.planned(place)
        part, held_out = plan.parted(place)
        strangers = plan.strangers if plan.is_without_strangers(place) else set()
        known = [label not in strangers for label in self.labels]
        texts, truth = [example.text for example in held_out], label_flags(held_out, self.labels)[:, known]
        classifier = self._new_classifier(list(compress(self.labels, known)))
        # Only the fittings that may answer are measured after each pass.
        measured = texts if place < plan.answering else []
        fitting = classifier.fitting(part, replace(self.settings, n_iter=planned), measured)
        yield from fitting.begin()
        if self._put_down:
            fitting.resume(self._put_down)
            self._put_down = {}
        self._fitting = fitting
        while not (self._out_of_minutes or fold.early or fitting.epochs == planned):
            for _ in fitting.run_epoch():
                yield
                self._out_of_minutes = self._is_out_of_minutes()
                if self._out_of_minutes:
                    break
            else:
                self._measure(fold, fitting, classifier, truth[: len(measured)])
        self._fitting = None
        self._end(fold, fitting, classifier, texts, truth)

    def _measure(self, fold: Fold, fitting: Fitting, classifier: Classifier, truth: NDArray[np.bool_]) -> None:
        """Record the epoch that has just ended."""
        score = held_out_score(fitting.held_out_logits(), truth, exclusive=self._exclusive) if len(truth) else None
        fold.epochs.append((fitting.loss, score))
        if not self._keeps_best or score is None:
            return
        if not fold.best or score > (fold.epochs[fold.best - 1][1] or 0.0):
            fold.best, self._best = fitting.epochs, classifier.to_bytes()
        fold.early = self.settings.patience is not None and fitting.epochs - fold.best >= self.settings.patience

    def _end(self, fold: Fold, fitting: Fitting, classifier: Classifier, texts: Sequence[str], truth: NDArray[np.bool_]) -> None:
        """End the fitting. If minutes ran out and an earlier fitting is done, that one answers, and this one is dropped."""
        self._answer_cut_short = self._out_of_minutes and len(self.folds.begun) <= self.folds.plan.answering
        if self._out_of_minutes and self._answer:
            self.folds.begun.pop()
            return
        if fold.best and (fold.early or self._out_of_minutes):
            classifier.from_bytes(self._best)
        else:
            fitting.finish()
        if texts:
            fold.truth = truth
            if self.folds.plan.exclusive:
                fold.logits, fold.nearness = classifier.judged(texts)
            else:
                fold.logits = classifier.logits(texts)
        fold.done, self._best = True, b""
        if len(self.folds.begun) <= self.folds.plan.answering:
            self._answer = classifier

    def _is_out_of_minutes(self) -> bool:
        return self.settings.max_minutes is not None and self.seconds >= 60 * self.settings.max_minutes

    def _new_classifier(self, labels: Sequence[str], encoding: Encoding | None = None) -> Classifier:
        given = {"encoding": encoding or self._encoding} if self._encoding else {}
        of_recipe = recipe_of(self._recipe).Classifier
        made: Classifier = of_recipe(labels, exclusive=self._exclusive, language=self.settings.spacy_model, **given)
        return made

    def save(self, file: BinaryIO) -> None:
        """Write what `resume` needs: weights, optimizer, state of the random numbers, epoch and place in it, the best epoch so far."""
        fitting = self._fitting.save() if self._fitting else self._put_down
        folds, held_out = self.folds.save()
        about = {"form": _FORM, "seconds": self.seconds, "folds": folds}
        arrays: dict[str, Any] = {f"fitting.{name}": array for name, array in fitting.items()}
        if self._encoding:
            arrays |= {f"encoding.{name}": array for name, array in self._encoding.save().items()}
        arrays |= held_out
        if self._best:
            arrays["best"] = np.frombuffer(self._best, np.uint8)
        # An earlier classifier answers if minutes run out, or if the current fitting is one that never answers.
        if self._answer and (self.settings.max_minutes is not None or self.folds.plan.fittings > self.folds.plan.answering):
            arrays["answer"] = np.frombuffer(self._answer.to_bytes(), np.uint8)
        np.savez(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)

    def resume(self, file: BinaryIO) -> None:
        """Continue from what `save` wrote. Call it before the first step. A save in another format is ignored."""
        with np.load(file, allow_pickle=False) as archive:
            saved = dict(archive)
        about = json.loads(str(saved["about"]))
        if about["form"] != _FORM:
            return
        self.seconds = about["seconds"]
        self.folds.resume(about["folds"], saved)
        self._put_down = _under("fitting.", saved)
        if self._encoding:
            self._encoding.resume(_under("encoding.", saved))
        self._best = saved["best"].tobytes() if "best" in saved else b""
        if "answer" in saved:
            self._answer = self._new_classifier(self.labels).from_bytes(saved["answer"].tobytes())


def _under(prefix: str, arrays: Arrays) -> Arrays:
    """The arrays whose names begin with the prefix, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
