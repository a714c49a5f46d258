"""The batch workflow's last task: join the results of the shards, in their order, and make the batch ready."""

from typing import Any

from winnow.aws.tasks import batch_task
from winnow.batch import split_join
from winnow.domain.batch import BatchJob


@batch_task
def handler(job: BatchJob, event: dict[str, Any]) -> None:
    split_join.join(job)
