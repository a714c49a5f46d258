"""The batch workflow's task for each shard: classify its lines. Returns nothing: the results of all shards must fit into 256 KiB."""

from functools import cache
from typing import Any

from winnow.aws.tasks import batch_task
from winnow.batch.classify import Classifying
from winnow.domain.batch import BatchJob, Shard


@cache
def classifying() -> Classifying:
    """The classifier of this execution environment. It keeps the loaded version."""
    return Classifying()


@batch_task
def handler(job: BatchJob, event: dict[str, Any]) -> None:
    classifying().classify(job, Shard.from_name(event["shard"]))
