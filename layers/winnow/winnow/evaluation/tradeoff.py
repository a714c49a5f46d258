"""The share of answered texts against the share of right answers, from a dial, for the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from winnow.evaluation.intervals import wilson
from winnow.evaluation.measures import rounded

if TYPE_CHECKING:
    from winnow.evaluation.dial import Dial, Outcome

# The points of all labels together, and of each. With very many labels they have fewer, so that an answer isn't too large.
_POINTS, _POINTS_OF_LABEL, _POINTS_OF_LABELS = 20, 10, 5_000


def tradeoff_report(dial: Dial) -> dict[str, Any]:
    """What happens at the version's own thresholds and at others, with 95 % intervals."""
    points = max(1, min(_POINTS_OF_LABEL, _POINTS_OF_LABELS // len(dial.labels)))
    return {
        "measured_by": dial.measured_by,
        "examples": dial.texts,
        "own": point(dial.outcome(), dial.texts),
        "curve": [{"threshold": threshold, **point(found, dial.texts)} for threshold, found in dial.falling().curve(_POINTS)],
        "per_label": [_of_label(dial, number, points) for number in range(len(dial.labels))],
    }


def point(found: Outcome, examples: int) -> dict[str, Any]:
    """One point: how many texts are answered and refused, and how many of the answers are right. examples: at least 1."""
    return {
        "answered": found.answered,
        "answered_share": rounded(found.answered / examples),
        "answered_interval": wilson(found.answered, examples),
        **_right(found),
    }


def _of_label(dial: Dial, number: int, points: int) -> dict[str, Any]:
    of_label, examples = dial.of_label(number), int(dial.examples_of[number])
    curve = [{"threshold": threshold, **_point_of_label(found, examples)} for threshold, found in of_label.falling().curve(points)]
    return {"label": dial.labels[number], "examples": examples, "own": _point_of_label(of_label.outcome(), examples), "curve": curve}


def _point_of_label(found: Outcome, examples: int) -> dict[str, Any]:
    """The same for a label, and the share of its examples that are found. None if it has none."""
    return {"answered": found.answered, **_right(found), "found_share": rounded(found.right / examples) if examples else None}


def _right(found: Outcome) -> dict[str, Any]:
    answered, right = found
    share, interval = (rounded(right / answered), wilson(right, answered)) if answered else (None, None)
    return {"right": right, "right_share": share, "right_interval": interval}
