"""Every five minutes: what requests began and could not finish. Trainings that never started, deletions that had no time."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from winnow import deletion, jobs

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="winnow")

_SECONDS_TO_END = 10


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    started = jobs.start_queued()
    finished = deletion.finish_deletions(context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END)
    logger.info("swept", extra={"trainings_started": started, "deletions_finished": finished})
