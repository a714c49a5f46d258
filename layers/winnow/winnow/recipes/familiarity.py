"""Whether a text is similar to the learnt texts: "none of these" for exclusive labels. numpy only.

The best label's score is not enough, because a softmax always gives its total to the labels. Nearness to learnt texts is better at
detecting unrelated texts (Sun et al. 2022, arXiv 2204.06507), and the score is better at detecting almost related ones. Their weighted sum
is better than each at both. The weight was found on texts of other topics and on labels left out of training sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_NEAREST = 5
SCORE_WEIGHT = 0.3
# Of the artifacts that don't say it.
EARLIER_SCORE_WEIGHT = 0.6
# At most this share of the texts with known labels is refused: a higher share costs more than the strangers are worth.
_REFUSED, _MOST_REFUSED = 0.05, 0.5
# The two labels that a classifier needs, and one to leave out.
_FEWEST_LABELS = 3
_DIGITS = 6


def familiarity(nearness: Floats, scores: Floats, score_weight: float) -> Floats:
    """The familiarity of each text, shape (n,): from below 0 (strange) to 1 + score_weight (known).

    nearness: with a sentence encoder the mean cosine to the five nearest learnt texts, otherwise the share of known features, shape (n,).
    scores: calibrated, shape (n, labels).
    """
    return np.asarray(nearness + np.float32(score_weight) * scores.max(axis=1), np.float32)


def nearest(near: Floats) -> Floats:
    """The five largest values of each row, unordered, or all if there are fewer: from (n, m) to (n, 5)."""
    taken = min(_NEAREST, near.shape[1])
    return np.partition(near, -taken, axis=1)[:, -taken:]


def least_familiarity(held_out: Floats, texts: int | None = None) -> float:
    """The familiarity that 19 of 20 held-out texts with known labels reach. Shape (n,), n at least 1.

    texts: the number of all texts, if those of `held_out` are a part and the others are accepted. At least half of the part reach it.
    """
    refused = _REFUSED if texts is None else min(_MOST_REFUSED, _REFUSED * texts / len(held_out))
    return round(float(np.quantile(held_out, refused)), _DIGITS)


def strangers_of(labels: int, seed: int) -> NDArray[np.intp]:
    """The numbers of a fifth of the labels, at least one, to leave out of a training that measures strangers. Empty for few labels."""
    if labels < _FEWEST_LABELS:
        return np.empty(0, np.intp)
    return np.sort(np.random.default_rng(seed).permutation(labels)[: max(1, labels // 5)])


def reception(accepted: NDArray[np.bool_], by_score: NDArray[np.bool_], truth: NDArray[np.bool_]) -> dict[str, Any]:
    """The accepted and refused shares when some labels were left out of a training. Strangers have no label in truth, shape (n, labels).

    accepted: whether each text was accepted, by_score: whether it would be with only the score's threshold; both of shape (n,).
    `let_through`: the share of strangers that were accepted. `refused`: the share of other texts that were refused. `…_by_score`: the same
    with only the score's threshold.
    """
    strange = ~truth.any(axis=1)
    return {
        "texts": int(strange.sum()),
        "let_through": _share(accepted[strange]),
        "let_through_by_score": _share(by_score[strange]),
        "refused": _share(~accepted[~strange]),
        "refused_by_score": _share(~by_score[~strange]),
    }


def _share(flags: NDArray[np.bool_]) -> float:
    return round(float(flags.mean()), _DIGITS) if len(flags) else 0.0
