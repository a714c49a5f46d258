"""The workflow's last task: choose the best candidate, evaluate its artifact, and make the version live."""

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
    """A candidate of what its Train gave, or of the failure that no task foresaw."""
    if "failure" in result:
        return Candidate(result["recipe"], failed=unforeseen(result["failure"]))
    return Candidate(**{name: value for name, value in result.items() if name != "done"})
