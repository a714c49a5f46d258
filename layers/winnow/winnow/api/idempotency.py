"""The header Idempotency-Key: a client's name for one request. A client can repeat such a request, and it is carried out only once."""

from __future__ import annotations

import hashlib
import json
import re

from winnow.api.endpoint import Request
from winnow.domain.errors import InvalidFieldError
from winnow.domain.job import IdempotencyKey

KEY = {"type": "string", "pattern": "^[!-~]{1,255}$", "description": "1 to 255 visible ASCII characters, such as a UUID"}


def idempotency_key(request: Request, call: str) -> IdempotencyKey | None:
    """The request's key and a digest of its content. None if the request has no such header.

    call: the method and route, which are part of the content. The order and spacing of the fields don't matter.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not re.fullmatch(KEY["pattern"], key):
        raise InvalidFieldError(f"Idempotency-Key must be {KEY['description']}.", field="Idempotency-Key")
    canonical = json.dumps([call, dict(request.path), request.fields], sort_keys=True)
    return IdempotencyKey(key, hashlib.sha256(canonical.encode()).hexdigest())
