"""The workflow's second task, for each candidate: one segment of its training, from the last checkpoint. The last writes the artifact.

If a container trained the candidate, it returns what the container has left in S3.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.aws.tasks import task
from winnow.domain.job import TrainingJob
from winnow.training import segment

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@task
def handler(job: TrainingJob, event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    recipe, recipes = event["candidate"]["recipe"], [candidate["recipe"] for candidate in event["candidates"]]
    if "large" in event["candidate"]:
        return {**_of_container(job, recipe), "done": True}
    candidate = segment.train_segment(job, recipe, recipes, lambda: context.get_remaining_time_in_millis() / 1000)
    return {"recipe": recipe, "done": False} if candidate is None else {**asdict(candidate), "done": True}


def _of_container(job: TrainingJob, recipe: str) -> dict[str, Any]:
    result = resources.candidates().find_result(job, recipe)
    if result is None:
        message = "The container ended without a result"
        raise RuntimeError(message)
    return result
