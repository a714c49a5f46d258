"""A projection of sentence vectors that draws those of one label together, where examples are too few to learn more. numpy only.

Supervised contrastive learning: Khosla et al. 2020, arXiv 2004.11362, equation 2. The projection begins as the identity, and stays near it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

# Found on what few examples left of a training set.
_STEPS, _RATE, _TEMPERATURE = 60, np.float32(3e-4), np.float32(0.2)
# At a step: a matrix of all pairs has to be held.
_MOST_TEXTS = 2_000
# Adam's own (Kingma and Ba 2015, arXiv 1412.6980).
_DECAY, _DECAY_OF_SQUARES, _LEAST = 0.9, 0.999, 1e-8


def projected(vectors: Matrix, projection: Matrix) -> Matrix:
    """Vectors of shape (n, d) under the projection, of shape (d, d), each of length 1 again."""
    moved = vectors + vectors @ projection.T
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)


def contrasted(vectors: Matrix, labels: NDArray[np.int64]) -> Generator[None, None, Matrix]:
    """The projection for vectors of shape (n, d), each of one label, shape (n,): what is added to the identity, of shape (d, d).

    Yields after each step, some tenths of a second.
    """
    size = vectors.shape[1]
    projection, mean, square = (np.zeros((size, size), np.float32) for _ in range(3))
    chance = np.random.default_rng(0)
    for step in range(1, _STEPS + 1):
        drawn = slice(None) if len(vectors) <= _MOST_TEXTS else chance.permutation(len(vectors))[:_MOST_TEXTS]
        gradient = _gradient(vectors[drawn], labels[drawn], projection)
        mean = _DECAY * mean + (1 - _DECAY) * gradient
        square = _DECAY_OF_SQUARES * square + (1 - _DECAY_OF_SQUARES) * gradient**2
        root = np.sqrt(square / (1 - _DECAY_OF_SQUARES**step)) + _LEAST
        projection = np.asarray(projection - _RATE * (mean / (1 - _DECAY**step)) / root, np.float32)
        yield
    # As the artifact keeps it.
    return projection.astype(np.float16).astype(np.float32)


def _gradient(vectors: Matrix, labels: NDArray[np.int64], projection: Matrix) -> Matrix:
    """Of the mean loss of a text that has others of its label: how far its share of each lies from an even one among those."""
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
