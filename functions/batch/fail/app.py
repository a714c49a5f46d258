"""The batch workflow's task after any failure. It writes status and reason to the registry, if the failed task couldn't.

It also removes the intermediate files, because nothing will join them.
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
        # The task itself wrote the failure, or the batch was cancelled or deleted.
        logger.info("known", extra={"batch": event["batch"]})
    else:
        count("WorkflowFaults")
        logger.error("unforeseen", extra={"batch": event["batch"], "failure": event["failure"]})
    resources.batch_objects().remove_shards(job)
