"""The batch workflow's task after any failure: status and reason into the registry, where the task that failed couldn't say so itself.

What lies between the object and its result is removed: nobody will join it.
"""

from typing import Any

from winnow.aws import resources
from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.aws.tasks import OF_BATCH, unforeseen
from winnow.domain.batch import BatchJob
from winnow.domain.errors import JobSupersededError


def handler(event: dict[str, Any], context: object) -> None:
    job = BatchJob.from_event(event["batch"])
    try:
        resources.batch_predictions().fail(job, unforeseen(event["failure"], OF_BATCH))
    except JobSupersededError:
        # Failed by a task's own word, cancelled or deleted: the registry knows already.
        logger.info("known", extra={"batch": event["batch"]})
    else:
        count("WorkflowFaults")
        logger.error("unforeseen", extra={"batch": event["batch"], "failure": event["failure"]})
    resources.batch_objects().remove_shards(job)
