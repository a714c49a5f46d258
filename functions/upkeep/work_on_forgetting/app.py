"""POST /forget invokes this function, and the sweeper until the forgetting is done. It works on the forgetting as long as it has time."""

from typing import TYPE_CHECKING, Any

from winnow.forgetting.work import work_on

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# A file that is read when the time is up is mostly read to its end.
_SECONDS_TO_END, _SECONDS_AFTER_FILE = 300, 60


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    seconds = context.get_remaining_time_in_millis() / 1000
    work_on(event["forgetting"], seconds - _SECONDS_TO_END, seconds - _SECONDS_AFTER_FILE)
