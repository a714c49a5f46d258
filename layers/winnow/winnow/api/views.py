"""Models, versions and predictions as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from winnow.domain.answer import as_dicts
from winnow.domain.dataset import example_id

if TYPE_CHECKING:
    from winnow.domain.answer import Prediction
    from winnow.domain.drift import DriftDay
    from winnow.domain.feedback import FeedbackBatch, FeedbackLine
    from winnow.domain.history import Caller, Entry
    from winnow.domain.model import Model, Version
    from winnow.domain.prediction_log import PredictionId
    from winnow.storage.uploads import Upload


def model_view(model: Model) -> dict[str, Any]:
    return {
        "model_id": model.model_id,
        "status": model.status,
        "live_version": model.live_version,
        "latest_version": model.latest_version,
        "labels": model.labels,
        "retrain_after": model.retrain_after,
        "schedule": model.schedule,
        "scheduled_for": model.scheduled_for,
        "tolerance": model.tolerance,
        "log": None if model.log is None else asdict(model.log),
        "policy": model.policy,
        "title": model.title,
        "note": model.note,
        "tags": list(model.tags),
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
        "encoders": version.encoders,
        "promote": version.promote,
        "progress": asdict(version.progress),
        "hyperparameters": version.hyperparameters,
        "dataset": version.dataset,
        "evaluation": version.evaluation,
        "gate": None if version.gate is None else asdict(version.gate),
        "warnings": list(version.warnings),
        "error": version.error,
        "note": version.note,
        "created_at": version.created_at,
        "finished_at": version.finished_at,
        **({} if version.trained_on is None else {"trained_on": version.trained_on}),
        **({} if version.forgetting is None else {"forgetting": version.forgetting}),
    }


def versions_view(versions: Sequence[Version], model: Model) -> dict[str, Any]:
    return {"model_id": model.model_id, "versions": [version_view(version, model.live_version) for version in versions]}


def dataset_view(upload: Upload) -> dict[str, Any]:
    return asdict(upload)


def feedback_batches_view(batches: Sequence[FeedbackBatch], model: Model) -> dict[str, Any]:
    return {"model_id": model.model_id, "batches": [_feedback_batch_view(batch) for batch in batches]}


def _feedback_batch_view(batch: FeedbackBatch) -> dict[str, Any]:
    return {"batch": batch.batch, "examples": batch.examples, "labels": batch.labels, "created_at": batch.created_at}


def feedback_line_view(line: FeedbackLine, uid: str, *, with_text: bool) -> dict[str, Any]:
    example = line.example
    text = {"text": example.text} if with_text else {}
    subject = {} if example.subject is None else {"subject": example.subject}
    return {"example": example_id(uid, example.text), "action": line.action, "labels": example.labels, **text, **subject}


def history_view(entries: Sequence[Entry], model_id: str) -> dict[str, Any]:
    return {"model_id": model_id, "entries": [_entry_view(entry) for entry in entries]}


def _entry_view(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.entry_id,
        "at": entry.at,
        "deed": entry.deed,
        "by": None if entry.by is None else _caller_view(entry.by),
        "call": None if entry.by is None else entry.by.call,
        "version": entry.version,
        "before": entry.before,
        "batch": entry.batch,
        "examples": entry.examples,
        "settings": entry.settings,
    }


def _caller_view(caller: Caller) -> dict[str, Any]:
    return {"kind": caller.kind, "name": caller.name, "key_id": caller.key_id}


def drift_view(day: DriftDay) -> dict[str, Any]:
    return {
        "day": day.day,
        "version": day.version,
        "texts": day.texts,
        "other_texts": day.other_texts,
        "accepted_share": day.accepted_share,
        "mean_score": day.mean_score,
        "mean_familiarity": day.mean_familiarity,
        "labels": [asdict(each) for each in day.labels],
        "more_labels": day.more_labels,
        "held_out": None if day.usual is None else asdict(day.usual),
        "psi": day.psi,
        "p_labels": day.p_labels,
        "p_scores": day.p_scores,
        "drifted": day.drifted,
        "reason": day.reason,
        "measured_at": day.measured_at,
    }


def prediction_view(prediction: Prediction, prediction_id: PredictionId, n_top: int) -> dict[str, Any]:
    staged = {} if prediction.stage is None else {"stage": prediction.stage}
    explained = {} if prediction.explanation is None else {"explanation": asdict(prediction.explanation)}
    governed = {} if prediction.policy is None else {"policy": prediction.policy}
    labels = as_dicts(prediction.labels[:n_top])
    return {"prediction_id": str(prediction_id), "labels": labels, **staged, **governed, **explained}
