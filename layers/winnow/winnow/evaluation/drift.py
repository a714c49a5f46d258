"""Compares a day's answers with a version's usual ones. numpy only.

Two tests: one of the labels, one of the scores of the best labels (Kolmogorov and Smirnov's distance). Both are permutation tests: if
nothing changed, the texts of the day are a random part of all texts, those of the day and the held-out ones together. So the counts of the
day have a multivariate hypergeometric distribution, whatever the labels' shares are, and the rate of false alarms is exact with few texts
too. Both samples count with their uncertainty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from winnow.domain.drift import MOST_LABELS, LabelShare, Usual, UsualFigures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Counts = NDArray[np.int64]
    type Floats = NDArray[np.float32]
    # The statistic of the day's counts, of shape (…, groups).
    type Statistic = Callable[[Counts], NDArray[np.float64]]

FALSE_ALARMS, DAYS = 0.05, 30
"""A model that doesn't drift has a false alarm in DAYS days with at most this probability."""
# Bonferroni: over the days, and over the two tests of a day.
LEAST_P = FALSE_ALARMS / DAYS / 2
# With fewer texts a day isn't judged.
LEAST_TEXTS = 100

_PARTS = 1000
# Labels with fewer expected texts of the day are one group, and there are no more groups than this.
_LEAST_EXPECTED, _MOST_GROUPS = 5, 200
_SCORE_GROUPS = 50
# The change that the test of the labels looks for: of this share of the day's texts. A label in it keeps at least _LEAST_KEPT of its texts.
_CHANGED, _LEAST_KEPT = 0.1, 0.1
# The first draws are enough for most days: their p is far above LEAST_P.
_FIRST_DRAWS, _DRAWS, _CLEAR = 499, 9_999, 0.05
# The classifiers of folds have learnt fewer examples than the version, so they are a little less sure. A distance up to this says nothing.
_FOLDS_ALLOWANCE = 0.1
_DIGITS = 6


class Seen(NamedTuple):
    """A day's texts. labels: the best one of each text; scores: its score; familiarity: None where the version doesn't know."""

    labels: Sequence[str]
    scores: Sequence[float]
    accepted: int
    familiarity: Sequence[float]


class Comparison(NamedTuple):
    """What two tests and an index say about a day. psi: the population stability index of the labels."""

    psi: float
    p_labels: float
    p_scores: float

    @property
    def drifted(self) -> bool:
        return self.p_labels <= LEAST_P or self.p_scores <= LEAST_P


def usual_of(
    labels: Sequence[str],
    measured_by: str,
    *,
    scores: Floats,
    accepted: NDArray[np.bool_],
    surplus: Floats | None,
    of_folds: Floats | None = None,
) -> dict[str, Any]:
    """`Usual` as JSON, from n answers. scores: of shape (n, labels); accepted, surplus (the familiarity): of shape (n,).

    of_folds: the scores of other texts by classifiers that learnt fewer examples. They count for the labels only.
    """
    top = scores.max(axis=1)
    best = scores if of_folds is None else np.concatenate([scores, of_folds])
    counts = np.bincount(best.argmax(axis=1), minlength=len(labels)).tolist()
    usual = Usual(
        measured_by=measured_by,
        texts=len(scores),
        accepted=int(accepted.sum()),
        score=round(float(top.mean(dtype=np.float64)), _DIGITS),
        familiarity=None if surplus is None else round(float(surplus.mean(dtype=np.float64)), _DIGITS),
        labels={label: count for label, count in zip(labels, counts, strict=True) if count},
        scores=_histogram(top).tolist(),
    )
    return asdict(usual)


def compare(usual: Usual, seen: Seen) -> Comparison | None:
    """The day beside the usual answers. None if one of the two has fewer than LEAST_TEXTS texts."""
    if min(usual.texts, len(seen.labels)) < LEAST_TEXTS:
        return None
    day, held_out = _grouped(*_label_counts(usual, seen))
    shares = [(counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (day, held_out)]
    psi = float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
    allowance = _FOLDS_ALLOWANCE if usual.measured_by == "cross-validation" else 0.0
    of_scores = _quantiles(_histogram(np.asarray(seen.scores, np.float32)), np.asarray(usual.scores, np.int64))
    return Comparison(
        round(psi, _DIGITS),
        _p(day, held_out, _likelihood(day + held_out, int(day.sum()))),
        _p(*of_scores, _distance(of_scores[0] + of_scores[1], len(seen.scores)), allowance),
    )


def label_shares(usual: Usual | None, seen: Seen) -> tuple[tuple[LabelShare, ...], int]:
    """At most MOST_LABELS labels, the most changed first, and the number of the others."""
    texts, counted = len(seen.labels), _counted(seen.labels)
    before = {} if usual is None else usual.labels
    of_usual = max(1, sum(before.values()))
    shares = [
        LabelShare(
            label,
            round(counted.get(label, 0) / texts, _DIGITS),
            round(before.get(label, 0) / of_usual, _DIGITS),
        )
        for label in {**counted, **before}
    ]
    shares.sort(key=lambda each: (-abs(each.share - each.usual_share), each.label))
    return tuple(shares[:MOST_LABELS]), max(0, len(shares) - MOST_LABELS)


def figures_of(usual: Usual) -> UsualFigures:
    """The figures of the held-out examples."""
    share = round(usual.accepted / usual.texts, _DIGITS)
    return UsualFigures(usual.measured_by, usual.texts, share, usual.score, usual.familiarity)


def _counted(labels: Sequence[str]) -> Mapping[str, int]:
    names, counts = np.unique(np.asarray(labels, object), return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _label_counts(usual: Usual, seen: Seen) -> tuple[Counts, Counts]:
    counted = _counted(seen.labels)
    names = sorted({*counted, *usual.labels})
    day, held_out = ([counts.get(name, 0) for name in names] for counts in (counted, usual.labels))
    return np.array(day, np.int64), np.array(held_out, np.int64)


def _grouped(day: Counts, held_out: Counts) -> tuple[Counts, Counts]:
    """The counts with rare labels as one group. Which are rare says the sum of both samples, so that the test stays exact."""
    both = day + held_out
    order = np.argsort(-both, kind="stable")
    kept = order[: _MOST_GROUPS - 1]
    kept = kept[both[kept] * day.sum() >= _LEAST_EXPECTED * both.sum()]
    rare = np.setdiff1d(order, kept)
    return np.append(day[kept], day[rare].sum()), np.append(held_out[kept], held_out[rare].sum())


def _quantiles(day: Counts, held_out: Counts) -> tuple[Counts, Counts]:
    """Two histograms with neighbours joined into some _SCORE_GROUPS groups that have about as many texts of both samples together."""
    both = np.cumsum(day + held_out)
    group = np.minimum((both * _SCORE_GROUPS - 1) // max(1, int(both[-1])), _SCORE_GROUPS - 1).clip(0)
    joined = [np.bincount(group, weights=counts, minlength=_SCORE_GROUPS).astype(np.int64) for counts in (day, held_out)]
    return joined[0], joined[1]


def _likelihood(both: Counts, texts: int) -> Statistic:
    """The logarithm of a likelihood ratio: that a tenth of the day's texts came to k labels, or left k labels, against no change.

    It is a mean over both directions, over k (powers of 2, up to half of the labels), and over which labels these are: each label is one of
    them with the probability k / labels, and all of them change by the same factor. No other test finds such changes more often on average
    (Neyman and Pearson), but for two approximations: labels are seen as independent of each other, and as equally common.
    """
    some = both > 0
    both, labels, share = both[some], int(some.sum()), texts / both.sum()
    # How probable it is that a label is one of them, and the factor by which these change.
    changes: list[tuple[float, float]] = []
    for exponent in range((labels // 2).bit_length()):
        in_it = 2**exponent / labels
        changes += [(in_it, 1 - _CHANGED + _CHANGED / in_it), (in_it, max(_LEAST_KEPT, 1 - _CHANGED / in_it))]

    def likelihood(counts: Counts) -> NDArray[np.float64]:
        counts = counts[..., some]
        # A label's part is looked up by its count, because counts repeat.
        possible = np.arange(counts.max(initial=0) + 1)

        def parts(factor: float) -> NDArray[np.float64]:
            """Binomial probabilities with this factor over those without, as logarithms. Of shape (labels, possible)."""
            found: NDArray[np.float64] = possible * np.log(factor) - (both * np.log1p(share * (factor - 1)))[:, np.newaxis]
            return found

        ratios = np.full(counts.shape[:-1], -np.inf)
        for in_it, factor in changes:
            of_others = (1 - in_it * factor) / (1 - in_it)
            of_labels = np.logaddexp(np.log(in_it) + parts(factor), np.log1p(-in_it) + parts(of_others))
            ratios = np.logaddexp(ratios, of_labels[np.arange(labels), counts].sum(axis=-1))
        return ratios

    return likelihood


def _distance(both: Counts, texts: int) -> Statistic:
    rest = both.sum() - texts
    of_both = np.cumsum(both)

    def distance(counts: Counts) -> NDArray[np.float64]:
        of_day = np.cumsum(counts, axis=-1)
        return np.abs(of_day / texts - (of_both - of_day) / rest).max(axis=-1)

    return distance


def _p(day: Counts, held_out: Counts, statistic: Statistic, allowance: float = 0.0) -> float:
    """How probable a day like this is, if it is a random part of both samples: one on which the statistic is at least as large."""
    found = float(statistic(day)) - allowance - 1e-9
    # The same data have the same answer.
    random = np.random.default_rng(0)
    draws = reached = 0
    for some in (_FIRST_DRAWS, _DRAWS - _FIRST_DRAWS):
        drawn = random.multivariate_hypergeometric(day + held_out, int(day.sum()), size=some, method="marginals")
        draws += some
        reached += int((statistic(drawn) >= found).sum())
        if reached > _CLEAR * draws:
            break
    return round((1 + reached) / (1 + draws), _DIGITS)


def _histogram(scores: Floats) -> Counts:
    parts = np.minimum((np.asarray(scores, np.float64) * _PARTS).astype(np.int64), _PARTS - 1).clip(0)
    return np.bincount(parts, minlength=_PARTS)
