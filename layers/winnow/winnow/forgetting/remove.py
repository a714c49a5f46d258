"""Remove what a look has found, except from the versions of models (remake.py). Each step can be repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.batch.requests import cancel_batch
from winnow.domain.batch import BatchJob
from winnow.domain.dropped_file import Folder, folder_of, outbox_key
from winnow.domain.errors import (
    ArtifactError,
    BatchPredictionNotFoundError,
    FeedbackBatchNotFoundError,
    ModelNotFoundError,
    NotCancellableError,
    VersionNotFoundError,
)
from winnow.domain.forgetting import Forgotten, Trace, TraceKind
from winnow.domain.keys import result_prefix, review_queues_prefix
from winnow.domain.model import ACTIVE
from winnow.storage.example_lines import UNREADABLE, unpacked
from winnow.storage.removal import remove_object, remove_prefix

if TYPE_CHECKING:
    from winnow.domain.model import Model

NO_TIME = "the objects that there was no time to remove"


def remove(trace: Trace, forgotten: Forgotten, model: Model | None, time_left: Iterator[bool]) -> str | None:
    """Remove what the trace is of. model: of the trace, None if it was deleted. Returns what it must wait for, None if it is removed."""
    removed, waits = True, None
    bucket = resources.object_versions().bucket
    match trace.kind:
        case TraceKind.UPLOAD:
            waits = _reader_of(trace.key)
            removed = waits is not None or remove_object(resources.upload_versions().bucket, trace.key, time_left)
        case TraceKind.LOG:
            # The other texts of the request go too: written again, they would be kept for longer than they should.
            removed = remove_object(bucket, trace.key, time_left) and _without_queues_of(trace, time_left)
        case TraceKind.QUEUE:
            resources.review_queues().remove(str(trace.uid), str(trace.name))
            removed = remove_object(bucket, trace.key, time_left)
        case TraceKind.BATCH:
            _end(trace, model)
            prefixes = (trace.key, result_prefix(str(trace.uid), str(trace.name)))
            removed = all(remove_prefix(bucket, prefix, time_left) for prefix in prefixes)
            _from_outbox(trace, model)
        case TraceKind.FEEDBACK:
            waits = _training_of(model)
            removed = waits is not None or _from_feedback(trace, forgotten, model, time_left)
        case TraceKind.EVALUATION:
            _from_evaluation(trace, forgotten)
    return waits if removed else NO_TIME


def _without_queues_of(trace: Trace, time_left: Iterator[bool]) -> bool:
    """Remove the review queues with texts of a logged request. They have no text of it, but words of it in their candidate labels."""
    objects, uid = resources.object_versions(), str(trace.uid)
    request = trace.key.rpartition("/")[2].partition(".")[0]
    for key, version_ids in objects.after(review_queues_prefix(uid), ""):
        if any(_is_of(objects.read(key, each), request) for each in version_ids):
            resources.review_queues().remove(uid, key.rpartition("/")[2].partition(".")[0])
            if not remove_object(objects.bucket, key, time_left):
                return False
    return True


def _is_of(queue: bytes | None, request: str) -> bool:
    try:
        return queue is not None and any(str(record.get("prediction_id")).startswith(f"{request}-") for record in unpacked(queue))
    except UNREADABLE:
        return False


def _end(trace: Trace, model: Model | None) -> None:
    """End a batch prediction that is under way."""
    if model is not None:
        # It may have ended or expired, or its model was deleted.
        with suppress(NotCancellableError, BatchPredictionNotFoundError, ModelNotFoundError):
            cancel_batch(model.model_id, str(trace.name))


def _from_outbox(trace: Trace, model: Model | None) -> None:
    """Remove the result of a file of the inbox from the outbox, also one without texts."""
    if model is not None and resources.has_inbox():
        with suppress(BatchPredictionNotFoundError):
            batch = resources.batch_predictions().get(BatchJob(model.model_id, model.uid, str(trace.name)))
            if batch.s3bucket == resources.datasets().bucket and folder_of(batch.object) is Folder.INBOX:
                resources.dropped_files().withdraw(batch.job, outbox_key(batch.object, batch.ending))


def _training_of(model: Model | None) -> str | None:
    """The training that may read the feedback of a model now."""
    if model is None or model.training_version is None:
        return None
    return f"version {model.training_version} of model {model.model_id!r}, which is in training"


def _reader_of(key: str) -> str | None:
    """The training that still has to read an upload."""
    for wanted in resources.pending_trainings().wanted():
        try:
            version = resources.versions().of_life(wanted.model_id, wanted.uid, wanted.version)
        except VersionNotFoundError:
            continue
        named = {version.dataset.get(name) for name in ("training_object", "test_object")}
        reads = version.status in ACTIVE and version.feedback is None and "examples" not in version.dataset
        if reads and version.dataset["s3bucket"] == resources.datasets().bucket and key in named:
            return f"version {wanted.version} of model {wanted.model_id!r}, which is to read the upload {key.rpartition('/')[2]}"
    return None


def _from_feedback(trace: Trace, forgotten: Forgotten, model: Model | None, time_left: Iterator[bool]) -> bool:
    """Take lines out of a batch of feedback. It keeps its number of examples, which counts what was received. False if time is up."""
    objects = resources.object_versions()
    batches = resources.feedback_batches()
    batch = None
    if model is not None:
        with suppress(FeedbackBatchNotFoundError):
            batch = batches.get(model, str(trace.name))
    # Without a digest, the object is readable before it is replaced and afterwards.
    if model is None or batch is None or not batches.replace_digest(model, batch.batch, None):
        # Its row is gone, so nobody reads it any more.
        return remove_object(objects.bucket, trace.key, time_left)
    with suppress(ArtifactError):
        lines = resources.feedback_objects().read(model.uid, replace(batch, sha256=None))
        kept = [line for line in lines if not forgotten.has(line.example.text, line.example.subject)]
        sha256 = resources.feedback_objects().write(model.uid, batch.batch, kept)
        batches.replace_digest(model, batch.batch, sha256)
    objects.remove_earlier(trace.key)
    return True


def _from_evaluation(trace: Trace, forgotten: Forgotten) -> None:
    """Take texts out of the record of an evaluation on another file. Its figures stay: they tell nothing of one text."""
    objects = resources.object_versions()
    body = objects.bucket.find(trace.key)
    if body is not None:
        objects.bucket.put_json(trace.key, _without_texts(json.loads(body), forgotten))
    objects.remove_earlier(trace.key)


def _without_texts(record: Any, forgotten: Forgotten) -> Any:
    if isinstance(record, dict):
        quoted = isinstance(record.get("text"), str) and forgotten.has(record["text"])
        return {name: _without_texts(value, forgotten) for name, value in record.items() if name != "text" or not quoted}
    return [_without_texts(each, forgotten) for each in record] if isinstance(record, list) else record
