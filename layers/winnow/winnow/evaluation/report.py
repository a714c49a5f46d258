"""The whole evaluation of a version on its held-out test set: what goes into evaluation.json, and what the API answers."""

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
TOP_CONFUSIONS = 50
MOST_WRONG = 20


def evaluation_report(
    *,
    truth: Flags,
    scores: Scores,
    uncalibrated: Scores,
    thresholds: Sequence[float],
    labels: Sequence[str],
    exclusive: bool,
    rows: Sequence[int],
    texts: Sequence[str] | None,
    seed: int = 0,
) -> dict[str, Any]:
    """Everything measured on n held-out examples with C labels, JSON-able, figures of six digits. n is at least 1.

    truth, scores (calibrated) and uncalibrated: shape (n, C), scores from 0 to 1. thresholds and labels: C of them. rows and texts: n of
    them; a row is the example's number in the data set, and without texts the report shows none. ValueError where these don't agree.

    Predicted is, for exclusive labels, the best one, whether or not it reaches its threshold; else those that reach it, maybe none.
    """
    shape = (len(rows), len(labels))
    agree = {truth.shape, scores.shape, uncalibrated.shape} == {shape} and len(thresholds) == shape[1]
    if not agree or len(rows if texts is None else texts) != shape[0]:
        raise ValueError(f"Of {shape[0]} examples and {shape[1]} labels, truth, scores, thresholds or texts are of another number.")
    predicted = _predicted(scores, thresholds, exclusive=exclusive)
    mistakes = _mistakes(truth, predicted, scores, exclusive=exclusive)
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


def _predicted(scores: Scores, thresholds: Sequence[float], *, exclusive: bool) -> Flags:
    if not exclusive:
        # As float32, like the scores: so the classifier compares them when it answers.
        return np.asarray(scores >= np.asarray(thresholds, dtype=np.float32), dtype=np.bool_)
    predicted = np.zeros(scores.shape, dtype=np.bool_)
    # Of equal scores the first in the order of the labels, as in an answer.
    np.put_along_axis(predicted, scores.argmax(axis=1)[:, None], values=True, axis=1)
    return predicted


def _mistakes(truth: Flags, predicted: Flags, scores: Scores, *, exclusive: bool) -> Scores:
    """For each example, shape (n,), the confidence in what is wrong of it; -1 where nothing is.

    Exclusive: the score of the wrong label. Multilabel: of the surest wrong decision; a label wrongly predicted counts with its score,
    one wrongly left out with what its score leaves to 1.
    """
    added = np.where(predicted & ~truth, scores, np.float32(-1))
    left_out = np.where(truth & ~predicted & (not exclusive), 1 - scores, np.float32(-1))
    surest: Scores = np.maximum(added, left_out).max(axis=1)
    return surest


def _names(flags: Flags, scores: Scores, labels: Sequence[str]) -> list[str]:
    """The labels of one example, best first; flags and scores of shape (C,)."""
    return [labels[column] for column in np.argsort(-scores, kind="stable").tolist() if flags[column]]


def _confusion(truth: Flags, predicted: Flags, labels: Sequence[str]) -> dict[str, Any]:
    """How often each label (row) was taken for each (column); of many labels only what was most often taken for another."""
    size = len(labels)
    cells = truth.argmax(axis=1) * size + predicted.argmax(axis=1)
    matrix = np.bincount(cells, minlength=size * size).reshape(size, size)
    if size <= MOST_LABELS_OF_A_MATRIX:
        return {"labels": list(labels), "matrix": matrix.tolist()}
    np.fill_diagonal(matrix, 0)
    top = np.argsort(-matrix, axis=None, kind="stable")[:TOP_CONFUSIONS].tolist()
    found = [(cell // size, cell % size, int(matrix.flat[cell])) for cell in top]
    return {"top": [{"truth": labels[true], "predicted": labels[taken], "count": count} for true, taken, count in found if count]}
