"""Fit a sparse linear layer by stochastic gradient descent, in steps that can be interrupted. numpy only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.recipes.calibration import smoothed
from winnow.recipes.features import Bags, Features, read
from winnow.recipes.sparse_linear import SparseLinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The share of the learning rate that is left at the end of the training.
_LAST_RATE = 0.05
# Texts per step: some hundredths of a second.
_LEARNT_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Descent:
    """The settings of the descent. averaged: the weights of this many last epochs are averaged (Polyak and Juditsky 1992); 0: none."""

    epochs: int
    rate: float
    batch: int
    dropout: float
    smoothing: float
    averaged: int
    seed: int


class LinearFitting:
    """A Fitting (recipes.fitting) of a SparseLinear. truth: of shape (texts, C), whether the text has the label."""

    def __init__(self, linear: SparseLinear, texts: Sequence[str], truth: NDArray[np.bool_], how: Descent, held_out: Sequence[str]) -> None:
        self.linear = linear
        self.epochs = 0
        self.loss = 0.0
        self._how = how
        self._texts, self._held_out_texts = texts, held_out
        # Smoothed only for the texts that are being learnt: as numbers, two million texts of 200 labels would take 1.6 GB.
        self._truth = truth
        self._read: list[Features] = []
        self._held_out: list[Features] = []
        # The current epoch: the number of learnt texts, the sum of their losses, and the random state at its start.
        self._learnt, self._lost = 0, 0.0
        self._chance = np.random.default_rng(how.seed)
        self._began_with = self._chance.bit_generator.state
        self._summed: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    @property
    def share(self) -> float:
        return self._learnt / len(self._texts)

    def begin(self) -> Iterator[None]:
        found: list[Bags] = []
        for part in read(self._texts, self.linear.reading):
            # No yield after the last part: a training may only be interrupted after progress.
            if found:
                yield
            # A part has at most 256 texts. All parts are in memory at once, so their numbers are kept small.
            found.append(replace(part, of=part.of.astype(np.int16)))
        self.linear.begin(found)
        found.reverse()
        while found:
            self._read += self.linear.weighed(found.pop()).each()
            yield
        for number, part in enumerate(read(self._held_out_texts, self.linear.reading)):
            if number:
                yield
            self._held_out += self.linear.weighed(part).each()

    def run_epoch(self) -> Iterator[None]:
        texts, batch = len(self._texts), self._how.batch
        order = self._order()
        steps = self._how.epochs * texts
        while self._learnt < texts:
            end = min(texts, self._learnt + max(1, _LEARNT_AT_ONCE // batch) * batch)
            targets = iter(self._targets(order[self._learnt : end]))
            for start in range(self._learnt, end, batch):
                for place in order[start : min(end, start + batch)]:
                    text = _dropped(self._read[place], self._how.dropout, self._chance)
                    self._lost += self.linear.keep_gradient(text, next(targets))
                self.linear.descend(self._how.rate * (1 - (1 - _LAST_RATE) * (self.epochs * texts + start) / steps))
            self._learnt = end
            yield
        self.loss = self._lost / texts
        self.epochs += 1
        self._learnt, self._lost, self._began_with = 0, 0.0, self._chance.bit_generator.state
        if self.epochs > self._how.epochs - self._how.averaged:
            weights, bias = self._summed or (np.zeros_like(self.linear.weights), np.zeros_like(self.linear.bias))
            weights += self.linear.weights
            bias += self.linear.bias
            self._summed = weights, bias

    def held_out_logits(self) -> NDArray[np.float32]:
        return self.linear.logits_of(self._held_out)

    def finish(self) -> None:
        if self._summed:
            share = np.float32(1 / (self.epochs - self._how.epochs + self._how.averaged))
            self.linear.weights, self.linear.bias = self._summed[0] * share, self._summed[1] * share

    def save(self) -> dict[str, NDArray[Any]]:
        chance = json.dumps([self._began_with, self._chance.bit_generator.state])
        summed = {} if self._summed is None else {"summed_weights": self._summed[0], "summed_bias": self._summed[1]}
        return {
            "weights": self.linear.weights,
            "bias": self.linear.bias,
            **summed,
            "places": np.array([self.epochs, self._learnt]),
            "losses": np.array([self.loss, self._lost]),
            "chance": np.array(chance),
        }

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self.linear.weights, self.linear.bias = saved["weights"], saved["bias"]
        if "summed_weights" in saved:
            self._summed = saved["summed_weights"], saved["summed_bias"]
        self.epochs, self._learnt = saved["places"].tolist()
        self.loss, self._lost = saved["losses"].tolist()
        self._began_with, self._chance.bit_generator.state = json.loads(str(saved["chance"]))

    def _targets(self, places: Sequence[int]) -> NDArray[np.float32]:
        return smoothed(self._truth[places].astype(np.float32), self._how.smoothing, exclusive=self.linear.exclusive)

    def _order(self) -> list[int]:
        """The order of this epoch's texts. A resumed epoch uses the random state from its start, so the order is the same."""
        chance = self._chance
        if self._learnt:
            chance = np.random.default_rng()
            chance.bit_generator.state = self._began_with
        order: list[int] = chance.permutation(len(self._texts)).tolist()
        return order


def _dropped(text: Features, dropout: float, chance: np.random.Generator) -> Features:
    if not dropout:
        return text
    rows, values = text
    kept = chance.random(len(rows)) >= dropout
    return rows[kept], values[kept] / np.float32(1 - dropout)
