"""Policies as the API shows and takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from winnow.domain.errors import InvalidFieldError
from winnow.domain.policy import Aim, Cost, Policy
from winnow.evaluation.dial import Outcome
from winnow.evaluation.tradeoff import point

if TYPE_CHECKING:
    from winnow.domain.model import Model
    from winnow.domain.policy import Applied

_AIMS = ("min_precision", "thresholds", "cost")


def aim_of(given: Mapping[str, Any]) -> Aim:
    """The aim of a request. InvalidFieldError unless it has exactly one."""
    named = [name for name in _AIMS if name in given]
    if len(named) != 1:
        wrong = f"{named[1]} can't be sent with {named[0]}" if named else "An aim is missing"
        raise InvalidFieldError(f"{wrong}: send one of {', '.join(_AIMS)}.", field=named[1] if named else None)
    cost = given.get("cost")
    return Aim(
        given.get("min_precision"),
        given.get("thresholds"),
        None if cost is None else Cost(cost["wrong"], cost["refused"]),
        given.get("evaluation"),
    )


def policy_view(policy: Policy) -> dict[str, Any]:
    aim = policy.aim or Aim()
    set_for = None if policy.applied is None else policy.applied.version
    return {"revision": policy.revision, **aim.as_dict(), "version": set_for, "created_at": policy.created_at}


def governed_view(model: Model, policy: Policy | None, applied: Applied | None) -> dict[str, Any]:
    """A model with its policy, and what that means for the live version."""
    return {
        "model_id": model.model_id,
        "policy": None if policy is None else policy_view(policy),
        "applied": None if applied is None else _applied_view(applied),
    }


def _applied_view(applied: Applied) -> dict[str, Any]:
    counted = None
    if applied.examples and applied.answered is not None and applied.right is not None:
        counted = {"examples": applied.examples, **point(Outcome(applied.answered, applied.right), applied.examples)}
    return {
        "version": applied.version,
        "threshold": applied.threshold,
        "thresholds": applied.thresholds,
        "reason": applied.reason,
        "held_out": counted,
    }
