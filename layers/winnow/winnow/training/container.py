"""The program of a container that trains what is too large for a Lambda (operations/large-trainings.yaml).

python -m winnow.training.container JOB RECIPE CANDIDATES, as the workflow gives them: the job and all candidates are JSON.

It trains as the function Train does, from the last checkpoint. The result stays in S3 for the workflow. When AWS wants the container back
(SIGTERM, two minutes before it kills it), the program writes a checkpoint and ends with INTERRUPTED, so that another container goes on.
"""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from winnow.aws import resources
from winnow.aws.log import logger
from winnow.aws.tasks import task
from winnow.domain.errors import JobSupersededError
from winnow.domain.job import TrainingJob
from winnow.domain.model import TrainedOn
from winnow.training import segment

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# The exit codes beside 0. functions/training/workflow.asl.json knows INTERRUPTED (EX_TEMPFAIL of sysexits.h).
FAILED, INTERRUPTED = 1, 75


class Notice:
    """Whether AWS wants the container back."""

    def __init__(self) -> None:
        self.given = False
        signal.signal(signal.SIGTERM, self._give)

    def _give(self, *_: object) -> None:
        self.given = True

    def seconds_left(self) -> float:
        """0 after the notice: the segment then writes its checkpoint at once."""
        return 0.0 if self.given else math.inf


def main(arguments: Sequence[str]) -> int:
    """Train until the end or the notice. Returns the exit code. The arguments are those of the program."""
    job, recipe, candidates = arguments
    notice = Notice()

    @task
    def train(job: TrainingJob, event: dict[str, Any], _: LambdaContext) -> int:
        stored = resources.candidates()
        # A container that was killed right after its end has nothing left to do.
        if stored.find_result(job, recipe) is not None:
            return 0
        recipes = [candidate["recipe"] for candidate in event["candidates"]]
        candidate = segment.train_segment(job, recipe, recipes, notice.seconds_left, on=TrainedOn.FARGATE)
        if candidate is None:
            return INTERRUPTED
        stored.write_result(job, recipe, asdict(candidate))
        return 0

    try:
        code = train({"job": json.loads(job), "candidates": json.loads(candidates)}, cast("LambdaContext", None))
    except JobSupersededError as error:
        # It was cancelled, deleted or restarted. Nothing went wrong.
        logger.info("superseded", extra={"reason": str(error)})
        return FAILED
    except Exception:
        logger.exception("failed")
        return FAILED
    logger.info("interrupted" if code == INTERRUPTED else "done", extra={"recipe": recipe})
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
