"""Set and remove a model's policy, which says what is accepted, and look at it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from winnow.aws import resources
from winnow.domain.clock import now
from winnow.domain.conditions import Condition, check_condition
from winnow.domain.errors import (
    ArtifactError,
    DamagedRowError,
    InvalidFieldError,
    ModelNotReadyError,
    NoDialError,
    TooFewExamplesError,
    TooLargeError,
    VersionNotFoundError,
)
from winnow.domain.policy import Aim, Applied, Policy
from winnow.domain.retrying import retry_on_conflict
from winnow.evaluation.promise import TooFew, for_precision
from winnow.prediction.policy import applied, applied_to, dial_of, too_few
from winnow.versions.evaluations import check_evaluated

if TYPE_CHECKING:
    from winnow.domain.model import Model, Version

# Both the aim and what it means are in a row, which has at most 400 KB.
_MOST_BYTES_OF_THRESHOLDS = 100_000
# What the reader of a model finds if the model is deleted meanwhile.
_LOST = (ArtifactError, DamagedRowError, VersionNotFoundError)


def present_policy(model: Model) -> tuple[Policy | None, Applied | None]:
    """The model's policy, and what it means for the live version. None, None without a policy. ArtifactError, DamagedRowError."""
    if model.policy is None or model.live_version is None:
        return None, None
    try:
        policy = resources.policies().get(model.uid, model.policy)
        return policy, applied_to(model.model_id, model.uid, policy, model.live_version)
    except _LOST:
        # ModelNotFoundError if the model was deleted since it was read.
        resources.models().get(model.model_id)
        raise


def set_policy(model_id: str, aim: Aim, condition: Condition | None) -> tuple[Model, Policy]:
    """Give the model its next policy. Writes nothing if the present one has this aim, and was set for the version that is live.

    Returns the model and its policy, as they are now: nothing is read after the write, because the model may be deleted by then.

    condition: must hold for the model that is read, otherwise StaleError. The write fails if the model changed after that.
    ModelNotFoundError; ModelNotReadyError if no version is live; InvalidFieldError for a label that the live version doesn't have;
    TooFewExamplesError; NoDialError; EvaluationNotFoundError and EvaluationNotReadyError; ArtifactError; BusyError.
    """

    def try_to_set() -> tuple[Model, Policy] | None:
        model = resources.models().get(model_id)
        check_condition(condition, model_id, model)
        if model.live_version is None:
            raise ModelNotReadyError(
                f"No version of model {model_id!r} is live, so a policy has nothing to apply to: train one, or promote one with"
                f" PUT /models/{model_id}/live."
            )
        try:
            present = None if model.policy is None else resources.policies().get(model.uid, model.policy)
            if present is not None and present.aim == aim and present.applied is not None and present.applied.version == model.live_version:
                return model, present
            policy = Policy(model.policies + 1, now(), aim, _checked(aim, resources.versions().get(model, model.live_version)))
        except _LOST:
            # As above. Another model may have this id by now.
            if resources.models().get(model_id).uid == model.uid:
                raise
            return None
        added = resources.policies().add(model, policy, exactly=condition is not None)
        return (replace(model, policy=policy.revision, policies=policy.revision), policy) if added else None

    return retry_on_conflict(try_to_set, model_id)


def remove_policy(model_id: str, condition: Condition | None) -> Model:
    """Return to each version's own thresholds. Writes nothing if the model has no policy. condition and errors: as in `set_policy`.

    Returns the model as it is now.
    """

    def try_to_remove() -> Model | None:
        model = resources.models().get(model_id)
        check_condition(condition, model_id, model)
        if model.policy is None:
            return model
        removed = Policy(model.policies + 1, now())
        added = resources.policies().add(model, removed, exactly=condition is not None)
        return replace(model, policy=None, policies=removed.revision) if added else None

    return retry_on_conflict(try_to_remove, model_id)


def _checked(aim: Aim, version: Version) -> Applied:
    """What the aim means for the version. The errors of `set_policy` if it means nothing."""
    number = version.job.version
    if aim.evaluation is not None:
        check_evaluated(version, aim.evaluation)
    if aim.thresholds is not None:
        _check_labels(aim.thresholds, version)
        if len(json.dumps(aim.thresholds, ensure_ascii=False).encode()) > _MOST_BYTES_OF_THRESHOLDS:
            raise TooLargeError(
                f"thresholds may have at most {_MOST_BYTES_OF_THRESHOLDS:,} bytes: name only the labels that need their own."
            )
        return applied(aim, version)
    dial = dial_of(version, aim.evaluation)
    if dial is None:
        raise NoDialError(version.job.model_id, number)
    if aim.min_precision is not None:
        found = for_precision(dial, aim.min_precision)
        if isinstance(found, TooFew):
            sentence = too_few(dial, aim.min_precision, found.needed)
            raise TooFewExamplesError(sentence, field="min_precision", more={"examples": dial.texts, "examples_needed": found.needed})
    return applied(aim, version)


def _check_labels(named: Iterable[str], version: Version) -> None:
    """InvalidFieldError for a label that the version doesn't have."""
    known = resources.artifacts().description(version.job, version.manifest_sha256 or "")["labels"]
    for label in sorted(set(named) - set(known)):
        raise InvalidFieldError(
            f"thresholds names the label {label[:100]!r}, which the live version {version.job.version} doesn't have: leave it out."
            f" GET /models/{version.job.model_id}/versions/{version.job.version}/tradeoff lists its labels.",
            field="thresholds",
        )
