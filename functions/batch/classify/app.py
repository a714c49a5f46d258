"""The batch workflow's task for each shard: classify its lines. Gives nothing: what all shards give would have to fit into 256 KiB."""

from functools import cache
from typing import Any

from winnow.aws.tasks import batch_task
from winnow.batch.classify import Classifying
from winnow.domain.batch import BatchJob, Shard


@cache
def classifying() -> Classifying:
    """One for the whole life of the execution environment: it holds the loaded version."""
    return Classifying()


@batch_task
def handler(job: BatchJob, event: dict[str, Any]) -> None:
    classifying().classify(job, Shard.from_name(event["shard"]))
