"""Starting and cancelling training jobs, and starting again what never started. Never needs the spaCy layer."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from uuid import uuid4

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from winnow import aws, deployment
from winnow.domain import TrainingJob, TrainingRequest, Version, VersionStatus
from winnow.errors import (
    BusyError,
    JobSupersededError,
    ModelExistsError,
    NotCancellableError,
    TrainingUnderwayError,
    VersionNotFoundError,
)

logger = Logger(service="winnow")

_TRIES = 5


def start(request: TrainingRequest) -> TrainingJob:
    """Register the version that the request asks for, and start its training.

    ModelExistsError for an id that exists without force_update, TrainingUnderwayError while a version of it is being made.
    Once the version is registered, it will be trained: where the workflow doesn't start now, `start_queued` starts it later.
    """
    job = _register(request)
    _try_to_start_workflow(job)
    return job


def start_queued() -> int:
    """Start the jobs that are registered and still queued. Harmless for one that was just started. Returns how many it tried."""
    models = deployment.models()
    tried = 0
    for model in models.training():
        # A model may be deleted between the one look and the other.
        with suppress(VersionNotFoundError):
            version = models.version(model, model.latest_version)
            if version.status is VersionStatus.QUEUED:
                _try_to_start_workflow(version.job)
                tried += 1
    return tried


def _register(request: TrainingRequest) -> TrainingJob:
    """Queue a version. Another request may change the model between the look and the write: then look again."""
    models, jobs = deployment.models(), deployment.jobs()
    for _ in range(_TRIES):
        model = models.find(request.model_id)
        if model is None:
            job = TrainingJob(request.model_id, uuid4().hex, version=1, fence=1)
            created = jobs.create_model(job, request)
        elif model.training_version is not None:
            raise TrainingUnderwayError(model.model_id, model.training_version)
        elif not request.force_update:
            raise ModelExistsError(model.model_id)
        else:
            job = TrainingJob(model.model_id, model.uid, model.latest_version + 1, fence=1)
            created = jobs.create_version(model, job, request)
        if created:
            return job
    raise BusyError(f"Model {request.model_id!r} is being changed by many at once: try again in a few seconds.")


def _try_to_start_workflow(job: TrainingJob) -> None:
    """Start the workflow for the job, once: the execution's name is the job's own. Where that fails the job stays queued."""
    client = aws.stepfunctions()
    workflow = aws.setting("WORKFLOW_ARN")
    try:
        client.start_execution(stateMachineArn=workflow, name=_execution_name(job), input=json.dumps({"job": asdict(job)}))
    except client.exceptions.ExecutionAlreadyExists:
        # An answer was lost, and botocore sent the request again: the workflow runs.
        return
    except (ClientError, BotoCoreError):
        logger.exception("not started", extra={"job": asdict(job)})


def _execution_name(job: TrainingJob) -> str:
    # A name is refused for 90 days after its execution closed. The uid, which no other life of the model has, keeps it from repeating.
    return f"{job.uid}-{job.version}-{job.fence}"


def cancel(model_id: str, number: int) -> Version:
    """Stop the training of a version; the live version stays. NotCancellableError where it is no longer being trained."""
    models = deployment.models()
    version = models.version(models.get(model_id), number)
    try:
        deployment.jobs().cancel(version.job)
    except JobSupersededError as error:
        now = models.version_of_job(version.job)
        raise NotCancellableError(f"Version {number} of model {model_id!r} is {now.status} already: there is nothing to cancel.") from error
    stop_workflow(version)
    return models.version_of_job(version.job)


def stop_workflow(version: Version) -> None:
    """Stop the workflow of a version that was active. A Lambda of it that runs goes on, until its next write is refused."""
    client = aws.stepfunctions()
    executions = aws.setting("WORKFLOW_ARN").replace(":stateMachine:", ":execution:")
    try:
        client.stop_execution(executionArn=f"{executions}:{_execution_name(version.job)}")
    except client.exceptions.ExecutionDoesNotExist:
        # Registered, and not started yet: when it starts, its first write is refused.
        return
