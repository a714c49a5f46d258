"""The choice among the recipes that were tried for one version. A pure function of how each came off, never of the test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from winnow.domain.errors import TrainingFailedError
from winnow.recipes.catalogue import COSTS

# A dearer recipe has to be better by this much: a point of accuracy or micro-F1.
_WORTH_MORE = 0.01
# So that two scores a point apart are, whatever floating point makes of their difference.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """How a recipe came off that was tried for a version.

    score: on the texts held out of the training set, 0 to 1, None where none could be; seconds: of training; manifest_sha256: of the
    artifact it made. failed: the sentence that says why it made none, else None.
    """

    recipe: str
    score: float | None = None
    seconds: float | None = None
    manifest_sha256: str = ""
    failed: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """What the API shows of it."""
        if self.failed is not None:
            return {"recipe": self.recipe, "failed": self.failed}
        return {"recipe": self.recipe, "score": self.score, "seconds": self.seconds}


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate that was chosen, and in a sentence why."""

    winner: Candidate
    reason: str


def choose(candidates: Sequence[Candidate]) -> Choice:
    """The best of the candidates that didn't fail. TrainingFailedError, with what the first says, where all did.

    Of equally dear ones the highest score wins, of equal scores the first. A dearer one is taken only if it is at least a point better
    than every cheaper one.
    """
    trained = [candidate for candidate in candidates if candidate.failed is None]
    winner = None
    for cost in sorted({_cost(candidate) for candidate in trained}):
        best = max((candidate for candidate in trained if _cost(candidate) == cost), key=_score)
        cheaper = _best_below(cost, trained)
        if cheaper is None or round(_score(best) - _score(cheaper), _DIGITS) >= _WORTH_MORE:
            winner = best
    if winner is None:
        raise TrainingFailedError(next(candidate.failed for candidate in candidates if candidate.failed is not None))
    return Choice(winner, _reason(winner, trained, len(candidates)))


def _reason(winner: Candidate, trained: Sequence[Candidate], tried: int) -> str:
    name, cheaper = winner.recipe, _best_below(_cost(winner), trained)
    if tried == 1:
        return f"{name} was the only candidate."
    if len(trained) == 1:
        return f"{name} is the only candidate whose training didn't fail."
    if winner.score is None:
        return f"No text could be held out to compare the candidates by, and {name} is the cheapest."
    if cheaper is not None:
        return (
            f"{name} has a held-out score of {winner.score:.4f}, at least {_WORTH_MORE} more than {_score(cheaper):.4f}, that of"
            f" {cheaper.recipe}, the best of the cheaper candidates."
        )
    if any(_cost(candidate) > _cost(winner) for candidate in trained):
        return f"{name} has a held-out score of {winner.score:.4f}, and no dearer candidate is at least {_WORTH_MORE} better."
    return f"{name} has the highest held-out score of the candidates, {winner.score:.4f}."


def _best_below(cost: int, trained: Sequence[Candidate]) -> Candidate | None:
    """The best of those that are cheaper than this; None where none is."""
    return max((candidate for candidate in trained if _cost(candidate) < cost), key=_score, default=None)


def _cost(candidate: Candidate) -> int:
    return COSTS[candidate.recipe]


def _score(candidate: Candidate) -> float:
    # All are scored on the same texts: where there were none, none has a score, and the first of the cheapest is taken.
    return candidate.score or 0.0
