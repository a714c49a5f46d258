"""What CloudFormation is answered by a function of the deployment's own: a custom resource.

The event and its answer: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
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


# For the answer to be sent.
_SECONDS = 30
# Of a reason: CloudFormation takes no answer of more than 4,096 bytes, and would go on waiting for one.
_MOST_CHARACTERS = 2_000

Event = dict[str, Any]


def custom_resource(check: Callable[[], None]) -> Callable[[Event, LambdaContext], None]:
    """Make the Lambda handler of a custom resource that a deployment creates and updates if check() lets it.

    The deployment fails with the sentence of a WinnowError, and after any other exception. A deletion succeeds, and does nothing.
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
        # Signed for no content type.
        request = Request(event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310
        with urlopen(request, timeout=_SECONDS):  # noqa: S310 - CloudFormation's own URL
            pass

    return handler


def _refusal(check: Callable[[], None], event: Event) -> str | None:
    """Why the deployment can't be; None where it can."""
    try:
        check()
    except WinnowError as error:
        return error.sentence
    except Exception:
        # Without an answer the deployment would wait for one.
        logger.exception("a custom resource failed")
        return f"{event['LogicalResourceId']} failed by a fault of ours: the log of its function has the details."
    return None
