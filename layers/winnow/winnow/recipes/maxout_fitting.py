"""Train the small network over sentence vectors (recipes.maxout) with thinc."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from thinc.api import Adam, Linear, Maxout, Model, chain, fix_random_seed

from winnow.recipes import optimizer_state
from winnow.recipes.calibration import cross_entropy, scores_of, smoothed
from winnow.recipes.maxout import How, MaxoutHead

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

_SMOOTHING = 0.1

_WIDTH, _PIECES = 256, 3
# The share of the learning rate that is left at the end of the training.
_LAST_RATE = 0.05
# The number of learnt texts that are kept to measure nearness.
_KEPT = 5_000
# Batches between two yields: some hundredths of a second.
_BATCHES_AT_ONCE = 16


class MaxoutFitting:
    """A Fitting (recipes.fitting) over vectors of shape (n, d) and their labels, of shape (n, C)."""

    def __init__(self, vectors: Matrix, truth: NDArray[np.bool_], how: How, held_out: Matrix, *, exclusive: bool) -> None:
        self.epochs = 0
        self.loss = 0.0
        self._vectors, self._truth, self._held_out = vectors, truth, held_out
        self._how, self._exclusive = how, exclusive
        # Rounded like the artifact's.
        kept = np.random.default_rng(how.seed).permutation(len(vectors))[:_KEPT]
        self._known = vectors[kept].astype(np.float16).astype(np.float32)
        self._hidden: Model[Any, Any] = Maxout(_WIDTH, vectors.shape[1], nP=_PIECES, dropout=how.dropout, normalize=True)
        self._output: Model[Any, Any] = Linear(truth.shape[1], _WIDTH)
        self._model: Model[Any, Any] = chain(self._hidden, self._output)
        self._optimizer = Adam(how.rate, use_averages=False)
        # The current epoch: the number of learnt texts and the sum of their losses.
        self._learnt, self._lost = 0, 0.0

    @property
    def share(self) -> float:
        return self._learnt / len(self._vectors)

    def begin(self) -> Iterator[None]:
        fix_random_seed(self._how.seed)
        self._model.initialize(self._vectors[:2], self._truth[:2].astype(np.float32))
        yield

    def run_epoch(self) -> Iterator[None]:
        order = self._order()
        batches = math.ceil(len(order) / self._how.batch)
        while self._learnt < len(order):
            done = self.epochs * batches + self._learnt // self._how.batch
            self._optimizer.learn_rate = self._how.rate * (1 - (1 - _LAST_RATE) * done / (self._how.epochs * batches))
            self._learn(order[self._learnt : self._learnt + self._how.batch])
            if done % _BATCHES_AT_ONCE == 0:
                yield
        self.loss = self._lost / len(order)
        self.epochs += 1
        self._learnt, self._lost = 0, 0.0

    def _learn(self, batch: NDArray[np.int64]) -> None:
        truth = self._truth[batch]
        logits, backprop = self._model.begin_update(self._vectors[batch])
        self._lost += cross_entropy(logits, truth, exclusive=self._exclusive) * len(batch)
        targets = smoothed(truth.astype(np.float32), _SMOOTHING, exclusive=self._exclusive)
        backprop((scores_of(logits, 1.0, exclusive=self._exclusive) - targets) / np.float32(len(batch)))
        self._model.finish_update(self._optimizer)
        self._learnt += len(batch)

    def head(self) -> MaxoutHead:
        """The current head."""
        maxout, norm = (next(node for node in self._hidden.walk() if node.name == name) for name in ("maxout", "layernorm"))
        taken = {
            "pieces": (maxout, "W"),
            "pieces_bias": (maxout, "b"),
            "gain": (norm, "G"),
            "shift": (norm, "b"),
            "output": (self._output, "W"),
            "output_bias": (self._output, "b"),
        }
        # Copies, because the optimizer changes the originals.
        copies = {name: np.array(node.get_param(parameter), np.float32) for name, (node, parameter) in taken.items()}
        return MaxoutHead(**copies, known=self._known)

    def held_out_logits(self) -> Matrix:
        return self.head().logits(self._held_out)

    def finish(self) -> None:
        pass

    def save(self) -> dict[str, NDArray[Any]]:
        return {
            "weights": np.frombuffer(self._model.to_bytes(), np.uint8),
            "places": np.array([self.epochs, self._learnt]),
            "losses": np.array([self.loss, self._lost]),
            **optimizer_state.saved(self._optimizer, self._model),
        }

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self._model.from_bytes(saved["weights"].tobytes())
        self.epochs, self._learnt = saved["places"].tolist()
        self.loss, self._lost = saved["losses"].tolist()
        optimizer_state.resume(self._optimizer, self._model, saved)

    def _order(self) -> NDArray[np.int64]:
        return np.random.default_rng((self._how.seed, self.epochs)).permutation(len(self._vectors))
