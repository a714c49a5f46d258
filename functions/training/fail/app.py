"""The workflow's task after any failure: status and reason into the registry."""

from typing import Any

from aws_lambda_powertools import Logger

from winnow import deployment
from winnow.domain import TrainingJob
from winnow.errors import JobSupersededError
from winnow.failures import failure_sentence

logger = Logger(service="winnow")


def handler(event: dict[str, Any], context: object) -> None:
    job = TrainingJob.from_event(event["job"])
    logger.error("training failed", extra={"job": event["job"], "failure": event["failure"]})
    try:
        deployment.jobs().fail(job, failure_sentence(event["failure"]))
    except JobSupersededError:
        # Cancelled or deleted meanwhile: that is why the task failed, and it is in the registry already.
        logger.info("superseded", extra={"job": event["job"]})
