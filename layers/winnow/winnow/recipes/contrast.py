"""A projection that moves sentence vectors of the same label together, used when examples are few. numpy only.

Supervised contrastive learning: Khosla et al. 2020, arXiv 2004.11362, equation 2. The projection starts as the identity and stays near it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

# Found on the rest of a training set, after few examples were taken from it.
_STEPS, _RATE, _TEMPERATURE = 60, np.float32(3e-4), np.float32(0.2)
# Texts per step: each step holds a matrix of all pairs.
_MOST_TEXTS = 2_000
# Adam's defaults.
_DECAY, _DECAY_OF_SQUARES, _LEAST = 0.9, 0.999, np.float32(1e-8)


def projected(vectors: Matrix, projection: Matrix) -> Matrix:
    """Vectors of shape (n, d) after the projection, of shape (d, d), scaled to length 1."""
    moved = vectors + vectors @ projection.T
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)


class Contrast:
    """Learns the projection for vectors of shape (n, d), each with one label, shape (n,).

    With Adam: Kingma and Ba 2015, arXiv 1412.6980.
    """

    def __init__(self, vectors: Matrix, labels: NDArray[np.int64]) -> None:
        self._vectors, self._labels = vectors, labels
        size = vectors.shape[1]
        self._added, self._mean, self._square = (np.zeros((size, size), np.float32) for _ in range(3))
        self._step = 0

    @property
    def share(self) -> float:
        """The part that is done: 0 to 1."""
        return self._step / _STEPS

    @property
    def projection(self) -> Matrix:
        """The matrix added to the identity, of shape (d, d), rounded like the artifact's."""
        return self._added.astype(np.float16).astype(np.float32)

    def steps(self) -> Iterator[None]:
        """Do the remaining steps. Yields after each step, some tenths of a second."""
        while self._step < _STEPS:
            drawn = np.arange(len(self._vectors))
            if len(drawn) > _MOST_TEXTS:
                drawn = np.random.default_rng(self._step).permutation(drawn)[:_MOST_TEXTS]
            gradient = _gradient(self._vectors[drawn], self._labels[drawn], self._added)
            self._step += 1
            self._mean = np.float32(_DECAY) * self._mean + np.float32(1 - _DECAY) * gradient
            self._square = np.float32(_DECAY_OF_SQUARES) * self._square + np.float32(1 - _DECAY_OF_SQUARES) * gradient**2
            root = np.sqrt(self._square / np.float32(1 - _DECAY_OF_SQUARES**self._step)) + _LEAST
            self._added = self._added - _RATE * (self._mean / np.float32(1 - _DECAY**self._step)) / root
            yield

    def save(self) -> dict[str, NDArray[Any]]:
        return {"added": self._added, "mean": self._mean, "square": self._square, "step": np.array(self._step)}

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self._added, self._mean, self._square = saved["added"], saved["mean"], saved["square"]
        self._step = int(saved["step"])


def _gradient(vectors: Matrix, labels: NDArray[np.int64], projection: Matrix) -> Matrix:
    """The gradient of the mean loss of texts that share a label: how far each text's weights are from even weights over that label."""
    moved = vectors + vectors @ projection.T
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    unit = moved / length
    near = unit @ unit.T / _TEMPERATURE
    np.fill_diagonal(near, -np.inf)
    near -= near.max(axis=1, keepdims=True)
    found = np.exp(near, out=near)
    found /= found.sum(axis=1, keepdims=True)
    wanted = (labels[:, None] == labels).astype(np.float32)
    np.fill_diagonal(wanted, 0)
    others = wanted.sum(axis=1, keepdims=True)
    told = (found - wanted / np.maximum(others, 1)) * (others > 0) / (np.maximum((others > 0).sum(), 1) * _TEMPERATURE)
    of_unit = (told + told.T) @ unit
    of_moved = (of_unit - (of_unit * unit).sum(axis=1, keepdims=True) * unit) / length
    return np.asarray(of_moved.T @ vectors, np.float32)
