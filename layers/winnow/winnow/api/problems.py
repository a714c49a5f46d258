"""Errors as problem details (RFC 9457, https://www.rfc-editor.org/rfc/rfc9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from winnow.domain.errors import WinnowError

UNEXPECTED = (
    "Something failed on our side. Nothing was lost: try again. If it fails again, send the operator this answer's x-amzn-RequestId."
)


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
    return {"Retry-After": "5"} if error.status is HTTPStatus.SERVICE_UNAVAILABLE else {}
