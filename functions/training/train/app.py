"""The workflow's second task: train on the frozen examples, and write the artifact."""

from typing import TYPE_CHECKING, Any

from winnow import trainer
from winnow.domain import TrainingJob
from winnow.failures import task

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@task
def handler(job: TrainingJob, event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:
    return {"manifest_sha256": trainer.train(job, lambda: context.get_remaining_time_in_millis() / 1000)}
