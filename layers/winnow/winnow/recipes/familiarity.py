"""Whether a text is like those that a classifier learnt at all: "none of these" for exclusive labels. numpy only.

The score of the best label tells too little of that, for a softmax has to give its all to some label. Whether texts that were learnt lie
near tells more of what has nothing to do with any label (Sun et al. 2022, arXiv 2204.06507), the score more of what nearly has: a sum of
both is better at each than one of them. The weight was found on labels left out of training sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_NEAREST = 5
_SCORE_WEIGHS = np.float32(0.6)
# Of the texts of known labels so many may be refused: more would cost more than most strangers are worth.
_REFUSED = 0.05
# As few labels as a classifier needs, and one to leave out.
_FEWEST_LABELS = 3
_DIGITS = 6


def familiarity(nearness: Floats, scores: Floats) -> Floats:
    """Of each text, shape (n,): from below 0, strange, to 1.6, known. nearness: the mean cosine to the nearest five texts that were
    learnt, shape (n,); scores: calibrated, shape (n, labels)."""
    return np.asarray(nearness + _SCORE_WEIGHS * scores.max(axis=1), np.float32)


def nearest(near: Floats) -> Floats:
    """The largest five of each row, or all of fewer, in no order: of (n, m), of shape (n, 5)."""
    taken = min(_NEAREST, near.shape[1])
    return np.partition(near, -taken, axis=1)[:, -taken:]


def least_familiarity(held_out: Floats) -> float:
    """What a text must reach to be accepted: as much as 19 of 20 held-out texts of known labels do. Shape (n,), n at least 1."""
    return round(float(np.quantile(held_out, _REFUSED)), _DIGITS)


def strangers_of(labels: int, seed: int) -> NDArray[np.intp]:
    """The numbers of a fifth of the labels, at least one, to be left out of a training that tells how strangers are received; with too few
    labels, none."""
    if labels < _FEWEST_LABELS:
        return np.empty(0, np.intp)
    return np.sort(np.random.default_rng(seed).permutation(labels)[: max(1, labels // 5)])


def reception(familiar: Floats, scores: Floats, truth: NDArray[np.bool_], *, threshold: float, least: float) -> dict[str, Any]:
    """What was let through and refused where some labels were left out of a training: truth, of shape (n, labels), has none for strangers.

    `let_through`: the share of strangers that were accepted; `refused`: of the others, the share that weren't; `…_by_score`: the same by
    the score's threshold alone.
    """
    strange = ~truth.any(axis=1)
    by_score = scores.max(axis=1) >= threshold
    accepted = by_score & (familiar >= least)
    return {
        "texts": int(strange.sum()),
        "let_through": _share(accepted[strange]),
        "let_through_by_score": _share(by_score[strange]),
        "refused": _share(~accepted[~strange]),
        "refused_by_score": _share(~by_score[~strange]),
    }


def _share(flags: NDArray[np.bool_]) -> float:
    return round(float(flags.mean()), _DIGITS) if len(flags) else 0.0
