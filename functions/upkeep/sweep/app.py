"""Every five minutes: finish the deletions for which a request had no time, or after which a training could still write."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from winnow import deletion

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="winnow")

_SECONDS_TO_END = 10


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    finished = deletion.finish_deletions(context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END)
    logger.info("swept", extra={"deletions_finished": finished})
