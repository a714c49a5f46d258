"""Which labels examples have, as an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.domain import Example


def label_flags(examples: Sequence[Example], labels: Sequence[str]) -> NDArray[np.bool_]:
    """Of shape (examples, labels). Every label of the examples must be among `labels`."""
    column = {label: number for number, label in enumerate(labels)}
    flags = np.zeros((len(examples), len(labels)), np.bool_)
    for row, example in enumerate(examples):
        flags[row, [column[label] for label in example.labels]] = True
    return flags
