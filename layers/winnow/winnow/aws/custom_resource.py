"""Custom resources of CloudFormation: functions that run as a part of a deployment.

The event and the answer: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
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
type Check = Callable[[float], None]


def custom_resource(check: Check) -> Callable[[Event, LambdaContext], None]:
    """Make the Lambda handler of a custom resource. check(seconds) decides whether a deployment may create or update the resource.

    Any exception makes the deployment fail, and so does a check that takes longer; a WinnowError gives the reason. A deletion does nothing
    and succeeds. So does a return to the properties that were accepted last, as when CloudFormation undoes an update that was refused: the
    physical id is their digest.
    """

    @wraps(check)
    def handler(event: Event, context: LambdaContext) -> None:
        accepted = f"{event['LogicalResourceId']}-{_digest(event['ResourceProperties'])}"
        before = event.get("PhysicalResourceId", accepted)
        deleted = event["RequestType"] == "Delete"
        known = event["RequestType"] == "Update" and before == accepted
        reason = None if deleted or known else _refusal(check, event, context.get_remaining_time_in_millis() / 1000 - _SECONDS)
        answer = {
            "Status": "FAILED" if reason else "SUCCESS",
            "Reason": (reason or "")[:_MOST_CHARACTERS],
            # Where the id changes, CloudFormation deletes the old one.
            "PhysicalResourceId": before if deleted or reason else accepted,
            **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        }
        # The URL is signed without a content type.
        request = Request(event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310
        with urlopen(request, timeout=_SECONDS):  # noqa: S310 - CloudFormation's own URL
            pass

    return handler


def _digest(properties: Any) -> str:
    return hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:32]


def _refusal(check: Check, event: Event, seconds: float) -> str | None:
    """The reason why the deployment must fail; None if it may go on."""
    # In a thread, so that the answer goes out also if a call in it hangs.
    thread = ThreadPoolExecutor(1)
    try:
        return thread.submit(copy_context().run, _reason, check, event, seconds).result(max(seconds, 0))
    except TimeoutError:
        logger.error("a custom resource took too long")
        return f"{event['LogicalResourceId']} took longer than {seconds:.0f} seconds: deploy again. Its function's log has the details."
    finally:
        thread.shutdown(wait=False)


def _reason(check: Check, event: Event, seconds: float) -> str | None:
    try:
        check(seconds)
    except WinnowError as error:
        return error.sentence
    except Exception:
        # The deployment waits for an answer, so every error must give one.
        logger.exception("a custom resource failed")
        return f"{event['LogicalResourceId']} failed with an internal error: its function's log has the details."
    return None
