"""Read labelled examples: recognise the format, then run the checks that all formats share. docs/datasets.md lists the formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from winnow.datasets import json_formats, line_formats
from winnow.datasets.json_formats import FORM, Found
from winnow.datasets.row_problems import FileError, Kind, Problem, RowError
from winnow.datasets.unpacking import Lines, Stream, Unpacking, beginning
from winnow.domain import strict_json
from winnow.domain.dataset import MAX_LABEL_CHARACTERS, Ceilings, Example

# Examples share their label tuples up to this number. A file with more label sets can't be trained on, and must not fill the memory.
_MOST_SHARED = 100_000

_NONE = (
    "has an unknown format: use a JSON array, JSON Lines, CSV with the header text,label, CSV of LABEL,text (its name must end"
    " in .csv), fastText (__label__a text), an augmented manifest, or Prodigy's JSONL. docs/datasets.md shows each."
)


class Reader:
    """A data set, read once from a stream. Yields its examples in order, and a Problem for each row that is not an example.

    name: the object's key; its ending .csv marks CSV without a header. of: the data set's name in error sentences. format: set once
    iteration has begun.
    """

    def __init__(self, stream: Stream, name: str, ceilings: Ceilings, of: str = "the data set") -> None:
        self._name = name.lower().removesuffix(".gz")
        self._ceilings = ceilings
        self._of = of
        self._unpacking = Unpacking(stream, ceilings, _capital(of))
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.format: str | None = None
        self.rows = 0

    @property
    def unpacked_bytes(self) -> int:
        """The number of unpacked bytes that were read."""
        return self._unpacking.unpacked_bytes

    def facts(self) -> dict[str, Any]:
        """The facts about the file itself, for a report. Call it after reading."""
        return {"format": self.format, "bytes": self._unpacking.bytes, "unpacked_bytes": self.unpacked_bytes, "rows": self.rows}

    def sha256(self) -> str:
        """The digest of the whole object as stored (not unpacked). Reads the rest of the stream."""
        self._unpacking.rest()
        return self._unpacking.sha256.hexdigest()

    def __iter__(self) -> Iterator[Example | Problem]:
        """A problem with the whole file comes last."""
        row = 0
        try:
            for row, found in self._found():
                self.rows += 1
                self._check_rows()
                yield self._checked(row, found)
        except FileError as error:
            yield Problem(error.kind, row + 1 if error.row is None else error.row, error.sentence)

    def _check_rows(self) -> None:
        most = self._ceilings.rows
        if self.rows > most:
            raise FileError(f"{_capital(self._of)} has more than {most:,} rows: at most {most:,} can be trained on.", Kind.TOO_LARGE)

    def _found(self) -> Iterator[Found]:
        pieces = iter(self._unpacking)
        head, first_line = beginning(pieces, self._of)
        if not head:
            raise FileError(f"{_capital(self._of)} is empty: it needs examples such as {FORM}.")
        self.format, read = self._recognised(head)
        return read(chain([head], pieces), first_line)

    def _recognised(self, head: bytes) -> tuple[str, Callable[[Iterator[bytes], int], Iterator[Found]]]:
        first = head.lstrip().partition(b"\n")[0]
        if first.startswith(b"["):
            return "json-array", lambda pieces, line: json_formats.array(pieces, line, self._of)
        if first.startswith(b"{"):
            name, dialect = json_formats.dialect_of(_parsed(first))
            return name, lambda pieces, line: json_formats.lines(Lines(pieces, line), dialect)
        named_csv = self._name.endswith(".csv")
        if first.startswith(line_formats.PREFIX.encode()) and not named_csv:
            return "fasttext", lambda pieces, line: line_formats.fasttext(Lines(pieces, line))
        if line_formats.header(first.decode(errors="replace")):
            return "csv", lambda pieces, line: line_formats.csv_with_header(Lines(pieces, line), self._of)
        if named_csv:
            return "comprehend-csv", lambda pieces, line: line_formats.csv_without_header(Lines(pieces, line), self._of)
        raise FileError(f"{_capital(self._of)} {_NONE}")

    def _checked(self, row: int, found: tuple[Any, Any] | RowError) -> Example | Problem:
        try:
            if isinstance(found, RowError):
                raise found
            text, labels = found
            check_text(text, self._ceilings)
            return Example(text, self._labels(labels), row)
        except RowError as error:
            unit = "Example" if self.format == "json-array" else "Line"
            return Problem(error.kind, row, f"{unit} {row} of {self._of} {error.predicate}.")

    def _labels(self, labels: Any) -> tuple[str, ...]:
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise RowError(f"has a label that is not a string: expected {FORM}", Kind.BAD_LABEL)
        if len(labels) > self._ceilings.labels:
            raise RowError(f"has {len(labels):,} labels: at most {self._ceilings.labels:,}", Kind.BAD_LABEL)
        for label in labels:
            if not label or label.isspace():
                raise RowError("has an empty label: name it", Kind.BAD_LABEL)
            if len(label) > MAX_LABEL_CHARACTERS:
                raise RowError(f"has a label of {len(label):,} characters: at most {MAX_LABEL_CHARACTERS}. Shorten it", Kind.BAD_LABEL)
        each = tuple(dict.fromkeys(labels))
        if len(self._shared) < _MOST_SHARED:
            return self._shared.setdefault(each, each)
        return self._shared.get(each, each)


def check_text(text: str, ceilings: Ceilings) -> None:
    """Raise RowError if a text is empty or too long."""
    if not text or text.isspace():
        raise RowError("has an empty text: give it a text or leave it out", Kind.EMPTY_TEXT)
    if len(text) > ceilings.text_characters:
        raise RowError(f"has a text of {len(text):,} characters: at most {ceilings.text_characters:,}. Shorten it", Kind.LONG_TEXT)


def _parsed(line: bytes) -> Any:
    """The first record, or None if it can't be read: its error is reported later, when its turn comes."""
    try:
        return strict_json.parse(json_formats.decoded(line))
    except (strict_json.BrokenJsonError, RowError):
        return None


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
