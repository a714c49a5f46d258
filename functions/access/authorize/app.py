"""The authorizer of each call that needs a key: it finds the role of the API key, and the calls that the role may make.

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
    # Log no part of an unknown key: a caller may have sent a password by mistake.
    logger.info("authorized", extra={"key": name, "role": role})
    return {
        "principalId": name,
        "policyDocument": access.policy(role, event["methodArn"]),
        "context": {} if role is None else {"role": role, "key": name},
    }


def _key(event: dict[str, Any]) -> str | None:
    """The key of the request. None if it has several keys, because API Gateway may have metered another one."""
    headers = event.get("multiValueHeaders")
    if headers is None:
        # Some gateways send only this member, where of several keys one has won.
        headers = {name: [value] for name, value in (event.get("headers") or {}).items()}
    keys = [key for name, values in headers.items() if name.lower() == "x-api-key" for key in values]
    return keys[0] if len(keys) == 1 else None
