"""Compare two versions on the same examples."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.domain.dataset import example_id
from winnow.evaluation.measures import measures, rounded, whole
from winnow.evaluation.suspects import MOST_CHARACTERS

if TYPE_CHECKING:
    from winnow.domain.dataset import Example
    from winnow.evaluation.measures import Flags

# The most examples that are shown of those that one version has right and the other has not.
MOST_SHOWN = 100

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


def changed_examples(
    truth: Flags, before: Flags, after: Flags, labels: Sequence[str], examples: Sequence[Example], *, uid: str, keep_texts: bool
) -> dict[str, Any]:
    """The first examples that the version after has fixed and broken, as JSON values. The arrays are those of `comparison_report`.

    keep_texts: whether the beginning of their texts may be shown.
    """
    right_before, right_after = whole(truth, before), whole(truth, after)

    def shown(place: int) -> dict[str, Any]:
        example = examples[place]
        said = {name: list(compress(labels, flags[place])) for name, flags in (("labels", truth), ("before", before), ("after", after))}
        text = {"text": example.text[:MOST_CHARACTERS]} if keep_texts else {}
        return {"example": example_id(uid, example.text), **said, **text}

    found = {"fixed": right_after & ~right_before, "broken": right_before & ~right_after}
    return {name: [shown(place) for place in np.flatnonzero(flags)[:MOST_SHOWN].tolist()] for name, flags in found.items()}
