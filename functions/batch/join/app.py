"""The batch workflow's last task: join what became of the shards, in their order. The batch is ready then."""

from typing import Any

from winnow.aws.tasks import batch_task
from winnow.batch import split_join
from winnow.domain.batch import BatchJob


@batch_task
def handler(job: BatchJob, event: dict[str, Any]) -> None:
    split_join.join(job)
