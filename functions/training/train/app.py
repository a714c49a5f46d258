"""The workflow's second task: a segment of the training, from the last checkpoint on; the last one writes the artifact."""

from typing import TYPE_CHECKING, Any

from winnow import trainer
from winnow.domain import TrainingJob
from winnow.failures import task

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@task
def handler(job: TrainingJob, event: dict[str, Any], context: "LambdaContext") -> dict[str, bool | str | None]:
    manifest_sha256 = trainer.train(job, lambda: context.get_remaining_time_in_millis() / 1000)
    return {"done": manifest_sha256 is not None, "manifest_sha256": manifest_sha256}
