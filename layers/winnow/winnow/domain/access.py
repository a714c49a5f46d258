"""Who may call what: the roles of API keys, and the calls that each may make.

A call is a method and a route, as in "GET /models/{model_id}". The contract, openapi.yaml, has the roles of each call (`x-winnow-roles`);
docs/keys.md shows them as a table.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from winnow_contract import ROLES

# With this value of the setting AUTHORIZER, IAM decides who may call what, and roles don't count.
BY_IAM = "AWS_IAM"


class Role(StrEnum):
    """The role of an API key."""

    CLASSIFY = "classify"
    PREDICT = "predict"
    ADMIN = "admin"


# Calls that need no key.
OPEN_CALLS = frozenset(call for call, roles in ROLES.items() if not roles)
# The calls of each role that may not make every call.
CALLS = {role: frozenset(call for call, roles in ROLES.items() if role in roles) for role in (Role.CLASSIFY, Role.PREDICT)}


@dataclass(frozen=True, slots=True)
class KeyRole:
    """The registry's record of an API key, without the key itself. digest: its SHA-256, in hex; key_id: its id in API Gateway.

    plan: the id of its usage plan in API Gateway, "" for keys of earlier releases.
    """

    digest: str
    name: str
    role: str
    key_id: str
    created_at: str
    plan: str = ""


def digest(key: str) -> str:
    """The SHA-256 by which the registry finds a key. Keys are long and random, so they need no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


def may(role: str | None, call: str) -> bool:
    """Whether a caller with this role, or without one, may make the call."""
    return call in OPEN_CALLS or role == Role.ADMIN or (role in CALLS and call in CALLS[Role(role)])


def policy(role: str | None, method_arn: str) -> dict[str, Any]:
    """The policy of a Lambda authorizer for a caller with this role.

    It names all calls of the role, not only the call of `method_arn` (arn:…:API/STAGE/METHOD/PATH), because API Gateway caches it for
    the next calls with the key (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html).
    """
    stage = "/".join(method_arn.split("/")[:2])
    if role == Role.ADMIN:
        return _policy(_statement("Allow", [f"{stage}/*"]))
    if role not in CALLS:
        return _policy(_statement("Deny", [f"{stage}/*"]))
    allowed = [_pattern(call) for call in sorted(CALLS[Role(role)])]
    # The stars of a pattern match slashes too: `GET/models/*` is also GET /models/{model_id}/queue.
    denied = [
        _pattern(call) for call in sorted(ROLES) if not may(role, call) and any(fnmatchcase(_pattern(call), each) for each in allowed)
    ]
    statements = [
        _statement(effect, [f"{stage}/{each}" for each in some]) for effect, some in (("Allow", allowed), ("Deny", denied)) if some
    ]
    return _policy(*statements)


def _pattern(call: str) -> str:
    """The call as the end of an ARN."""
    return re.sub(r"{\w+}", "*", call).replace(" ", "", 1)


def _statement(effect: str, resources: list[str]) -> dict[str, Any]:
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resources}


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
