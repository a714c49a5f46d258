"""The header Idempotency-Key: a client's name for one request, so that it can be sent again without being done again."""

from __future__ import annotations

import hashlib
import json

from winnow.api.endpoint import Request
from winnow.domain.job import IdempotencyKey


def idempotency_key(request: Request) -> IdempotencyKey | None:
    """The request's key with the digest of what it asks for. None where it has no such header.

    The call is part of the digest, so that a key of one call isn't taken for another's. The order and spacing of fields are not.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    canonical = json.dumps([request.call, dict(request.path), request.fields], sort_keys=True)
    return IdempotencyKey(key, hashlib.sha256(canonical.encode()).hexdigest())
