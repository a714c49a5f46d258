"""POST /forget invokes this function, and the sweeper until the forgetting is done. It works on the forgetting as long as it has time."""

from typing import TYPE_CHECKING, Any

from winnow.forgetting.work import work_on

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# The largest upload is read to its end.
_SECONDS_TO_END = 300


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    work_on(event["forgetting"], context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END)
