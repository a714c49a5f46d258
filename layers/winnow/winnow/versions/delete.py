"""Delete a model or a version: first its row, at once, and then everything made for it. The client's own data set is never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from winnow.aws import resources
from winnow.aws.log import logged_only
from winnow.batch.requests import end_batches
from winnow.domain.clock import now
from winnow.domain.conditions import Condition, VersionCondition, check_condition
from winnow.domain.errors import StaleError, TrainingUnderwayError, VersionLiveError
from winnow.domain.retrying import retry_on_conflict
from winnow.registry.upkeep import Deletion
from winnow.storage.removal import time_left
from winnow.training.requests import try_to_stop_workflow


def delete_model(model_id: str, seconds: float, condition: Condition | None) -> bool:
    """Delete the model, and as many of its objects as possible within `seconds`. True when none is left.

    The sweeper deletes the rest later. condition: must hold for the model that is deleted, otherwise StaleError. ModelNotFoundError,
    BusyError.
    """
    deletion = _take_model_out_of_sight(model_id, condition)
    with logged_only("not removed"):
        return _remove_model(deletion, time_left(seconds))
    return False


def delete_version(model_id: str, number: int, seconds: float, condition: VersionCondition | None) -> bool:
    """Delete a version, and as many of its objects as possible within `seconds`. True when none is left.

    condition: must hold for the version that is deleted, otherwise StaleError. VersionLiveError for the live version;
    TrainingUnderwayError for a version in training; ModelNotFoundError, VersionNotFoundError, BusyError.
    """
    deletion = _take_version_out_of_sight(model_id, number, condition)
    with logged_only("not removed"):
        return remove_version(deletion, number, time_left(seconds))
    return False


def _take_version_out_of_sight(model_id: str, number: int, condition: VersionCondition | None) -> Deletion:
    models, versions = resources.models(), resources.versions()

    def try_to_delete() -> Deletion | None:
        model = models.get(model_id)
        version = versions.get(model, number)
        if condition is not None and not condition(model, version):
            raise StaleError(model_id)
        if number == model.live_version:
            raise VersionLiveError(model_id, number)
        if number == model.training_version:
            raise TrainingUnderwayError(model_id, number)
        return versions.delete(model, version)

    return retry_on_conflict(try_to_delete, model_id)


def _take_model_out_of_sight(model_id: str, condition: Condition | None) -> Deletion:
    models = resources.models()

    def try_to_delete() -> Deletion | None:
        model = models.get(model_id)
        check_condition(condition, model_id, model)
        training = resources.versions().in_training(model)
        deletion = models.delete(model, exactly=condition is not None)
        if deletion is not None:
            if training is not None:
                try_to_stop_workflow(training.job)
            with logged_only("not stopped"):
                end_batches(model)
        return deletion

    return retry_on_conflict(try_to_delete, model_id)


def finish_deletion(name: str, time_left: Iterator[bool]) -> bool:
    """Continue a deletion while there is time. name: its name in the registry. True when it is finished."""
    deletion = resources.upkeep().deletion(name)
    if deletion is None:
        return False
    # Read the time before the objects are listed. An object written after the listing would be missed.
    last = deletion.final_after <= now()
    if not remove_deleted(deletion, time_left) or not last:
        return False
    resources.upkeep().finish(deletion)
    return True


def remove_deleted(deletion: Deletion, time_left: Iterator[bool]) -> bool:
    """Remove the objects and then the rows of a deletion, while there is time. True when none is left.

    The row of the deletion stays, because a running training may still write an object. The sweeper removes such objects later, when
    no training can run any more.
    """
    if deletion.version is None:
        return _remove_model(deletion, time_left)
    return remove_version(deletion, deletion.version, time_left)


def remove_version(deletion: Deletion, number: int, time_left: Iterator[bool]) -> bool:
    """The same for the deletion of the version with this number."""
    removed = resources.model_objects().remove_version(deletion.uid, number, time_left)
    if removed:
        resources.upkeep().remove_rows(deletion)
    return removed


def _remove_model(deletion: Deletion, time_left: Iterator[bool]) -> bool:
    """The same for the deletion of a model, with its results in the outbox."""
    removed = resources.model_objects().remove_model(deletion.uid, time_left)
    if removed and resources.has_inbox():
        until = datetime.fromisoformat(deletion.at)
        removed = resources.dropped_files().remove_results(deletion.model_id, deletion.uid, until, time_left)
    if removed:
        resources.upkeep().remove_rows(deletion)
    return removed
