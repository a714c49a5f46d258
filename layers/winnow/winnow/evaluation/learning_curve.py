"""The learning curve: how accuracy grows with the number of learnt examples, and whether more examples would help. numpy only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from winnow.evaluation.intervals import Z, wilson
from winnow.evaluation.measures import rounded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A gain below this, a point of accuracy, is hardly worth twice the examples.
_WORTH = 0.01


def learning_curve(points: Sequence[tuple[int, NDArray[np.bool_]]]) -> dict[str, Any] | None:
    """The curve. None if there are fewer than two points.

    points: the number of learnt examples, and which answers were right, of shape (n,); the fewest examples first. The n texts are the same
    ones in the same order, so that two points are compared text by text.
    """
    if len(points) < 2:
        return None
    (fewer, before), (most, after) = points[-2:]
    return {
        "points": [
            {"examples": learnt, "accuracy": rounded(right.mean()), "interval": wilson(int(right.sum()), len(right))}
            for learnt, right in points
        ],
        "conclusion": f"{_would_help(before, after)}: from {fewer:,} to {most:,} learnt examples, accuracy went from "
        f"{before.mean():.3f} to {after.mean():.3f}.",
    }


def _would_help(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> str:
    """By the 95 % interval of the gain of paired answers: Bonett and Price 2012, which stays sensible if few or no answers changed."""
    texts, gained, lost = len(after) + 2, int((after & ~before).sum()) + 1, int((before & ~after).sum()) + 1
    gain = (gained - lost) / texts
    half = Z * math.sqrt((gained + lost) / texts - gain**2) / math.sqrt(texts)
    if gain - half > 0:
        return "More examples will probably help"
    if gain + half < _WORTH:
        return "More examples of this kind will hardly help"
    return "It isn't clear whether more examples would help"
