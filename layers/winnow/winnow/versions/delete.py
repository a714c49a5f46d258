"""Delete a model or a version: first its row, at once, and then everything made for it. The client's own data set is never deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator

from winnow.aws import resources
from winnow.batch import requests
from winnow.domain.clock import now
from winnow.domain.errors import BusyError, TrainingUnderwayError, VersionLiveError
from winnow.registry.upkeep import Deletion
from winnow.training.requests import try_to_stop_workflow

_TRIES = 5


def delete_model(model_id: str, seconds: float) -> bool:
    """Delete the model, and as many of its objects as possible within `seconds`. True when none is left.

    The sweeper deletes the rest later. ModelNotFoundError, BusyError.
    """
    return remove(_out_of_sight(model_id), time_left(seconds))


def delete_version(model_id: str, number: int, seconds: float) -> bool:
    """Delete a version, and as many of its objects as possible within `seconds`. True when none is left.

    VersionLiveError for the live version; TrainingUnderwayError for a version in training; ModelNotFoundError, VersionNotFoundError,
    BusyError.
    """
    models = resources.models()
    for _ in range(_TRIES):
        model = models.get(model_id)
        version = models.version(model, number)
        if number == model.live_version:
            raise VersionLiveError(model_id, number)
        if number == model.training_version:
            raise TrainingUnderwayError(model_id, number)
        deletion = models.delete_version(model, version)
        if deletion is not None:
            return remove(deletion, time_left(seconds))
    raise BusyError(model_id)


def _out_of_sight(model_id: str) -> Deletion:
    models = resources.models()
    for _ in range(_TRIES):
        model = models.get(model_id)
        training = models.version_in_training(model)
        deletion = models.delete(model)
        if deletion is not None:
            if training is not None:
                try_to_stop_workflow(training.job)
            for job in resources.batch_predictions().under_way():
                if job.uid == model.uid:
                    requests.try_to_stop(job)
            return deletion
    raise BusyError(model_id)


def finish(name: str, time_left: Iterator[bool]) -> bool:
    """Continue a deletion while there is time. name: its name in the registry. True when it is finished."""
    deletion = resources.upkeep().deletion(name)
    if deletion is None:
        return False
    # Read the time before the objects are listed. An object written after the listing would be missed.
    last = deletion.final_after <= now()
    if not remove(deletion, time_left) or not last:
        return False
    resources.upkeep().finish(deletion)
    return True


def remove(deletion: Deletion, time_left: Iterator[bool]) -> bool:
    """Remove the objects and then the rows of a deletion, while there is time. True when none is left.

    The row of the deletion stays, because a running training may still write an object. The sweeper removes such objects later, when
    no training can run any more.
    """
    storage = resources.storage()
    if deletion.version is None:
        removed = storage.remove_model(deletion.uid, time_left)
    else:
        removed = storage.remove_version(deletion.uid, deletion.version, time_left)
    if removed:
        resources.upkeep().remove_rows(deletion)
    return removed


def time_left(seconds: float) -> Iterator[bool]:
    """An endless iterator: each item says whether some of the `seconds` from now are left."""
    end = time.monotonic() + seconds
    while True:
        yield time.monotonic() < end
