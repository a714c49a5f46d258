"""The workflow's task after any failure: status and reason into the registry, where the task that failed couldn't say so itself."""

from typing import Any

from winnow.aws import resources
from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.aws.tasks import unforeseen
from winnow.domain.errors import JobSupersededError
from winnow.domain.job import TrainingJob


def handler(event: dict[str, Any], context: object) -> None:
    job = TrainingJob.from_event(event["job"])
    try:
        resources.jobs().fail(job, unforeseen(event["failure"]))
    except JobSupersededError:
        # Failed by the task's own word, cancelled or deleted: the registry knows already.
        logger.info("known", extra={"job": event["job"]})
    else:
        count("WorkflowFaults")
        logger.error("unforeseen", extra={"job": event["job"], "failure": event["failure"]})
