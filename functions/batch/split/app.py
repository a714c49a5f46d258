"""The batch workflow's first task: part the object into shards. Gives where their list is, and how many are classified at once."""

from typing import Any

from winnow import deployment, shards
from winnow.domain.batch import BatchJob
from winnow.failures import batch_task


@batch_task
def handler(job: BatchJob, event: dict[str, Any]) -> dict[str, Any]:
    return {"manifest": shards.split(job), "concurrency": deployment.batch_concurrency()}
