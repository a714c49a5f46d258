"""Accuracy, precision, recall and F1 (definitions: https://scikit-learn.org/stable/modules/model_evaluation.html).

Everywhere n is the number of examples and C the number of labels. Truth and predictions are boolean arrays of shape (n, C): row i has the
labels of example i.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.recipes.label_matrix import flags_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Figures = NDArray[np.float64]

_DIGITS = 6
_AVERAGED = ("precision", "recall", "f1")


def evaluate(truth: Sequence[Set[str]], accepted: Sequence[Set[str]], labels: Sequence[str]) -> dict[str, Any]:
    """The main measures of label sets: examples, accuracy, macro_f1, micro_f1, per_label. `labels` must contain every label."""
    if len(truth) != len(accepted):
        raise ValueError(f"{len(truth)} examples, and {len(accepted)} answers")
    measured = measures(flags_of(truth, labels), flags_of(accepted, labels), labels)
    return {name: measured[name] for name in ("examples", "accuracy", "macro_f1", "micro_f1", "per_label")}


def measures(truth: Flags, predicted: Flags, labels: Sequence[str]) -> dict[str, Any]:
    """Compare the true and the predicted labels, both of shape (n, C).

    accuracy is the share of examples whose labels are all right and complete (for multilabel: subset accuracy). micro_… counts all
    decisions together, macro_… is the mean over labels that occur or were predicted, and weighted_… is the mean by support. per_label has
    the order of `labels`. A ratio with denominator 0 is 0.
    """
    right, said, there = counts(truth, predicted)
    each = dict(zip(_AVERAGED, (ratio(right, said), ratio(right, there), ratio(2 * right, said + there)), strict=True))
    total, support = (right.sum(), said.sum(), there.sum()), there.sum()
    micro = (ratio(total[0], total[1]), ratio(total[0], total[2]), ratio(2 * total[0], total[1] + total[2]))
    seen = said + there > 0
    return {
        "examples": len(truth),
        "accuracy": rounded(ratio(whole(truth, predicted).sum(), len(truth))),
        **{f"micro_{name}": rounded(value) for name, value in zip(_AVERAGED, micro, strict=True)},
        **{f"macro_{name}": rounded(ratio(values[seen].sum(), seen.sum())) for name, values in each.items()},
        **{f"weighted_{name}": rounded(ratio(values @ there, support)) for name, values in each.items()},
        "per_label": {
            label: {**{name: rounded(values[column]) for name, values in each.items()}, "support": int(there[column])}
            for column, label in enumerate(labels)
        },
    }


def counts(truth: Flags, predicted: Flags) -> tuple[Figures, Figures, Figures]:
    """For each label, shape (C,): how often it was predicted correctly, was predicted, and occurs."""
    right, said, there = (flags.sum(axis=0, dtype=np.float64) for flags in (truth & predicted, predicted, truth))
    return right, said, there


def whole(truth: Flags, predicted: Flags) -> Flags:
    """For each example, shape (n,): whether its labels are all right and complete."""
    return np.asarray((truth == predicted).all(axis=1), dtype=np.bool_)


def ratio(part: Any, total: Any) -> Figures:
    """part / total, elementwise; 0 where total is 0."""
    part, total = np.broadcast_arrays(np.asarray(part, dtype=np.float64), np.asarray(total, dtype=np.float64))
    quotient: Figures = np.divide(part, total, out=np.zeros(part.shape), where=total != 0)
    return quotient


def rounded(value: Any) -> float:
    """A number for a report: a Python float with six digits."""
    return round(float(value), _DIGITS)
