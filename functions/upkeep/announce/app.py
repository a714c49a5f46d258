"""Runs when a version becomes ready, fails or is cancelled: puts an event on the account's default event bus (docs/events.md).

template.yaml filters the records of the registry's stream, so that only these arrive:
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from typing import Any

from winnow.aws.log import logger
from winnow.registry.versions import versions_of_images
from winnow.upkeep import announce


def handler(event: dict[str, Any], context: object) -> None:
    versions = list(versions_of_images(record["dynamodb"]["NewImage"] for record in event["Records"]))
    announce.announce(versions)
    logger.info("announced", extra={"versions": len(versions)})
