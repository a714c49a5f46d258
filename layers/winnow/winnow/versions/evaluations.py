"""Evaluations of a ready version on another labelled file. A function of its own makes them (measure_file), because that takes minutes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

from winnow.aws import clients, resources
from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.dataset import DatasetReference
from winnow.domain.errors import EvaluationNotFoundError, EvaluationNotReadyError
from winnow.domain.model import Version

# Lambda tries an asynchronous call three times, each at most 15 minutes, with pauses of one and two minutes.
_LONGEST_RUNNING = timedelta(minutes=50)

Shown = dict[str, Any]


def start_evaluation(version: Version, file: DatasetReference, *, keep_texts: bool) -> str:
    """Have the function MEASURE_FUNCTION measure the version on the file. Returns the evaluation's id, for `find_evaluation`."""
    evaluation_id, job = uuid4().hex, version.job
    begun = {"status": "running", "file": file.as_dict(), "started_at": now()}
    resources.file_evaluations().write(job, evaluation_id, begun)
    event = {
        "model_id": job.model_id,
        "uid": job.uid,
        "version": job.version,
        "evaluation": evaluation_id,
        "file": file.as_dict(),
        "keep_texts": keep_texts,
        "started_at": begun["started_at"],
    }
    clients.lambda_().invoke(FunctionName=clients.setting("MEASURE_FUNCTION"), InvocationType="Event", Payload=json.dumps(event).encode())
    return evaluation_id


def find_evaluation(version: Version, evaluation_id: str) -> Shown:
    """The evaluation with this id, or its status. EvaluationNotFoundError if the version has none."""
    found, job = resources.file_evaluations().find(version.job, evaluation_id), version.job
    if found is None:
        raise EvaluationNotFoundError(job.model_id, job.version, evaluation_id)
    about = {"model_id": job.model_id, "version": job.version}
    report = found.get("report")
    shown = {
        **about,
        "evaluation": evaluation_id,
        "status": found["status"],
        "s3bucket": found["file"]["s3bucket"],
        "training_object": found["file"]["training_object"],
        "sha256": found.get("sha256"),
        "learnt": found.get("learnt"),
        "report": None if report is None else {**about, **report},
        "error": found.get("error"),
        "started_at": found["started_at"],
    }
    if found["status"] == "running" and found["started_at"] < timestamp(utc_now() - _LONGEST_RUNNING):
        return {**shown, "status": "failed", "error": "The evaluation never finished: the file is too large, or an internal error."}
    return shown


def check_evaluated(version: Version, evaluation_id: str) -> None:
    """EvaluationNotReadyError if the evaluation isn't ready; EvaluationNotFoundError if it isn't one of this version."""
    found = find_evaluation(version, evaluation_id)
    if found["status"] != "ready":
        raise EvaluationNotReadyError(version.job.model_id, version.job.version, evaluation_id, found["status"])
