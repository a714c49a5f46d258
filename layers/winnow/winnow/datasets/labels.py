"""What the value of a label means: one label, several labels in one cell, or none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from winnow.domain import strict_json
from winnow.domain.normal_form import label_form

FASTTEXT_PREFIX = "__label__"
# The separators that are looked for, in this order.
SEPARATORS = ("|", "#", ";", ",")
# The share of the cells with a separator whose parts must all be known from other cells.
_PLAIN = 0.9
_MOST_PACKED_CHARACTERS = 20_000

_STRING = r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\""
# A list as Python, pandas or numpy print it: ['a', 'b'] or ['a' 'b'].
_PRINTED_LIST = re.compile(rf"[\[({{]\s*+(?:(?:{_STRING})\s*+,?\s*+)*+[\])}}]")
_STRINGS = re.compile(_STRING)
_ESCAPED = re.compile(r"\\(.)")
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "\u2018": "\u2019", "«": "»"}


@lru_cache(maxsize=10_000)
def labels_in(cell: str, separator: str | None) -> tuple[str, ...]:
    """The labels of a cell, trimmed. Empty if the cell is blank.

    A list that a program printed, {"choices": […]} of Label Studio, and fastText's prefixes are taken apart without a separator.
    """
    cell = label_form(cell)
    found = _packed(cell)
    if found is None:
        found = cell.split(separator.strip() or separator) if separator else [cell]
    return tuple(label for each in found if (label := label_form(_unquoted(label_form(each)))))


def separator_of(cells: Sequence[str]) -> str | None:
    """The separator of several labels in a cell, if the cells show it plainly. None otherwise.

    A separator is plain if the parts of nearly all cells that contain it also occur in other cells: so "a, b" beside "a" and "b, c" is
    taken apart, and "Sports, leisure" is one label.
    """
    distinct = [cell for cell in {label_form(cell) for cell in cells} if cell and _packed(cell) is None]
    for separator in SEPARATORS:
        parted = [parts for cell in distinct if len(parts := _parts(cell, separator)) > 1]
        if not parted:
            continue
        seen = Counter(part for cell in distinct for part in set(_parts(cell, separator)))
        known = sum(all(seen[part] > 1 for part in parts) for parts in parted)
        if known >= _PLAIN * len(parted):
            return separator
    return None


def separator_within(label: str) -> str | None:
    """The separator that a label contains, as if it were several labels. None if it contains none."""
    return next((separator for separator in SEPARATORS if len(_parts(label, separator)) > 1), None)


def _parts(cell: str, separator: str) -> list[str]:
    """The parts of a cell; only the cell itself if a part is blank, as in C#."""
    parts = [part.strip() for part in cell.split(separator)]
    return parts if all(parts) else [cell]


def _packed(cell: str) -> list[str] | None:
    """The strings of a packed cell. None if the cell isn't packed."""
    if len(cell) > _MOST_PACKED_CHARACTERS:
        return None
    if cell.startswith(FASTTEXT_PREFIX):
        return [part.strip(" ,;|\t") for part in cell.split(FASTTEXT_PREFIX)]
    if cell.startswith("{") and (choices := _choices(cell)) is not None:
        return choices
    if cell[:1] in ("[", "(", "{") and _PRINTED_LIST.fullmatch(cell):
        return [_ESCAPED.sub(r"\1", string[1:-1]) for string in _STRINGS.findall(cell)]
    return None


def _choices(cell: str) -> list[str] | None:
    try:
        value: Any = strict_json.parse(cell)
    except strict_json.BrokenJsonError:
        return None
    choices = value.get("choices") if isinstance(value, Mapping) else None
    return choices if isinstance(choices, list) and all(isinstance(choice, str) for choice in choices) else None


def _unquoted(label: str) -> str:
    """The label without a pair of quotes around it."""
    return label[1:-1] if len(label) > 1 and _QUOTES.get(label[0]) == label[-1] else label
