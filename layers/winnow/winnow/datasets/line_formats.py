"""The line formats: CSV with a header, Comprehend's CSV without one, and fastText's.

Each reader yields the line where a record starts with its unchecked text and labels, or with the reason why it can't be read.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence

from winnow.datasets.json_formats import Found, Labelled, decoded, not_utf8, too_long
from winnow.datasets.row_problems import FileError, RowError
from winnow.datasets.unpacking import MOST_RECORD_BYTES, Lines

# The columns that are read, in data sets and in texts without labels. Only other names may occur twice.
_READ = ("text", "id", "label", "labels")
PREFIX = "__label__"
# Possessive (*+, ++), so the match keeps nothing to backtrack to, however many labels there are.
_LABELS = re.compile(rf"\s*+(?:{PREFIX}\S*+(?:\s++|$))*+")

# The csv module's own limit (131,072 characters per field) stops in the middle of a line, even inside a quote.
csv.field_size_limit(MOST_RECORD_BYTES)

_QUOTED = rb'"(?:[^"]++|"")*+'
_BARE = rb'[^",\r][^,\r]*+'
# Bytes from the start of a field: whole fields with their commas, and the last field as far as it goes.
_FIELDS = re.compile(
    rb'(?:(?:%(quoted)b"|%(bare)b)?,)*+(?:(?P<open>%(quoted)b)|(?P<closed>%(quoted)b")|(?P<bare>%(bare)b)|(?P<none>))'
    % {b"quoted": _QUOTED, b"bare": _BARE}
)
# The rest of the line depends only on the state of the last field: inside quotes, after the closing quote, unquoted, or not begun.
_OPEN = b'"'
_SHORTEST = {"open": _OPEN, "closed": b'""', "bare": b"x", "none": b""}
# csv.reader ends a record with its line after a carriage return, or after text between a closing quote and a comma.
_ENDED = b"\r"

_NUL = "holds a NUL byte: save the file as UTF-8 text"
# The start of csv.reader's message.
_NEVER_CLOSED = "unexpected end"


def header(line: str) -> tuple[str, ...] | None:
    """The columns of a CSV file, if its first line is a header with "text" and with "label" or "labels". Otherwise None."""
    names = columns_of(line)
    return names if "text" in names and ("label" in names) != ("labels" in names) else None


def columns_of(line: str) -> tuple[str, ...]:
    """The column names, if the line is a CSV header. Empty otherwise."""
    try:
        return _names(next(csv.reader([line], strict=True), []))
    except csv.Error:
        return ()


def csv_with_header(numbered: Lines, of: str) -> Iterator[Found]:
    """CSV (RFC 4180) with a column "text", and a column "label" or "labels" (separated by |). Other columns are ignored."""
    for row, fields in by_column(numbered, of):
        if isinstance(fields, RowError):
            yield row, fields
        else:
            yield row, (fields["text"], [fields["label"]] if "label" in fields else _parted(fields["labels"]))


def by_column(numbered: Lines, of: str) -> Iterator[tuple[int, dict[str, str] | RowError]]:
    """The records of CSV with a header: the line where each starts, with its fields by lower-case column name.

    Raises FileError if the header can't be read, or if it repeats a column that is read.
    """
    columns: Sequence[str] = ()
    for row, record in _records(numbered, of):
        if not columns:
            columns = _header(record, f"Line {row} of {of}", row)
        elif isinstance(record, RowError):
            yield row, record
        elif len(record) != len(columns):
            yield row, RowError(f"has {_columns(record)}, but the header has {len(columns):,}: quote texts that contain a comma or a quote")
        else:
            yield row, dict(zip(columns, record, strict=True))


def _header(record: list[str] | RowError, place: str, row: int) -> Sequence[str]:
    if isinstance(record, RowError):
        raise FileError(f"{place} {record.predicate}.", row=row)
    columns = _names(record)
    for name in _READ:
        if columns.count(name) > 1:
            raise FileError(f"{place} has two columns named {name} (upper and lower case are the same): rename or remove one.", row=row)
    # White space before the header gives empty names only.
    return columns if any(columns) else ()


def _names(record: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in record)


def csv_without_header(numbered: Lines, of: str) -> Iterator[Found]:
    """Comprehend's CSV: LABEL,text with | between several labels.

    https://docs.aws.amazon.com/comprehend/latest/dg/prep-classifier-data.html
    """
    for row, record in _records(numbered, of):
        if isinstance(record, RowError):
            yield row, record
        elif len(record) != 2:
            yield (
                row,
                RowError(
                    f"has {_columns(record)}: expected LABEL,text (quote texts that contain a comma), or the header text,label on line 1"
                ),
            )
        else:
            yield row, (record[1], record[0].split("|"))


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
        raise RowError(_NUL)
    found = _LABELS.match(line)
    end = found.end() if found else 0
    labels = line[:end].split()
    if not labels:
        raise RowError(f"does not begin with {PREFIX}: expected {PREFIX}a {PREFIX}b, then the text")
    return line[end:].rstrip(), [label.removeprefix(PREFIX) for label in labels]


def _parted(labels: str) -> list[str]:
    return labels.split("|") if labels else []


def _columns(record: Sequence[str]) -> str:
    return "1 column" if len(record) == 1 else f"{len(record):,} columns"


class _Feed:
    """Lines for csv.reader. It remembers an undecodable line, because the reader must continue to the end of the record.

    If a record exceeds MOST_RECORD_BYTES, its rest is skipped and RowError is raised: the next line begins the next record.
    """

    def __init__(self, numbered: Lines) -> None:
        self._parts = numbered.parts()
        self.number = numbered.number
        self.begin()

    def begin(self) -> None:
        """The next line is the first of a record."""
        self._first = self.number + 1
        self._bytes = 0
        self.wrong: RowError | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, part, ends = next(self._parts)
        if self._bytes + len(part) > MOST_RECORD_BYTES:
            self._pass_over(part, ends)
            raise self._too_long()
        line = part + b"\n"
        self._bytes += len(line)
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            self.wrong = RowError(not_utf8(line[error.start]))
            return line.decode(errors="replace")

    def _pass_over(self, part: bytes, ends: bool) -> None:
        # csv.reader asks for a second line only if a quote is open at the end of the first.
        before = _OPEN if self.number > self._first else b""
        while (before := _standing_for(before + part)) == _OPEN or not ends:
            try:
                self.number, part, ends = next(self._parts)
            except StopIteration:
                raise csv.Error(_NEVER_CLOSED) from None

    def _too_long(self) -> RowError:
        if self.number == self._first:
            return too_long()
        return RowError(
            f"has more than {MOST_RECORD_BYTES:,} bytes, because its quote is open until line {self.number}:"
            " close the quote where the text ends, or shorten the text"
        )


def _standing_for(part: bytes) -> bytes:
    """The shortest bytes that leave CSV parsing in the same state as these. The part begins at the start of a field."""
    found = _FIELDS.fullmatch(part)
    return _SHORTEST[found.lastgroup] if found and found.lastgroup else _ENDED


def _records(numbered: Lines, of: str) -> Iterator[tuple[int, list[str] | RowError]]:
    feed = _Feed(numbered)
    reader = csv.reader(feed, strict=True)
    while True:
        row = feed.number + 1
        feed.begin()
        try:
            record: list[str] | RowError = next(reader)
        except StopIteration:
            return
        except RowError as error:
            record = error
        except csv.Error as error:
            record = _explained(error, row, of)
        if feed.wrong is not None:
            record = feed.wrong
        elif isinstance(record, list) and any("\0" in field for field in record):
            record = RowError(_NUL)
        if record:
            yield row, record


def _explained(error: csv.Error, row: int, of: str) -> RowError:
    said = str(error)
    if said.startswith(_NEVER_CLOSED):
        sentence = f"Line {row} of {of} opens a quote that is never closed: close it, and double the quotes inside it."
        raise FileError(sentence, row=row) from error
    if "expected after" in said:
        return RowError("has text between a closing quote and the next comma: double the quotes inside a quoted text")
    return RowError("contains a carriage return: end lines with LF or CRLF, and quote texts that contain one")
