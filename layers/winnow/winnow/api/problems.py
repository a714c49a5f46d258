"""Errors as problem details (RFC 9457, https://www.rfc-editor.org/rfc/rfc9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from winnow.domain.errors import WinnowError

UNEXPECTED = (
    "Something failed on our side. Nothing was lost: try again. If it fails again, send the operator this answer's x-amzn-RequestId."
)

# In seconds. A batch takes minutes, so a client that is in a hurry need not try again at once.
_RETRY_AFTER = {HTTPStatus.SERVICE_UNAVAILABLE: "5", HTTPStatus.TOO_MANY_REQUESTS: "60"}


def details(error: WinnowError) -> dict[str, Any]:
    """The body. Each kind of error has a fixed type and title; detail says what to fix; field names the wrong field."""
    body: dict[str, Any] = {
        "type": f"urn:winnow:problem:{error.kind}",
        "title": error.kind.replace("-", " ").capitalize(),
        "status": int(error.status),
        "detail": error.sentence,
    }
    return {**body, **({} if error.field is None else {"field": error.field}), **error.more}


def headers(error: WinnowError) -> dict[str, str]:
    """Retry-After, if waiting helps."""
    seconds = _RETRY_AFTER.get(error.status)
    return {} if seconds is None else {"Retry-After": seconds}
