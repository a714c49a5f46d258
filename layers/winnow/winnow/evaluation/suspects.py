"""Labels that look wrong, by confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068). numpy only.

All scores are of classifiers that had not learnt the example. The confident joint says how many labels are wrong, and the scores say which.
A label that is nearly always called another one is one finding.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from winnow.evaluation.measures import rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.evaluation.measures import Flags

    Scores = NDArray[np.float32]
    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

# The most findings that are kept, the most examples that a finding about a label shows, and the most characters of a text.
MOST_FINDINGS, MOST_EXAMPLES, MOST_CHARACTERS = 500, 5, 200
# A label is nearly always called another one if that happens to this share of its examples, and it has at least so many.
_NEARLY_ALWAYS, _FEWEST = 0.8, 5
_HALF = 0.5


class _Group(NamedTuple):
    """A label that is nearly always called another one, or that is nearly always superfluous (None), and the examples, worst first."""

    given: int
    proposed: int | None
    places: list[int]


class _Single(NamedTuple):
    """An example with a label that looks wrong (given), that seems to be missing (proposed), or both."""

    place: int
    given: int | None
    proposed: int | None


class _Found(NamedTuple):
    """All groups, the worst singles, and the number of all singles."""

    groups: list[_Group]
    singles: list[_Single]
    number: int


def suspect_report(
    *,
    truth: Flags,
    scores: Scores,
    labels: Sequence[str],
    exclusive: bool,
    rows: Sequence[int],
    texts: Sequence[str] | None,
    ids: Sequence[str] | None = None,
    kept: Set[str] = frozenset(),
) -> dict[str, Any]:
    """The findings about n examples with C labels, as JSON values: first those about a whole label, then the others, worst first.

    truth, scores (calibrated): of shape (n, C). rows: n numbers in the data set. texts: n values; None if they may not be shown.
    ids: n ids of examples; None if nobody needs them. kept: those of examples that are no suspects.
    `found` counts all findings. `suspects` has the first `MOST_FINDINGS` of them.
    """
    groups, singles, number = _without(kept, ids, (_of_exclusive if exclusive else _of_several)(truth, scores))

    def names(given: int | None, proposed: int | None) -> dict[str, Any]:
        return {"label": None if given is None else labels[given], "proposed": None if proposed is None else labels[proposed]}

    def example(place: int, given: int | None, proposed: int | None) -> dict[str, Any]:
        of_given, of_proposed = (None if label is None else rounded(scores[place, label]) for label in (given, proposed))
        text = {} if texts is None else {"text": texts[place][:MOST_CHARACTERS]}
        known = {} if ids is None else {"example": ids[place]}
        return {**known, "row": int(rows[place]), "label_score": of_given, "proposed_score": of_proposed, **text}

    findings: list[dict[str, Any]] = []
    for given, proposed, places in sorted(groups, key=lambda group: -len(group.places)):
        examples = [example(place, given, proposed) for place in places[:MOST_EXAMPLES]]
        of_label = int(truth[:, given].sum())
        findings.append({"kind": "label", **names(given, proposed), "count": len(places), "of": of_label, "examples": examples})
    for single in singles[:MOST_FINDINGS]:
        kind = "wrong" if exclusive else "missing" if single.given is None else "superfluous"
        findings.append({"kind": kind, **names(single.given, single.proposed), **example(*single)})
    return {"checked": len(rows), "found": len(groups) + number, "suspects": findings[:MOST_FINDINGS]}


def _without(kept: Set[str], ids: Sequence[str] | None, found: _Found) -> _Found:
    """The findings without the examples that a client has kept as they are."""
    if not kept or ids is None:
        return found
    groups = [group._replace(places=[place for place in group.places if ids[place] not in kept]) for group in found.groups]
    singles = [single for single in found.singles if ids[single.place] not in kept]
    return _Found([group for group in groups if group.places], singles, found.number - (len(found.singles) - len(singles)))


def doubts(given: Places, scores: Scores) -> Floats:
    """How doubtful the only label of each example is, of shape (n,): how much likelier the best other label is, as a logarithm.

    given: of shape (n,). scores: of shape (n, C). Each score is compared with the mean score of its label, because some labels have high
    scores everywhere.
    """
    everyone = np.arange(len(given))
    # As if one more example had each label: a label without scores must not look likely everywhere.
    unusual = np.log(np.maximum(scores, 1e-6)) - np.log(scores.sum(axis=0) + 1)
    others = scores.copy()
    others[everyone, given] = -1
    doubt: Floats = unusual[everyone, others.argmax(axis=1)] - unusual[everyone, given]
    return doubt


def expected_errors(given: Places, scores: Scores) -> Floats:
    """How many examples of each label have it wrongly, by the confident joint. Of shape (C,).

    given: of shape (n,). scores: of shape (n, C). An example counts as one of a label if that label's score is at least the mean score of
    the label's own examples. If there are several such labels, the best one counts.
    """
    size = scores.shape[1]
    counts = np.bincount(given, minlength=size)
    own = np.bincount(given, weights=scores[np.arange(len(given)), given], minlength=size)
    usual = np.where(counts, own / np.maximum(counts, 1), np.inf)
    sure = scores >= usual
    found = np.where(sure, scores, -1).argmax(axis=1)
    any_sure = sure.any(axis=1)
    certain = np.bincount(given[any_sure], minlength=size)
    right = np.bincount(given[any_sure & (found == given)], minlength=size)
    return np.asarray(counts * np.where(certain, 1 - right / np.maximum(certain, 1), 0), np.float64)


def _of_exclusive(truth: Flags, scores: Scores) -> _Found:
    given, best, size = truth.argmax(axis=1), scores.argmax(axis=1), truth.shape[1]
    order = np.argsort(-doubts(given, scores), kind="stable")
    wrong = order[best[order] != given[order]]
    called = np.bincount(given[wrong] * size + best[wrong], minlength=size * size).reshape(size, size)
    groups = []
    for label in _nearly_always(called.max(axis=1), truth):
        other = int(called[label].argmax())
        groups.append(_Group(label, other, wrong[(given[wrong] == label) & (best[wrong] == other)].tolist()))
    grouped = {place for group in groups for place in group.places}
    expected = round(float(expected_errors(given, scores).sum()))
    singles = [_Single(place, int(given[place]), int(best[place])) for place in wrong[:expected].tolist() if place not in grouped]
    return _Found(groups, singles, len(singles))


def _of_several(truth: Flags, scores: Scores) -> _Found:
    """Each label is a choice between not having it and having it. Missing and superfluous labels are counted apart."""
    columns = zip(truth.T.astype(np.intp), scores.T, strict=True)
    errors = np.array([expected_errors(has, np.stack([1 - score, score], axis=1)) for has, score in columns])
    refusal = np.where(truth, 1 - scores, 0)
    groups = []
    for label in _nearly_always(np.minimum(errors[:, 1], (refusal > _HALF).sum(axis=0)), truth):
        order = np.argsort(-refusal[:, label], kind="stable")
        groups.append(_Group(label, None, order[refusal[order, label] > _HALF].tolist()))
        refusal[:, label], errors[label, 1] = 0, 0
    more, missing = _worst(np.where(truth, 0, scores), errors[:, 0])
    fewer, superfluous = _worst(refusal, errors[:, 1])
    singles = [(doubt, _Single(place, None, label)) for doubt, place, label in missing]
    singles += [(doubt, _Single(place, label, None)) for doubt, place, label in superfluous]
    singles.sort(key=lambda each: -each[0])
    return _Found(groups, [single for _, single in singles], more + fewer)


def _worst(doubt: Scores, errors: Floats) -> tuple[int, list[tuple[float, int, int]]]:
    """As many cells as there are errors: their number, and of the worst ones the doubt, example and label. doubt: of shape (n, C)."""
    cells = np.flatnonzero(doubt > _HALF)
    number = min(len(cells), round(float(errors.sum())))
    worst = cells[np.argsort(-doubt.flat[cells], kind="stable")[: min(number, MOST_FINDINGS)]]
    places, labels = np.unravel_index(worst, doubt.shape)
    return number, list(zip(doubt.flat[worst].tolist(), places.tolist(), labels.tolist(), strict=True))


def _nearly_always(counts: NDArray[Any], truth: Flags) -> list[int]:
    """The labels with a count near the number of their examples. counts: of shape (C,)."""
    of_label = truth.sum(axis=0)
    return np.flatnonzero((of_label >= _FEWEST) & (counts >= _NEARLY_ALWAYS * of_label)).tolist()
