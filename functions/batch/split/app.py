"""The batch workflow's first task: split the object into shards. Returns the place of their list, and how many run at the same time."""

from typing import Any

from winnow.aws import resources
from winnow.aws.tasks import batch_task
from winnow.batch import split_join
from winnow.domain.batch import BatchJob


@batch_task
def handler(job: BatchJob, event: dict[str, Any]) -> dict[str, Any]:
    return {**split_join.split(job), "concurrency": resources.batch_concurrency()}
