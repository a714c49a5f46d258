"""Runs every five minutes: finishes what requests, trainings and batches left unfinished. Its metrics count what it did."""

from typing import TYPE_CHECKING, Any

from winnow.aws.metrics import count
from winnow.upkeep.sweep import sweep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_SECONDS_TO_END = 10


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    for name, number in sweep(context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END).items():
        count(name, number)
