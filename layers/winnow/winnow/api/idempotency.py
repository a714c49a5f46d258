"""The header Idempotency-Key: a client's name for one request. A client can repeat such a request, and it is carried out only once."""

from __future__ import annotations

import hashlib
import json

from winnow.api.endpoint import Request
from winnow.domain import access
from winnow.domain.job import IdempotencyKey


def idempotency_key(request: Request) -> IdempotencyKey | None:
    """The request's key and a digest of its content. None if the request has no such header.

    Each API key has its own keys: a caller never gets the answer to another caller's request. The call is part of the content. The order
    and spacing of the fields don't matter.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    canonical = json.dumps([request.call, dict(request.path), request.fields], sort_keys=True)
    caller = access.digest(request.headers.get("x-api-key") or "")
    return IdempotencyKey(f"{caller} {key}", hashlib.sha256(canonical.encode()).hexdigest())
