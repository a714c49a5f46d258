"""Drift: how a version answers usually, and how it answered on one day of the prediction log. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

KEPT_FOR = timedelta(days=90)
# The most labels that are told of a day: those whose shares changed most.
MOST_LABELS = 50


@dataclass(frozen=True, slots=True)
class Usual:
    """How a version answers examples that it has not learnt.

    measured_by: how they were held out, in a word. accepted: of how many texts a label is accepted. score: the mean score of the best
    labels. familiarity: how far texts are from being strange, on average; None if the version doesn't know. labels: of how many texts each
    label is the best one, among these and perhaps more held-out texts. scores: the number of best scores in each part of the range from 0
    to 1; all parts are equally wide.
    """

    measured_by: str
    texts: int
    accepted: int
    score: float
    familiarity: float | None
    labels: Mapping[str, int]
    scores: Sequence[int]


@dataclass(frozen=True, slots=True)
class LabelShare:
    """A label, its share of a day's texts, and its usual share."""

    label: str
    share: float
    usual_share: float


@dataclass(frozen=True, slots=True)
class UsualFigures:
    """The figures of the held-out examples that a day is compared with."""

    measured_by: str
    texts: int
    accepted_share: float
    mean_score: float
    mean_familiarity: float | None


@dataclass(frozen=True, slots=True)
class DriftDay:
    """One day of a model's prediction log, beside the held-out examples of the version that answered most of its texts.

    day: such as "2026-03-02", UTC. version: None if there were no texts. texts: those of the version that were looked at. other_texts:
    those of other versions. labels: at most MOST_LABELS, the most changed first; more_labels: how many others there are. usual: None if
    nothing is known to compare with. psi: the population stability index of the labels. p_labels, p_scores: of the two tests; None without
    a judgement. reason: a sentence.
    """

    model_id: str
    day: str
    version: int | None
    texts: int
    other_texts: int
    accepted_share: float | None
    mean_score: float | None
    mean_familiarity: float | None
    labels: tuple[LabelShare, ...]
    more_labels: int
    usual: UsualFigures | None
    psi: float | None
    p_labels: float | None
    p_scores: float | None
    drifted: bool
    reason: str
    measured_at: str
