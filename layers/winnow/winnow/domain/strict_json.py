"""JSON from strangers: what json.loads lets through and later breaks something is refused here, with a sentence."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from winnow.domain.errors import UnreadableError

# Python refuses to read an integer of more digits (https://docs.python.org/3/library/stdtypes.html#int-max-str-digits).
_TOO_MANY_DIGITS = "Exceeds the limit"

HALF_A_PAIR = "holds half of a surrogate pair (\\ud800 to \\udfff): send the whole character"


class BrokenJsonError(Exception):
    """Why a text isn't JSON that we take, as what follows its name in a sentence. position: where in the text, None where that isn't
    known; a text that breaks there may only lack its end."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


def loads(text: str, what: str = "The body") -> Any:
    """Parse text. UnreadableError names the column, and the line where there are several; `what` begins its sentence."""
    try:
        return parse(text)
    except BrokenJsonError as error:
        raise UnreadableError(f"{what} {error.reason}.") from error


def parse(text: str) -> Any:
    """Parse text. BrokenJsonError names the column, and the line where there are several.

    Beside broken syntax it refuses NaN and infinities, two equal keys in an object, nesting too deep to follow,
    and half surrogate pairs, which no UTF-8 can carry (https://www.rfc-editor.org/rfc/rfc8259, sections 4, 6 and 8.2).
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
    """Parse the value that begins at start, as `parse` does. Returns it, and where it ends. The caller has to tell where that is."""
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
    """UnicodeEncodeError for half of a pair, which only an escape can bring in."""
    if escaped:
        json.dumps(value, ensure_ascii=False).encode()


def _refuse_constant(name: str) -> None:
    message = f"{name} is no JSON number"
    raise ValueError(message)


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        message = f"the key {twice[:100]!r} stands twice in one object"
        raise ValueError(message)
    return members


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_distinct_keys)
