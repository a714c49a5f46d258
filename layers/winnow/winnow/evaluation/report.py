"""The evaluation of a version on its held-out test set, for evaluation.json and the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.evaluation.calibration_error import reliability
from winnow.evaluation.intervals import intervals
from winnow.evaluation.measures import measures, rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.evaluation.measures import Flags

    Scores = NDArray[np.float32]

MOST_LABELS_OF_A_MATRIX = 50
TOP_CONFUSIONS = 1_000
MOST_WRONG = 20


def evaluation_report(
    *,
    truth: Flags,
    scores: Scores,
    uncalibrated: Scores,
    thresholds: Sequence[float] | Scores,
    labels: Sequence[str],
    exclusive: bool,
    rows: Sequence[int],
    texts: Sequence[str] | None,
    seed: int = 0,
) -> dict[str, Any]:
    """All measurements on n held-out examples with C labels, as JSON values with six digits. n is at least 1.

    truth, scores (calibrated) and uncalibrated: of shape (n, C), scores from 0 to 1. labels: C values. thresholds: C values, or of shape
    (n, C) if each example has its own. rows and texts: n values; a row is the example's number in the data set. Without texts the report
    shows none. Raises ValueError if the shapes don't match.

    The prediction for exclusive labels is the best label, whatever its threshold. Otherwise it is every label that reaches its threshold.
    """
    shape = (len(rows), len(labels))
    agree = {truth.shape, scores.shape, uncalibrated.shape} == {shape} and np.shape(thresholds)[-1] == shape[1]
    if not agree or len(rows if texts is None else texts) != shape[0]:
        raise ValueError(
            f"The shapes don't match: expected {shape[0]} examples and {shape[1]} labels in truth, scores, thresholds and texts."
        )
    predicted = predicted_flags(scores, thresholds, exclusive=exclusive)
    mistakes = surest_mistakes(truth, predicted, scores, exclusive=exclusive)
    return {
        **measures(truth, predicted, labels),
        "intervals": intervals(truth, predicted, seed),
        "confusion": _confusion(truth, predicted, labels) if exclusive else None,
        "calibration": {
            "before": reliability(truth, uncalibrated, exclusive=exclusive),
            "after": reliability(truth, scores, exclusive=exclusive),
        },
        "most_wrong": [
            {
                "row": int(rows[example]),
                "truth": _names(truth[example], scores[example], labels),
                "predicted": _names(predicted[example], scores[example], labels),
                "score": rounded(mistakes[example]),
                **({} if texts is None else {"text": texts[example]}),
            }
            for example in np.argsort(-mistakes, kind="stable")[:MOST_WRONG].tolist()
            if mistakes[example] >= 0
        ],
    }


def predicted_flags(scores: Scores, thresholds: Sequence[float] | Scores, *, exclusive: bool) -> Flags:
    """The predicted labels of each example, of shape (n, C), as `evaluation_report` counts them.

    scores: of shape (n, C). thresholds: of shape (C,), or (n, C) if each example has its own.
    """
    if not exclusive:
        # Compare as float32, like the classifier when it answers.
        return np.asarray(scores >= np.asarray(thresholds, dtype=np.float32), dtype=np.bool_)
    predicted = np.zeros(scores.shape, dtype=np.bool_)
    # The first label wins if scores are equal, as in answers.
    np.put_along_axis(predicted, scores.argmax(axis=1)[:, None], values=True, axis=1)
    return predicted


def surest_mistakes(truth: Flags, predicted: Flags, scores: Scores, *, exclusive: bool) -> Scores:
    """The confidence of each example's worst mistake, shape (n,); -1 if there is none.

    Exclusive: the score of the wrong label. Multilabel: the score of a wrongly predicted label, or 1 minus the score of a missing one,
    whichever is higher.
    """
    added = np.where(predicted & ~truth, scores, np.float32(-1))
    left_out = np.where(truth & ~predicted & (not exclusive), 1 - scores, np.float32(-1))
    surest: Scores = np.maximum(added, left_out).max(axis=1)
    return surest


def _names(flags: Flags, scores: Scores, labels: Sequence[str]) -> list[str]:
    """The labels of one example, best first. flags and scores are of shape (C,)."""
    return [labels[column] for column in np.argsort(-scores, kind="stable").tolist() if flags[column]]


def _confusion(truth: Flags, predicted: Flags, labels: Sequence[str]) -> dict[str, Any]:
    """How often each label (row) was predicted as each label (column). With many labels, only the most frequent confusions."""
    size = len(labels)
    cells = truth.argmax(axis=1) * size + predicted.argmax(axis=1)
    matrix = np.bincount(cells, minlength=size * size).reshape(size, size)
    if size <= MOST_LABELS_OF_A_MATRIX:
        return {"labels": list(labels), "matrix": matrix.tolist()}
    np.fill_diagonal(matrix, 0)
    top = np.argsort(-matrix, axis=None, kind="stable")[:TOP_CONFUSIONS].tolist()
    found = [(cell // size, cell % size, int(matrix.flat[cell])) for cell in top]
    return {"top": [{"truth": labels[true], "predicted": labels[taken], "count": count} for true, taken, count in found if count]}
