"""When a training has ended, or was deleted: its slot is free for the next.

The records of the registry's stream are filtered in template.yaml: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from typing import Any

from winnow.aws.log import logger
from winnow.training.queue import start_waiting


def handler(event: dict[str, Any], context: object) -> None:
    logger.info("looked", extra={"ended": len(event["Records"]), "waiting": start_waiting()})
