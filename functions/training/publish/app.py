"""The workflow's last task: choose the best candidate, evaluate its artifact, and make the version ready, and live if wanted."""

from typing import TYPE_CHECKING, Any

from winnow.aws.tasks import task, unforeseen
from winnow.domain.job import TrainingJob
from winnow.training.choose import Candidate
from winnow.training.publish import publish

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@task
def handler(job: TrainingJob, event: dict[str, Any], context: "LambdaContext") -> None:
    publish(job, [_candidate(result) for result in event["candidates"]])


def _candidate(result: dict[str, Any]) -> Candidate:
    """The candidate, made from the result of its task Train or from a failure that no task handled."""
    if "failure" in result:
        return Candidate(result["recipe"], failed=unforeseen(result["failure"]))
    return Candidate(**{name: value for name, value in result.items() if name != "done"})
