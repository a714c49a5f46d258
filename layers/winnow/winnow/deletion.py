"""Deleting a model: out of sight at once, then everything that was made for it. Never the client's own data set."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from winnow import deployment
from winnow.domain import now, timestamp, utc_now
from winnow.jobs import stop_workflow
from winnow.registry import Models
from winnow.registry.models import Deletion

# A Lambda that was training when the model went can write one more object until its time is up; Lambda's limit is 15 minutes.
_LAST_WRITE = timedelta(minutes=16)


def delete(model_id: str, seconds: float) -> bool:
    """Delete the model, and within so many seconds as many of its objects as possible. True when none is left.

    What time doesn't suffice for, `finish_deletions` does later. ModelNotFoundError where there is no such model.
    """
    models = deployment.models()
    model = models.get(model_id)
    training = None if model.training_version is None else models.version(model, model.training_version)
    final_after = utc_now() + (_LAST_WRITE if training else timedelta())
    deletion = models.delete(model, timestamp(final_after))
    if training:
        stop_workflow(training)
    return _finish(models, deletion, _until(seconds))


def finish_deletions(seconds: float) -> int:
    """Finish the deletions that are under way, while there is time. Returns how many are finished."""
    models = deployment.models()
    time_left = _until(seconds)
    finished = 0
    for deletion in list(models.deletions()):
        if not next(time_left):
            break
        finished += _finish(models, deletion, time_left)
    return finished


def _finish(models: Models, deletion: Deletion, time_left: Iterator[bool]) -> bool:
    if not deployment.storage().remove_model(deletion.uid, time_left):
        return False
    models.remove_versions(deletion)
    # While a training of it may still write, the note stays, so that the sweeper looks once more.
    if deletion.final_after <= now():
        models.finish(deletion)
    return True


def _until(seconds: float) -> Iterator[bool]:
    end = time.monotonic() + seconds
    while True:
        yield time.monotonic() < end
