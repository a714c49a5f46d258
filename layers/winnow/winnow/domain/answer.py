"""The nouns of an answer: scored labels and their explanation. Frozen dataclasses; standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple


class ScoredLabel(NamedTuple):
    """One label of a prediction. score: 0 to 1; accepted: the score reaches the label's threshold.

    A tuple, because a call with 100 texts makes 500 of them, and a frozen dataclass takes twice as long.
    """

    label: str
    score: float
    accepted: bool


def as_dicts(labels: Iterable[ScoredLabel]) -> list[dict[str, Any]]:
    """A text's labels as the API shows them."""
    # By hand: _asdict takes three times as long.
    return [{"label": label, "score": score, "accepted": accepted} for label, score, accepted in labels]


@dataclass(frozen=True, slots=True)
class ExplainedWord:
    """A word of a text, in Unicode's normal form and in lower case, and what it adds to a label's logit.

    start, end: its place in the text, in characters (Unicode code points), without the end itself. None if Unicode normalization
    moved the characters too much to find the place.
    """

    word: str
    contribution: float
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text has a label. Scores come from the logits divided by temperature.

    method: "exact" if the logit is the bias plus the words' contributions; "occlusion" if a contribution is what the logit loses without
    the word, and there is no bias. untried_words: the further words of a long text, which were not tried.
    """

    label: str
    method: Literal["exact", "occlusion"]
    logit: float
    temperature: float
    bias: float | None
    words: list[ExplainedWord]
    untried_words: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """A version's answer for a text: its labels, best first.

    explanation: why the first label is first, if the client asked for it. stage: the stage that answered, if the recipe has stages.
    familiarity: how far the text is from being strange to the version, below 0 if it is strange; None if the version doesn't know.
    policy: the revision of the policy that says what is accepted; None if the version's own thresholds do.
    """

    labels: list[ScoredLabel]
    explanation: Explanation | None = None
    stage: str | None = None
    familiarity: float | None = None
    policy: int | None = None
