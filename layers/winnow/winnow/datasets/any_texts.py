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
from winnow.datasets.unpacking import GZIP, MOST_RECORD_BYTES, Lines, Stream, Unpacking
from winnow.domain.dataset import Ceilings, Example, Layout

# A string of JSON, wherever it stands.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"')
_STRING_BYTES = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_MARK = b"\xef\xbb\xbf"
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
                lines = _Pieces(pieces)
                for text in lines:
                    if columns is None and text.strip():
                        columns = _subject_columns(text)
                    # Once for a line: a text may be a cell and a line.
                    count += any(looks(each, None) for each in _candidates(text)) or any(map(is_subject, _subjects(text, columns or {})))
                whole = whole and lines.whole
            except FileError:
                whole = False
        return count, whole


class _Pieces:
    """The lines of a file, and the records that go over several lines. Of a long line of JSON, its strings, some in each piece.

    whole: whether they are all of the file. Known at the end.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.whole = True

    def __iter__(self) -> Iterator[str]:
        record: list[str] = []
        size = 0
        left, json_line = b"", False
        for _, part, ends in Lines(self._pieces, 1).parts():
            if left or json_line or not ends or len(part) > MOST_RECORD_BYTES:
                # A long line. Only JSON has strings whose ends are sure.
                json_line = json_line or part.lstrip(_MARK).startswith((b"[", b"{"))
                self.whole = self.whole and json_line and len(left) <= MOST_RECORD_BYTES
                now, left = _parted(left + part, last=ends) if self.whole else (b"", b"")
                json_line = json_line and not ends
                yield now.decode(errors="replace")
                continue
            # Only binary files and unknown encodings have zeros.
            self.whole = self.whole and b"\0" not in part and not part.startswith(GZIP)
            text = part.decode(errors="replace").strip("\r\ufeff")
            yield text
            if "\r" in text:
                yield from text.split("\r")
            # A quoted cell that has a line feed is between two lines with an odd number of quotes.
            if text.count('"') % 2:
                if record:
                    yield "\n".join([*record, text])
                record = [text]
                size = len(text)
            elif record:
                record.append(text)
                size += len(text)
                if size > MOST_RECORD_BYTES:
                    # A quote that nothing ends must not fill the memory.
                    record = []


def _parted(part: bytes, *, last: bool) -> tuple[bytes, bytes]:
    """The part of a long JSON line with the strings that end in it, and the rest. A name and its value stay together."""
    begins = [found.start() for found in _STRING_BYTES.finditer(part)][-2:]
    if last:
        return part, b""
    return (part[: begins[0]], part[begins[0] :]) if begins else (b"", part)


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
