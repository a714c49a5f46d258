"""When an execution of the training workflow ended as FAILED, TIMED_OUT or ABORTED: the version fails, where the registry doesn't know yet.

The event: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

import json
from typing import Any

from aws_lambda_powertools import Logger

from winnow import deployment
from winnow.domain import TrainingJob
from winnow.errors import JobSupersededError
from winnow.failures import ended

logger = Logger(service="winnow")


def handler(event: dict[str, Any], context: object) -> None:
    execution = event["detail"]
    job = json.loads(execution["input"])["job"]
    try:
        deployment.jobs().fail(TrainingJob.from_event(job), ended(execution))
    except JobSupersededError:
        # The workflow's own Fail said so, or a client or the sweeper stopped it: the registry knows already.
        logger.info("known", extra={"job": job})
    else:
        logger.error("ended from outside", extra={"job": job, "status": execution["status"]})
