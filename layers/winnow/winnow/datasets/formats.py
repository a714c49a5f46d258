"""Read labelled examples: recognise the format, then run the checks that all formats share. docs/datasets.md lists the formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from winnow.datasets import csv_records, json_formats, text_formats
from winnow.datasets.decoding import Decoding
from winnow.datasets.json_formats import Found
from winnow.datasets.json_records import FORM, Labelled, OfSubject
from winnow.datasets.labels import labels_in
from winnow.datasets.row_problems import FileError, Kind, Problem, RowError
from winnow.datasets.tables import labelled_table
from winnow.datasets.unpacking import Beginning, Lines, Stream, Unpacking, beginning
from winnow.domain.dataset import MAX_LABEL_CHARACTERS, MAX_SUBJECT_CHARACTERS, Ceilings, Example, Layout
from winnow.domain.normal_form import is_blank

# Examples share their label tuples up to this number. A file with more label sets can't be trained on, and must not fill the memory.
_MOST_SHARED = 100_000

_NONE = (
    "has an unknown format: use CSV with the header text,label, a JSON array, JSON Lines, or the export of a labelling tool."
    " docs/datasets.md shows each."
)

type _Read = Callable[[Iterator[bytes], int], Iterator[Found]]


class Reader:
    """A data set, read once from a stream. Yields its examples in order, and a Problem for each row that is not an example.

    name: the object's key. layout: what the client says about the file; what isn't said is found from its first lines. of: the data set's
    name in error sentences. format and understood: set once iteration has begun.
    """

    def __init__(self, stream: Stream, name: str, ceilings: Ceilings, of: str = "the data set", layout: Layout | None = None) -> None:
        self._name = name.lower().removesuffix(".gz")
        self._ceilings = ceilings
        self._of = of
        self._layout = layout or Layout()
        self._separator = self._layout.label_separator
        self._unit = "Line"
        self._unpacking = Unpacking(stream, ceilings, _capital(of))
        self._decoding = Decoding(self._layout.encoding, of)
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.format: str | None = None
        self.understood: dict[str, Any] = {}
        self.rows = 0

    @property
    def unpacked_bytes(self) -> int:
        """The number of unpacked bytes that were read."""
        return self._unpacking.unpacked_bytes

    @property
    def separated(self) -> bool:
        """Whether labels were taken apart at a separator."""
        return self._separator is not None

    def facts(self) -> dict[str, Any]:
        """The facts about the file itself, for a report. Call it after reading."""
        understood = {**self.understood, "encoding": self._decoding.encoding}
        of_file = {"bytes": self._unpacking.bytes, "unpacked_bytes": self.unpacked_bytes, "rows": self.rows}
        return {"format": self.format, "understood": understood, **of_file}

    def sha256(self) -> str:
        """The digest of the whole object as stored (not unpacked). Reads the rest of the stream."""
        self._unpacking.rest()
        return self._unpacking.sha256.hexdigest()

    def __iter__(self) -> Iterator[Example | Problem]:
        """A problem with the whole file comes last, a warning about its encoding before it."""
        row = 0
        broken = None
        try:
            for row, found in self._found():
                self.rows += 1
                self._check_rows()
                yield self._checked(row, found)
        except FileError as error:
            broken = Problem(error.kind, row + 1 if error.row is None else error.row, error.sentence)
        if encoded := self._decoding.problem():
            yield encoded
        if broken:
            yield broken

    def _check_rows(self) -> None:
        most = self._ceilings.rows
        if self.rows > most:
            raise FileError(f"{_capital(self._of)} has more than {most:,} rows: at most {most:,} can be trained on.", Kind.TOO_LARGE)

    def _found(self) -> Iterator[Found]:
        pieces = self._decoding.utf8(iter(self._unpacking))
        begins = beginning(pieces, self._of)
        if begins is None:
            raise FileError(f"{_capital(self._of)} is empty: it needs examples such as {FORM}.")
        self.format, read = self._recognised(begins)
        return read(begins.pieces, begins.line)

    def _recognised(self, begins: Beginning) -> tuple[str, _Read]:
        if json_formats.is_json(begins):
            found = json_formats.recognised(begins, self._of, self._layout)
            self.understood, self._unit = found.understood, found.unit
            return found.name, lambda _, line: found.read(found.pieces, line)
        if read_lines := text_formats.recognised(begins.sample, self._name):
            if self._layout.subject_column is not None:
                raise FileError(f"{_capital(self._of)} has no columns: leave out subject_column, or send a table or JSON.")
            return read_lines.name, lambda pieces, line: read_lines.read(Lines(pieces, line))
        table = labelled_table(begins.sample, self._layout, self._name, self._of)
        if table is None:
            raise FileError(f"{_capital(self._of)} {_NONE}")
        self.understood, self._separator = table.understood(), table.separator
        return table.format, lambda pieces, line: csv_records.examples(Lines(pieces, line), table, self._of)

    def _checked(self, row: int, found: Labelled | OfSubject | RowError) -> Example | Problem:
        try:
            if isinstance(found, RowError):
                raise found
            text, labels, *subject = found
            check_text(text, self._ceilings)
            return Example(text, self._labels(labels), row, subject=self._subject(*subject))
        except RowError as error:
            return Problem(error.kind, row, f"{self._unit} {row} of {self._of} {error.predicate}.")

    def _labels(self, labels: Any) -> tuple[str, ...]:
        """The labels of a row, each once. Empty if the row has none."""
        if not isinstance(labels, list):
            raise RowError(f"has a label that is not a string: expected {FORM}", Kind.BAD_LABEL)
        if len(labels) > self._ceilings.labels:
            raise RowError(f"has {len(labels):,} labels: at most {self._ceilings.labels:,}", Kind.BAD_LABEL)
        each = tuple(dict.fromkeys(name for label in labels for name in self._names(label)))
        if len(each) > self._ceilings.labels:
            raise RowError(f"has {len(each):,} labels: at most {self._ceilings.labels:,}", Kind.BAD_LABEL)
        for name in each:
            if len(name) > MAX_LABEL_CHARACTERS:
                raise RowError(f"has a label of {len(name):,} characters: at most {MAX_LABEL_CHARACTERS}. Shorten it", Kind.BAD_LABEL)
        if len(self._shared) < _MOST_SHARED:
            return self._shared.setdefault(each, each)
        return self._shared.get(each, each)

    def _subject(self, value: Any = None) -> str | None:
        """The subject of a row, if it has one. A column that only has the name `subject` may hold anything else."""
        name = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if 0 < len(name) <= MAX_SUBJECT_CHARACTERS:
            return name
        if self._layout.subject_column is not None and value is not None and not (isinstance(value, str) and is_blank(value)):
            most = f"a string or a whole number of at most {MAX_SUBJECT_CHARACTERS} characters"
            raise RowError(f"has a subject that is not {most}: use a short name, such as an id", Kind.BAD_SUBJECT)
        return None

    def _names(self, label: Any) -> tuple[str, ...]:
        """The labels that a value names: a blank one none, a packed one several."""
        if label is None:
            return ()
        if isinstance(label, bool):
            return (str(label).lower(),)
        if isinstance(label, int):
            return (str(label),)
        if not isinstance(label, str):
            raise RowError(f"has a label that is not a string: expected {FORM}", Kind.BAD_LABEL)
        return labels_in(label, self._separator)


def check_text(text: str, ceilings: Ceilings) -> None:
    """Raise RowError if a text is empty or too long."""
    if is_blank(text):
        raise RowError("has an empty text: give it a text or leave it out", Kind.EMPTY_TEXT)
    if len(text) > ceilings.text_characters:
        raise RowError(f"has a text of {len(text):,} characters: at most {ceilings.text_characters:,}. Shorten it", Kind.LONG_TEXT)


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
