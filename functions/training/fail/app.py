"""The workflow's task after any failure. It writes status and reason to the registry, if the failed task couldn't."""

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
        # The task itself wrote the failure, or the version was cancelled or deleted.
        logger.info("known", extra={"job": event["job"]})
    else:
        count("WorkflowFaults")
        logger.error("unforeseen", extra={"job": event["job"], "failure": event["failure"]})
