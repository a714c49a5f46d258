"""When a version became ready, failed or was cancelled: an event on the account's default event bus (docs/events.md).

The records of the registry's stream are filtered in template.yaml, so that only these arrive:
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from typing import Any

from winnow.aws.log import logger
from winnow.registry.versions import version_of_image
from winnow.upkeep import announce


def handler(event: dict[str, Any], context: object) -> None:
    versions = [version_of_image(record["dynamodb"]["NewImage"]) for record in event["Records"]]
    announce.announce(versions)
    logger.info("announced", extra={"versions": len(versions)})
