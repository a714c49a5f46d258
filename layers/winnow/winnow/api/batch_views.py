"""Batch predictions as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from winnow.domain.batch import BatchPrediction, BatchProgress, BatchStatus

if TYPE_CHECKING:
    from winnow.domain.model import Model


def batch_prediction_view(batch: BatchPrediction) -> dict[str, Any]:
    return {
        "batch": batch.job.batch,
        "status": batch.status,
        "version": batch.version,
        "policy": batch.policy,
        "n_top": batch.n_top,
        "s3bucket": batch.s3bucket,
        "object": batch.object,
        **({"layout": said} if (said := batch.layout.as_dict()) else {}),
        "lines": batch.lines,
        "error": batch.error,
        "warning": batch.warning,
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
    """The first 5 % are for splitting the object, the last 5 % for joining the results."""
    if batch.status is BatchStatus.READY:
        return 100
    if not batch.lines:
        return 0 if batch.status is BatchStatus.QUEUED else 1
    return 5 + 90 * done.lines // batch.lines
