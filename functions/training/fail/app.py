"""The workflow's task after any failure: status and reason into the registry, where the task that failed couldn't say so itself."""

from typing import Any

from winnow import deployment
from winnow.domain.errors import JobSupersededError
from winnow.domain.job import TrainingJob
from winnow.failures import unforeseen
from winnow.log import logger
from winnow.metrics import count


def handler(event: dict[str, Any], context: object) -> None:
    job = TrainingJob.from_event(event["job"])
    try:
        deployment.jobs().fail(job, unforeseen(event["failure"]))
    except JobSupersededError:
        # Failed by the task's own word, cancelled or deleted: the registry knows already.
        logger.info("known", extra={"job": event["job"]})
    else:
        count("WorkflowFaults")
        logger.error("unforeseen", extra={"job": event["job"], "failure": event["failure"]})
