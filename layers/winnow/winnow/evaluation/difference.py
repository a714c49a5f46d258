"""Compare two versions on the same examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from winnow.evaluation.measures import measures, rounded, whole

if TYPE_CHECKING:
    from winnow.evaluation.measures import Flags

_COMPARED = ("accuracy", "macro_f1", "micro_f1")


def comparison_report(truth: Flags, before: Flags, after: Flags, labels: Sequence[str]) -> dict[str, Any]:
    """The comparison as JSON values. All arrays are of shape (n, C), n at least 1.

    truth: the labels of n examples. before and after: the predictions of the two versions. gained and lost: the number of examples that
    only the version after, or only the version before, has completely right. per_label: the labels that occur or were predicted, the
    largest fall first, equal changes in the order of `labels`.
    """
    old, new = measures(truth, before, labels), measures(truth, after, labels)
    occurs = (truth | before | after).any(axis=0)
    right_before, right_after = whole(truth, before), whole(truth, after)
    changes = [
        {
            "label": label,
            "support": new["per_label"][label]["support"],
            "before": old["per_label"][label]["f1"],
            "after": new["per_label"][label]["f1"],
            "change": rounded(new["per_label"][label]["f1"] - old["per_label"][label]["f1"]),
        }
        for column, label in enumerate(labels)
        if occurs[column]
    ]
    return {
        "examples": len(truth),
        "before": {name: old[name] for name in _COMPARED},
        "after": {name: new[name] for name in _COMPARED},
        "gained": int((right_after & ~right_before).sum()),
        "lost": int((right_before & ~right_after).sum()),
        "per_label": sorted(changes, key=lambda change: change["change"]),
    }
