"""Kernel ridge regression over sentence vectors: each learnt text votes for its labels, and near texts weigh more. numpy only.

Saunders, Gammerman and Vovk 1998, Ridge Regression Learning Algorithm in Dual Variables. The kernel is exp(-2 (1 - cosine)).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.recipes.calibration import cross_entropy
from winnow.recipes.contrast import Contrast, projected
from winnow.recipes.familiarity import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

_WIDTH = np.float32(2)
# The same for every fitting, so that the folds and the classifier that answers have one scale: the temperature, found on the folds, is for
# that scale. Earlier releases fitted it to left-out texts of each fitting. With a few wrong labels it jumped from 6 to 50.
_SHARPNESS = 10.0
# Columns between two yields: under a second with the most texts, and large enough for BLAS.
_BLOCK = 256
_SCORED_AT_ONCE = 256
# With this many texts left out, one at a time, the sharpness is known to some hundredths.
_LEFT_OUT = 1000


class KernelRidge:
    """Logits of vectors. vectors: the learnt ones, of shape (n, d). weights: of shape (n, C).

    sharpness: the factor from scores, which are mostly between the targets, to logits. projection: applied to all vectors first, of shape
    (d, d), or None. unprojected: the learnt vectors before the projection, or None.
    """

    def __init__(self) -> None:
        self.projection: Matrix | None = None
        self.unprojected: Matrix | None = None
        self.vectors: Matrix = np.empty((0, 0), np.float32)
        self.weights: Matrix = np.empty((0, 0), np.float32)
        self.sharpness = _SHARPNESS
        self.loss = 0.0

    @property
    def nbytes(self) -> int:
        """The bytes in memory."""
        return sum(array.nbytes for array in (self.vectors, self.weights, self.projection, self.unprojected) if array is not None)

    @property
    def learnt(self) -> Matrix:
        """The vectors that it learnt from, as the encoder made them. Of shape (n, d)."""
        return self.vectors if self.unprojected is None else self.unprojected

    def logits(self, vectors: Matrix) -> Matrix:
        """From vectors of shape (m, d) to shape (m, C)."""
        return self.judged(vectors)[0]

    def judged(self, vectors: Matrix) -> tuple[Matrix, Matrix]:
        """Logits of vectors of shape (m, d), of shape (m, C), and the mean cosine to the nearest learnt vectors, of shape (m,)."""
        found, nearness = np.empty((len(vectors), self.weights.shape[1]), np.float32), np.empty(len(vectors), np.float32)
        for start in range(0, len(vectors), _SCORED_AT_ONCE):
            part = slice(start, start + _SCORED_AT_ONCE)
            near = _kernel(self._projected(vectors[part]), self.vectors)
            found[part] = near @ self.weights
            # The projection would move strange texts nearer too, so the cosines use the encoder's own vectors.
            cosines = nearest(near if self.unprojected is None else _kernel(vectors[part], self.unprojected))
            nearness[part] = 1 + np.log(cosines).mean(axis=1) / _WIDTH
        return found * np.float32(self.sharpness), nearness

    def learn(self, vectors: Matrix, truth: NDArray[np.bool_], strength: float, *, exclusive: bool) -> Iterator[None]:
        """Learn from vectors of shape (n, d) and their labels, of shape (n, C). strength: of the ridge.

        It takes 4 n² bytes, and time that grows with n³: some seconds at 10,000. loss becomes the mean cross-entropy of left-out texts.
        Their predictions have a closed form: Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, section 7.10.
        """
        if self.projection is not None:
            self.unprojected, vectors = _in_columns(_kept(vectors)), self._projected(vectors)
        no = -1 / (truth.shape[1] - 1) if exclusive else -1.0
        targets = np.where(truth, np.float32(1), np.float32(no))
        factor = _Factor(vectors, strength)
        yield from factor.compute()
        weights = targets.copy()
        yield from factor.solve_lower(weights)
        yield from factor.solve_upper(weights)
        left_out = np.random.default_rng(0).permutation(len(vectors))[:_LEFT_OUT]
        columns = np.zeros((len(vectors), len(left_out)), np.float32)
        columns[left_out, np.arange(len(left_out))] = 1
        yield from factor.solve_lower(columns)
        without = targets[left_out] - weights[left_out] / np.einsum("ij,ij->j", columns, columns)[:, None]
        self.loss = cross_entropy(without * np.float32(self.sharpness), truth[left_out], exclusive=exclusive)
        self.vectors, self.weights = _in_columns(_kept(vectors)), _in_columns(weights)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arguments of `from_arrays`. Vectors are float16, which is as exact as they are."""
        exact = {"weights": np.ascontiguousarray(self.weights), "sharpness": np.array(self.sharpness)}
        halved = {"vectors": self.vectors, "projection": self.projection, "unprojected": self.unprojected}
        return exact | {name: array.astype(np.float16, order="C") for name, array in halved.items() if array is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> KernelRidge:
        made = cls()
        made.vectors, made.weights = _in_columns(arrays["vectors"]), _in_columns(arrays["weights"])
        made.sharpness = float(arrays["sharpness"])
        if "projection" in arrays:
            made.projection, made.unprojected = arrays["projection"].astype(np.float32), _in_columns(arrays["unprojected"])
        return made

    def _projected(self, vectors: Matrix) -> Matrix:
        return vectors if self.projection is None else projected(vectors, self.projection)


def left_out_logits(vectors: Matrix, truth: NDArray[np.bool_], trust: Matrix, strength: float) -> Matrix:
    """The logits of each text by a ridge that has learnt all other texts. Of shape (n, C).

    vectors: of shape (n, d). truth: exclusive labels, of shape (n, C). trust: how sure each text's label is, above 0 and at most 1, of
    shape (n,): its label counts as one with a noise of strength / trust. The closed form is that of `KernelRidge.learn`.
    """
    targets: Matrix = np.where(truth, 1, -1 / (truth.shape[1] - 1)).astype(np.float32)
    factor = _Factor(vectors, strength / trust)
    weights = targets.copy()
    for _ in chain(factor.compute(), factor.solve_lower(weights), factor.solve_upper(weights)):
        pass
    logits: Matrix = (targets - weights / factor.inverse_diagonal()[:, None]) * np.float32(_SHARPNESS)
    return logits


class KernelFitting:
    """A Fitting (recipes.fitting) over vectors of shape (n, d) and their labels, of shape (n, C). One pass solves it.

    contrast: whether to move the vectors of each label together first; each must have exactly one label. An interrupted pass computes its
    factor again, which is too large for a checkpoint.
    """

    def __init__(
        self, vectors: Matrix, truth: NDArray[np.bool_], strength: float, held_out: Matrix, *, exclusive: bool, contrast: bool
    ) -> None:
        self.epochs = 0
        self._vectors, self._truth, self._strength = vectors, truth, strength
        self._held_out, self._exclusive = held_out, exclusive
        self._contrast = Contrast(vectors, truth.argmax(axis=1)) if contrast else None
        self._ridge = KernelRidge()

    @property
    def loss(self) -> float:
        return self._ridge.loss

    @property
    def share(self) -> float:
        return self._contrast.share / 2 if self._contrast and not self.epochs else 0.0

    def begin(self) -> Iterator[None]:
        yield

    def run_epoch(self) -> Iterator[None]:
        if self._contrast:
            yield from self._contrast.steps()
            self._ridge.projection = self._contrast.projection
        yield from self._ridge.learn(self._vectors, self._truth, self._strength, exclusive=self._exclusive)
        self.epochs = 1

    def head(self) -> KernelRidge:
        """The current head."""
        return self._ridge

    def held_out_logits(self) -> Matrix:
        return self._ridge.logits(self._held_out)

    def finish(self) -> None:
        """Solve it even if the time is over, because half a solution is useless."""
        if not self.epochs:
            for _ in self.run_epoch():
                pass

    def save(self) -> dict[str, NDArray[Any]]:
        if self.epochs:
            return {**self._ridge.arrays(), "loss": np.array(self.loss)}
        return self._contrast.save() if self._contrast else {}

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        if self._contrast and "step" in saved:
            self._contrast.resume(saved)
        elif saved:
            self._ridge = KernelRidge.from_arrays(saved)
            self._ridge.loss = float(saved["loss"])
            self.epochs = 1


class _Factor:
    """The lower Cholesky factor of the kernel's matrix, computed in place: numpy's would take five times the memory.

    Left-looking, by blocks of columns: Golub and Van Loan 2013, Matrix Computations, section 4.2.
    """

    def __init__(self, vectors: Matrix, strength: float | Matrix) -> None:
        """strength: of the ridge; of shape (n,) if each text has its own."""
        size = len(vectors)
        self._vectors, self._strength = vectors, np.broadcast_to(np.asarray(strength, np.float32), size)
        self._matrix: Matrix = np.empty((size, size), np.float32)
        self._blocks = [slice(start, min(start + _BLOCK, size)) for start in range(0, size, _BLOCK)]
        # Of the factor's diagonal blocks.
        self._inverses: list[Matrix] = []

    def compute(self) -> Iterator[None]:
        for block in self._blocks:
            below = self._matrix[block.start :, block]
            below[:] = _kernel(self._vectors[block.start :], self._vectors[block])
            below -= self._matrix[block.start :, : block.start] @ self._matrix[block, : block.start].T
            size = block.stop - block.start
            square = below[:size].astype(np.float64) + np.diag(self._strength[block])
            lower = np.linalg.cholesky(square)
            self._inverses.append(np.linalg.inv(lower).astype(np.float32))
            below[:size] = lower
            below[size:] = below[size:] @ self._inverses[-1].T
            yield

    def solve_lower(self, right: Matrix) -> Iterator[None]:
        """Solve with the factor in place. right: of shape (n, m)."""
        for block, inverse in zip(self._blocks, self._inverses, strict=True):
            right[block] = inverse @ (right[block] - self._matrix[block, : block.start] @ right[: block.start])
            yield

    def inverse_diagonal(self) -> Matrix:
        """The diagonal of the inverse of the kernel's matrix with its ridge. Of shape (n,)."""
        diagonal = np.empty(len(self._vectors), np.float32)
        for place, block in enumerate(self._blocks):
            # Columns of the lower factor's inverse, which are 0 above the block.
            columns = np.zeros((len(self._vectors) - block.start, block.stop - block.start), np.float32)
            np.fill_diagonal(columns, 1)
            for below, inverse in zip(self._blocks[place:], self._inverses[place:], strict=True):
                own = slice(below.start - block.start, below.stop - block.start)
                columns[own] = inverse @ (columns[own] - self._matrix[below, block.start : below.start] @ columns[: own.start])
            diagonal[block] = np.einsum("ij,ij->j", columns, columns)
        return diagonal

    def solve_upper(self, right: Matrix) -> Iterator[None]:
        """Solve with the transposed factor in place."""
        for block, inverse in zip(reversed(self._blocks), reversed(self._inverses), strict=True):
            right[block] = inverse.T @ (right[block] - self._matrix[block.stop :, block].T @ right[block.stop :])
            yield


def _in_columns(rows: NDArray[Any]) -> Matrix:
    """The same matrix as float32, each column in one piece: BLAS multiplies a single text with that in two thirds of the time.

    Block by block: numpy's own way takes twice as long, while a first answer waits.
    """
    columns = np.empty(rows.shape[::-1], np.float32)
    for start in range(0, len(rows), _BLOCK):
        columns[:, start : start + _BLOCK] = rows[start : start + _BLOCK].astype(np.float32).T
    return columns.T


def _kept(vectors: Matrix) -> Matrix:
    """The vectors rounded like the artifact's, so that the trained and the loaded classifier are equal."""
    return vectors.astype(np.float16).astype(np.float32)


def _kernel(left: Matrix, right: Matrix) -> Matrix:
    """Of shape (left, right)."""
    near: Matrix = left @ right.T
    near -= 1
    near *= _WIDTH
    return np.exp(near, out=near)
