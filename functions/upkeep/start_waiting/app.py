"""Runs when a training or a batch prediction ends or is deleted: starts those that wait in the free slots.

template.yaml filters the records of the registry's stream: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from typing import Any

from winnow.aws.log import logger
from winnow.batch import queue as batches
from winnow.training import queue as trainings


def handler(event: dict[str, Any], context: object) -> None:
    ended = ["batch_status" in record["dynamodb"]["OldImage"] for record in event["Records"]]
    waiting = {
        **({} if all(ended) else {"trainings": trainings.start_waiting()}),
        **({"batches": batches.start_waiting()} if any(ended) else {}),
    }
    logger.info("looked", extra={"ended": len(ended), "waiting": waiting})
