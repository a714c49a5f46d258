"""The nouns of an answer: scored labels, and what explains them. Frozen, and made of the standard library alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple


class ScoredLabel(NamedTuple):
    """One label of a prediction. score: 0 to 1; accepted: the score reaches the label's threshold.

    A tuple, since a call of a hundred texts makes five hundred: a frozen dataclass takes twice as long.
    """

    label: str
    score: float
    accepted: bool


def as_dicts(labels: Iterable[ScoredLabel]) -> list[dict[str, Any]]:
    """A text's labels as answers have them."""
    # By hand: _asdict takes three times as long.
    return [{"label": label, "score": score, "accepted": accepted} for label, score, accepted in labels]


@dataclass(frozen=True, slots=True)
class ExplainedWord:
    """A word of a text, as the model read it, and what it adds to the logit of a label. start, end: where it stands in the text, in
    characters (Unicode code points), the end not taken in; None where Unicode's normal form has moved too much to tell."""

    word: str
    contribution: float
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text has a label: bias and the words' contributions add up to the logit. Logits divided by temperature make the scores."""

    label: str
    logit: float
    temperature: float
    bias: float
    words: list[ExplainedWord]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a version says of a text: its labels, best first; and, where that was asked for, why it is the first."""

    labels: list[ScoredLabel]
    explanation: Explanation | None = None
