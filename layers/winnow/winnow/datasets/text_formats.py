"""The line formats that are not tables: fastText's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from winnow.datasets.json_formats import Found, Labelled, decoded, too_long
from winnow.datasets.labels import FASTTEXT_PREFIX
from winnow.datasets.row_problems import RowError
from winnow.datasets.unpacking import Lines

# Possessive (*+, ++), so the match keeps nothing to backtrack to, however many labels there are.
_LABELS = re.compile(rf"\s*+(?:{FASTTEXT_PREFIX}\S*+(?:\s++|$))*+")


def fasttext(numbered: Lines) -> Iterator[Found]:
    """fastText: __label__a __label__b and then the text, one example per line.

    https://fasttext.cc/docs/en/supervised-tutorial.html
    """
    for number, line in numbered:
        if line is None:
            yield number, too_long()
        elif line and not line.isspace():
            try:
                yield number, _fasttext(decoded(line))
            except RowError as error:
                yield number, error


def _fasttext(line: str) -> Labelled:
    if "\0" in line:
        raise RowError("holds a NUL byte: save the file as UTF-8 text")
    found = _LABELS.match(line)
    end = found.end() if found else 0
    labels = line[:end].split()
    if not labels:
        raise RowError(f"does not begin with {FASTTEXT_PREFIX}: expected {FASTTEXT_PREFIX}a {FASTTEXT_PREFIX}b, then the text")
    return line[end:].rstrip(), labels
