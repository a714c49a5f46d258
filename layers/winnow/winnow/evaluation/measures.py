"""Accuracy, precision, recall and F1 (https://scikit-learn.org/stable/modules/model_evaluation.html has their definitions)."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

_DIGITS = 6


def evaluate(truth: Sequence[Set[str]], accepted: Sequence[Set[str]], labels: Sequence[str]) -> dict[str, Any]:
    """Compare the labels that examples have with those that the classifier accepted for them.

    accuracy counts the examples whose labels are all right and complete (for exclusive labels plain accuracy, else subset accuracy).
    micro_f1 is over all decisions together; macro_f1 is the mean over the labels that occur in the truth or among the accepted.
    per_label gives precision, recall, F1 and support, in the order of `labels`. A ratio with nothing below its line is 0.
    """
    pairs = list(zip(truth, accepted, strict=True))
    per_label = {label: _label_measures(pairs, label) for label in labels}
    seen = [measures for measures in per_label.values() if measures["support"] or measures["accepted"]]
    right = sum(len(true & given) for true, given in pairs)
    said = sum(len(given) for _, given in pairs)
    there = sum(len(true) for true, _ in pairs)
    return {
        "examples": len(pairs),
        "accuracy": _ratio(sum(true == given for true, given in pairs), len(pairs)),
        "macro_f1": _ratio(sum(measures["f1"] for measures in seen), len(seen)),
        "micro_f1": _ratio(2 * right, said + there),
        "per_label": per_label,
    }


def _label_measures(pairs: Sequence[tuple[Set[str], Set[str]]], label: str) -> dict[str, float]:
    support = sum(label in true for true, _ in pairs)
    accepted = sum(label in given for _, given in pairs)
    right = sum(label in true and label in given for true, given in pairs)
    return {
        "precision": _ratio(right, accepted),
        "recall": _ratio(right, support),
        "f1": _ratio(2 * right, support + accepted),
        "support": support,
        "accepted": accepted,
    }


def _ratio(part: float, whole: float) -> float:
    return round(part / whole, _DIGITS) if whole else 0.0
