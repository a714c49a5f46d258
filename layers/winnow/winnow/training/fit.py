"""Training by a recipe: choose settings, hold out texts for calibration, fit, calibrate. In steps, so that it can go on elsewhere."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from winnow.datasets.split import hold_out
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import encoder
from winnow.recipes.artifact import Classifier, OfSentences, TrainedClassifier, recipe_of
from winnow.recipes.calibration import fit_temperature, fit_thresholds, held_out_score, scores_of
from winnow.recipes.catalogue import OF_ENCODER
from winnow.recipes.encoder import Remembered
from winnow.recipes.familiarity import familiarity, least_familiarity, reception, strangers_of
from winnow.recipes.label_matrix import label_flags

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes.encoder import Encoding
    from winnow.recipes.fitting import Fitting

    Arrays = Mapping[str, NDArray[Any]]

# The held-out shares of the training examples on which the calibration is fitted. All but cnn are so cheap that they are then trained
# again on everything, and with few examples several times, to calibrate on more texts. cnn is trained again where the examples are few,
# and those held out are missed; else it answers as it was when it was calibrated.
_FOLDS_OF_FEW, _SHARE_OF_FEW, _SHARE = 3, 0.2, 0.1
_FEW_EXAMPLES = 2_000

# Of the time that a training takes, where texts are encoded: about as much, of few and of many.
_ENCODING_TAKES = 0.6

# Texts of labels that were left out, to learn how strangers are received.
_MOST_STRANGERS = 500

# Of what `save` writes. A training that was put down by another form begins anew.
_FORM = 2
_DIGITS = 6


def settings_for(recipe: str, chosen: Hyperparameters, texts: int, labels: int, *, exclusive: bool) -> Hyperparameters:
    """The hyperparameters with everything filled in that the client left open."""
    settings: Hyperparameters = recipe_of(recipe).settings(chosen, texts, labels, exclusive=exclusive)
    return settings


def train(recipe: str, examples: Sequence[Example], chosen: Hyperparameters, *, exclusive: bool) -> TrainedClassifier:
    """A calibrated classifier, made at one go. The same for the same examples and seed."""
    training = Training(recipe, examples, chosen, exclusive=exclusive)
    for _ in training.steps():
        pass
    return training.result()


@dataclass(slots=True)
class _Fold:
    """One fitting, and what it has come to. epochs: of each, the loss and the score (None where nothing is held out).

    best: the epoch with the highest score, where that is asked for; else 0. early: it ended by patience. logits and truth: of the texts
    that were held out, of shape (texts, labels), once the fitting is done; nearness: of the same, of shape (texts,), where the recipe can
    tell it.
    """

    epochs: list[tuple[float, float | None]] = field(default_factory=list)
    best: int = 0
    early: bool = False
    done: bool = False
    logits: NDArray[np.float32] | None = None
    truth: NDArray[np.bool_] | None = None
    nearness: NDArray[np.float32] | None = None


# What a fold has of its held-out texts.
_OF_HELD_OUT = ("logits", "truth", "nearness")


class Training:
    """The making of one classifier: fittings on folds of the examples, to calibrate by what they leave, and mostly one on all.

    Where the recipe can tell how familiar a text is, and labels are exclusive, one more: without some of the labels, to learn how texts of
    labels that it never saw are received.

    chosen: what the client left open is filled in. encoding: what gives texts their vectors, where the recipe needs that, each text once;
    None: this deployment's encoder. Where `steps` yields, several times a second, the training may be put down: `save` writes what a
    Training of the same arguments needs to `resume`, and it comes to the same classifier.
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
        self._recipe, self._examples, self._exclusive, self._clock = recipe, examples, exclusive, clock
        texts = [example.text for example in examples]
        self._encoding = Remembered(encoding or encoder.installed(), texts) if recipe in OF_ENCODER else None
        few, cheap = len(examples) <= _FEW_EXAMPLES, recipe != "cnn"
        self._refits = few or cheap
        self._calibrating, self._held_out_share = (_FOLDS_OF_FEW, _SHARE_OF_FEW) if few and cheap else (1, _SHARE)
        self._tells_strangers = self._encoding is not None and exclusive
        self._strangers = (
            {self.labels[number] for number in strangers_of(len(self.labels), self.settings.seed)} if self._tells_strangers else set()
        )
        # The fittings: those that calibrate, the one on everything, the one without the strangers.
        self._fittings = self._calibrating + self._refits + bool(self._strangers)
        # Which epoch was the best, and its weights, are worth keeping only where one of these may end the training.
        self._keeps_best = self.settings.patience is not None or self.settings.max_minutes is not None
        self._folds: list[_Fold] = []
        self._fitting: Fitting | None = None
        self._put_down: Arrays = {}
        self._best = b""
        self._answer: Classifier | None = None
        self._out_of_minutes = False

    # --- how far it is ---

    @property
    def passes(self) -> int:
        """How many passes over the examples it makes, over all its fittings, if no other ends early."""
        ahead = range(len(self._folds), self._fittings)
        begun = (len(fold.epochs) if fold.done else self._planned(place) for place, fold in enumerate(self._folds))
        return sum(begun) + sum(self._planned(place) for place in ahead)

    @property
    def epoch(self) -> int:
        """How many of them are done."""
        return sum(len(fold.epochs) for fold in self._folds)

    @property
    def share(self) -> float:
        """How much of the training is done: 0 to 1."""
        fitted = min(1.0, (self.epoch + (self._fitting.share if self._fitting else 0.0)) / self.passes)
        return fitted if self._encoding is None else _ENCODING_TAKES * self._encoding.share + (1 - _ENCODING_TAKES) * fitted

    @property
    def seconds_to_go(self) -> float | None:
        """How long it will still take, judging by how long it took; None before anything is done."""
        if not self.share:
            return None
        left = self.seconds / self.share - self.seconds
        return left if self.settings.max_minutes is None else max(0.0, min(left, 60 * self.settings.max_minutes - self.seconds))

    @property
    def loss(self) -> float | None:
        """The mean loss of a text in the last pass that is done."""
        return next((loss for fold in reversed(self._folds) for loss, _ in reversed(fold.epochs)), None)

    @property
    def score(self) -> float | None:
        """The last that was measured on held-out examples (`held_out_score`)."""
        return next((score for fold in reversed(self._folds) for _, score in reversed(fold.epochs) if score is not None), None)

    @property
    def held_out_score(self) -> float | None:
        """`held_out_score` of all texts that were held out to calibrate by, once `steps` has ended; None where there are none."""
        logits, truth = self._held_out()
        return round(held_out_score(logits, truth, exclusive=self._exclusive), _DIGITS) if len(truth) else None

    @property
    def stopped(self) -> Literal["patience", "max_minutes"] | None:
        """What ended it before all epochs were done, if anything did."""
        if self._out_of_minutes:
            return "max_minutes"
        return "patience" if any(fold.early for fold in self._folds) else None

    @property
    def history(self) -> list[dict[str, float | None]]:
        """Of each epoch of the classifier that answers: the mean loss of a text, and the score on what was held out of its examples.

        Where that one was trained on everything, the scores are the means of those of the folds before.
        """
        answering = [fold for fold in self._folds[: self._calibrating + self._refits] if fold.done][-1]
        measured = [answering] if answering.truth is not None else self._folds[: self._calibrating]
        told: list[dict[str, float | None]] = []
        for place, (loss, _) in enumerate(answering.epochs):
            scores = [score for fold in measured for _, score in fold.epochs[place : place + 1] if score is not None]
            score = round(sum(scores) / len(scores), _DIGITS) if scores else None
            # A training at far too high a rate has losses that are no numbers.
            told.append({"epoch": place + 1, "loss": round(loss, _DIGITS) if math.isfinite(loss) else None, "score": score})
        return told

    # --- doing it ---

    def steps(self) -> Iterator[None]:
        """Do the training, or what is left of it."""
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
        logits, truth = self._held_out()
        temperature = fit_temperature(logits, truth, exclusive=self._exclusive)
        scores = scores_of(logits, temperature, exclusive=self._exclusive)
        thresholds = fit_thresholds(scores, truth, exclusive=self._exclusive, min_precision=self.settings.min_precision)
        near = [fold.nearness for fold in self._folds[: self._calibrating] if fold.nearness is not None]
        least = least_familiarity(familiarity(np.concatenate(near), scores)) if near else None
        answer = self._answer
        if self._encoding:
            # It answers with the encoder itself, and no longer with what was remembered of its texts.
            answer = self._new_classifier(self.labels, self._encoding.encoder).from_bytes(answer.to_bytes())
        return TrainedClassifier(self._recipe, answer, temperature, thresholds, least)

    def strangers(self, result: TrainedClassifier) -> dict[str, Any] | None:
        """How texts of labels that a training was kept from would be received by what `result` accepts: `reception`, and `labels`, their
        number. None where there was no such training."""
        fold = next(iter(self._folds[self._calibrating + self._refits :]), None)
        if fold is None or fold.logits is None or fold.truth is None or fold.nearness is None or result.least_familiarity is None:
            return None
        scores = scores_of(fold.logits, result.temperature, exclusive=True)
        familiar = familiarity(fold.nearness, scores)
        received = reception(familiar, scores, fold.truth, threshold=result.thresholds[0], least=result.least_familiarity)
        return {"labels": len(self._strangers), **received}

    def _held_out(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Logits and truth of the texts that were held out to calibrate by, each of shape (texts, labels)."""
        empty = _Fold(logits=np.empty((0, len(self.labels)), np.float32), truth=np.empty((0, len(self.labels)), np.bool_))
        folds = [empty, *self._folds[: self._calibrating]]
        logits = np.concatenate([fold.logits for fold in folds if fold.logits is not None])
        truth = np.concatenate([fold.truth for fold in folds if fold.truth is not None])
        return logits, truth

    def _fit_all(self) -> Iterator[None]:
        if self._encoding:
            yield from self._encoding.encode()
        while not self._out_of_minutes:
            if not self._folds or self._folds[-1].done:
                if len(self._folds) == self._fittings:
                    return
                self._folds.append(_Fold())
            yield from self._fit(self._folds[-1], len(self._folds) - 1)

    def _fit(self, fold: _Fold, place: int) -> Iterator[None]:
        part, held_out = self._parted(place)
        strangers = self._strangers if self._is_without_strangers(place) else set()
        known = [label not in strangers for label in self.labels]
        texts, truth = [example.text for example in held_out], label_flags(held_out, self.labels)[:, known]
        classifier = self._new_classifier(list(compress(self.labels, known)))
        measured = [] if self._is_without_strangers(place) else texts
        fitting = classifier.fitting(part, replace(self.settings, n_iter=self._planned(place)), measured)
        yield from fitting.begin()
        if self._put_down:
            fitting.resume(self._put_down)
            self._put_down = {}
        self._fitting = fitting
        while not (self._out_of_minutes or fold.early or fitting.epochs == self._planned(place)):
            for _ in fitting.run_epoch():
                yield
                self._out_of_minutes = self._is_out_of_minutes()
                if self._out_of_minutes:
                    break
            else:
                self._measure(fold, fitting, classifier, truth[: len(measured)])
        self._fitting = None
        self._end(fold, fitting, classifier, texts, truth)

    def _measure(self, fold: _Fold, fitting: Fitting, classifier: Classifier, truth: NDArray[np.bool_]) -> None:
        """Note the epoch that has just ended."""
        score = held_out_score(fitting.held_out_logits(), truth, exclusive=self._exclusive) if len(truth) else None
        fold.epochs.append((fitting.loss, score))
        if not self._keeps_best or score is None:
            return
        if not fold.best or score > (fold.epochs[fold.best - 1][1] or 0.0):
            fold.best, self._best = fitting.epochs, classifier.to_bytes()
        fold.early = self.settings.patience is not None and fitting.epochs - fold.best >= self.settings.patience

    def _end(self, fold: _Fold, fitting: Fitting, classifier: Classifier, texts: Sequence[str], truth: NDArray[np.bool_]) -> None:
        """Close the fitting. Where minutes ran out and another is done already, that one answers, and this one is worth nothing."""
        if self._out_of_minutes and self._answer:
            self._folds.pop()
            return
        if fold.best and (fold.early or self._out_of_minutes):
            classifier.from_bytes(self._best)
        else:
            fitting.finish()
        if texts:
            fold.truth = truth
            if self._tells_strangers and isinstance(classifier, OfSentences):
                fold.logits, fold.nearness = classifier.judged(texts)
            else:
                fold.logits = classifier.logits(texts)
        fold.done, self._best = True, b""
        if len(self._folds) <= self._calibrating + self._refits:
            self._answer = classifier

    def _parted(self, place: int) -> tuple[Sequence[Example], Sequence[Example]]:
        """What this fitting learns from, and what is held out of it."""
        if self._is_without_strangers(place):
            part, held_out = hold_out(self._examples, self._held_out_share, self.settings.seed)
            strange = [example for example in self._examples if self._strangers & set(example.labels)][:_MOST_STRANGERS]
            part, held_out = ([each for each in examples if not self._strangers & set(each.labels)] for examples in (part, held_out))
            return part, held_out + strange
        if place == self._calibrating:
            return self._examples, []
        return hold_out(self._examples, self._held_out_share, self.settings.seed + place)

    def _is_without_strangers(self, place: int) -> bool:
        return place == self._calibrating + self._refits

    def _planned(self, place: int) -> int:
        """The epochs of this fitting. On everything as many as did the folds good."""
        folds = self._folds[: self._calibrating]
        if place >= self._calibrating and all(fold.done for fold in folds) and any(fold.early for fold in folds):
            return max(1, round(sum(fold.best for fold in folds) / len(folds)))
        return self.settings.n_iter or 1

    def _is_out_of_minutes(self) -> bool:
        return self.settings.max_minutes is not None and self.seconds >= 60 * self.settings.max_minutes

    def _new_classifier(self, labels: Sequence[str], encoding: Encoding | None = None) -> Classifier:
        given = {"encoding": encoding or self._encoding} if self._encoding else {}
        of_recipe = recipe_of(self._recipe).Classifier
        made: Classifier = of_recipe(labels, exclusive=self._exclusive, language=self.settings.spacy_model, **given)
        return made

    # --- putting it down ---

    def save(self, file: BinaryIO) -> None:
        """Write what `resume` needs: weights, optimizer, state of chance, epoch and place in it, the best so far."""
        fitting = self._fitting.save() if self._fitting else self._put_down
        about = {
            "form": _FORM,
            "seconds": self.seconds,
            "folds": [{"epochs": fold.epochs, "best": fold.best, "early": fold.early, "done": fold.done} for fold in self._folds],
        }
        arrays: dict[str, Any] = {f"fitting.{name}": array for name, array in fitting.items()}
        if self._encoding:
            arrays |= {f"encoding.{name}": array for name, array in self._encoding.save().items()}
        for place, fold in enumerate(self._folds):
            of_fold = {f"fold{place}.{name}": getattr(fold, name) for name in _OF_HELD_OUT}
            arrays |= {name: array for name, array in of_fold.items() if array is not None}
        if self._best:
            arrays["best"] = np.frombuffer(self._best, np.uint8)
        # A classifier that was there before answers where the minutes run out, and where what comes is only to be learnt from.
        if self._answer and (self.settings.max_minutes is not None or self._strangers):
            arrays["answer"] = np.frombuffer(self._answer.to_bytes(), np.uint8)
        np.savez(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)

    def resume(self, file: BinaryIO) -> None:
        """Take up what `save` wrote, before any step is done. Nothing is taken of what another form of this class wrote."""
        with np.load(file, allow_pickle=False) as archive:
            saved = dict(archive)
        about = json.loads(str(saved["about"]))
        if about["form"] != _FORM:
            return
        self.seconds = about["seconds"]
        self._folds = []
        for place, fold in enumerate(about["folds"]):
            arrays: dict[str, Any] = {name: saved.get(f"fold{place}.{name}") for name in _OF_HELD_OUT}
            self._folds.append(_Fold(**fold, **arrays))
        self._put_down = _under("fitting.", saved)
        if self._encoding:
            self._encoding.resume(_under("encoding.", saved))
        self._best = saved["best"].tobytes() if "best" in saved else b""
        if "answer" in saved:
            self._answer = self._new_classifier(self.labels).from_bytes(saved["answer"].tobytes())


def _under(prefix: str, arrays: Arrays) -> Arrays:
    """The arrays whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
