"""The workflow's second task: train on the frozen examples, and write the artifact."""

from typing import TYPE_CHECKING, Any

from winnow import trainer
from winnow.domain import TrainingJob

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:
    job = TrainingJob.from_event(event["job"])
    return {"manifest_sha256": trainer.train(job, lambda: context.get_remaining_time_in_millis() / 1000)}
