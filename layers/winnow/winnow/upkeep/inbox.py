"""The inbox: a file in inbox/MODEL_ID/ is classified, and one in training/MODEL_ID/ trains a version (docs/inbox.md).

A file is written down first, so it is never lost. It starts one batch or training, however often S3 tells of it. What is wrong with it is
written beside it. If it has to wait, the end of another batch or training starts it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from winnow.aws import clients, resources
from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.batch.requests import start_batch
from winnow.domain.batch import CONTENT_TYPES, BatchJob, BatchRequest, BatchStatus
from winnow.domain.clock import now
from winnow.domain.dataset import DatasetReference, Layout
from winnow.domain.dropped_file import DroppedFile, Folder, folder_of, outbox_key
from winnow.domain.errors import (
    BatchPredictionNotFoundError,
    GoneError,
    TooManyBatchesError,
    TrainingUnderwayError,
    VersionNotFoundError,
    WinnowError,
)
from winnow.domain.history import WINNOW, calling
from winnow.domain.job import Hyperparameters, IdempotencyKey, Promote, TrainingRequest
from winnow.domain.keys import result_key
from winnow.domain.model import VersionStatus
from winnow.recipes.catalogue import AUTO
from winnow.training.feedback import train_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from winnow.domain.batch import BatchPrediction
    from winnow.domain.model import Model, Version

# Longer than the queue of failed events keeps one (14 days), so that an event that is sent from there starts nothing a second time.
_KNOWN_FOR = timedelta(days=15)
_CANCELLED = "The {} was cancelled."


class _Outcome(Enum):
    STARTED = "started"
    REFUSED = "refused"
    WAITS = "waits"


def take(file: DroppedFile) -> None:
    """Start the batch or the training of a file, or write down why not. An error that may pass is raised; then take the file again."""
    # The row is there before the look whether there is room. So whatever ends after that look finds it.
    resources.waiting_files().add(file)
    if _try_to_start(file) is not _Outcome.WAITS:
        resources.waiting_files().remove(file)


def take_waiting(time_left: Iterator[bool]) -> None:
    """Start those files that have to wait no more, while there is time. RuntimeError at the end if one of them failed."""
    faults = 0
    full: set[tuple[Folder, str | None]] = set()
    for file in resources.waiting_files().list():
        # Batches wait for each other, and trainings for another one of their model.
        behind = (file.folder, None if file.folder is Folder.INBOX else file.model_id)
        if behind in full:
            continue
        if not next(time_left):
            return
        try:
            outcome = _try_to_start(file)
        except Exception:
            # One broken model must not stop the others.
            logger.exception("passed over", extra={"file": file.key})
            faults += 1
            continue
        if outcome is _Outcome.WAITS:
            full.add(behind)
        else:
            resources.waiting_files().remove(file)
    if faults:
        raise RuntimeError(f"{faults} files of the inbox could not be started, and wait")


def batch_ended(detail: Mapping[str, Any]) -> None:
    """Put the result of a file's batch into the outbox, or say beside the file why there is none. detail: of the event of its end."""
    batch = _batch_of(detail)
    if batch is None:
        _withdraw(detail)
        return
    if batch.s3bucket != resources.datasets().bucket or folder_of(batch.object) is not Folder.INBOX:
        return
    match batch.status:
        case BatchStatus.READY:
            _deliver(batch)
        case BatchStatus.FAILED | BatchStatus.CANCELLED:
            _say(batch.object, batch.error or _CANCELLED.format("batch"), model_id=batch.job.model_id, batch=batch.job.batch)


def _batch_of(detail: Mapping[str, Any]) -> BatchPrediction | None:
    """None if the batch was deleted with its model, or if it is of another deployment in the account."""
    model = resources.models().find(detail["model_id"])
    if model is None:
        return None
    try:
        return resources.batch_predictions().get(BatchJob(model.model_id, model.uid, detail["batch"]))
    except BatchPredictionNotFoundError:
        return None


def _withdraw(detail: Mapping[str, Any]) -> None:
    """Remove the result of a deleted model's batch from the outbox. It may have come there after the deletion had looked."""
    if detail["result"] is not None and folder_of(detail["object"]) is Folder.INBOX:
        _, uid, batch, name = detail["result"]["object"].split("/")
        key = outbox_key(detail["object"], name.partition(".")[2])
        resources.dropped_files().withdraw(BatchJob(detail["model_id"], uid, batch), key)


def training_ended(detail: Mapping[str, Any]) -> None:
    """Say beside the file that a version was trained on why it failed. detail: of the event of its end."""
    model = resources.models().find(detail["model_id"])
    if model is None:
        return
    try:
        version = resources.versions().get(model, int(detail["version"]))
    except VersionNotFoundError:
        return
    key = _file_of(version)
    if key is None:
        return
    if version.status is VersionStatus.READY:
        resources.dropped_files().unsay(key)
    elif version.status in {VersionStatus.FAILED, VersionStatus.CANCELLED}:
        _say(key, version.error or _CANCELLED.format("training"), model_id=model.model_id, version=version.job.version)


def _file_of(version: Version) -> str | None:
    """The key of the file in training/ that a version is trained on. None if it is trained on something else."""
    if version.feedback is not None or version.dataset["s3bucket"] != resources.datasets().bucket:
        return None
    key: str = version.dataset["training_object"]
    return key if folder_of(key) is Folder.TRAINING else None


def _deliver(batch: BatchPrediction) -> None:
    job, files = batch.job, resources.dropped_files()
    key = outbox_key(batch.object, batch.ending)
    place = {"Bucket": clients.setting("MODELS_BUCKET"), "Key": result_key(job.uid, job.batch, batch.ending)}
    if not files.deliver(job, place, key, CONTENT_TYPES[batch.ending]):
        logger.warning("the result is gone", extra={"file": batch.object, "batch": job.batch})
        return
    files.unsay(batch.object)
    try:
        resources.models().still_there(job.model_id, job.uid)
    except GoneError:
        # The deletion may have looked into the outbox before the copy came.
        files.withdraw(job, key)


def _try_to_start(file: DroppedFile) -> _Outcome:
    token = calling.set(replace(WINNOW, call=f"a file in {file.folder}/"))
    try:
        return _started(file)
    except (TooManyBatchesError, TrainingUnderwayError):
        return _Outcome.WAITS
    except GoneError:
        # An earlier delivery of the event has started it, and what it started was deleted.
        return _Outcome.STARTED
    except WinnowError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        _say(file.key, error.sentence, model_id=file.model_id)
        return _Outcome.REFUSED
    finally:
        calling.reset(token)


def _started(file: DroppedFile) -> _Outcome:
    if file.model_id is None:
        sentence = f"Put the file into a folder with the id of its model: {file.folder}/MODEL_ID/{file.key.partition('/')[2]}"
        _say(file.key, sentence)
        return _Outcome.REFUSED
    bucket = resources.datasets().bucket
    key = IdempotencyKey(f"{bucket} {file.digest}", file.digest, _KNOWN_FOR)
    if file.folder is Folder.INBOX:
        start_batch(BatchRequest(file.model_id, bucket, file.key), key)
    else:
        train_on(file.model_id, lambda model: _training(model, bucket, file.key), key, None)
    return _Outcome.STARTED


def _training(model: Model, bucket: str, key: str) -> TrainingRequest:
    """The request for a version on a file, with the settings of the version that answers now."""
    base = resources.versions().base_of_feedback(model)
    recipe, layout = AUTO, Layout()
    chosen: Mapping[str, Any] = {}
    if base is not None:
        recipe, chosen = (base.recipe, base.hyperparameters) if base.chosen is None else (AUTO, base.chosen)
        recipe, layout = AUTO if base.without_examples else recipe, Layout.of(base.dataset.get("layout") or {})
    settings = Hyperparameters(**{**chosen, "keep_texts": True})
    dataset = DatasetReference(bucket, key, None, layout)
    return TrainingRequest(model.model_id, dataset, settings, recipe, force_update=True, promote=Promote.IF_BETTER)


def _say(key: str, sentence: str, **about: Any) -> None:
    """Write beside a file what is wrong with it."""
    resources.dropped_files().say(key, {"file": key, "error": sentence, **about, "at": now()})
    count("FilesRefused")
    logger.info("refused", extra={"file": key, **about})
