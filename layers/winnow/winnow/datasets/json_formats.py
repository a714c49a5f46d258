"""The JSON formats: an array, JSON Lines, Comprehend's augmented manifest, and Prodigy's JSONL.

Each reader yields the place of a record with its unchecked text and labels, or with the reason why it can't be read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from winnow.datasets.row_problems import FileError, Kind, RowError
from winnow.datasets.unpacking import MOST_RECORD_BYTES, Lines
from winnow.domain import strict_json
from winnow.domain.strict_json import BrokenJsonError

FORM = '{"text": "…", "label": "…"} or {"text": "…", "labels": ["…", …]}'

# A text and its labels as found. A later check, the same for all formats, makes sure that they are strings.
Labelled = tuple[Any, Any]
Found = tuple[int, Labelled | RowError]
Dialect = Callable[[Any], Labelled]

_WHITE = re.compile(r"[ \t\n\r]*")
_ANSWERS = ("accept", "reject", "ignore")
_METADATA = "-metadata"


def array(pieces: Iterator[bytes], first_line: int, of: str) -> Iterator[Found]:
    """The elements of a JSON array, numbered from 1. Broken JSON ends the file: the start of the next element is unknown."""
    for number, element in enumerate(_Array(pieces, first_line, of), start=1):
        yield number, _labelled(plain, element)


def lines(numbered: Lines, dialect: Dialect) -> Iterator[Found]:
    """The records of JSON Lines, one per line. Blank lines are counted but are not records."""
    expected = f". Expected a JSON array, or one JSON object per line: {FORM}" if dialect is plain else ""
    for number, line in numbered:
        if line is None:
            yield number, too_long()
        elif line and not line.isspace():
            try:
                record = strict_json.parse(decoded(line))
            except BrokenJsonError as error:
                yield number, RowError(error.reason + expected)
            except RowError as error:
                yield number, error
            else:
                yield number, _labelled(dialect, record)


def _labelled(dialect: Dialect, record: Any) -> Labelled | RowError:
    try:
        return dialect(record)
    except RowError as error:
        return error


def decoded(line: bytes) -> str:
    """The line as text. Raises RowError if it isn't UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise RowError(not_utf8(line[error.start])) from error


def not_utf8(byte: int) -> str:
    return f"is not UTF-8 (byte 0x{byte:02x}): save the file as UTF-8"


def too_long() -> RowError:
    return RowError(f"has more than {MOST_RECORD_BYTES:,} bytes: put one example on each line, or shorten the text")


# --- what a record says ---


def dialect_of(record: Any) -> tuple[str, Dialect]:
    """The format's name, from the first record of JSON Lines, and the function that reads each record."""
    if isinstance(record, Mapping):
        if "text" not in record and ("source" in record or "source-ref" in record):
            return "augmented-manifest", manifest
        if record.get("answer") in _ANSWERS or (isinstance(record.get("accept"), list) and "options" in record):
            return "prodigy", prodigy
    return "json-lines", plain


def plain(record: Any) -> Labelled:
    if not isinstance(record, Mapping):
        raise RowError(f"is not an object: expected {FORM}")
    if not isinstance(record.get("text"), str):
        raise RowError(f'has no "text" that is a string: expected {FORM}')
    if ("label" in record) == ("labels" in record):
        raise RowError(f'needs either "label" or "labels": expected {FORM}')
    return record["text"], [record["label"]] if "label" in record else record["labels"]


def manifest(record: Any) -> Labelled:
    """A line of SageMaker Ground Truth's output for text classification, single or multi-label.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html
    """
    if not isinstance(record, Mapping) or not isinstance(record.get("source"), str):
        raise RowError('has no "source" that is a string: put the text into the line ("source-ref" is not fetched)')
    found = [(name.removesuffix(_METADATA), data) for name, data in record.items() if name.endswith(_METADATA) and _has_labels(data)]
    if len(found) != 1:
        number = "no labelling attribute" if not found else "several labelling attributes"
        raise RowError(f'has {number}: expected "NAME", and "NAME-metadata" with class-name or class-map, for one NAME')
    [(name, data)] = found
    if "class-name" in data:
        return record["source"], [data["class-name"]]
    chosen, names = record.get(name), data["class-map"]
    if not isinstance(chosen, list) or not isinstance(names, Mapping) or not all(str(number) in names for number in chosen):
        raise RowError(f'has a "{name[:100]}" that is not a list of numbers of its class-map')
    return record["source"], [names[str(number)] for number in chosen]


def _has_labels(metadata: Any) -> bool:
    return isinstance(metadata, Mapping) and ("class-name" in metadata or "class-map" in metadata)


def prodigy(record: Any) -> Labelled:
    """A line of Prodigy's `db-out`. Its labels are the chosen options ("accept" with "options"), or otherwise the one accepted "label"."""
    if not isinstance(record, Mapping):
        raise RowError('is not an object: expected {"text": "…", "label": "…", "answer": "accept"}, or "accept" with a list')
    if not isinstance(record.get("text"), str):
        raise RowError('has no "text" that is a string')
    answer = record.get("answer", "accept")
    if answer not in _ANSWERS:
        raise RowError(f'has an unknown "answer": use one of {", ".join(_ANSWERS)}')
    if answer != "accept":
        raise RowError(f"has the answer {answer} and is left out", Kind.SKIPPED_ROW)
    if "accept" in record:
        return record["text"], record["accept"]
    if "label" not in record:
        raise RowError('has neither "label" nor "accept"')
    return record["text"], [record["label"]]


# --- an array, element by element ---


class _Array:
    """The elements of a JSON array whose bytes come in pieces. It holds the current piece and one incomplete element at most."""

    def __init__(self, pieces: Iterator[bytes], first_line: int, of: str) -> None:
        self._pieces = pieces
        self._of = of
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._undecodable: FileError | None = None
        # The place of the text's first character, counted from 0.
        self._line = first_line - 1
        self._column = 0

    def __iter__(self) -> Iterator[Any]:
        """Raises FileError, with line and column, where the JSON breaks."""
        self._next()
        self._at += 1
        if self._next() == "]":
            self._at += 1
        else:
            yield self._element()
            while (separator := self._next()) != "]":
                if separator != ",":
                    raise self._broken("is not JSON: Expecting ',' delimiter", self._at)
                comma, self._at = self._at, self._at + 1
                # An error names the place of a trailing comma. The next piece replaces this one, so compute that place before it is gone.
                piece_ends = _end_of_white(self._text, self._at) == len(self._text)
                place = self._place(comma) if piece_ends else None
                if self._next() == "]":
                    raise self._broken("is not JSON: Illegal trailing comma before end of array", comma, place)
                yield self._element()
            self._at += 1
        if self._next():
            raise self._broken("is not JSON: Extra data after the array", self._at)

    def _next(self) -> str:
        """Skip white space and return the next character, or "" at the end."""
        while True:
            self._at = _end_of_white(self._text, self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def _element(self) -> Any:
        while True:
            try:
                value, end = strict_json.parse_at(self._text, self._at)
            except BrokenJsonError as error:
                # The element may only be incomplete.
                if len(self._text) - self._at > MOST_RECORD_BYTES and error.position is not None and not self._ended:
                    raise self._broken(
                        f"holds an element of more than {MOST_RECORD_BYTES:,} characters, or one that never ends", self._at
                    ) from error
                if error.position is None or self._ended:
                    raise self._broken(error.reason, self._at if error.position is None else error.position) from error
            else:
                # A number at the end of the piece may continue in the next one.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            self._more()

    def _more(self) -> None:
        """Add the next piece and drop what was read."""
        start = self._text.rfind("\n", 0, self._at) + 1
        self._line += self._text.count("\n", 0, self._at)
        self._column = self._at - start if start else self._column + self._at
        left = self._text[self._at :]
        piece = next(self._pieces, b"")
        self._ended = not piece
        if self._undecodable is not None:
            raise self._undecodable
        try:
            self._text, self._at = left + self._decoder.decode(piece, final=self._ended), 0
        except UnicodeDecodeError as error:
            # Read the text before the broken byte first.
            self._text, self._at = left + error.object[: error.start].decode(), 0
            line = self._line + self._text.count("\n") + 1
            self._undecodable = FileError(f"Line {line} of {self._of} {not_utf8(error.object[error.start])}.")

    def _place(self, position: int) -> str:
        start = self._text.rfind("\n", 0, position) + 1
        line = self._line + self._text.count("\n", 0, position) + 1
        return f"line {line} column {position - start + 1 + (0 if start else self._column)}"

    def _broken(self, reason: str, position: int, place: str | None = None) -> FileError:
        return FileError(f"{self._of[0].upper()}{self._of[1:]} {reason}, {place or self._place(position)}.")


def _end_of_white(text: str, start: int) -> int:
    found = _WHITE.match(text, start)
    return found.end() if found else start
