"""A small network over sentence vectors, for more texts than the kernel can hold. numpy only; recipes.maxout_fitting trains it.

One hidden layer of maxout units (Goodfellow et al. 2013, arXiv 1302.4389), normalised (Ba et al. 2016, arXiv 1607.06450), and logits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.recipes.familiarity import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

# Found on a fold of a training set.
EPOCHS, LEARN_RATE, DROPOUT, BATCH = 12, 0.003, 0.5, 32
# thinc's constant, added to the variance.
_LEAST_VARIANCE = 1e-8
_SCORED_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class MaxoutHead:
    """Logits of vectors of d dimensions, for C labels, with h units of p pieces.

    pieces: of shape (h, p, d), with a bias (h, p). gain and shift of the norm: (h,). output: (C, h), with a bias (C,). known: some of the
    learnt vectors, (k, d).
    """

    pieces: Matrix
    pieces_bias: Matrix
    gain: Matrix
    shift: Matrix
    output: Matrix
    output_bias: Matrix
    known: Matrix

    @property
    def nbytes(self) -> int:
        """The bytes in memory."""
        return sum(getattr(self, name).nbytes for name in self.__slots__)

    def logits(self, vectors: Matrix) -> Matrix:
        """From vectors of shape (m, d) to shape (m, C)."""
        found = np.empty((len(vectors), len(self.output)), np.float32)
        flat = self.pieces.reshape(-1, self.pieces.shape[2])
        for start in range(0, len(vectors), _SCORED_AT_ONCE):
            part = vectors[start : start + _SCORED_AT_ONCE]
            units = (part @ flat.T).reshape(len(part), *self.pieces_bias.shape) + self.pieces_bias
            hidden = units.max(axis=2)
            centred = hidden - hidden.mean(axis=1, keepdims=True)
            normed = centred / np.sqrt(centred.var(axis=1, keepdims=True) + np.float32(_LEAST_VARIANCE)) * self.gain + self.shift
            found[start : start + len(part)] = normed @ self.output.T + self.output_bias
        return found

    def judged(self, vectors: Matrix) -> tuple[Matrix, Matrix]:
        """Logits of vectors of shape (m, d), of shape (m, C), and the mean cosine to the nearest known vectors, of shape (m,)."""
        parts = (vectors[start : start + _SCORED_AT_ONCE] for start in range(0, len(vectors), _SCORED_AT_ONCE))
        nearness = [nearest(part @ self.known.T).mean(axis=1) for part in parts]
        return self.logits(vectors), np.concatenate([np.empty(0, np.float32), *nearness])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arguments of `from_arrays`."""
        return {name: getattr(self, name) for name in self.__slots__} | {"known": self.known.astype(np.float16)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> MaxoutHead:
        return cls(**{name: arrays[name].astype(np.float32) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class How:
    """The training settings."""

    epochs: int
    rate: float
    dropout: float
    batch: int
    seed: int
