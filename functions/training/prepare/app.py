"""The workflow's first task: read, check, split and freeze the examples. Returns the candidates: the recipes to try."""

from typing import TYPE_CHECKING, Any

from winnow.aws.tasks import task
from winnow.domain.job import TrainingJob
from winnow.training.prepare import prepare_training

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@task
def handler(job: TrainingJob, event: dict[str, Any], context: "LambdaContext") -> list[dict[str, Any]]:
    return prepare_training(job)
