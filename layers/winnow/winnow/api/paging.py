"""Opaque cursors for lists. Clients hand them back, can't make or change one, and can't use one of another list."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from functools import cached_property

from winnow.domain.errors import InvalidFieldError

_TAG_BYTES = 16


class Cursors:
    """Makes and reads cursors. A cursor is where its list goes on, behind an HMAC (RFC 2104) of the list's name and that place.

    key: read when the first cursor is made or read, and then kept.
    """

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._read_key = key

    def cursor(self, of: str, after: str | None) -> str | None:
        """The cursor by which the list called `of` goes on after this place; None for none."""
        if after is None:
            return None
        tag = hmac.digest(self._key, f"{of}\0{after}".encode(), hashlib.sha256)[:_TAG_BYTES]
        return base64.urlsafe_b64encode(tag + after.encode()).decode().rstrip("=")

    def position(self, of: str, given: str | None) -> str | None:
        """The place that a cursor stands for. InvalidFieldError where this list never gave it."""
        if given is None:
            return None
        try:
            after = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)[_TAG_BYTES:].decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise _not_ours() from error
        # Made anew and compared as a whole: base64 has several spellings of the same bytes.
        if not hmac.compare_digest(given, self.cursor(of, after) or ""):
            raise _not_ours()
        return after

    @cached_property
    def _key(self) -> bytes:
        return self._read_key()


def _not_ours() -> InvalidFieldError:
    return InvalidFieldError("next must be the `next` of the answer before, unchanged, and of the same list.", field="next")
