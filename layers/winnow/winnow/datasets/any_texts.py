"""Every string of a file that may be a text: by each way to read the file, and piece by piece, whatever its format is."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from winnow.datasets.decoding import Decoding
from winnow.datasets.formats import Reader
from winnow.datasets.row_problems import FileError, Kind, Problem
from winnow.datasets.tables import DELIMITERS, SUBJECT
from winnow.datasets.unlabelled import UnlabelledTexts
from winnow.datasets.unpacking import Lines, Stream, Unpacking
from winnow.domain.dataset import Ceilings, Example, Layout

# A string of JSON, wherever it stands.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"')
_SUBJECT = re.compile(rf'"{SUBJECT}"\s*:\s*("(?:[^"\\]|\\.)*+"|\d+)', re.IGNORECASE)
# A text may be longer, and a file may have more rows, than the deployment allows for a training.
_ANY = 1_000_000_000
_WHOLE_FILE = {Kind.UNREADABLE_FILE, Kind.TOO_LARGE}

# Whether a text, with its subject if it is known, is one that is looked for.
Looks = Callable[[str, str | None], bool]


class AnyTexts:
    """Looks for texts in a file. opened: opens it from its start. name: the object's key. layouts: what clients have said of it.

    unread: whether a part of the file may not have been looked at. Known after `count`.
    """

    def __init__(self, opened: Callable[[], Stream], name: str, ceilings: Ceilings, layouts: Sequence[Layout] = ()) -> None:
        self._opened = opened
        self._name = name
        self._ceilings = replace(ceilings, rows=_ANY, text_characters=_ANY, labels=_ANY)
        self._layouts = list(dict.fromkeys([Layout(), *layouts]))
        self.unread = False

    def count(self, looks: Looks, is_subject: Callable[[str], bool]) -> int:
        """How many texts of the file are looked for. At least that many: a file may be read in several ways, and the most counts.

        is_subject: whether a string is the subject that is looked for.
        """
        by_rows = [read(looks, layout) for layout in self._layouts for read in (self._examples, self._unlabelled)]
        by_pieces, whole = self._pieces(looks, is_subject)
        self.unread = not whole and not any(read for _, read in by_rows)
        return max(by_pieces, *(count for count, _ in by_rows))

    def _examples(self, looks: Looks, layout: Layout) -> tuple[int, bool]:
        """The number of examples, and whether the file could be read as examples to its end."""
        count, read = 0, True
        for found in Reader(self._opened(), self._name, self._ceilings, layout=layout):
            if isinstance(found, Example):
                count += looks(found.text, found.subject)
            elif isinstance(found, Problem):
                read = read and found.kind not in _WHOLE_FILE
        return count, read

    def _unlabelled(self, looks: Looks, layout: Layout) -> tuple[int, bool]:
        count = 0
        try:
            for found in UnlabelledTexts(self._opened(), self._name, self._ceilings, layout):
                count += found.text is not None and looks(found.text, None)
        except FileError:
            return count, False
        return count, True

    def _pieces(self, looks: Looks, is_subject: Callable[[str], bool]) -> tuple[int, bool]:
        """The same of lines, cells and strings of JSON. A file may have texts where nobody has said that they are."""
        count, whole = 0, True
        columns: dict[str, int] | None = None
        encodings = dict.fromkeys(layout.encoding for layout in self._layouts)
        for encoding in encodings:
            try:
                pieces = Decoding(encoding, "the file").utf8(iter(Unpacking(self._opened(), self._ceilings, "The file")))
                for _, line in Lines(pieces, 1):
                    if line is None:
                        whole = False
                        continue
                    text = line.decode(errors="replace").strip("\r\ufeff")
                    if columns is None and text.strip():
                        columns = _subject_columns(text)
                    # Once for a line: a text may be a cell and a line.
                    count += any(looks(each, None) for each in _candidates(text)) or any(map(is_subject, _subjects(text, columns or {})))
            except FileError:
                whole = False
        return count, whole


def _candidates(line: str) -> Iterator[str]:
    yield line
    for delimiter in DELIMITERS:
        if delimiter in line:
            yield from _cells(line, delimiter)
    yield from _strings(_STRING.findall(line))


def _subjects(line: str, columns: dict[str, int]) -> Iterator[str]:
    for delimiter, place in columns.items():
        yield from _cells(line, delimiter)[place : place + 1]
    yield from _strings(_SUBJECT.findall(line))


def _subject_columns(header: str) -> dict[str, int]:
    """The places of a column of subjects in a table's first line, by the delimiter."""
    named = ((delimiter, [cell.strip().lower() for cell in _cells(header, delimiter)]) for delimiter in DELIMITERS)
    return {delimiter: cells.index(SUBJECT) for delimiter, cells in named if SUBJECT in cells}


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return list(chain.from_iterable(csv.reader([line], delimiter=delimiter, skipinitialspace=True)))
    except csv.Error:
        return line.split(delimiter)


def _strings(found: Sequence[str]) -> Iterator[str]:
    for each in found:
        try:
            yield str(json.loads(each, strict=False))
        except ValueError:
            yield each
