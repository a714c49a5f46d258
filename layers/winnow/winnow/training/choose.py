"""Choose among the recipes that were tried for a version. A pure function of the candidates: it never uses the test set."""

from __future__ import annotations

from collections.abc import Container, Sequence, Set
from dataclasses import dataclass
from typing import Any

from winnow.domain.errors import TrainingFailedError
from winnow.domain.model import TrainedOn, Version
from winnow.recipes.catalogue import COSTS

# A more expensive recipe must be better by this much: a point of accuracy or micro-F1.
_WORTH_MORE = 0.01
# The recipe with the highest accuracy for few examples of a label, in the languages that its encoder speaks.
_BEST_OF_FEW = "best"
# Rounding, so that a difference of exactly one point counts despite floating point.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recipe that was tried for a version.

    score: on texts held out of the training set, 0 to 1; None if there were none. seconds: the training time. manifest_sha256: of its
    artifact. failed: the reason if the training failed, otherwise None. trained_on: a TrainedOn; it is text, as in the workflow's data.
    """

    recipe: str
    score: float | None = None
    seconds: float | None = None
    manifest_sha256: str = ""
    failed: str | None = None
    trained_on: str = TrainedOn.LAMBDA

    def as_dict(self) -> dict[str, Any]:
        """The candidate as the API shows it."""
        if self.failed is not None:
            return {"recipe": self.recipe, "failed": self.failed}
        return {"recipe": self.recipe, "score": self.score, "seconds": self.seconds}


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen candidate and the reason in a sentence."""

    winner: Candidate
    reason: str


def language_of(version: Version) -> str:
    """The language of most of the version's texts, such as "en". Empty if the texts have no letters.

    Data sets that an earlier release prepared have no languages. Then it is the language of the request.
    """
    if "languages" not in version.dataset:
        return str(version.hyperparameters["spacy_model"])
    return next((found["language"] for found in version.dataset["languages"]), "")


def choose(candidates: Sequence[Candidate], language: str, spoken: Set[str] | None) -> Choice:
    """The best candidate that didn't fail. Raises TrainingFailedError with the first candidate's reason if all failed.

    language: of most texts, such as "en". spoken: the languages of the sentence encoder, None if nobody said them.

    The highest score wins among equally expensive candidates, and the first among equal scores. A more expensive candidate wins only if it
    is at least a point better than every cheaper one. Without scores, "best" wins if its encoder speaks the language, because it is the
    most accurate with few texts in our benchmarks (docs/benchmarks.md), and otherwise the cheapest.
    """
    trained = [candidate for candidate in candidates if candidate.failed is None]
    if len(trained) > 1 and all(candidate.score is None for candidate in trained):
        return _unmeasured(trained, language, spoken or ())
    winner = None
    for cost in sorted({_cost(candidate) for candidate in trained}):
        best = max((candidate for candidate in trained if _cost(candidate) == cost), key=_score)
        cheaper = _best_below(cost, trained)
        if cheaper is None or round(_score(best) - _score(cheaper), _DIGITS) >= _WORTH_MORE:
            winner = best
    if winner is None:
        raise TrainingFailedError(next(candidate.failed for candidate in candidates if candidate.failed is not None))
    return Choice(winner, _reason(winner, trained, len(candidates)))


def _unmeasured(trained: Sequence[Candidate], language: str, spoken: Container[str]) -> Choice:
    preferred = [candidate for candidate in trained if candidate.recipe == _BEST_OF_FEW and language in spoken]
    if preferred:
        why = f"in our benchmarks it is the most accurate with few texts of the language {language}"
    else:
        preferred, why = sorted(trained, key=_cost), "it is the cheapest"
    winner = preferred[0]
    return Choice(winner, f"Chose {winner.recipe}: {why}. There were no held-out texts to compare the candidates.")


def _reason(winner: Candidate, trained: Sequence[Candidate], tried: int) -> str:
    name = winner.recipe
    if tried == 1:
        return f"Chose {name}, the only candidate."
    if len(trained) == 1:
        return f"Chose {name}: all other candidates failed."
    cheaper = _best_below(_cost(winner), trained)
    if cheaper is not None:
        return f"Chose {name} ({winner.score:.3f}) over {cheaper.recipe} ({_score(cheaper):.3f})."
    dearer = max((candidate for candidate in trained if _cost(candidate) > _cost(winner)), key=_score, default=None)
    if dearer is not None:
        # Four digits: with three, a gain just below the limit would look like the limit.
        return (
            f"Chose {name} ({winner.score:.4f}): {dearer.recipe} ({_score(dearer):.4f}) costs more and is less than {_WORTH_MORE} better."
        )
    return f"Chose {name} ({winner.score:.3f}), the highest score."


def _best_below(cost: int, trained: Sequence[Candidate]) -> Candidate | None:
    """The best of the cheaper candidates, or None."""
    return max((candidate for candidate in trained if _cost(candidate) < cost), key=_score, default=None)


def _cost(candidate: Candidate) -> int:
    # A recipe without a cost is the only candidate.
    return COSTS.get(candidate.recipe, 0)


def _score(candidate: Candidate) -> float:
    # All candidates are scored on the same texts. Without such texts no candidate has a score, and the first of the cheapest wins.
    return candidate.score or 0.0
