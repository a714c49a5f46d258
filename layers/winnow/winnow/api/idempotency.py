"""The header Idempotency-Key: a client's name for one request, so that it can be sent again without being done again."""

from __future__ import annotations

import hashlib
import json
import re

from winnow.api.endpoint import Request
from winnow.domain.errors import InvalidFieldError
from winnow.domain.job import IdempotencyKey

KEY = {"type": "string", "pattern": "^[!-~]{1,255}$", "description": "1 to 255 visible ASCII characters, such as a UUID"}


def idempotency_key(request: Request, call: str) -> IdempotencyKey | None:
    """The request's key with the digest of what it asks for. None where it has no such header.

    call: its method and route, so that a key of one call isn't taken for another's. Fields count in whatever order and spacing they came.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not re.fullmatch(KEY["pattern"], key):
        raise InvalidFieldError(f"Idempotency-Key must be {KEY['description']}.", field="Idempotency-Key")
    canonical = json.dumps([call, dict(request.path), request.fields], sort_keys=True)
    return IdempotencyKey(key, hashlib.sha256(canonical.encode()).hexdigest())
