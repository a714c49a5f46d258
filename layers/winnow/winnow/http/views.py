"""Models, versions and predictions as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from winnow.batch_prediction import BatchPrediction, BatchProgress, BatchStatus
from winnow.datasets_bucket import Upload
from winnow.domain import Batch, Model, Version
from winnow.prediction import Prediction


def model_view(model: Model) -> dict[str, Any]:
    return {
        "model_id": model.model_id,
        "status": model.status,
        "live_version": model.live_version,
        "latest_version": model.latest_version,
        "labels": model.labels,
        "retrain_after": model.retrain_after,
        "tolerance": model.tolerance,
        "waiting_examples": model.feedback.waiting,
        "created_at": model.created_at,
        "updated_at": model.updated_at,
    }


def model_with_version_view(model: Model, version: Version | None) -> dict[str, Any]:
    return {**model_view(model), "version": None if version is None else version_view(version, model.live_version)}


def version_view(version: Version, live_version: int | None) -> dict[str, Any]:
    return {
        "version": version.job.version,
        "status": version.status,
        "live": version.job.version == live_version,
        "source": version.source,
        "recipe": version.recipe,
        "selection": version.selection,
        "encoder": version.encoder,
        "promote": version.promote,
        "progress": asdict(version.progress),
        "hyperparameters": version.hyperparameters,
        "dataset": version.dataset,
        "evaluation": version.evaluation,
        "gate": None if version.gate is None else asdict(version.gate),
        "error": version.error,
        "created_at": version.created_at,
        "finished_at": version.finished_at,
    }


def versions_view(versions: Sequence[Version], model: Model) -> dict[str, Any]:
    return {"model_id": model.model_id, "versions": [version_view(version, model.live_version) for version in versions]}


def dataset_view(upload: Upload) -> dict[str, Any]:
    return asdict(upload)


def batches_view(batches: Sequence[Batch], model: Model) -> dict[str, Any]:
    return {"model_id": model.model_id, "batches": [asdict(batch) for batch in batches]}


def batch_prediction_view(batch: BatchPrediction) -> dict[str, Any]:
    return {
        "batch": batch.job.batch,
        "status": batch.status,
        "version": batch.version,
        "n_top": batch.n_top,
        "s3bucket": batch.s3bucket,
        "object": batch.object,
        "lines": batch.lines,
        "error": batch.error,
        "created_at": batch.created_at,
        "finished_at": batch.finished_at,
    }


def batch_predictions_view(batches: Sequence[BatchPrediction], model: Model) -> dict[str, Any]:
    return {"model_id": model.model_id, "batches": [batch_prediction_view(batch) for batch in batches]}


def batch_progress_view(batch: BatchPrediction, done: BatchProgress) -> dict[str, Any]:
    return {
        "percent": _batch_percent(batch, done),
        "lines": done.lines,
        "errors": done.errors,
        "shards": done.shards,
        "all_lines": batch.lines,
        "all_errors": batch.errors,
        "all_shards": batch.shards,
    }


def _batch_percent(batch: BatchPrediction, done: BatchProgress) -> int:
    """The first 5 are for parting the object, the last 5 for joining the results."""
    if batch.status is BatchStatus.READY:
        return 100
    if not batch.lines:
        return 0 if batch.status is BatchStatus.QUEUED else 1
    return 5 + 90 * done.lines // batch.lines


def prediction_view(prediction: Prediction) -> dict[str, Any]:
    explained = {} if prediction.explanation is None else {"explanation": asdict(prediction.explanation)}
    return {"labels": [label.as_dict() for label in prediction.labels], **explained}
