"""The batch workflow's first task: part the object into shards. Gives where their list is, and how many are classified at once."""

from typing import Any

from winnow import shards
from winnow.aws import resources
from winnow.aws.tasks import batch_task
from winnow.domain.batch import BatchJob


@batch_task
def handler(job: BatchJob, event: dict[str, Any]) -> dict[str, Any]:
    return {"manifest": shards.split(job), "concurrency": resources.batch_concurrency()}
