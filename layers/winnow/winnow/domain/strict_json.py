"""JSON from untrusted clients. Refuses, with a sentence, what json.loads accepts although it breaks something later."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from winnow.domain.errors import UnreadableError

# Python's error message for an integer with too many digits (https://docs.python.org/3/library/stdtypes.html#int-max-str-digits).
_TOO_MANY_DIGITS = "Exceeds the limit"

HALF_A_PAIR = "holds half of a surrogate pair (\\ud800 to \\udfff): send the whole character"


class BrokenJsonError(Exception):
    """A text isn't JSON that we accept.

    reason: the predicate of a sentence ("is not JSON: …"). position: the place in the text, None if unknown. If the position is the
    end of the text, the text may only be incomplete.
    """

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


def loads(text: str, what: str = "The body") -> Any:
    """Parse text. UnreadableError names the column, and the line if there are several. what: the subject of the error's sentence."""
    try:
        return parse(text)
    except BrokenJsonError as error:
        raise UnreadableError(f"{what} {error.reason}.") from error


def parse(text: str) -> Any:
    """Parse text. BrokenJsonError names the column, and the line if there are several.

    It refuses broken syntax, NaN and infinities, equal keys in one object, nesting that is too deep, and half surrogate pairs,
    which UTF-8 can't encode (https://www.rfc-editor.org/rfc/rfc8259, sections 4, 6 and 8.2).
    """
    try:
        value = _DECODER.decode(text)
        _check_surrogates(value, escaped="\\u" in text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno} " if "\n" in text else ""
        raise BrokenJsonError(f"is not JSON: {error.msg}, {line}column {error.colno}", error.pos) from error
    except (ValueError, RecursionError) as error:
        raise _broken(error) from error
    return value


def parse_at(text: str, start: int) -> tuple[Any, int]:
    """Parse the value that begins at start, as `parse` does. Returns it and its end. BrokenJsonError's reason names no line or column."""
    try:
        value, end = _DECODER.raw_decode(text, start)
        _check_surrogates(value, escaped=text.find("\\u", start, end) >= 0)
    except json.JSONDecodeError as error:
        raise BrokenJsonError(f"is not JSON: {error.msg}", error.pos) from error
    except (ValueError, RecursionError) as error:
        raise _broken(error) from error
    return value, end


def _broken(error: ValueError | RecursionError) -> BrokenJsonError:
    if isinstance(error, RecursionError):
        return BrokenJsonError("is nested too deeply")
    if isinstance(error, UnicodeEncodeError):
        return BrokenJsonError(HALF_A_PAIR)
    said = str(error)
    return BrokenJsonError(f"is not JSON: {'a number has too many digits' if said.startswith(_TOO_MANY_DIGITS) else said}")


def _check_surrogates(value: Any, *, escaped: bool) -> None:
    """UnicodeEncodeError for half a surrogate pair. Only an escape can put one into a text."""
    if escaped:
        json.dumps(value, ensure_ascii=False).encode()


def _refuse_constant(name: str) -> None:
    message = f"{name} is not a JSON number"
    raise ValueError(message)


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        message = f"the key {twice[:100]!r} appears twice in one object"
        raise ValueError(message)
    return members


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_distinct_keys)
