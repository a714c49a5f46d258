"""Runs when a version becomes ready, fails or is cancelled, and when a day has drifted: puts an event on the account's default event bus
(docs/events.md).

template.yaml filters the records of the registry's stream, so that only these arrive:
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from typing import Any

from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.registry.drift_days import days_of_images
from winnow.registry.versions import versions_of_images
from winnow.upkeep import announce


def handler(event: dict[str, Any], context: object) -> None:
    images = [record["dynamodb"]["NewImage"] for record in event["Records"]]
    versions = list(versions_of_images(image for image in images if "drifted" not in image))
    days = list(days_of_images(image for image in images if "drifted" in image))
    announce.announce(versions, days)
    logger.info("announced", extra={"versions": len(versions), "days": len(days)})
    if days:
        count("DriftedModels", len(days))
