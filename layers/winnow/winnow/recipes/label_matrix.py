"""The labels of examples as a boolean array."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.domain.dataset import Example


def label_flags(examples: Sequence[Example], labels: Sequence[str]) -> NDArray[np.bool_]:
    """Of shape (examples, labels). `labels` must contain every label of the examples."""
    return flags_of([example.labels for example in examples], labels)


def flags_of(sets: Sequence[Collection[str]], labels: Sequence[str]) -> NDArray[np.bool_]:
    """The same, from the labels of each example."""
    column = {label: number for number, label in enumerate(labels)}
    flags = np.zeros((len(sets), len(labels)), np.bool_)
    for row, given in enumerate(sets):
        flags[row, [column[label] for label in given]] = True
    return flags
