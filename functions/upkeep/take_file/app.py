"""Runs when a file is put into inbox/ or training/ of the uploads' bucket, and when a batch prediction or a training has ended
(docs/inbox.md).

S3's event: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html. Winnow's own: docs/events.md.
"""

from typing import TYPE_CHECKING, Any

from winnow.domain.dropped_file import DroppedFile
from winnow.storage.removal import time_left
from winnow.upkeep import announce, inbox

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# The start of a batch or a training takes seconds at most.
_SECONDS_TO_END = 60


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    match event["detail-type"]:
        case announce.BATCH_ENDED:
            inbox.batch_ended(event["detail"])
        case announce.DETAIL_TYPE:
            inbox.training_ended(event["detail"])
        case _:
            file = DroppedFile.from_event(event)
            if file is not None:
                inbox.take(file)
            return
    inbox.take_waiting(time_left(context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END))
