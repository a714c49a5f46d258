"""The workflow's last task: evaluate the artifact, and make the version live."""

from typing import TYPE_CHECKING, Any

from winnow import trainer
from winnow.domain import TrainingJob
from winnow.failures import task

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@task
def handler(job: TrainingJob, event: dict[str, Any], context: "LambdaContext") -> None:
    trainer.publish(job, event["artifact"]["manifest_sha256"])
