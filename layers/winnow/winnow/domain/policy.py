"""A model's policy: what `accepted` means, set after training. Frozen dataclasses; standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """What a wrong answer and a refused text cost, in any unit."""

    wrong: float
    refused: float


@dataclass(frozen=True, slots=True)
class Aim:
    """What a client wants of the accepted answers. Exactly one of the three is set.

    min_precision: at least this share of the answered texts is right. thresholds: the lowest accepted score of some labels; the others
    keep the version's own. cost: the thresholds with the least expected cost. evaluation: the id of an evaluation on another file, whose
    examples choose the threshold for the version that it measured; None for the version's own held-out examples.
    """

    min_precision: float | None = None
    thresholds: Mapping[str, float] | None = None
    cost: Cost | None = None
    evaluation: str | None = None

    def as_dict(self) -> dict[str, Any]:
        cost = None if self.cost is None else {"wrong": self.cost.wrong, "refused": self.cost.refused}
        return {"min_precision": self.min_precision, "thresholds": self.thresholds, "cost": cost, "evaluation": self.evaluation}


@dataclass(frozen=True, slots=True)
class Applied:
    """What an aim means for one version.

    threshold: one for all labels. thresholds: those of some labels. Both are None if nothing is accepted, and `reason` says why.
    examples, answered, right: how many held-out examples there are, how many of them are answered, and how many of those rightly; None if
    nobody measured it.
    """

    version: int
    threshold: float | None = None
    thresholds: Mapping[str, float] | None = None
    examples: int | None = None
    answered: int | None = None
    right: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, which never changes: a new one gets the next revision.

    aim: None where a policy was removed, so that each version's own thresholds count. applied: what it meant for the version that was live
    when it was set; None where a policy was removed.
    """

    revision: int
    created_at: str
    aim: Aim | None = None
    applied: Applied | None = None
