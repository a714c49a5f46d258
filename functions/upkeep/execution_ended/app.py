"""Runs when a workflow's execution ends as FAILED, TIMED_OUT or ABORTED: fails its version or batch if that is still active.

The event: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

import json
from typing import Any

from winnow.aws import resources
from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.aws.tasks import OF_BATCH, ended
from winnow.domain.batch import BatchJob
from winnow.domain.errors import JobSupersededError
from winnow.domain.job import TrainingJob


def handler(event: dict[str, Any], context: object) -> None:
    execution = event["detail"]
    given = json.loads(execution["input"])
    try:
        if "batch" in given:
            resources.batch_predictions().fail(BatchJob.from_event(given["batch"]), ended(execution, OF_BATCH))
        else:
            resources.jobs().fail(TrainingJob.from_event(given["job"]), ended(execution))
    except JobSupersededError:
        # The workflow's Fail wrote the failure, or a client or the sweeper stopped the execution.
        logger.info("known", extra=given)
    else:
        if execution["status"] == "FAILED":
            count("WorkflowFaults")
        logger.error("ended from outside", extra={**given, "status": execution["status"]})
