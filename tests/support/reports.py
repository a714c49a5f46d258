"""Random evaluation reports for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from winnow.evaluation.report import evaluation_report


def made(labels: int, *, exclusive: bool, texts: bool = False, names: Sequence[str] | None = None) -> dict[str, Any]:
    """A report on 300 examples, some of them wrong."""
    random = np.random.default_rng(0)
    truth = np.zeros((300, labels), dtype=np.bool_)
    truth[np.arange(300), random.integers(labels, size=300)] = True
    scores = random.random(truth.shape, dtype=np.float32) * 0.6 + truth * 0.35
    return evaluation_report(
        truth=truth if exclusive else truth | (scores > 0.9),
        scores=scores.astype(np.float32),
        uncalibrated=(scores * 0.8).astype(np.float32),
        thresholds=[0.5] * labels,
        labels=names or [f"label {number}" for number in range(labels)],
        exclusive=exclusive,
        rows=range(1, 301),
        texts=[f"text {number}" for number in range(300)] if texts else None,
    )
