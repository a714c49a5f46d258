"""The cursors of lists. Clients send back the `next` of a page unchanged.

A cursor is JSON in base64url: the list's name, and the place after which the next page begins. Clients can make one up, so it is checked
like any other field. A list takes only the place from it, and looks for the place among its own rows.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from winnow.domain.errors import InvalidFieldError

# A page ends before its items are larger. The answer around them is small.
MOST_BYTES = 4_000_000

MODEL_ID = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
VERSION = "[1-9][0-9]{0,5}"
BATCH = "[0-9]{8}T[0-9]{9}-[0-9a-f]{8}"
PLACE = "[1-9][0-9]{0,5}"
EXAMPLE = "[1-9][0-9]{0,6}"
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
UPLOAD_NUMBER = "[0-9a-f]{32}"


def cursor(of: str, place: str | None) -> str | None:
    """The cursor of the list called `of` that continues after this place; None if the place is None."""
    if place is None:
        return None
    text = json.dumps({"list": of, "after": place}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def named(of: str, *filters: str | None) -> str:
    """The name of a list with these filters, so that a cursor of the list with other ones is refused."""
    return f"{of} {hashlib.sha256(json.dumps(filters).encode()).hexdigest()[:16]}"


def fitting(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first items, as many as fit into an answer, and at least one if there is one."""
    fitting: list[dict[str, Any]] = []
    size = 0
    for item in items:
        size += len(json.dumps(item, ensure_ascii=False).encode())
        if fitting and size > MOST_BYTES:
            break
        fitting.append(item)
    return fitting


def place(of: str, given: str | None, pattern: str) -> str | None:
    """The place in a cursor of the list called `of`; None if there is no cursor. pattern: the form of this list's places.

    InvalidFieldError if the cursor is of another list or is malformed.
    """
    if given is None:
        return None
    try:
        after = json.loads(base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True))["after"]
    except (ValueError, LookupError, TypeError) as error:  # ValueError: not base64, not UTF-8, not JSON
        raise _not_ours() from error
    # Compare with the cursor made again, because the same JSON has many spellings in base64.
    if not isinstance(after, str) or not re.fullmatch(pattern, after) or given != cursor(of, after):
        raise _not_ours()
    return after


def _not_ours() -> InvalidFieldError:
    return InvalidFieldError("next must be the `next` of the answer before, unchanged, and of the same list.", field="next")
