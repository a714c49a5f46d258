"""The batch workflow's last task: join what became of the shards, in their order. The batch is ready then."""

from typing import Any

from winnow import shards
from winnow.aws.tasks import batch_task
from winnow.domain.batch import BatchJob


@batch_task
def handler(job: BatchJob, event: dict[str, Any]) -> None:
    shards.join(job)
