"""Runs when a training ends or is deleted: starts waiting trainings in the free slots.

template.yaml filters the records of the registry's stream: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from typing import Any

from winnow.aws.log import logger
from winnow.training.queue import start_waiting


def handler(event: dict[str, Any], context: object) -> None:
    logger.info("looked", extra={"ended": len(event["Records"]), "waiting": start_waiting()})
