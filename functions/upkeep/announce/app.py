"""Runs when a training or a batch prediction has ended, when a day has drifted, and when a policy was set or removed: puts an event on
the account's default event bus (docs/events.md).

template.yaml filters the records of the registry's stream, so that only these arrive:
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from typing import Any

from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.registry.batch_predictions import batches_of_images
from winnow.registry.drift_days import days_of_images
from winnow.registry.policies import policies_of_images
from winnow.registry.versions import versions_of_images
from winnow.upkeep import announce


def handler(event: dict[str, Any], context: object) -> None:
    images = [record["dynamodb"]["NewImage"] for record in event["Records"]]
    versions = list(versions_of_images(image for image in images if "status" in image))
    batches = list(batches_of_images(image for image in images if "batch_status" in image))
    days = list(days_of_images(image for image in images if "drifted" in image))
    policies = list(policies_of_images(image for image in images if not image.keys() & {"status", "batch_status", "drifted"}))
    announce.announce(
        [
            *map(announce.of_version, versions),
            *map(announce.of_batch, batches),
            *map(announce.of_day, days),
            *(announce.of_policy(model_id, policy) for model_id, policy in policies),
        ]
    )
    told = {"versions": versions, "batches": batches, "days": days, "policies": policies}
    logger.info("announced", extra={name: len(found) for name, found in told.items()})
    if days:
        count("DriftedModels", len(days))
