"""Measures the day before of each prediction log that isn't measured yet. The sweeper calls it, at most once an hour."""

from typing import TYPE_CHECKING, Any

from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.upkeep.drift import measure_drift

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# The largest draw of a day takes about a minute.
_SECONDS_TO_END = 90


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    written, faults = measure_drift(context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END)
    if written:
        logger.info("measured", extra={"days": written})
    if faults:
        count("SweepFaults", faults)
