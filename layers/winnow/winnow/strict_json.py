"""JSON from strangers: what json.loads lets through and later breaks something is refused here, with a sentence."""

from __future__ import annotations

import json
from typing import Any

from winnow.errors import UnreadableError


def loads(text: str, what: str = "The body") -> Any:
    """Parse text. UnreadableError names the column, and the line where there are several; `what` begins its sentence.

    Beside broken syntax it refuses NaN and infinities, two equal keys in an object, nesting too deep to follow,
    and half surrogate pairs, which no UTF-8 can carry (https://www.rfc-editor.org/rfc/rfc8259, sections 4, 6 and 8.2).
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_distinct_keys)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        line = f"line {error.lineno} " if "\n" in text else ""
        raise UnreadableError(f"{what} is not JSON: {error.msg}, {line}column {error.colno}.") from error
    except UnicodeEncodeError as error:
        raise UnreadableError(f"{what} holds half of a surrogate pair (\\ud800 to \\udfff): send the whole character.") from error
    except RecursionError as error:
        raise UnreadableError(f"{what} is nested too deeply.") from error
    except ValueError as error:
        raise UnreadableError(f"{what} is not JSON: {error}.") from error
    return value


def _refuse_constant(name: str) -> None:
    message = f"{name} is no JSON number"
    raise ValueError(message)


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"the key {twice[:100]!r} stands twice in one object"
        raise ValueError(message)
    return members
