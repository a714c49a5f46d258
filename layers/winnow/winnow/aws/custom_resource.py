"""Custom resources of CloudFormation: functions that run as a part of a deployment.

The event and the answer: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from winnow.aws.log import logger
from winnow.domain.errors import WinnowError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


# The time to send the answer.
_SECONDS = 30
# The longest reason. CloudFormation ignores an answer of more than 4,096 bytes, and would go on waiting.
_MOST_CHARACTERS = 2_000

Event = dict[str, Any]


def custom_resource(check: Callable[[], None]) -> Callable[[Event, LambdaContext], None]:
    """Make the Lambda handler of a custom resource. check() decides whether a deployment may create or update the resource.

    Any exception makes the deployment fail; a WinnowError gives the reason. A deletion does nothing and succeeds.
    """

    @wraps(check)
    def handler(event: Event, context: LambdaContext) -> None:
        reason = None if event["RequestType"] == "Delete" else _refusal(check, event)
        answer = {
            "Status": "FAILED" if reason else "SUCCESS",
            "Reason": (reason or "")[:_MOST_CHARACTERS],
            "PhysicalResourceId": event["LogicalResourceId"],
            **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        }
        # The URL is signed without a content type.
        request = Request(event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310
        with urlopen(request, timeout=_SECONDS):  # noqa: S310 - CloudFormation's own URL
            pass

    return handler


def _refusal(check: Callable[[], None], event: Event) -> str | None:
    """The reason why the deployment must fail; None if it may go on."""
    try:
        check()
    except WinnowError as error:
        return error.sentence
    except Exception:
        # The deployment waits for an answer, so every error must give one.
        logger.exception("a custom resource failed")
        return f"{event['LogicalResourceId']} failed with an internal error: its function's log has the details."
    return None
