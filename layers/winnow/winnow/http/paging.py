"""Opaque cursors for lists: clients hand them back, and need not know what they hold."""

from __future__ import annotations

import base64
import binascii

from winnow.errors import InvalidFieldError


def cursor(after: str | None) -> str | None:
    """The cursor by which a list goes on after this id."""
    return None if after is None else base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")


def position(given: str | None) -> str | None:
    """The id that a cursor stands for. InvalidFieldError where no list gave it."""
    if given is None:
        return None
    try:
        return base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidFieldError("next must be the `next` of the answer before, unchanged.", field="next") from error
