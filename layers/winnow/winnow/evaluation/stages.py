"""How many texts each stage of a cascade answered, for the evaluation. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.evaluation.measures import rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stage_report(stages: NDArray[np.int8], names: Sequence[str], encoders: Sequence[str]) -> list[dict[str, Any]]:
    """For each stage, in the order in which a text is asked: its name, the answered texts, and what it costs.

    stages: the number of the stage that answered each of n texts, of shape (n,), n at least 1. names: of the S stages. encoders: of the
    S - 1 stages after the first, the encoder that reads the texts there.

    The cost is `read`, the share of the texts that the stage's encoder had to read: those that no stage before it answered.
    """
    answered = np.bincount(stages, minlength=len(names))
    before = np.cumsum(answered) - answered
    return [
        {
            "stage": name,
            "encoder": encoder,
            "texts": int(answered[number]),
            "share": rounded(answered[number] / len(stages)),
            "read": rounded(1 - before[number] / len(stages)),
        }
        for number, (name, encoder) in enumerate(zip(names, [None, *encoders], strict=True))
    ]
