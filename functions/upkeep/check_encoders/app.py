"""A deployment's custom resource: whether every sentence encoder that a version needs is still to be had. If not, the deployment fails.

The event and its answer: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
from typing import Any
from urllib.request import Request, urlopen

from aws_lambda_powertools import Logger

from winnow import encoders
from winnow.errors import EncoderError

logger = Logger(service="winnow")

_SECONDS = 30


def handler(event: dict[str, Any], context: object) -> None:
    reason = None if event["RequestType"] == "Delete" else _refusal()
    answer = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason or "",
        "PhysicalResourceId": event["LogicalResourceId"],
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # Signed for no content type.
    request = Request(event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310
    with urlopen(request, timeout=_SECONDS):  # noqa: S310 - CloudFormation's own URL
        pass


def _refusal() -> str | None:
    """Why the deployment can't be; None where it can."""
    try:
        encoders.check()
    except EncoderError as error:
        return error.sentence
    except Exception:
        # Without an answer the deployment would wait for one.
        logger.exception("the check failed")
        return "The encoders could not be checked by a fault of ours: the log of this function has the details."
    return None
