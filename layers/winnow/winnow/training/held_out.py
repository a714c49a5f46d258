"""The answers of a training's folds: what classifiers say about examples that they had not learnt. numpy only."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from winnow.recipes import arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Asked(NamedTuple):
    """What classifiers say about n texts that they had not learnt, with the true labels.

    logits: of each stage, of shape (stages, n, C). truth: of shape (n, C). nearness: of shape (stages, n), or None if labels aren't
    exclusive.
    """

    logits: NDArray[np.float32]
    truth: NDArray[np.bool_]
    nearness: NDArray[np.float32] | None

    def of(self, places: NDArray[np.bool_]) -> Asked:
        """The same of some of the texts."""
        return Asked(self.logits[:, places], self.truth[places], None if self.nearness is None else self.nearness[:, places])


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The answers about n of a version's training examples, each held out in one fold.

    places: of the examples among the training examples. folds: the number of the fold. Both are of shape (n,). logits: of each stage, of
    shape (stages, n, C). nearness: of shape (stages, n), or None if labels aren't exclusive.
    """

    places: NDArray[np.int32]
    folds: NDArray[np.int8]
    logits: NDArray[np.float32]
    nearness: NDArray[np.float32] | None

    @property
    def of_last_stage(self) -> HeldOut:
        """The answers of the last stage alone."""
        return replace(self, logits=self.logits[-1:], nearness=None if self.nearness is None else self.nearness[-1:])

    def to_bytes(self) -> bytes:
        """The answers as a numpy archive."""
        file = io.BytesIO()
        near = {} if self.nearness is None else {"nearness": self.nearness}
        np.savez(file, allow_pickle=False, places=self.places, folds=self.folds, logits=self.logits, **near)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, archive: bytes) -> Self:
        """What `to_bytes` returned."""
        found = arrays.read(archive)
        logits, near = found["logits"], found.get("nearness")
        if logits.ndim == 2:
            # Of an earlier release, whose classifiers had no stages.
            logits, near = logits[None], None if near is None else near[None]
        return cls(found["places"], found["folds"], logits, near)
