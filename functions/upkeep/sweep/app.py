"""Runs every five minutes: finishes what requests, trainings and batches left unfinished. Its metrics count what it did."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from winnow.aws.metrics import count
from winnow.upkeep.sweep import sweep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_SECONDS_TO_END = 10


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    # The schedule has one call in the first five minutes of each hour. This costs no row that says when it was done. A call by hand has no
    # time, and does everything.
    hourly = "time" not in event or datetime.fromisoformat(event["time"]).minute < 5
    for name, number in sweep(context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END, hourly=hourly).items():
        count(name, number)
