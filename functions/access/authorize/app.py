"""Before each call that needs a key: the role of the caller's API key, and what it may call.

A REQUEST authorizer: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

import logging
from typing import Any

from winnow.aws import resources
from winnow.domain import access

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    key = _key(event)
    known = None if key is None else resources.roles().find(access.digest(key))
    role, name = (None, "unknown") if known is None else (known.role, known.name)
    # Of a key that isn't known not even a part: it may be somebody's password in the wrong place.
    logger.info("authorized", extra={"key": name, "role": role})
    return {
        "principalId": name,
        "policyDocument": access.policy(role, event["methodArn"]),
        "context": {} if role is None else {"role": role, "key": name},
    }


def _key(event: dict[str, Any]) -> str | None:
    """The key that was sent; None where it was sent several times, since API Gateway may have counted another of them."""
    headers = event.get("multiValueHeaders") or {}
    keys = [key for name, values in headers.items() if name.lower() == "x-api-key" for key in values]
    return keys[0] if len(keys) == 1 else None
